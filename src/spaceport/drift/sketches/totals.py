"""The sums of a sketch: by block, by block and cell, and by cell.

Each row's features are computed from the row alone and added in float64, so that the sums of two
collections added are those of both to about 1e-13 of their size. The scatter is multiplied in float32, over
512 rows at a time, and added up in float64: to about 1e-6 of the variances.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix
from spaceport.drift.sketches.basis import Basis
from spaceport.errors import InputError
from spaceport.geometry.moments import Moments

__all__ = ["BY_CELL", "Places", "Totals", "added", "shapes"]

Double: TypeAlias = npt.NDArray[np.float64]
Places: TypeAlias = npt.NDArray[np.int64]

BY_CELL = ("cell_sums", "cell_squares")
"""Of the finest cells; every other sum is by block."""

_FAR = 16.0


@dataclass(frozen=True, eq=False)
class Totals:
    """Sums over the rows of a window.

    Attributes
    ----------
    sums : dict of str to ndarray, float64, or float32 where they were read
        By block, (b, F): ``sizes`` (b,), ``vectors``, ``waves``, ``squares``, ``cells0``, ``shifts0`` (of the
        coordinates by cell, c r of them) and so on. Of each of the finest cells: ``cell_sums`` (c, d)
        and ``cell_squares`` (c,), of the squared distances to the origin.
    moments : Moments
        Of all rows.
    """

    sums: dict[str, npt.NDArray[np.floating]]
    moments: Moments

    @classmethod
    def of(cls, basis: Basis, blocks: int, parts: Iterable[tuple[Matrix, Places]]) -> Totals:
        """Sum up rows that are ready, part by part, each with its rows' blocks."""
        running = _Running(basis, blocks)
        for rows, places in parts:
            running.see(rows, places)
        return running.totals()

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return len(self.sums["sizes"])

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.moments.scatter.nbytes + sum(array.nbytes for array in self.sums.values())

    def folded(self, blocks: int) -> Totals:
        """With fewer blocks, a divisor of theirs: block i of b goes to block i mod `blocks`."""
        if blocks == self.blocks:
            return self
        sums = {
            name: array
            if name in BY_CELL
            else array.reshape(-1, blocks, *array.shape[1:]).sum(axis=0, dtype=np.float64)
            for name, array in self.sums.items()
        }
        return Totals(sums, self.moments)


def added(totals: Iterable[Totals]) -> Totals:
    """Add several, of one number of blocks, in their order."""
    rest = iter(totals)
    first = next(rest)
    sums = {name: array.astype(np.float64) for name, array in first.sums.items()}
    moments = [first.moments]
    scatter = first.moments.scatter.copy()
    for other in rest:
        for name, array in sums.items():
            array += other.sums[name]
        moments.append(other.moments)
        scatter += other.moments.scatter
    return Totals({**sums}, _together(moments, scatter))


def _together(moments: list[Moments], scatter: Double) -> Moments:
    """Moments of all rows; `scatter` is the sum of the parts', about their own means."""
    counts = np.array([part.count for part in moments], np.float64)
    if not counts.any():
        return moments[0]
    means = np.stack([part.mean for part in moments])
    mean = counts @ means / counts.sum()
    apart = (means - mean) * np.sqrt(counts)[:, None]
    between = apart.T @ apart
    scatter += (between + between.T) / 2
    return Moments(int(counts.sum()), mean, scatter)


def shapes(basis: Basis, blocks: int) -> dict[str, tuple[int, ...]]:
    """Name the sums, and the shape of each."""
    length, axes = basis.frequencies.shape[1], basis.axes.shape[1]
    found: dict[str, tuple[int, ...]] = {
        "sizes": (blocks,),
        "vectors": (blocks, basis.dimension),
        "waves": (blocks, basis.widths * 2 * length),
        "squares": (blocks, axes * (axes + 1) // 2),
    }
    for level, centroids in enumerate(basis.cells):
        found[f"cells{level}"] = (blocks, len(centroids))
        found[f"shifts{level}"] = (blocks, len(centroids) * axes)
    finest = len(basis.cells[-1])
    return found | {"cell_sums": (finest, basis.dimension), "cell_squares": (finest,)}


class _Running:
    """Sums that grow."""

    def __init__(self, basis: Basis, blocks: int) -> None:
        self._basis = basis
        self._sums = {name: np.zeros(shape) for name, shape in shapes(basis, blocks).items()}
        axes, length = basis.axes.shape[1], basis.frequencies.shape[1]
        self._waves = self._sums["waves"].reshape(blocks, basis.widths, 2, length)
        self._outer = np.zeros((blocks, axes, axes))
        self._moments = Moments.none(basis.dimension)

    def see(self, rows: Matrix, places: Places) -> None:
        """Add rows (n, d), which are ready, to their blocks."""
        with np.errstate(over="ignore", invalid="ignore"):  # refused by the trace of the scatter
            self._see(rows, places)

    def _see(self, rows: Matrix, places: Places) -> None:
        from spaceport.drift.sketches import kernels

        sums = self._sums
        scatter = np.zeros((rows.shape[1], rows.shape[1]))
        before = sums["vectors"].sum(axis=0)
        sums["sizes"] += np.bincount(places, minlength=len(sums["sizes"]))
        for chunk in self._basis.products.chunks(rows):
            here = slice(chunk.start, chunk.start + len(chunk.centered))
            blocks = places[here]
            kernels.add_rows(rows[here], blocks, sums["vectors"])
            kernels.add_waves(chunk.angles, blocks, self._waves)
            kernels.add_outer(chunk.coordinates, blocks, self._outer)
            self._add_cells(rows[here], chunk.centered, chunk.coordinates, blocks, chunk.cells)
            scatter += _product(chunk.centered)
        seen = sums["vectors"].sum(axis=0) - before
        self._moments = self._moments + self._moments_of(rows, seen, scatter)

    def totals(self) -> Totals:
        """Give the sums so far; nothing may be added afterwards."""
        self._sums["waves"] /= np.sqrt(self._waves.shape[-1])
        above, right = np.triu_indices(self._outer.shape[1])
        self._sums["squares"] = self._outer[:, above, right]
        return Totals({**self._sums}, self._moments)

    def _add_cells(
        self,
        rows: Matrix,
        centered: Matrix,
        coordinates: Matrix,
        blocks: Places,
        cells: list[Places],
    ) -> None:
        from spaceport.drift.sketches import kernels

        sums = self._sums
        for level, cell in enumerate(cells):
            counts = sums[f"cells{level}"]
            places = blocks * counts.shape[1] + cell
            counts += np.bincount(places, minlength=counts.size).reshape(counts.shape)
            into = sums[f"shifts{level}"].reshape(counts.size, -1)
            kernels.add_rows(coordinates, places, into)
        finest = cells[-1]
        kernels.add_rows(rows, finest, sums["cell_sums"])
        squares = np.einsum("nd,nd->n", centered, centered)
        sums["cell_squares"] += np.bincount(finest, squares, len(sums["cell_squares"]))

    def _moments_of(self, rows: Matrix, total: Double, about: Double) -> Moments:
        """Moments of rows whose sum, and whose products about the origin, one triangle, are there."""
        n = len(rows)
        if not n:
            return Moments.none(rows.shape[1])
        if not np.isfinite(about.trace()):
            raise InputError(
                "The vectors are so long that their squares are no float32 numbers.",
                "Divide them by a constant, or look for what made them.",
            )
        mean = total / n
        apart = mean - self._basis.origin
        whole = about + about.T
        whole[np.diag_indices(len(whole))] /= 2
        scatter = whole - n * np.outer(apart, apart)
        if n * (apart @ apart) > _FAR * scatter.trace():
            return Moments.of(rows)  # far from the origin, where the difference loses its digits
        return Moments(n, mean, scatter)


def _product(rows: Matrix) -> Matrix:
    """One triangle of rows' products with themselves, (d, d) with zeros in the other."""
    from scipy.linalg.blas import ssyrk

    product: Matrix = ssyrk(1.0, rows.T)
    return product
