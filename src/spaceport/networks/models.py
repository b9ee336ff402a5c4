"""A Hugging Face model read from its folder: its weights as they lie there, and no code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from spaceport.errors import InputError
from spaceport.networks import origins
from spaceport.networks.network import Inputs, Network, Part
from spaceport.networks.where import Where
from spaceport.safe import read_layout

__all__ = ["Inputs", "Network", "Part", "lacking", "read"]

_NAMED = 5


def read(folder: Path) -> Network:
    """The Hugging Face model of a folder, in evaluation mode, its weights in float32.

    Only safetensors are read, and no code of the folder's is run. Parameters that the files lack are
    NaN, so that nothing can be computed from them unseen.

    Raises
    ------
    InputError
        There are no such weights, the model needs code of its own, or cannot be read.
    """
    from transformers import AutoModel

    files = origins.weights(folder)
    _refuse_code(folder)
    with _quiet():
        try:
            for file in files:
                read_layout(file, file.name, InputError)
            module, found = AutoModel.from_pretrained(
                folder,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                dtype=torch.float32,
                output_loading_info=True,
            )
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise InputError(
                f"{folder} cannot be read as a model: {str(error).splitlines()[0]}",
                "Fetch the model again, or save it anew with save_pretrained(folder).",
            ) from error
    parameters = dict(module.named_parameters())
    missing = sorted(found["missing_keys"] & parameters.keys())
    _fill(parameters, missing, torch.tensor(torch.nan))
    for config in (module.config, module.config.get_text_config()):
        config.use_cache = False
    return Network(module.eval(), missing=missing)


def lacking(network: Network, where: Where) -> list[str]:
    """Parameters that the files lack and that the wanted values depend on: at most five of them.

    Each is changed alone, and the example's values are compared; a pooler that nothing asked for
    changes none. (To look for NaN would not do: attention makes zeros of it.)
    """
    if not network.missing or network.example is None:
        return []
    parameters = dict(network.module.named_parameters())
    random = torch.Generator().manual_seed(0)

    def values(name: str) -> list[torch.Tensor]:
        drawn = torch.randn(parameters[name].shape, generator=random)
        _fill(parameters, [name], drawn)
        return network.capture(network.example or {}, where)

    for name in network.missing:
        before = values(name)
    found: list[str] = []
    for name in network.missing:
        after = values(name)
        if not all(torch.equal(one, other) for one, other in zip(before, after, strict=True)):
            found.append(name)
        if len(found) == _NAMED:
            break
        before = after
    _fill(parameters, network.missing, torch.tensor(torch.nan))
    return found


def _refuse_code(folder: Path) -> None:
    told = origins.configuration(folder).get("auto_map")
    if isinstance(told, dict) and any(name.startswith("AutoModel") for name in told):
        raise InputError(
            f"{folder} names code of its own that would compute the model (auto_map), which is never run.",
            "If transformers has the architecture itself, delete auto_map from config.json; otherwise "
            "load the model yourself and give the module.",
        )


def _fill(parameters: dict[str, Any], names: Sequence[str], value: torch.Tensor) -> None:
    with torch.no_grad():
        for name in names:
            parameters[name].copy_(value)


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back the bars and the remarks of transformers, and leave its settings as they were."""
    from transformers.utils import logging

    level, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()
