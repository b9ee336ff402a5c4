"""One pass over the vectors that two versions share: all that needs every row, and nothing held.

A block's moments, the search for the sample's neighbors on either side and the rows' own figures are
four pieces of work for the threads. The result does not depend on how many threads there are.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix
from spaceport.geometry.joint_moments import JointMoments
from spaceport.geometry.streamed import Search
from spaceport.progress import task
from spaceport.quality.overlap import Overlap, draw
from spaceport.spaces.compatibility.pairing import Pairs
from spaceport.threads import one_thread

__all__ = ["Lengths", "Passed", "Rows", "pass_over"]

Places: TypeAlias = npt.NDArray[np.int64]
Double: TypeAlias = npt.NDArray[np.float64]

_BLOCK = 8192
_UNIT = 1e-4
_SOME = 1000  # places of moved rows that are kept
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass
class Lengths:
    """Lengths of rows: their sum, extremes, and how many are zero or one."""

    count: int = 0
    total: float = 0.0
    low: float = float("inf")
    high: float = 0.0
    zero: int = 0
    unit: int = 0

    @property
    def mean(self) -> float:
        """Mean Euclidean length."""
        return self.total / self.count

    @property
    def normalized(self) -> bool:
        """Every row has length one, or zero."""
        return 0 < self.unit == self.count - self.zero

    def see(self, lengths: Double) -> None:
        """Take more rows into account."""
        self.count += len(lengths)
        self.total += float(lengths.sum())
        self.low = min(self.low, float(lengths.min()))
        self.high = max(self.high, float(lengths.max()))
        self.zero += int((lengths == 0).sum())
        self.unit += int((np.abs(lengths - 1) < _UNIT).sum())


@dataclass
class Rows:
    """What is found row by row.

    Attributes
    ----------
    tolerance : float
        Relative distance by which a row must depart to count as moved.
    left, right : Lengths
    moved : int
        Rows that moved; all where the dimensions differ.
    largest : float
        Largest departure, |x - y| / max(|x|, |y|), of dimensions that are the same.
    squares : float
        Σ |x - y|² over moved rows.
    places : list of int
        The first 1,000 moved rows.
    turned : float
        Mean of 1 - cos(x, y) over the leading dimensions that both have, rows of zeros left out.
    compared : int
        Rows that `turned` is over.
    digests : list of two int
        Of each side's rows, whatever their order: equal where the same vectors lie on both sides.
    """

    tolerance: float
    left: Lengths = field(default_factory=Lengths)
    right: Lengths = field(default_factory=Lengths)
    moved: int = 0
    largest: float = 0.0
    squares: float = 0.0
    places: list[int] = field(default_factory=list)
    turned: float = 0.0
    compared: int = 0
    digests: list[int] = field(default_factory=lambda: [0, 0])

    def see(self, x: Matrix, y: Matrix) -> None:
        """Take a block of pairs, (b, p) and (b, q), into account."""
        first, same = self.left.count, x.shape[1] == y.shape[1]
        sizes = [np.sqrt(np.einsum("nd,nd->n", side, side).astype(np.float64)) for side in (x, y)]
        for lengths, size in zip((self.left, self.right), sizes, strict=True):
            lengths.see(size)
        self._turn(x, y)
        if not same:
            self.moved += len(x)
            return
        gap = x - y
        apart = np.sqrt(np.einsum("nd,nd->n", gap, gap).astype(np.float64))
        longer = np.maximum(*sizes)
        departures = np.divide(apart, longer, out=np.zeros_like(apart), where=longer > 0)
        moved = np.flatnonzero(departures > self.tolerance)
        self.moved += len(moved)
        self.largest = max(self.largest, float(departures.max()))
        self.squares += float((apart[moved] ** 2).sum())
        self.places += (moved[: _SOME - len(self.places)] + first).tolist()
        for side, rows in enumerate((x, y)):
            self.digests[side] = (self.digests[side] + _digest(rows)) % 2**64

    def _turn(self, x: Matrix, y: Matrix) -> None:
        width = min(x.shape[1], y.shape[1])
        a, b = x[:, :width], y[:, :width]
        sizes = np.einsum("nd,nd->n", a, a) * np.einsum("nd,nd->n", b, b)
        known = sizes > 0
        cosines = np.einsum("nd,nd->n", a, b)[known] / np.sqrt(sizes[known], dtype=np.float64)
        count = int(known.sum())
        if count:
            total = self.turned * self.compared + float((1 - cosines).sum())
            self.compared += count
            self.turned = total / self.compared


@dataclass(frozen=True, eq=False)
class Passed:
    """What the pass found.

    Attributes
    ----------
    moments : JointMoments
    rows : Rows
    overlap : Overlap or None
        Of the sample; None where a single item is shared.
    """

    moments: JointMoments
    rows: Rows
    overlap: Overlap | None


def pass_over(
    pairs: Pairs, k: int, sample: int, seed: int, tolerance: float, threads: int = 2
) -> Passed:
    """Read the shared vectors of two versions once.

    Parameters
    ----------
    pairs : Pairs
    k : int
        Neighbors of each item of the sample, found exactly among all shared items.
    sample, seed : int
        How many items are asked for their neighbors, and how they are drawn.
    tolerance : float
        See `Rows`.
    threads : int
    """
    places = draw(len(pairs), sample, seed)
    k = min(k, len(pairs) - 1)
    searches = _searches(pairs, places, k) if k else []
    moments, rows = _passed(pairs, searches, Rows(tolerance), threads)
    if not searches:
        return Passed(moments, rows, None)
    before = searches[0].found(pairs.left)[0]
    after = searches[1].found(pairs.right)[0]
    return Passed(moments, rows, Overlap.of(places, before, after, len(pairs)))


def _searches(pairs: Pairs, places: Places, k: int) -> list[Search]:
    sides = zip(pairs.take(places), (pairs.old, pairs.new), strict=True)
    return [Search(rows, places, k, version.contract.metric) for rows, version in sides]


def _passed(
    pairs: Pairs, searches: list[Search], rows: Rows, threads: int
) -> tuple[JointMoments, Rows]:
    total, first = None, 0
    with one_thread(), ThreadPoolExecutor(threads) as pool, task("comparing", len(pairs)) as work:
        for x, y in pairs.blocks(_BLOCK):
            halves = [pool.submit(JointMoments.of, *half) for half in _halves(x, y)]
            jobs = [
                pool.submit(_see, search, side, first)
                for search, side in zip(searches, (x, y), strict=False)
            ]
            rows.see(x, y)
            for part in (half.result() for half in halves):
                total = part if total is None else total + part
            for job in jobs:
                job.result()
            first += len(x)
            work.advance(len(x))
    assert total is not None, "pairs are never empty"
    return total, rows


def _see(search: Search, block: Matrix, first: int) -> None:
    search.see(block, first)


def _halves(x: Matrix, y: Matrix) -> list[tuple[Matrix, Matrix]]:
    middle = len(x) // 2
    return [(x[:middle], y[:middle]), (x[middle:], y[middle:])] if middle else [(x, y)]


def _digest(rows: Matrix) -> int:
    """A sum over hashes of the rows' bits; the order of the rows does not matter."""
    bits = (rows + np.float32(0)).view(np.uint32)  # so that -0 is 0
    bits ^= bits >> np.uint32(16)  # else an even number of changed signs would cancel
    weights = _weights(bits.shape[1])
    high, low = (np.einsum("nd,d->n", bits, weight).astype(np.uint64) for weight in weights)
    hashed = ((high << np.uint64(32)) | low) * _MIX
    hashed ^= hashed >> np.uint64(29)
    return int((hashed * _MIX).sum(dtype=np.uint64))


def _weights(width: int) -> npt.NDArray[Any]:
    """Odd random numbers, the same at each call; shape (2, width)."""
    drawn = np.random.default_rng(0).integers(0, 2**31, (2, width), dtype=np.uint32)
    return drawn * np.uint32(2) + np.uint32(1)
