"""What encoders by a network share: its identity, its layers joined, what its folder asks for besides."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from spaceport.arrays import Matrix
from spaceport.encoders._rows import refuse_non_finite
from spaceport.errors import InputError, ParameterError
from spaceport.networks import kinds, models, origins
from spaceport.networks.outputs import shown
from spaceport.networks.where import Where

__all__ = [
    "alike",
    "digests_of",
    "joined",
    "left_out",
    "refuse_axes",
    "refuse_lacking",
    "refuse_widths",
    "together",
]

_FILES = (
    "*.safetensors",
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "sentence_bert_config.json",
    "preprocessor_config.json",
    "processor_config.json",
)
"""What of a model's folder changes its numbers."""

_OURS = frozenset({"Transformer", "Pooling"})


def digests_of(folder: Path) -> dict[str, str]:
    """SHA-256 of each file that changes a model's numbers, by its name."""
    return origins.digests({path for pattern in _FILES for path in folder.glob(pattern)})


def alike(values: Sequence[torch.Tensor]) -> bool:
    """Whether layers have the same positions, so that they can stand side by side at each."""
    return len({value.shape[:-1] for value in values}) == 1 and values[0].ndim < 4


def joined(values: Sequence[torch.Tensor], join: str) -> npt.NDArray[np.float32]:
    """Several layers' values as one array: side by side, or their mean.

    Examples
    --------
    >>> joined([torch.ones(1, 2), torch.zeros(1, 2)], "mean").tolist()
    [[0.5, 0.5]]
    >>> joined([torch.ones(1, 2), torch.zeros(1, 2)], "concatenate").shape
    (1, 4)
    """
    if join == "concatenate":
        together = torch.cat(list(values), dim=-1)
    elif len({value.shape for value in values}) > 1:
        told = " and ".join(shown(tuple(value.shape[1:])) for value in values)
        raise InputError(
            f"Layers of the shapes {told} have no mean.",
            "Take one of them, or `concatenate`, which pools each by itself.",
        )
    else:
        together = values[0] if len(values) == 1 else torch.stack(list(values)).mean(0)
    return np.asarray(together.float().cpu().numpy())


def refuse_axes(values: npt.NDArray[Any], count: int, who: str) -> None:
    """See that values have an axis of items, and axes that a pooling knows.

    Raises
    ------
    InputError
        They have others.
    """
    if values.ndim not in (2, 3, 4) or len(values) != count:
        raise InputError(
            f"`{who}` gives values of shape {shown(values.shape)} for {count} items.",
            "Name a module whose values are (items, positions, d), (items, channels, height, width) "
            "or (items, d).",
        )


def refuse_widths(vectors: Matrix, pooled: Matrix) -> None:
    """See that items get vectors of one length.

    Raises
    ------
    ParameterError
        They do not, since all their positions are laid side by side.
    """
    if vectors.shape[1] != pooled.shape[1]:
        raise ParameterError(
            f"Items get vectors of {vectors.shape[1]} and of {pooled.shape[1]} values: they differ in length.",
            "Choose another pooling than flatten.",
        )


def refuse_lacking(network: models.Network, where: Where, folder: Path) -> None:
    """See that all weights that the wanted values depend on are in the files.

    Raises
    ------
    InputError
        Some are not; the message names them.
    """
    absent = models.lacking(network, where)
    if absent:
        raise InputError(
            f"{folder} lacks weights that `{where}` needs: {', '.join(absent)}.",
            "Fetch the model again, or ask for a layer before them; they are never made up.",
        )


def left_out(folder: Path, unit: bool) -> list[str]:
    """What a folder of sentence-transformers names behind the pooling, and is not done here.

    Vectors are then not those of sentence-transformers; the layers' values are.
    """
    path = folder / "modules.json"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        kinds = [str(module["type"]).rpartition(".")[2] for module in told]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [kind for kind in kinds if kind not in _OURS and not (unit and kind == "Normalize")]


def together(
    names: list[list[str]], vectors: list[Matrix], pieces: kinds.Pieces, items: Sequence[str]
) -> Iterator[tuple[list[str], Matrix]]:
    """Each item's positions, those of its pieces one after another."""
    starts = np.flatnonzero(np.diff(pieces.parents, prepend=-1)).tolist()
    for item, start, end in zip(items, starts, [*starts[1:], len(vectors)], strict=True):
        rows = np.concatenate(vectors[start:end])
        refuse_non_finite(rows.max(0, keepdims=True), [item])
        yield [name for piece in names[start:end] for name in piece], rows
