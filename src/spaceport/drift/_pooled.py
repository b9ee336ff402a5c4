"""Two samples as one pool of units, with the split that was observed and random ones.

A unit is a row, or a block of n_b rows of a sketch with the sum S_b of their features. With m the pooled mean::

    D(split) = sum_b w_b(split) (S_b - n_b m)
    permuted:  w_b = 1 / M where the split calls b current, -1 / N else; M and N its rows
    turned:    w_b = g_b / sqrt(n_b), g a random direction orthogonal to sqrt(n) of length sqrt(1/M + 1/N)

For the observed split D is mean(current) - mean(reference). Permutations are exact for rows, and for blocks
whose sizes vary alike on both sides. Blocks of two sizes are turned: (S_b - n_b m) / sqrt(n_b) are, where
nothing drifted and the sums are Gaussian, as good as orthogonal to sqrt(n) and alike in all other directions, of which
the observed split is one. Permuting them would not do: the larger blocks make up m.

Langsrud, O. (2005). Rotation tests. Statistics and Computing 15, section 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, generator, integer, matrix
from spaceport.drift._units import Units, choose
from spaceport.drift.sketches.basis import Basis
from spaceport.drift.sketches.sample import SAMPLE
from spaceport.errors import InputError

if TYPE_CHECKING:
    from spaceport.drift.sketches.sketch import Sketch

__all__ = ["Double", "Pooled", "Splits"]

Double: TypeAlias = npt.NDArray[np.float64]

_LEAST = 8
_PLACES = 25_000_000
"""Rows times splits, of a reference that keeps more rows than a window does: some 300 MB."""


@dataclass(frozen=True, eq=False)
class Splits:
    """The observed split of u units, and P random ones.

    Attributes
    ----------
    sizes : ndarray of shape (u,), float64
        Rows of each unit.
    current : ndarray of shape (u,), bool
        Which units are of the current sample.
    places : ndarray of shape (P + 1, u), int32
        Whose place each unit takes in each split; the first is 0, 1, 2, ...
    turned : ndarray of shape (P + 1, u), float32, or None
        The weights, where the splits are no permutations.
    """

    sizes: Double
    current: npt.NDArray[np.bool_]
    places: npt.NDArray[np.int32]
    turned: Matrix | None = None

    @classmethod
    def draw(
        cls, sizes: Double, current: npt.NDArray[np.bool_], permutations: int, seed: int
    ) -> Splits:
        """Draw P = `permutations` random splits."""
        integer(permutations, "permutations", 1)
        places = np.tile(np.arange(len(sizes), dtype=np.int32), (permutations + 1, 1))
        generator(seed).permuted(places[1:], axis=1, out=places[1:])
        return cls(sizes, current, places)

    @classmethod
    def turn(
        cls, sizes: Double, current: npt.NDArray[np.bool_], permutations: int, seed: int
    ) -> Splits:
        """Draw P random directions in place of permutations, for blocks of two sizes."""
        drawn = cls.draw(sizes, current, permutations, seed)
        observed = drawn.weights[0] * np.sqrt(sizes)
        along = np.sqrt(sizes / sizes.sum())
        directions = generator(seed).standard_normal((permutations, len(sizes)))
        directions -= np.outer(directions @ along, along)
        directions *= np.linalg.norm(observed) / np.linalg.norm(directions, axis=1, keepdims=True)
        weights = np.vstack([observed, directions]) / np.sqrt(sizes)
        return cls(sizes, current, drawn.places, weights.astype(np.float32))

    @property
    def permutations(self) -> int:
        """P."""
        return len(self.places) - 1

    @cached_property
    def rows(self) -> tuple[int, int]:
        """How many rows the reference has, N, and the current sample, M."""
        return int(self.sizes[~self.current].sum()), int(self.sizes[self.current].sum())

    @cached_property
    def inside(self) -> npt.NDArray[np.bool_]:
        """Which units count as current in each split, (P + 1, u); of permutations alone."""
        inside: npt.NDArray[np.bool_] = self.current[self.places]
        return inside

    @cached_property
    def shares(self) -> Double:
        """N / (N + M) of each split, (P + 1,)."""
        if self.turned is not None:
            return np.full(self.permutations + 1, self.rows[0] / self.sizes.sum())
        shares: Double = 1 - self.inside @ self.sizes / self.sizes.sum()
        return shares

    @cached_property
    def weights(self) -> Matrix:
        """What each unit counts for in D, (P + 1, u) float32."""
        if self.turned is not None:
            return self.turned
        total = self.sizes.sum()
        here, there = (1 / (total * (1 - self.shares)), -1 / (total * self.shares))
        single = here.astype(np.float32)[:, None], there.astype(np.float32)[:, None]
        weights: Matrix = np.where(self.inside, *single)
        return weights


class Pooled:
    """The units of both samples: their features, and how far apart these are under every split.

    Parameters
    ----------
    basis : Basis
        What the features are; it must not depend on which rows are current.
    splits : Splits
    rows : ndarray of shape (u, d), float32, optional
        Where every unit is a row.
    sums : mapping of str to ndarray of shape (u, F), optional
        Where the units are blocks: the sums of the features over their rows.
    """

    def __init__(
        self,
        basis: Basis,
        splits: Splits,
        rows: Matrix | None = None,
        sums: dict[str, Double] | None = None,
    ) -> None:
        self.basis = basis
        self.splits = splits
        self.rows = rows
        self._sums: dict[str, npt.NDArray[np.floating]] = dict(sums or {})
        self._differences: dict[str, Double] = {}

    @classmethod
    def of_rows(
        cls,
        reference: npt.ArrayLike,
        current: npt.ArrayLike,
        permutations: int = 999,
        seed: int = 0,
        metric: str = "euclidean",
        basis: Basis | None = None,
    ) -> Pooled:
        """Pool two samples of rows; the basis is that of the pool, unless one is given."""
        left = matrix(reference, "reference")
        right = matrix(current, "current", left.shape[1])
        for name, sample in (("reference", left), ("current", right)):
            if len(sample) < _LEAST:
                raise InputError(
                    f"`{name}` has {len(sample)} rows.",
                    f"Give at least {_LEAST}; hundreds tell more.",
                )
        pool = np.vstack([left, right])
        if (pool == pool[0]).all():
            raise InputError(
                "All rows of both samples are the same vector.", "Check what made the vectors."
            )
        basis = basis or Basis.fit(pool, metric, seed=seed)
        current_rows = np.arange(len(pool)) >= len(left)
        splits = Splits.draw(np.ones(len(pool)), current_rows, permutations, seed)
        return cls(basis, splits, basis.ready(pool))

    @classmethod
    def of_sketches(
        cls, reference: Sketch, current: Sketch, permutations: int = 999, seed: int = 0
    ) -> Pooled:
        """Pool two sketches by the units that lose least; see `_units`."""
        reference.basis.check_same(current.basis)
        way = choose(reference, current)
        if way.units is None:
            room = max(SAMPLE, _PLACES // (permutations + 1) - len(current.rows))
            rows = reference.rows[:room]  # by hash, so that the first of them are a sample, too
            return cls.of_rows(rows, current.rows, permutations, seed, basis=reference.basis)
        return cls.of_units(reference.basis, *way.units(), permutations, seed, way.turned)

    @classmethod
    def of_units(
        cls,
        basis: Basis,
        reference: Units,
        current: Units,
        permutations: int = 999,
        seed: int = 0,
        turned: bool = False,
    ) -> Pooled:
        """Pool the units of two sketches."""
        sizes = np.concatenate([reference.sizes, current.sizes])
        sums = {
            name: np.concatenate([left, current.sums[name]])
            for name, left in reference.sums.items()
        }
        is_current = np.arange(len(sizes)) >= len(reference.sizes)
        drawing = Splits.turn if turned else Splits.draw
        return cls(basis, drawing(sizes, is_current, permutations, seed), sums=sums)

    def sums(self, name: str) -> npt.NDArray[np.floating]:
        """Sums of a feature over each unit's rows, (u, F)."""
        if name not in self._sums:
            assert self.rows is not None
            self._sums[name] = self.basis.features(name, self.rows)
        return self._sums[name]

    def pooled_mean(self, name: str) -> Double:
        """Mean of a feature over all rows, (F,)."""
        total: Double = self.sums(name).sum(axis=0, dtype=np.float64)
        return total / float(self.splits.sizes.sum())

    def differences(self, name: str) -> Double:
        """mean(current) - mean(reference) of a feature under every split, (P + 1, F) float64."""
        if name not in self._differences:
            scores = self.sums(name) - np.outer(self.splits.sizes, self.pooled_mean(name))
            self._differences[name] = self._product(scores, slice(None))
        return self._differences[name]

    def current_mean(self, name: str) -> Double:
        """Mean of a feature over the current rows under every split, (P + 1, F) float64."""
        return self.pooled_mean(name) + self.differences(name) * self.splits.shares[:, None]

    def cells(self, level: int) -> npt.NDArray[np.int32]:
        """Cell of each row, (u,); rows only."""
        assert self.rows is not None
        return self.basis.assign(self.rows, level)

    def shifts(self, level: int) -> Iterator[tuple[int, Double]]:
        """Give (cell, how far its mean moved): cells that hold anything, one after another.

        With m_c the pooled mean of cell c, what comes is the difference, (P + 1, k), of the means over
        *all* rows of 1[x in c] (x - m_c): k = d for rows, and the basis's axes for blocks.
        """
        if self.rows is None:
            yield from self._shifts_of_blocks(level)
            return
        cells = self.cells(level)
        for cell in np.unique(cells):
            inside = np.flatnonzero(cells == cell)
            rows = self.rows[inside].astype(np.float64)
            yield int(cell), self._product(rows - rows.mean(axis=0), inside)

    def _shifts_of_blocks(self, level: int) -> Iterator[tuple[int, Double]]:
        counts = self.sums(f"cells{level}")  # (u, c)
        sums = self.sums(f"shifts{level}").reshape(*counts.shape, -1)  # (u, c, r)
        for cell in np.flatnonzero(counts.any(axis=0)):
            mean = sums[:, cell].sum(axis=0) / counts[:, cell].sum()
            yield (
                int(cell),
                self._product(sums[:, cell] - np.outer(counts[:, cell], mean), slice(None)),
            )

    def _product(
        self, scores: npt.NDArray[np.floating], which: slice | npt.NDArray[np.intp]
    ) -> Double:
        product: Double = (self.splits.weights[:, which] @ scores.astype(np.float32)).astype(float)
        return product
