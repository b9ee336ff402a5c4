"""What is known of the events of a tick: their ids, and whose prediction and label were counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.errors import CorruptError

__all__ = ["Hashes", "Known", "among"]

Hashes: TypeAlias = npt.NDArray[np.uint64]


def _none() -> Hashes:
    return np.empty(0, np.uint64)


@dataclass(frozen=True, eq=False)
class Known:
    """Hashes of ids, each array sorted and without repeats.

    Attributes
    ----------
    ids : ndarray of shape (n,), uint64
        All of them.
    predicted, labeled : ndarray, uint64
        Those whose prediction, and whose label, was counted.

    Examples
    --------
    >>> first = Known(ids=np.array([3, 5], np.uint64), predicted=np.array([3], np.uint64))
    >>> both = first | Known(ids=np.array([4], np.uint64))
    >>> both.ids.tolist(), both.predicted.tolist()
    ([3, 4, 5], [3])
    """

    ids: Hashes = field(default_factory=_none)
    predicted: Hashes = field(default_factory=_none)
    labeled: Hashes = field(default_factory=_none)

    def __or__(self, other: Known) -> Known:
        ours, theirs = self.arrays(), other.arrays()
        return Known(**{name: _union(ours[name], theirs[name]) for name in ours})

    def arrays(self) -> dict[str, Hashes]:
        """All of it, by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def read(cls, arrays: Mapping[str, npt.NDArray[Any]], path: str) -> Known:
        """Undo `arrays`.

        Raises
        ------
        CorruptError
        """
        named = [each.name for each in fields(cls)]
        sound = sorted(named) == sorted(arrays) and all(
            each.dtype == np.uint64 and each.ndim == 1 for each in arrays.values()
        )
        if not sound:
            raise CorruptError(
                f"The file {path} holds no hashes of ids.", "Restore it from a backup."
            )
        return cls(**arrays)


def among(wanted: Hashes, *ordered: Hashes) -> npt.NDArray[np.bool_]:
    """Which of `wanted` are in one of some sorted arrays.

    Examples
    --------
    >>> among(np.array([7, 2], np.uint64), np.array([1, 2, 3], np.uint64))
    array([False,  True])
    """
    found = np.zeros(len(wanted), bool)
    for each in ordered:
        if len(each):
            places = np.minimum(np.searchsorted(each, wanted), len(each) - 1)
            found |= each[places] == wanted
    return found


def _union(one: Hashes, other: Hashes) -> Hashes:
    if not len(one) or not len(other):
        return other if not len(one) else one
    return np.union1d(one, other)
