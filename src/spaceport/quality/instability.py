"""Eigenspace instability: how differently two embeddings let linear models predict on the same items.

With the left singular vectors U of X and Ũ of Y, and the weights Σ = (X Xᵀ)^α + (Y Yᵀ)^α::

    EIS = tr((U Uᵀ + Ũ Ũᵀ - 2 Ũ Ũᵀ U Uᵀ) Σ) / tr(Σ)

which is the expected disagreement of the least-squares models that X and Y give for random labels with
covariance Σ: 0 where both span the same directions, 1 where they share none. With M = Uᵀ Ũ, the
singular values s and s̃, a = s^(2α), b = s̃^(2α) it comes to what runs here::

    EIS = 1 - (Σ_ij M_ij² (a_i + b_j)) / (Σ a + Σ b)

M = S⁻¹ Vᵀ (Xᵀ Y) Ṽ S̃⁻¹, so the p x q sums are enough and n x n is never made. The rows are taken
as they are, not centered; the two embeddings are their own anchors E, Ẽ.

References
----------
Leszczynski, M., May, A., Zhang, J., Wu, S., Aberger, C. & Ré, C. (2020). Understanding the Downstream
Instability of Word Embeddings. MLSys. Definition 2; α = 3 as in section 5.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import positive
from spaceport.errors import InputError
from spaceport.geometry.joint_moments import JointMoments
from spaceport.threads import one_thread

__all__ = ["eigenspace_instability", "of_moments"]

Double: TypeAlias = npt.NDArray[np.float64]

_FLOOR = 1e-9  # of the largest eigenvalue; what is smaller is rounding


def eigenspace_instability(X: npt.ArrayLike, Y: npt.ArrayLike, alpha: float = 3.0) -> float:
    """Compare what linear models can read from two representations of the same n items.

    Parameters
    ----------
    X : array-like of shape (n, p)
    Y : array-like of shape (n, q)
        Row i stands for the same thing as row i of `X`.
    alpha : float
        How much the directions of large variance count.

    Returns
    -------
    float
        From 0 (the same directions) to 1 (none in common).

    Raises
    ------
    InputError
        No rows, another number of them, or a side whose rows are all zero.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(100, 5))
    >>> round(eigenspace_instability(X, 3 * X[:, ::-1]), 6)
    0.0
    """
    return of_moments(JointMoments.of(X, Y), alpha)


def of_moments(moments: JointMoments, alpha: float = 3.0) -> float:
    """As `eigenspace_instability`, from the joint moments of the rows."""
    positive(alpha, "alpha")
    own, between, other = moments.products(centering=False)
    (s, V), (t, W) = _directions(own), _directions(other)
    M = (V.T @ between @ W) / np.outer(s, t)  # (r, r̃), cosines between the directions
    a, b = (s / s.max()) ** (2 * alpha), (t / s.max()) ** (2 * alpha)
    shared = float((M**2 * (a[:, None] + b)).sum())
    return float(np.clip(1 - shared / (a.sum() + b.sum()), 0, 1))


def _directions(gram: Double) -> tuple[Double, Double]:
    """Singular values (r,) and right singular vectors (d, r) of the rows, from their Gram matrix."""
    with one_thread():
        values, vectors = np.linalg.eigh(gram)
    if values[-1] <= 0:
        raise InputError("All rows of one side are zero.", "Give rows that are not zero.")
    kept = values > _FLOOR * values[-1]
    return np.sqrt(values[kept]), vectors[:, kept]
