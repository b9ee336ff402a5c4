"""What a user's own function makes of items, or numbers as they are, for a network of the user's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from spaceport.arrays import matrix
from spaceport.errors import InputError

__all__ = ["Given", "GivenPieces"]

_COST = 64
"""Positions that an item counts for which a function prepares: how many it has is not known before."""

_MASK = "attention_mask"


class Given:
    """A function of the user's that makes a network's inputs.

    Parameters
    ----------
    prepare : callable, optional
        Takes m items and gives a tensor, or a dict of tensors by the names of the network's
        parameters, the first axis m. Left out: items are rows of numbers, and go in as float32 (m, d).
    """

    def __init__(self, prepare: Callable[[Any], Any] | None) -> None:
        self._prepare = prepare

    def pieces(self, items: Any, prompt: str = "", chunk: bool = False) -> GivenPieces:
        """Each item is a piece; it is prepared when its batch goes through the network."""
        given = items.to_pylist() if isinstance(items, pa.Array) else items
        if self._prepare is None:
            return GivenPieces(_numbers(given), torch.from_numpy, 1)
        return GivenPieces(given, self._prepare, _COST)


@dataclass(frozen=True)
class GivenPieces:
    """Items, each a piece.

    Attributes
    ----------
    items : sequence of p items
    prepare : callable
        Makes the network's inputs of some of them.
    cost : int
        What each counts, in positions.
    """

    items: Any
    prepare: Callable[[Any], Any]
    cost: int
    groups: None = None
    long: int = 0

    @property
    def parents(self) -> npt.NDArray[Any]:
        """Each is its own item (p,)."""
        return np.arange(len(self.items))

    @property
    def lengths(self) -> npt.NDArray[Any]:
        """What each piece costs (p,)."""
        return np.full(len(self.items), self.cost)

    amounts = lengths

    def batch(self, places: npt.NDArray[Any]) -> tuple[Any, npt.NDArray[np.bool_] | None]:
        """The network's inputs, and where an ``attention_mask`` among them says that it is no padding.

        Raises
        ------
        InputError
            What was prepared is no tensor, or not one row for each item.
        """
        some = (
            self.items[places]
            if isinstance(self.items, np.ndarray)
            else [self.items[place] for place in places]
        )
        inputs = self.prepare(some)
        for tensor in inputs.values() if isinstance(inputs, Mapping) else [inputs]:
            _check(tensor, len(places))
        mask = inputs.get(_MASK) if isinstance(inputs, Mapping) else None
        return inputs, None if mask is None else np.asarray(mask.cpu()).astype(bool)

    def names(self, place: int, there: npt.NDArray[Any]) -> list[str]:
        """The positions of a piece that are there (t,), by number."""
        return [str(position) for position in np.flatnonzero(there)]

    def kept(self, places: npt.NDArray[Any], shape: Sequence[int]) -> None:
        """Nothing but what `batch` says."""


def _check(tensor: Any, count: int) -> None:
    if not isinstance(tensor, torch.Tensor):
        raise InputError(
            f"`prepare` gave {type(tensor).__name__}, and no tensor.",
            "Let it give a tensor, or a dict of tensors by the names of the network's parameters.",
        )
    if tensor.ndim == 0 or len(tensor) != count:
        raise InputError(
            f"`prepare` gave a tensor of shape {tuple(tensor.shape)} for {count} item{'s' * (count > 1)}.",
            "Let it give one row per item, in order.",
        )


def _numbers(items: Any) -> npt.NDArray[np.float32]:
    """Vectors as they are, and rows of a table whose columns are all numbers, in their order."""
    if len(items) and isinstance(items[0], Mapping):
        try:
            items = [[float(value) for value in row.values()] for row in items]
        except (TypeError, ValueError) as error:
            raise InputError(
                "The rows hold other than numbers.",
                "Give prepare=, a function that makes a tensor of rows (dicts).",
            ) from error
    return matrix(items, "items")
