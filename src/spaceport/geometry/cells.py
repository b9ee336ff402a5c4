"""Cells: a partition of the space by k-means, at two or three resolutions.

They are fitted once and kept, so that labels, drift tests and alarms all speak of the same places.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, integer, matrix
from spaceport.errors import InputError
from spaceport.geometry.base import check_metric, nearest, normalize

__all__ = ["assign", "fit"]

_ROWS_PER_CELL = 4


def fit(
    X: npt.ArrayLike, counts: Sequence[int] = (8, 64), metric: str = "cosine", seed: int = 0
) -> list[Matrix]:
    """Centroids of the cells, one array for each of `counts`.

    Lloyd's k-means, 25 rounds from random rows, the best of three tries, on at most 256 rows per cell
    (faiss). With ``cosine`` the rows and centroids have unit length (spherical k-means, Dhillon &
    Modha 2001); otherwise squared Euclidean distance is what shrinks, for ``dot`` too.

    Parameters
    ----------
    X : array-like of shape (n, d)
    counts : sequence of int
        How many cells; reduced to n / 4 where that is less, and never under one.
    metric : {"cosine", "dot", "euclidean"}
    seed : int

    Returns
    -------
    list of ndarray of shape (c, d), float32
        The same for the same seed and number of threads.

    Raises
    ------
    InputError
        There are no rows.

    Examples
    --------
    >>> left, right = [[-5, 0], [-5, 1]] * 4, [[5, 0], [5, 1]] * 4
    >>> (centroids,) = fit(left + right, counts=[2], metric="euclidean")
    >>> sorted(centroids.tolist())
    [[-5.0, 0.5], [5.0, 0.5]]
    """
    check_metric(metric)
    X = matrix(X)
    if not len(X):
        raise InputError("There are no rows to divide into cells.", "Give `X` at least one row.")
    rows = normalize(X) if metric == "cosine" else X
    most = max(1, len(X) // _ROWS_PER_CELL)
    integer(seed, "seed", 0)
    return [_centroids(rows, min(integer(c, "count", 1), most), metric, seed) for c in counts]


def assign(
    X: npt.ArrayLike, centroids: npt.ArrayLike, metric: str = "cosine"
) -> npt.NDArray[np.int32]:
    """Cell of each row: the nearest centroid, ties to the lower index.

    Nearest by angle for ``cosine``, by distance for ``euclidean`` and ``dot``, as in `fit`.

    Parameters
    ----------
    X : array-like of shape (n, d)
    centroids : array-like of shape (c, d)
    metric : {"cosine", "dot", "euclidean"}

    Returns
    -------
    ndarray of shape (n,), int32

    Examples
    --------
    >>> assign([[1, 9], [8, 2]], [[1, 0], [0, 1]])
    array([1, 0], dtype=int32)
    """
    by = "cosine" if check_metric(metric) == "cosine" else "euclidean"
    return nearest(centroids, X, 1, by)[0][:, 0].astype(np.int32)


def _centroids(rows: Matrix, count: int, metric: str, seed: int) -> Matrix:
    import faiss

    means = faiss.Kmeans(
        rows.shape[1],
        count,
        niter=25,
        nredo=3,
        seed=seed,
        spherical=metric == "cosine",
        min_points_per_centroid=1,
        max_points_per_centroid=256,
    )
    means.train(rows)
    centroids: Matrix = np.array(means.centroids, dtype=np.float32)
    return centroids
