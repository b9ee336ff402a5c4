"""The basis of sketches: which features of a vector are summed up.

It is fixed before anything is compared, and two sketches can be compared or added only if theirs is the
same. The features of a row x, brought to unit length in a cosine space::

    vectors   x
    waves     cos(2^j y w), sin(2^j y w) / sqrt(L) for j = 0 .. 7,   y = x - origin,  w ~ N(0, I) / (2 median distance)
    cells0/1  one-hot of the coarse / fine cell
    squares   z_i z_j, i <= j, of z = (x - origin) axes, the leading principal axes
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, Vector, generator, matrix, single
from spaceport.drift._order import by_content
from spaceport.drift.sketches.products import Products
from spaceport.errors import MismatchError
from spaceport.geometry import cells as partition
from spaceport.geometry.base import check_metric, normalize
from spaceport.geometry.moments import Moments
from spaceport.threads import one_thread

__all__ = ["Basis"]

WIDTHS = 8
FREQUENCIES = 128
AXES = 32
CELLS = (8, 40)

_FITTED_ON = 4096
_DISTANCES = 500


@dataclass(frozen=True, eq=False)
class Basis:
    """Which features are summed up.

    Attributes
    ----------
    metric : {"cosine", "dot", "euclidean"}
    cells : sequence of ndarray of shape (c, d), float32
        Centroids, coarse first.
    frequencies : ndarray of shape (d, L), float32
        Of the widest kernel.
    origin : ndarray of shape (d,), float32
    axes : ndarray of shape (d, r), float32
        Orthonormal.
    """

    metric: str
    cells: Sequence[Matrix]
    frequencies: Matrix
    origin: Vector
    axes: Matrix
    widths: int = WIDTHS

    @classmethod
    def fit(
        cls,
        X: npt.ArrayLike,
        metric: str = "euclidean",
        cells: Sequence[Matrix] | None = None,
        seed: int = 0,
    ) -> Basis:
        """Choose a basis for vectors like these.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Rows of all that will be compared, or of what does not depend on it.
        metric : {"cosine", "dot", "euclidean"}
        cells : sequence of ndarray of shape (c, d), optional
            A partition there is already; a new one otherwise.
        seed : int
        """
        rng = generator(seed)
        given = matrix(X)
        rows = normalize(given) if check_metric(metric) == "cosine" else given
        few = rows[by_content(rows, seed)[:_FITTED_ON]]
        if cells is None:
            with one_thread(openmp=True):
                cells = partition.fit(few, CELLS, metric, seed)
        pairs = rng.integers(0, len(few), (2, 4 * _DISTANCES))
        apart = np.linalg.norm(few[pairs[0]] - few[pairs[1]], axis=1)
        widest = 2 * float(np.median(apart[apart > 0])) if apart.any() else 1.0
        waves = rng.standard_normal((rows.shape[1], FREQUENCIES)) / widest
        moments = Moments.of(few)
        with one_thread():
            _, vectors = np.linalg.eigh(moments.scatter)
        axes = vectors[:, ::-1][:, :AXES]
        return cls(
            metric,
            tuple(cells),
            waves.astype(np.float32),
            moments.mean.astype(np.float32),
            np.ascontiguousarray(axes, dtype=np.float32),
        )

    @property
    def dimension(self) -> int:
        """The d of the vectors."""
        return len(self.origin)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all of it."""
        told = hashlib.sha256(f"{self.metric} {self.widths}".encode())
        for array in (*self.cells, self.frequencies, self.origin, self.axes):
            told.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
        return told.hexdigest()

    def check_same(self, other: Basis) -> None:
        """Refuse sketches of another basis."""
        if self is not other and self.digest != other.digest:
            raise MismatchError(
                "Sketches of two bases cannot be added or compared: they summed up other things.",
                "Sketch both with one basis.",
            )

    @cached_property
    def products(self) -> Products:
        """What rows are multiplied with."""
        return Products(self.metric, self.origin, self.frequencies, self.axes, self.cells)

    def ready(self, X: npt.ArrayLike) -> Matrix:
        """Rows as they are summed up: checked, of unit length in a cosine space."""
        if self.metric != "cosine":
            return matrix(X, "X", self.dimension)
        from spaceport.drift.sketches import kernels

        rows = single(X, "X", self.dimension)
        unit = np.empty_like(rows)
        return unit if kernels.unit(rows, unit) else matrix(rows, "X")

    def assign(self, rows: Matrix, level: int) -> npt.NDArray[np.int32]:
        """Cell of each row, which is ready, at a level: the nearest centroid, as near as float32 tells."""
        found = np.empty(len(rows), np.int32)
        for chunk in self.products.chunks(rows):
            found[chunk.start : chunk.start + len(chunk.angles)] = chunk.cells[level]
        return found

    def features(self, name: str, rows: Matrix) -> Matrix:
        """Features of rows that are ready, (n, F) float32."""
        if name == "vectors":
            return rows
        if name == "waves":
            return self._waves(rows)
        if name == "squares":
            return self._squares(rows)
        level = int(name.removeprefix("cells"))
        hot = np.zeros((len(rows), len(self.cells[level])), np.float32)
        hot[np.arange(len(rows)), self.assign(rows, level)] = 1
        return hot

    def projected(self, rows: Matrix) -> Matrix:
        """Coordinates along the axes, (n, r)."""
        found = np.empty((len(rows), self.axes.shape[1]), np.float32)
        for chunk in self.products.chunks(rows):
            found[chunk.start : chunk.start + len(chunk.angles)] = chunk.coordinates
        return found

    def _waves(self, rows: Matrix) -> Matrix:
        from spaceport.drift.sketches import kernels

        length = self.frequencies.shape[1]
        found = np.empty((len(rows), self.widths, 2, length), np.float32)
        for chunk in self.products.chunks(rows):
            here = slice(chunk.start, chunk.start + len(chunk.angles))
            kernels.waves(chunk.angles, self.widths, found[here])
        found /= np.sqrt(length, dtype=np.float32)
        return found.reshape(len(rows), -1)

    def _squares(self, rows: Matrix) -> Matrix:
        z = self.projected(rows)
        above, right = np.triu_indices(z.shape[1])
        products: Matrix = z[:, above] * z[:, right]
        return products
