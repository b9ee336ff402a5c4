"""From the vectors of pieces to one an item; for encoders by a network, with torch or without."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix
from spaceport.errors import InputError

__all__ = ["Weighted", "of_items", "refuse_non_finite"]


class Weighted(Protocol):
    """Pieces of items: whose each is (p,), ascending, and how much of the item it is (p,)."""

    @property
    def parents(self) -> npt.NDArray[Any]: ...

    @property
    def amounts(self) -> npt.NDArray[Any]: ...


def of_items(vectors: Matrix, pieces: Weighted) -> Matrix:
    """Each item's vector (n, d): the mean of its pieces', weighted by their amounts."""
    starts = np.flatnonzero(np.diff(pieces.parents, prepend=-1))
    if len(starts) == len(vectors):
        return vectors
    weights = pieces.amounts[:, None].astype(np.float32)
    summed = np.add.reduceat(vectors * weights, starts)
    return np.asarray(summed / np.add.reduceat(weights, starts), np.float32)


def refuse_non_finite(vectors: Matrix, items: Sequence[Any]) -> None:
    """See that every item has a vector of numbers.

    Raises
    ------
    InputError
        Some have not; the first is named.
    """
    bad = np.flatnonzero(~np.isfinite(vectors).all(1))
    if len(bad):
        item = items[bad[0]]
        told = f", {item[:60]!r}" if isinstance(item, str) else f", number {int(bad[0])}"
        raise InputError(
            f"The network gives NaN or infinity for {len(bad)} of {len(items)} items; the first{told}.",
            "Leave the items out, or take another layer.",
        )
