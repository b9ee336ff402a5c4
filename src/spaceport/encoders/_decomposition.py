"""A truncated singular value decomposition of a sparse matrix, the same bytes from any number of threads.

Halko, N., Martinsson, P. & Tropp, J. (2011). Finding Structure with Randomness. SIAM Review 53,
algorithms 4.4 and 5.1, with LU in place of QR between the powers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, Vector, generator
from spaceport.progress import task
from spaceport.threads import one_thread

__all__ = ["decompose"]

_OVERSAMPLES = 20


def decompose(A: Any, dimension: int, seed: int, powers: int = 5) -> tuple[Vector, Matrix]:
    """Find the largest singular values of A ≈ U S Vᵀ, and V.

    U is not given: U S^p = A V S^(p−1), one product.

    Parameters
    ----------
    A : sparse array of shape (n, v), float32
    dimension : int
        How many, at most min(n, v).
    seed : int
        For the random start.
    powers : int
        Rounds of subspace iteration; more of them tell close singular values apart.

    Returns
    -------
    values : ndarray of shape (d,), float32
        Descending.
    right : ndarray of shape (v, d), float32
        V; each column's largest entry in magnitude is positive, the lowest index in a tie.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> values, right = decompose(csr_array(np.diag([3.0, 1.0, 2.0]).astype(np.float32)), 2, seed=0)
    >>> values.round(3).tolist(), abs(right).round(3).tolist()
    ([3.0, 2.0], [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    """
    with one_thread():
        left = _range(A, dimension, seed, powers)
        inner = (A.T @ left).astype(np.float64)  # (v, wide): the transpose of A projected
        right, values, _ = np.linalg.svd(inner, full_matrices=False)
    right, values = right[:, :dimension], values[:dimension]
    largest = np.abs(right).argmax(axis=0)
    right = right * np.sign(right[largest, np.arange(dimension)])
    return values.astype(np.float32), np.ascontiguousarray(right, dtype=np.float32)


def _range(A: Any, dimension: int, seed: int, powers: int) -> npt.NDArray[Any]:
    """Orthonormal columns that span nearly what the leading left singular vectors span, (n, wide)."""
    from scipy.linalg import lu, qr

    n, v = A.shape
    wide = min(dimension + _OVERSAMPLES, n, v)
    left = A @ generator(seed).standard_normal((v, wide), dtype=np.float32)  # (n, wide)
    with task("decomposing", powers, "rounds") as work:
        for _ in range(powers):  # lu keeps the columns apart as well as qr does, and is faster
            right = A.T @ lu(left, permute_l=True, check_finite=False)[0]  # (v, wide)
            left = A @ lu(right, permute_l=True, check_finite=False)[0]
            work.advance()
    found: npt.NDArray[Any] = qr(left, mode="economic", check_finite=False)[0]
    return found
