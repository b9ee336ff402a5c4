"""Which units two sketches are compared by: rows, or blocks of rows.

Of the ways there are, the one whose differences of means vary least is taken, by n m / (n + m) of the rows
it uses; those in which units of one size are permuted are exact, and preferred where they lose at
most a fifth::

    rows    the rows of both samples                                              permuted
    bags    one side's blocks, the other's sample in bags of that size            permuted
    blocks  all blocks, those of the side with smaller ones joined to the others' permuted
    turned  all blocks as they are, where each holds 128 rows or more               turned: see `_pooled`

Bags follow from the ids' hashes, as blocks do, so that the sizes of both vary alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from spaceport.drift.sketches.sketch import Sketch

__all__ = ["FEWEST", "GAUSSIAN", "Units", "Way", "choose", "ways"]

Double: TypeAlias = npt.NDArray[np.float64]

FEWEST = 6
"""Units that a side must have."""
GAUSSIAN = 128
"""Rows whose sum counts as Gaussian: with 23 of them, log-normal, MMD alarmed in .098 of 400 runs at .05."""
_MANY = 512
"""Units into which a sample is put at most."""
_TURNED = 0.8
"""What a way that is exact for Gaussian sums alone counts for, beside those that always are."""


@dataclass(frozen=True, eq=False)
class Units:
    """The units of one side.

    Attributes
    ----------
    sizes : ndarray of shape (u,), float64
        Rows of each, none of them 0.
    sums : dict of str to ndarray of shape (u, F), float64
    """

    sizes: Double
    sums: dict[str, Double]


@dataclass(frozen=True, eq=False)
class Way:
    """One way to compare two sketches.

    Attributes
    ----------
    name : str
    rows : (int, int)
        How many rows of the reference and of the current sample it uses.
    units : callable or None
        Gives the units of both; None where they are the rows of both samples.
    turned : bool
        Turned in place of permuted.
    """

    name: str
    rows: tuple[int, int]
    units: Callable[[], tuple[Units, Units]] | None
    turned: bool = False

    @property
    def worth(self) -> float:
        """N m / (n + m): one over it is how much a difference of means varies."""
        n, m = self.rows
        return n * m / (n + m)


def choose(reference: Sketch, current: Sketch) -> Way:
    """Give the best way; rows where the current sample is all there."""
    rows = Way("rows", (len(reference.rows), len(current.rows)), None)
    if current.complete:
        return rows
    return max([rows, *ways(reference, current)], key=_preference)


def _preference(way: Way) -> float:
    return way.worth * (_TURNED if way.turned else 1)


def ways(reference: Sketch, current: Sketch) -> Iterator[Way]:
    """Give the ways to compare a window that is not complete by its blocks."""
    n, m = reference.count, current.count
    yield from _bags(reference, current, False)
    if reference.complete:
        return
    yield from _bags(current, reference, True)
    left, right = _joined(n / reference.blocks, m / current.blocks, reference, current)
    if min(left, right) >= FEWEST:
        yield Way("blocks", (n, m), lambda: (_blocks(reference, left), _blocks(current, right)))
    if min(n / reference.blocks, m / current.blocks) >= GAUSSIAN:
        yield Way(
            "turned",
            (n, m),
            lambda: (_blocks(reference, reference.blocks), _blocks(current, current.blocks)),
            turned=True,
        )


def _joined(here: float, there: float, left: Sketch, right: Sketch) -> tuple[int, int]:
    """Give how many units each side's blocks, of `here` and `there` rows, are joined to."""
    if here < there:
        return round(left.count / there), right.blocks
    return left.blocks, round(right.count / here)


def _bags(kept: Sketch, blocked: Sketch, turned: bool) -> Iterator[Way]:
    """The rows that `kept` keeps in bags of the size of the other's blocks."""
    size = blocked.count / blocked.blocks
    for join in (1, 2, 4, 8):
        blocks, bags = blocked.blocks // join, round(len(kept.rows) / (size * join))
        if bags <= _MANY:
            break
    if min(blocks, bags) < FEWEST:
        return

    def units() -> tuple[Units, Units]:
        both = _sample(kept, bags), _blocks(blocked, blocks)
        return both[::-1] if turned else both

    used = len(kept.rows), blocked.count
    yield Way("bags", used[::-1] if turned else used, units)


def _blocks(sketch: Sketch, units: int) -> Units:
    """The blocks of a sketch joined to `units` units."""
    groups = [part[0] for part in np.array_split(np.arange(sketch.blocks), units)]
    sums = {name: np.add.reduceat(array, groups) for name, array in sketch.sums.items()}
    return _filled(np.add.reduceat(sketch.sizes, groups), sums)


def _sample(sketch: Sketch, bags: int) -> Units:
    """The rows of a sketch's sample in bags."""
    from spaceport.drift.sketches.totals import BY_CELL, Totals

    places = (sketch.keys % np.uint64(bags)).astype(np.int64)
    sums = Totals.of(sketch.basis, bags, [(sketch.rows, places)]).sums
    wide = {name: array.astype(np.float64, copy=False) for name, array in sums.items()}
    sizes = wide.pop("sizes")
    return _filled(sizes, {name: array for name, array in wide.items() if name not in BY_CELL})


def _filled(sizes: Double, sums: dict[str, Double]) -> Units:
    there = sizes > 0
    if there.all():
        return Units(sizes, sums)
    return Units(sizes[there], {name: array[there] for name, array in sums.items()})
