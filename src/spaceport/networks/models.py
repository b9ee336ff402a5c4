"""A network read from its folder, and the values of its layers; it runs no further than is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from spaceport.errors import InputError
from spaceport.networks import origins

__all__ = ["hidden_states", "layers_of", "read"]


class _EnoughError(Exception):
    """Raised inside a forward pass once everything that is wanted was seen."""


def read(folder: Path) -> torch.nn.Module:
    """The Hugging Face model of a folder, in evaluation mode, its weights in float32.

    Only safetensors are read, and no code of the folder's is run.
    """
    from transformers import AutoModel

    origins.weights(folder)
    with _quiet():
        try:
            network = AutoModel.from_pretrained(
                folder,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                dtype=torch.float32,
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise InputError(
                f"{folder} cannot be read as a model: {str(error).splitlines()[0]}",
                "Fetch the model again, or save it anew with save_pretrained(folder).",
            ) from error
    return network.eval()


def layers_of(network: torch.nn.Module) -> Sequence[torch.nn.Module]:
    """The layers that stand one after another: the longest list of equal modules."""
    lists = [m for m in network.modules() if isinstance(m, torch.nn.ModuleList) and len(m)]
    alike = [found for found in lists if len({type(layer) for layer in found}) == 1]
    if not alike:
        raise InputError(
            "The network has no list of layers.", "Name a module instead of counting layers."
        )
    return max(alike, key=len)


def hidden_states(
    network: torch.nn.Module, inputs: Mapping[str, Any], wanted: Sequence[int]
) -> dict[int, torch.Tensor]:
    """The values before each wanted layer (0: the embeddings), or after the last; as `hidden_states`."""
    layers = layers_of(network)
    found: dict[int, torch.Tensor] = {}
    furthest = max(wanted)

    def keep(index: int) -> Any:
        def hook(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            found[index] = args[0] if args else kwargs["hidden_states"]
            if index == furthest:
                raise _EnoughError

        return hook

    handles = [
        layers[i].register_forward_pre_hook(keep(i), with_kwargs=True)
        for i in {*wanted}
        if i < len(layers)
    ]
    try:
        found[len(layers)] = network(**inputs).last_hidden_state
    except _EnoughError:
        pass
    finally:
        for handle in handles:
            handle.remove()
    return {index: found[index] for index in wanted}


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
