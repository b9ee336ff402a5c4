"""Write a Hugging Face text model as ONNX, with every hidden state among its outputs, and prove it."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spaceport.errors import InputError, MissingExtra
from spaceport.networks import models, origins

__all__ = ["export"]

TOLERANCE = 1e-4
_OPSET = 20
_BESIDE = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "sentence_bert_config.json",
    "special_tokens_map.json",
)


def export(model: str, folder: Path) -> float:
    """Write ``model.onnx`` and the tokenizer's files into a new folder.

    The graph takes ``input_ids`` and ``attention_mask``, both (batch, tokens) of int64 and any size, and
    gives ``hidden_states.0`` to ``hidden_states.n-1`` and ``last_hidden_state``, each (batch, tokens, d).

    Parameters
    ----------
    model : str
        As `origins.find` takes it: a folder, a package, ``owner/name@revision``.
    folder : Path
        Made here; must not exist, or be empty.

    Returns
    -------
    float
        The largest difference between a value by ONNX Runtime and by torch, on two padded texts of
        another length than those of the export.

    Raises
    ------
    InputError
        The folder holds something; the model cannot be exported, or its values differ by more than
        0.0001.
    """
    source = origins.find(model)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already.", "Give a folder that does not exist yet.")
    network = _HiddenStates(models.read(source).module).eval()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.onnx"
    try:
        _write(network, path)
        departure = _departure(network, path)
    except BaseException:
        shutil.rmtree(folder)  # half a model is none
        raise
    for name in _BESIDE:
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
    return departure


class _HiddenStates(torch.nn.Module):
    def __init__(self, module: Any) -> None:
        super().__init__()
        self.module = module
        self.count = int(module.config.num_hidden_layers)

    @property
    def names(self) -> list[str]:
        """What the outputs are called."""
        return [*(f"hidden_states.{index}" for index in range(self.count)), "last_hidden_state"]

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        found = self.module(
            input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True
        )
        return (*found.hidden_states[: self.count], found.last_hidden_state)


def _write(network: _HiddenStates, path: Path) -> None:
    axes = {0: "batch", 1: "tokens"}
    names = ["input_ids", "attention_mask"]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter's, of its own parts and its own age
            torch.onnx.export(
                network,
                _example(network, 2, 16),
                str(path),
                dynamo=False,  # by torch.export the same graph takes ten times as long to write
                opset_version=_OPSET,
                input_names=names,
                output_names=network.names,
                dynamic_axes=dict.fromkeys([*names, *network.names], axes),
            )
    except ModuleNotFoundError as error:
        raise MissingExtra.of("onnx", str(error.name)) from error
    except Exception as error:  # the exporter's errors have no common root
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"{type(network.module).__name__} cannot be exported: {why}",
            "Export it by other means, and give the folder with model.onnx and tokenizer.json.",
        ) from error


def _departure(network: _HiddenStates, path: Path) -> float:
    import onnxruntime

    ids, mask = _example(network, 3, 11)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    given = session.run(network.names, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})
    with torch.inference_mode():
        wanted = [values.numpy() for values in network(ids, mask)]
    real = mask.numpy().astype(bool)
    pairs = zip(given, wanted, strict=True)
    worst = max(float(np.abs(one - other)[real].max()) for one, other in pairs)
    if not worst <= TOLERANCE:
        raise InputError(
            f"The exported graph's values differ from torch's by up to {worst:.2g}.",
            "Export the model by other means.",
        )
    return worst


def _example(network: _HiddenStates, rows: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Texts of which all but the first are shorter."""
    size = int(network.module.config.vocab_size)
    ids = torch.arange(rows * length).reshape(rows, length) * 7 % (size - 1) + 1
    mask = torch.ones_like(ids)
    for row in range(1, rows):
        mask[row, length - 2 * row :] = 0
    return ids, mask
