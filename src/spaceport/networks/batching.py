"""Which pieces go through a network together: sorted by length, so that little is padded."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from spaceport.errors import InputError

__all__ = ["Budget", "batches"]

T = TypeVar("T")
Places = npt.NDArray[Any]


def batches(
    lengths: npt.ArrayLike, budget: int, groups: npt.NDArray[Any] | None = None
) -> Iterator[Places]:
    """Yield the places of pieces by batch, the longest pieces first.

    Parameters
    ----------
    lengths : array-like of shape (n,), int
        Tokens of each piece, 1 or more.
    budget : int
        A batch has at most so many tokens, padding counted: its longest piece times its pieces. A
        longer piece goes alone.
    groups : ndarray of shape (n,), int, optional
        Only pieces of one number share a batch.

    Yields
    ------
    ndarray of shape (m,), int64

    Examples
    --------
    >>> [batch.tolist() for batch in batches([2, 9, 3, 3], budget=9)]
    [[1], [2, 3, 0]]
    """
    sizes = np.asarray(lengths)
    order = np.argsort(-sizes, kind="stable")
    alike = [order] if groups is None else [order[groups[order] == g] for g in np.unique(groups)]
    for places in alike:
        start = 0
        while start < len(places):
            count = max(1, budget // int(sizes[places[start]]))
            yield places[start : start + count]
            start += count


class Budget:
    """How many tokens go through a network at once; less where the memory was not enough.

    Parameters
    ----------
    tokens : int
        The most, padding counted.

    Attributes
    ----------
    tokens : int
        The most that the memory was found to hold.
    halvings : int
        How often it was too much.
    """

    def __init__(self, tokens: int) -> None:
        self.tokens = tokens
        self.halvings = 0

    def each(
        self,
        lengths: npt.NDArray[Any],
        function: Callable[[Places], T],
        groups: npt.NDArray[Any] | None = None,
    ) -> Iterator[tuple[Places, T]]:
        """Yield the places of each batch, and what `function` makes of it.

        A batch for which the device has not enough memory is halved, and so are those that follow.

        Raises
        ------
        InputError
            A single piece is too much.

        Examples
        --------
        >>> feed = Budget(9)
        >>> [int(total) for _, total in feed.each(np.array([2, 9, 3, 3]), np.sum)]
        [1, 5]
        """
        waiting = deque(batches(lengths, self.tokens, groups))
        while waiting:
            places = waiting.popleft()
            try:
                made = function(places)
            except _memory_errors() as error:
                self._halve(lengths[places], error)
                rest = np.concatenate([places, *waiting])
                kinds = None if groups is None else groups[rest]
                waiting = deque(rest[part] for part in batches(lengths[rest], self.tokens, kinds))
                continue
            yield places, made

    def _halve(self, lengths: npt.NDArray[Any], error: Exception) -> None:
        longest = int(lengths.max())
        if len(lengths) == 1:
            raise InputError(
                f"The memory of the device does not hold one piece of {longest} tokens.",
                'Give a smaller `max_tokens`, or device="cpu".',
            ) from error
        self.tokens = max(longest, longest * len(lengths) // 2)
        self.halvings += 1


def _memory_errors() -> tuple[type[Exception], ...]:
    """What torch raises where a device is full; nothing where torch is not used."""
    torch = sys.modules.get("torch")
    return () if torch is None else (torch.OutOfMemoryError,)
