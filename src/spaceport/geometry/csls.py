"""Search across two spaces without hubs: cross-domain similarity local scaling.

In many dimensions some rows are near everything, and would be the answer to every question. CSLS takes
off how crowded it is around both ends (Conneau, Lample, Ranzato, Denoyer & Jégou 2018, "Word
Translation Without Parallel Data", section 2.3)::

    CSLS(x, y) = 2 cos(x, y) - r_T(x) - r_S(y)
    r_T(x)     the mean cosine of x and its K nearest targets
    r_S(y)     the mean cosine of y and its K nearest sources

The search is exact: with unit rows, 2 cos(x, y) - r_S(y) is the inner product of (x, 1) and
(2 y, -r_S(y)), so `geometry.base.nearest` finds the best ones blockwise, and r_T(x) changes no order.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, Vector, integer, matrix
from spaceport.errors import InputError
from spaceport.geometry.base import Found, nearest, normalize

__all__ = ["CSLS", "crowding", "mutual"]


class CSLS:
    """Nearest targets of a query under CSLS.

    Parameters
    ----------
    sources : array-like of shape (n, d)
        All rows of the side that queries come from, in the targets' coordinates; of any length.
    targets : array-like of shape (m, d)
        The rows to search in.
    neighborhood : int
        K, how many neighbors tell how crowded it is; at most n and m.

    Examples
    --------
    Three of four sources lie by the first target, a hub; the fourth's cosine is largest with it too.

    >>> sources = [[1, 0.1], [1, -0.1], [1, 0.05], [1, 0.8]]
    >>> targets = [[1, 0.05], [0.2, 1]]
    >>> CSLS(sources, targets, neighborhood=1).search([[1, 0.8]], k=1)[0]
    array([[1]])
    >>> nearest(targets, [[1, 0.8]], k=1)[0]
    array([[0]])
    """

    def __init__(
        self, sources: npt.ArrayLike, targets: npt.ArrayLike, neighborhood: int = 10
    ) -> None:
        self.neighborhood = integer(neighborhood, "neighborhood", 1)
        self._targets = normalize(targets)
        self.crowding = crowding(self._targets, sources, neighborhood)  # r_S(y), (m,)
        columns = [2 * self._targets, -self.crowding[:, None]]
        self._lifted = np.ascontiguousarray(np.hstack(columns), dtype=np.float32)  # (m, d + 1)

    def search(self, queries: npt.ArrayLike, k: int) -> Found:
        """Find the `k` targets with the largest CSLS for each query.

        Parameters
        ----------
        queries : array-like of shape (q, d)
        k : int
            Where it is larger than m, m targets come.

        Returns
        -------
        indices : ndarray of shape (q, k), int64
            Best first.
        scores : ndarray of shape (q, k), float32
            CSLS, in [-4, 4].
        """
        Q = normalize(matrix(queries, "queries", self._targets.shape[1]))
        lifted = np.hstack([Q, np.ones((len(Q), 1), np.float32)])
        indices, scores = nearest(self._lifted, lifted, k, "dot")
        return indices, scores - crowding(Q, self._targets, self.neighborhood)[:, None]


def crowding(X: npt.ArrayLike, others: npt.ArrayLike, neighborhood: int = 10) -> Vector:
    """Mean cosine of each row of `X` with its nearest rows among `others`: r of CSLS, shape (n,).

    Examples
    --------
    >>> crowding([[1, 0]], [[1, 0], [0, 1], [-1, 0]], neighborhood=2)
    array([0.5], dtype=float32)
    """
    X = matrix(X)
    others = matrix(others, "others", X.shape[1])
    if not len(others):
        raise InputError("There are no rows to be near to.", "Give both sides rows.")
    cosines = nearest(others, X, integer(neighborhood, "neighborhood", 1))[1]
    mean: Vector = cosines.mean(axis=1, dtype=np.float64).astype(np.float32)
    return mean


def mutual(X: npt.ArrayLike, Y: npt.ArrayLike, neighborhood: int = 10) -> npt.NDArray[np.int64]:
    """Pairs of rows that are each other's nearest under CSLS.

    Parameters
    ----------
    X : array-like of shape (n, d)
    Y : array-like of shape (m, d)
        In the same coordinates.

    Returns
    -------
    ndarray of shape (pairs, 2), int64
        A row of `X` and a row of `Y`, ascending.

    Examples
    --------
    >>> mutual([[1, 0], [0, 1], [1, 0.2]], [[0, 2], [3, 0]], neighborhood=1)
    array([[0, 1],
           [1, 0]])
    """
    X, Y = matrix(X), matrix(Y, "Y")
    there = _best(X, Y, neighborhood)
    back = _best(Y, X, neighborhood)
    rows = np.flatnonzero(back[there] == np.arange(len(X)))
    return np.column_stack([rows, there[rows]])


def _best(X: Matrix, Y: Matrix, neighborhood: int) -> npt.NDArray[np.int64]:
    indices: npt.NDArray[np.int64] = CSLS(X, Y, neighborhood).search(X, 1)[0][:, 0]
    return indices
