"""Everything that a sketch multiplies rows with, as one product: waves' angles, coordinates, cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, Vector
from spaceport.geometry.base import normalize

__all__ = ["Chunk", "Products"]

Places: TypeAlias = npt.NDArray[np.int64]

ROWS = 512


class Chunk(NamedTuple):
    """At most `ROWS` rows; valid until the next chunk.

    Attributes
    ----------
    start : int
        Where the first of the rows stands.
    centered : ndarray of shape (n, d), float32
        Rows less the origin.
    angles : ndarray of shape (n, L), float32
        Of the widest waves.
    coordinates : ndarray of shape (n, r), float32
        Along the axes.
    cells : list of ndarray of shape (n,), int64
        The cell at each level.
    """

    start: int
    centered: Matrix
    angles: Matrix
    coordinates: Matrix
    cells: list[Places]


class Products:
    """Multiplies rows in chunks that stay in the processor's cache.

    Every product has the same shape, the last one padded with zeros, so that what comes of a row depends
    on the row alone and not on its company: libraries of linear algebra choose their order of
    adding up by the shape.

    Parameters
    ----------
    metric : {"cosine", "dot", "euclidean"}
    origin : ndarray of shape (d,), float32
    frequencies : ndarray of shape (d, L), float32
    axes : ndarray of shape (d, r), float32
    cells : sequence of ndarray of shape (c, d), float32
    """

    def __init__(
        self,
        metric: str,
        origin: Vector,
        frequencies: Matrix,
        axes: Matrix,
        cells: Sequence[Matrix],
    ) -> None:
        self.origin = origin
        toward = [_toward(centroids, origin, metric) for centroids in cells]
        parts = [frequencies, axes, *(directions for directions, _ in toward)]
        self._matrix = np.ascontiguousarray(np.hstack(parts), np.float32)
        self._ends = np.cumsum([part.shape[1] for part in parts])
        self._offsets = [offset for _, offset in toward]

    def chunks(self, rows: Matrix) -> Iterator[Chunk]:
        """Yield the products of rows (n, d) that are ready."""
        centered = np.zeros((ROWS, rows.shape[1]), np.float32)
        product = np.empty((ROWS, self._matrix.shape[1]), np.float32)
        for start in range(0, len(rows), ROWS):
            count = min(ROWS, len(rows) - start)
            np.subtract(rows[start : start + count], self.origin, out=centered[:count])
            centered[count:] = 0
            np.matmul(centered, self._matrix, out=product)
            angles, coordinates, *scores = np.split(product[:count], self._ends[:-1], axis=1)
            yield Chunk(
                start,
                centered[:count],
                np.ascontiguousarray(angles),
                np.ascontiguousarray(coordinates),
                [
                    (near + offset).argmax(axis=1)
                    for near, offset in zip(scores, self._offsets, strict=True)
                ],
            )


def _toward(centroids: Matrix, origin: Vector, metric: str) -> tuple[Matrix, Vector]:
    """Directions (d, c) and offsets (c,) such that the nearest centroid of x has the largest score.

    cosine: x c / |c| = (x - o) c / |c| + o c / |c|.  Otherwise, of the distance's square what depends on c:
    (x - o) (c - o) - |c - o|^2 / 2.
    """
    wide, start = centroids.astype(np.float64), origin.astype(np.float64)
    if metric == "cosine":
        unit = normalize(centroids)
        return unit.T, (unit @ start).astype(np.float32)
    apart = wide - start
    return apart.T.astype(np.float32), (-np.square(apart).sum(axis=1) / 2).astype(np.float32)
