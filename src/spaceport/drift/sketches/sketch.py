"""The sketch of a window: sums over blocks of its rows, and a sample of them.

A row's block, and whether it is in the sample, follow from a hash of its id alone, so that ``a + b`` is
the sketch of both collections whatever their order and however they were cut::

    block   hash mod b
    sample  the rows with the k smallest hashes

A sketch does not know which ids it has seen: a row that comes twice counts twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.arrays import Matrix, integer
from spaceport.drift.sketches.basis import Basis
from spaceport.drift.sketches.blocks import check_blocks, places_of
from spaceport.drift.sketches.sample import SAMPLE, Keys, Sample, merged
from spaceport.drift.sketches.streams import Batch, gather, sums_of
from spaceport.drift.sketches.totals import BY_CELL, Totals, added
from spaceport.errors import ParameterError
from spaceport.geometry.moments import Moments

__all__ = ["BLOCKS", "KEPT", "SAMPLE", "Sketch", "total"]

Double: TypeAlias = npt.NDArray[np.float64]

BLOCKS = 64
_AT_ONCE = 64
KEPT = 8192
"""What a reference keeps that is sketched once: windows of a few thousand rows are compared with it in bags."""


@dataclass(frozen=True, eq=False)
class Sketch:
    """What is kept of a window of vectors, whose size does not grow with the rows.

    Attributes
    ----------
    basis : Basis
        Of what is summed up; sketches of one basis can be added and compared.
    count : int
        How many rows were seen.
    blocks : int
        A power of 2; of two sketches that are added the smaller counts.
    sample : Sample
        Rows with their ids. Where it holds all that were seen, the sketch is *complete*, and
        everything else follows from it.
    """

    basis: Basis
    count: int
    blocks: int
    sample: Sample
    _totals: Totals | None = None

    @classmethod
    def of(
        cls,
        basis: Basis,
        vectors: npt.ArrayLike,
        ids: Sequence[str] | pa.Array | None = None,
        refs: Sequence[str] | None = None,
        *,
        room: int = SAMPLE,
        blocks: int = BLOCKS,
    ) -> Sketch:
        """Sketch rows in one go; `of_stream` takes them as a stream.

        Parameters
        ----------
        basis : Basis
        vectors : array-like of shape (n, d)
        ids : sequence of n str, or Arrow array of strings, optional
            ``0`` ... ``n-1`` where there are none.
        refs : sequence of n str, optional
            Where the contents lie, kept with the sample.
        room : int
            How many rows the sample holds.
        blocks : int
            A power of 2.

        Raises
        ------
        InputError
            NaN or infinity, another dimension, another number of ids, an id that is null.

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> X = rng.standard_normal((5000, 4))
        >>> basis = Basis.fit(X)
        >>> names = [f"item {i}" for i in range(5000)]
        >>> whole = Sketch.of(basis, X, names)
        >>> both = Sketch.of(basis, X[:900], names[:900]) + Sketch.of(basis, X[900:], names[900:])
        >>> both.count, both.ids == whole.ids, np.allclose(both.sums["waves"], whole.sums["waves"])
        (5000, True, True)
        """
        batches = [(ids, vectors, refs)]
        return cls.of_stream(basis, batches, room=room, blocks=blocks)

    @classmethod
    def of_stream(
        cls,
        basis: Basis,
        batches: Iterable[Batch],
        *,
        room: int = SAMPLE,
        blocks: int = BLOCKS,
        prefix: str = "",
        threads: int = 2,
    ) -> Sketch:
        """Sketch a stream of rows in one pass.

        Parameters
        ----------
        basis : Basis
        batches : iterable of (ids, vectors) or (ids, vectors, refs)
            Each as in `of`; `streams.columns` makes them of record batches. Some 16,384 rows are
            worked on at a time.
        room, blocks : int
        prefix : str
            Rows without ids are called by it and their position in the stream. It must differ
            between streams whose sketches will be added: the day, for example.
        threads : int
            Which the result does not depend on.

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> X = rng.standard_normal((5000, 4))
        >>> parts = ((None, X[i : i + 1000]) for i in range(0, 5000, 1000))
        >>> found = Sketch.of_stream(Basis.fit(X), parts)
        >>> found.count, found.complete, len(found.rows)
        (5000, False, 1024)
        """
        integer(room, "room", 1)
        gathered = gather(basis, batches, room, check_blocks(blocks), prefix, threads)
        if gathered is None:
            return cls.empty(basis, room=room, blocks=blocks)
        count, sample, totals = gathered
        return cls(basis, count, blocks, sample, None if count == len(sample) else totals)

    @classmethod
    def empty(cls, basis: Basis, *, room: int = SAMPLE, blocks: int = BLOCKS) -> Sketch:
        """Give the sketch of no rows; adding it changes nothing, not even room and blocks."""
        check_blocks(blocks)
        return cls(basis, 0, blocks, Sample.none(basis.dimension, integer(room, "room", 1)))

    @property
    def complete(self) -> bool:
        """The sample holds every row."""
        return self.count == len(self.sample)

    @property
    def keys(self) -> Keys:
        """The sample's hashes, (s,) uint64, ascending."""
        return self.sample.keys

    @property
    def ids(self) -> tuple[str, ...]:
        """The sample's ids."""
        return self.sample.ids

    @property
    def refs(self) -> tuple[str, ...]:
        """Where the sample's contents lie; empty strings where nobody said."""
        return self.sample.refs

    @property
    def rows(self) -> Matrix:
        """The sample's rows, (s, d) float32, of unit length in a cosine space."""
        return self.sample.rows

    @cached_property
    def totals(self) -> Totals:
        """The sums; made from the rows where the sketch is complete."""
        if self._totals is not None:
            return self._totals
        places = places_of(self.keys, self.blocks)
        return Totals.of(self.basis, self.blocks, [(self.rows, places)])

    @property
    def sizes(self) -> Double:
        """Rows of each block, (b,)."""
        return self.totals.sums["sizes"].astype(np.float64, copy=False)

    @cached_property
    def sums(self) -> dict[str, Double]:
        """Sums of each feature over each block, (b, F); see `totals.Totals`."""
        apart = ("sizes", *BY_CELL)
        return {
            name: array.astype(np.float64, copy=False)
            for name, array in self.totals.sums.items()
            if name not in apart
        }

    @property
    def moments(self) -> Moments:
        """Count, mean and scatter of all rows."""
        return self.totals.moments

    @property
    def cell_counts(self) -> Double:
        """Rows in each of the finest cells, (c,)."""
        counts: Double = self.sums[f"cells{len(self.basis.cells) - 1}"].sum(axis=0)
        return counts

    @property
    def cell_sums(self) -> Double:
        """Sum of the rows in each of the finest cells, (c, d)."""
        return self.totals.sums["cell_sums"].astype(np.float64, copy=False)

    @property
    def cell_squares(self) -> Double:
        """Sum of the rows' squared distances to the basis's origin in each of the finest cells, (c,)."""
        return self.totals.sums["cell_squares"].astype(np.float64, copy=False)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays that are held; bounded by room, blocks and basis, whatever the rows."""
        held = self._totals.nbytes if self._totals is not None else 0
        return held + self.rows.nbytes + self.keys.nbytes

    def __add__(self, other: Sketch) -> Sketch:
        return total([self, other])


def total(sketches: Iterable[Sketch]) -> Sketch:
    """Add many sketches, 365 days for example; some sixty are held at a time.

    Raises
    ------
    MismatchError
        They are of several bases.
    ParameterError
        There is none.
    """
    rest = iter(sketches)
    found: list[Sketch] = []
    while given := list(islice(rest, _AT_ONCE)):
        found = [_total([*found, *given])]
        del given
    if not found:
        raise ParameterError("There are no sketches to add.", "Give at least one.")
    return found[0]


def _total(given: Sequence[Sketch]) -> Sketch:
    for other in given[1:]:
        given[0].basis.check_same(other.basis)
    parts = [sketch for sketch in given if sketch.count]
    if not parts:
        room = min(sketch.sample.room for sketch in given)
        return Sketch.empty(given[0].basis, room=room, blocks=min(s.blocks for s in given))
    if len(parts) == 1:
        return parts[0]
    basis, blocks = parts[0].basis, min(sketch.blocks for sketch in parts)
    count = sum(sketch.count for sketch in parts)
    sample = merged([sketch.sample for sketch in parts])
    if count == len(sample):
        return Sketch(basis, count, blocks, sample)
    return Sketch(basis, count, blocks, sample, _totals_of(parts, blocks))


def _totals_of(parts: Sequence[Sketch], blocks: int) -> Totals:
    """Sum up all; those that are complete from their rows, together."""
    there = [part.totals.folded(blocks) for part in parts if part._totals is not None]
    rows = [(part.rows, places_of(part.keys, blocks)) for part in parts if part._totals is None]
    if rows:
        there.append(sums_of(parts[0].basis, blocks, rows))
    return added(there)
