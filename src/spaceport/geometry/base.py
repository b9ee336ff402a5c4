"""What all of geometry shares: the metrics, row lengths, unit rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, Vector, matrix
from spaceport.errors import ParameterError, choices

__all__ = ["METRICS", "check_metric", "normalize", "norms"]

METRICS = ("cosine", "dot", "euclidean")

_ROWS = 4096


def check_metric(metric: str) -> str:
    """Give `metric` back if it is one of `METRICS`.

    Raises
    ------
    ParameterError
        It is none of them; the message lists them.
    """
    if metric not in METRICS:
        raise ParameterError(f"There is no metric `{metric}`.", choices(str(metric), METRICS))
    return metric


def norms(X: npt.ArrayLike) -> Vector:
    """Length of each row.

    Parameters
    ----------
    X : array-like of shape (n, d)

    Returns
    -------
    ndarray of shape (n,), float32
        Summed in float64.

    Examples
    --------
    >>> norms([[3, 4], [0, 0]])
    array([5., 0.], dtype=float32)
    """
    X = matrix(X)
    lengths = np.empty(len(X), dtype=np.float32)
    for start in range(0, len(X), _ROWS):
        rows = X[start : start + _ROWS].astype(np.float64)
        lengths[start : start + _ROWS] = np.sqrt(np.einsum("nd,nd->n", rows, rows))
    return lengths


def normalize(X: npt.ArrayLike) -> Matrix:
    """Scale each row to length one; a row of zeros stays zero.

    Parameters
    ----------
    X : array-like of shape (n, d)

    Returns
    -------
    ndarray of shape (n, d), float32

    Examples
    --------
    >>> normalize([[3, 4], [0, 0]])
    array([[0.6, 0.8],
           [0. , 0. ]], dtype=float32)
    """
    X = matrix(X)
    unit = np.empty_like(X)
    for start in range(0, len(X), _ROWS):
        rows = X[start : start + _ROWS].astype(np.float64)
        lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))
        lengths[lengths == 0] = 1
        unit[start : start + _ROWS] = rows / lengths[:, None]
    return unit
