"""A stream of values in bounded memory: a uniform sample of them, and how often the frequent ones stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import generator

__all__ = ["Counts", "Sample"]

_CATEGORIES = 1 << 17


class Sample:
    """A uniform sample of a stream, of all of it up to `size`; the same however it is cut in batches."""

    def __init__(self, size: int, seed: int) -> None:
        self._size = size
        self._rng = generator(seed)
        self._keys = np.zeros(0)
        self.values: npt.NDArray[Any] = np.zeros(0, object)

    def add(self, values: npt.NDArray[Any]) -> None:
        """Take more values in; those of the `size` smallest random keys stay."""
        keys = np.concatenate([self._keys, self._rng.random(len(values))])
        both = np.concatenate([self.values.astype(values.dtype), values])
        if len(keys) > self._size:
            kept = np.sort(np.argpartition(keys, self._size)[: self._size])
            keys, both = keys[kept], both[kept]
        self._keys, self.values = keys, both


class Counts:
    """How often each string stands, of at most `capacity` strings at a time, by default 131,072.

    Where more come up, each count is too small by `taken_off` at most, which is at most twice the
    stream's length by the capacity: Misra, J. & Gries, D. (1982). Finding repeated elements. Science
    of Computer Programming 2.

    Examples
    --------
    >>> counts = Counts(capacity=3)
    >>> counts.add("aaaaaabbbcd")
    >>> counts.largest(2, 1), counts.taken_off
    ([('a', 3)], 3)
    """

    def __init__(self, capacity: int = _CATEGORIES) -> None:
        self._capacity = capacity
        self.counts: Counter[str] = Counter()
        self.taken_off = 0

    def add(self, values: Iterable[str]) -> None:
        """Count more; where there are too many, take the middle count off all and drop the empty ones."""
        self.counts.update(values)
        if len(self.counts) > self._capacity:
            middle = sorted(self.counts.values())[len(self.counts) // 2]
            self.counts = Counter({v: n - middle for v, n in self.counts.items() if n > middle})
            self.taken_off += middle

    def largest(self, many: int, least: int) -> list[tuple[str, int]]:
        """The `many` most frequent that stand at least `least` times, ties in the order of the strings."""
        frequent = [(v, n) for v, n in self.counts.items() if n + self.taken_off >= least]
        return sorted(frequent, key=lambda pair: (-pair[1], pair[0]))[:many]
