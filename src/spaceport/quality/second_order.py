"""Second-order cosine: whether an item keeps its distances to the neighbors it has in either space.

For item i, with the union N of its k nearest neighbors in X and in Y::

    s_X(j) = cos(x_i, x_j),  s_Y(j) = cos(y_i, y_j)  for j in N         second order = cos(s_X, s_Y)

1 means that the item stands to its old and new neighbors as it did. Unlike the overlap it does not
mind neighbors that barely change places. Nothing needs to be aligned first.

References
----------
Hamilton, W., Leskovec, J. & Jurafsky, D. (2016). Cultural Shift or Linguistic Drift? Comparing Two
Computational Measures of Semantic Change. EMNLP. Section 3.2, the local neighborhood measure, which
is 1 minus this; there k = 25.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, matrix
from spaceport.geometry.base import normalize
from spaceport.quality.overlap import overlap

__all__ = ["second_order", "second_order_cosines"]

Double: TypeAlias = npt.NDArray[np.float64]
Places: TypeAlias = npt.NDArray[np.int64]


def second_order(
    X: npt.ArrayLike, Y: npt.ArrayLike, k: int = 10, queries: int = 2000, seed: int = 0
) -> Double:
    """Second-order cosine of each row that is asked, (q,); see `overlap` for the parameters.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(50, 5))
    >>> second_order(X, 3 * X[:, ::-1]).min().round(6)
    np.float64(1.0)
    """
    left, right = matrix(X, "X"), matrix(Y, "Y")
    found = overlap(left, right, k, queries, seed=seed)
    return second_order_cosines(
        left[found.places], right[found.places], left, right, found.before, found.after
    )


def second_order_cosines(
    left: Matrix, right: Matrix, X: Matrix, Y: Matrix, before: Places, after: Places
) -> Double:
    """As `second_order`, of neighbors that are known.

    Parameters
    ----------
    left, right : ndarray of shape (q, d), float32
        The items asked, in both spaces.
    X, Y : ndarray of shape (m, d), float32
        The rows that the neighbors are among.
    before, after : ndarray of shape (q, k), int64
        Each item's neighbors, as rows of `X` and `Y`.

    Returns
    -------
    ndarray of shape (q,), float64
        0 where the item, or all its neighbors, are zero in one space only; 1 where in both.
    """
    sides = [(normalize(asked), normalize(rows)) for asked, rows in ((left, X), (right, Y))]
    found = np.empty(len(left))
    for row, (one, two) in enumerate(zip(before, after, strict=True)):
        union = np.union1d(one, two)
        a, b = (
            rows[union].astype(np.float64) @ asked[row].astype(np.float64) for asked, rows in sides
        )
        size = float(np.linalg.norm(a) * np.linalg.norm(b))
        found[row] = a @ b / size if size else float(not a.any() and not b.any())
    return np.clip(found, -1, 1)
