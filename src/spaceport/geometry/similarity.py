"""How near two vectors are: cosine, dot product, Euclidean distance.

::

    cosine     x·y / (|x| |y|)     in [-1, 1]; 0 where a vector is zero
    dot        x·y
    euclidean  -|x - y|            minus the distance, so that larger is nearer here too

Products of whole matrices are taken in float64 and given as float32. The usual short cut
|x|² + |y|² - 2 x·y loses all its digits where x and y nearly coincide, so those pairs are taken
again from their differences (Higham 2002, *Accuracy and Stability of Numerical Algorithms*, §1.7).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, matrix
from spaceport.geometry.base import METRICS, check_metric, normalize, norms

__all__ = ["METRICS", "normalize", "norms", "similarity"]

Double: TypeAlias = npt.NDArray[np.float64]

_ROWS = 1024
_CANCELS = (
    1e-4  # squared distance under this share of the squared norms: fewer than 12 digits are left
)
_PAIRS = 1 << 16


def similarity(X: npt.ArrayLike, Y: npt.ArrayLike | None = None, metric: str = "cosine") -> Matrix:
    """Similarity of every row of `X` with every row of `Y`; larger is nearer.

    Parameters
    ----------
    X : array-like of shape (n, d)
    Y : array-like of shape (m, d), optional
        `X` itself where left out.
    metric : {"cosine", "dot", "euclidean"}
        ``"euclidean"`` gives *minus* the distance.

    Returns
    -------
    ndarray of shape (n, m), float32

    Raises
    ------
    InputError
        The dimensions differ, or a value is not finite.
    ParameterError
        There is no such metric.

    Examples
    --------
    >>> similarity([[1, 0], [0, 2]], metric="cosine")
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    >>> similarity([[0, 0]], [[3, 4], [0, 0]], metric="euclidean")
    array([[-5.,  0.]], dtype=float32)
    """
    check_metric(metric)
    X = matrix(X)
    Y = X if Y is None else matrix(Y, "Y", X.shape[1])
    right = Y.astype(np.float64)
    if metric == "cosine":
        right = _unit(right)
    out = np.empty((len(X), len(Y)), dtype=np.float32)
    for start in range(0, len(X), _ROWS):
        left = X[start : start + _ROWS].astype(np.float64)
        out[start : start + _ROWS] = _block(left, right, metric)
    return out


def _block(left: Double, right: Double, metric: str) -> Double:
    if metric == "euclidean":
        return 0 - _distances(left, right)
    if metric == "dot":
        return left @ right.T
    return np.clip(_unit(left) @ right.T, -1, 1)


def _unit(X: Double) -> Double:
    scale = np.sqrt(np.einsum("nd,nd->n", X, X))
    scale[scale == 0] = 1
    unit: Double = X / scale[:, None]
    return unit


def _distances(left: Double, right: Double) -> Double:
    """Euclidean distances (n, m); pairs that nearly coincide are taken from their differences."""
    center = right.mean(axis=0)
    left, right = left - center, right - center
    total = np.add.outer(np.einsum("nd,nd->n", left, left), np.einsum("md,md->m", right, right))
    squared = np.maximum(total - 2 * (left @ right.T), 0)  # (n, m)
    rows, columns = np.nonzero(squared <= _CANCELS * total)
    for start in range(0, len(rows), _PAIRS):
        i, j = rows[start : start + _PAIRS], columns[start : start + _PAIRS]
        differences = left[i] - right[j]
        squared[i, j] = np.einsum("pd,pd->p", differences, differences)
    distances: Double = np.sqrt(squared)
    return distances
