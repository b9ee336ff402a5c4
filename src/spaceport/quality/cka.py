"""Centered kernel alignment of two representations of the same items, linear kernel, debiased.

::

    CKA = H(X, Y) / √(H(X, X) H(Y, Y))

H is Song et al.'s unbiased estimator HSIC₁. With K = X Xᵀ, L = Y Yᵀ and their diagonals set to zero::

    H(X, Y) = [ tr(K L) + 1ᵀK1 1ᵀL1 / ((n - 1) (n - 2)) - 2 1ᵀK L1 / (n - 2) ] / (n (n - 3))

Of centered rows Σ x = 0, so that with S = Xᵀ Y, Q = Σ |x|² |y|², t = Σ |x|², u = Σ |y|² it is::

    H(X, Y) = [ |S|² - Q n / (n - 2) + t u / ((n - 1) (n - 2)) ] / (n (n - 3))

which is what runs here: n x n is never made. It is 1 for the same rows turned, moved or scaled as a
whole, and about 0 for rows that have nothing to do with each other, where the biased estimator
(|S|² alone) grows with d / n.

References
----------
Kornblith, S., Norouzi, M., Lee, H. & Hinton, G. (2019). Similarity of Neural Network
Representations Revisited. ICML. Equation 4.
Song, L., Smola, A., Gretton, A., Bedo, J. & Borgwardt, K. (2012). Feature Selection via Dependence
Maximization. JMLR 13. Equation 5.
Murphy, A., Zylberberg, J. & Fyshe, A. (2024). Correcting Biased Centered Kernel Alignment Measures
in Biological and Artificial Neural Networks. arXiv:2405.01012.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spaceport.errors import InputError
from spaceport.geometry.joint_moments import JointMoments

__all__ = ["cka", "of_moments"]


def cka(X: npt.ArrayLike, Y: npt.ArrayLike, debiased: bool = True) -> float:
    """Compare two representations of the same n items.

    Parameters
    ----------
    X : array-like of shape (n, p)
    Y : array-like of shape (n, q)
        Row i stands for the same thing as row i of `X`.
    debiased : bool
        False gives the biased estimator of Kornblith et al., |S|² / (|Xᵀ X| |Yᵀ Y|).

    Returns
    -------
    float
        At most 1; debiased it may fall a little below 0.

    Raises
    ------
    InputError
        Fewer than four rows (debiased) or two, or a side whose rows do not differ.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(100, 5))
    >>> round(cka(X, 3 * X[:, ::-1] + 1), 6)
    1.0
    """
    return of_moments(JointMoments.of(X, Y), debiased)


def of_moments(moments: JointMoments, debiased: bool = True) -> float:
    """As `cka`, from the joint moments of the rows."""
    least = 4 if debiased else 2
    if moments.count < least:
        raise InputError(
            f"CKA of {moments.count} rows is not defined.", f"Give at least {least} rows."
        )
    spreads = moments.spreads
    if min(spreads) <= 0:
        raise InputError("All rows of one side are the same.", "Give rows that differ.")
    both = _hsic(moments.cross, moments.quartic[0, 1], *spreads, moments.count, debiased)
    own = [
        _hsic(side.scatter, moments.quartic[i, i], spread, spread, moments.count, debiased)
        for i, (side, spread) in enumerate(zip((moments.left, moments.right), spreads, strict=True))
    ]
    if min(own) <= 0:
        raise InputError(
            f"CKA is not defined here: {moments.count} rows are too few to tell their own spread.",
            "Give more rows.",
        )
    return min(1.0, both / float(np.sqrt(own[0] * own[1])))


def _hsic(
    S: npt.NDArray[np.float64], Q: float, t: float, u: float, n: int, debiased: bool
) -> float:
    """HSIC₁ of centered rows from their sums; without `debiased`, |S|² / (n - 1)²."""
    square = float((S * S).sum())
    if not debiased:
        return square / (n - 1) ** 2
    return (square - Q * n / (n - 2) + t * u / ((n - 1) * (n - 2))) / (n * (n - 3))
