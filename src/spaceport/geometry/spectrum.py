"""How a space fills its dimensions: explained variance, effective rank, isotropy, hubness.

All but hubness come from the eigenvalues λ of the covariance matrix of the rows, in float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, integer, matrix
from spaceport.errors import InputError

__all__ = ["Hubness", "effective_rank", "explained", "hubness", "isotropy"]

Double: TypeAlias = npt.NDArray[np.float64]

_ROWS = 4096


def explained(X: npt.ArrayLike) -> Double:
    """Share of the variance along each principal axis, the largest first: λᵢ / Σ λ.

    Parameters
    ----------
    X : array-like of shape (n, d)

    Returns
    -------
    ndarray of shape (d,), float64
        Sums to 1; all 0 where the rows are equal.

    Raises
    ------
    InputError
        There are no rows.

    Examples
    --------
    >>> explained([[3, 0], [-3, 0], [0, 1], [0, -1]])
    array([0.9, 0.1])
    """
    values = _eigenvalues(matrix(X))
    total = values.sum()
    shares: Double = values / total if total else values
    return shares


def effective_rank(X: npt.ArrayLike) -> float:
    """How many dimensions the centered rows use: exp(-Σ pᵢ ln pᵢ) with pᵢ = σᵢ / Σ σ, σ = √λ.

    From 1 (all rows on a line) to d (all axes alike); 0 where the rows are equal.

    Parameters
    ----------
    X : array-like of shape (n, d)

    Raises
    ------
    InputError
        There are no rows.

    References
    ----------
    Roy, O. & Vetterli, M. (2007). The effective rank: a measure of effective dimensionality.
    EUSIPCO. Definition 1; here the mean is taken off first.

    Examples
    --------
    >>> round(effective_rank([[1, 0], [-1, 0], [0, 1], [0, -1]]), 6)
    2.0
    """
    shares = np.sqrt(explained(X))
    shares = shares[shares > 0]
    if not len(shares):
        return 0.0
    shares /= shares.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def isotropy(X: npt.ArrayLike) -> float:
    """IsoScore: how evenly the variance is spread over the d axes, from 0 to 1.

    With l = √d λ / |λ|: defect δ = |l - 1| / √(2 (d - √d)); used axes d φ = (d - δ² (d - √d))² / d;
    score (d φ - 1) / (d - 1). Where k axes share the variance alike and the others have none, the
    score is (k - 1) / (d - 1). The mean plays no part: a cloud far from the origin can score 1.
    For d = 1, and where the rows are equal, it is 0.

    Parameters
    ----------
    X : array-like of shape (n, d)
        A sample of fewer than some 10 d rows scores too low, since its covariance is uneven.

    Raises
    ------
    InputError
        There are no rows.

    References
    ----------
    Rudman, W., Gillman, N., Rayne, T. & Eickhoff, C. (2022). IsoScore: Measuring the Uniformity of
    Embedding Space Utilization. Findings of ACL. Definition 3.1.

    Examples
    --------
    >>> isotropy([[1, 0], [-1, 0], [0, 1], [0, -1]])
    1.0
    >>> isotropy([[1, 1], [2, 2], [3, 3]])
    0.0
    """
    values = explained(X)
    d = len(values)
    length = np.linalg.norm(values)
    if d == 1 or not length:
        return 0.0
    even = np.sqrt(d) * values / length
    spread = d - np.sqrt(d)
    defect = ((even - 1) ** 2).sum() / (2 * spread)  # δ²
    axes = (d - defect * spread) ** 2 / d
    return float(np.clip((axes - 1) / (d - 1), 0, 1).round(12))


@dataclass(frozen=True)
class Hubness:
    """How unevenly items occur among the neighbors of others.

    Attributes
    ----------
    orphans : float
        Share of the items that are nobody's neighbor.
    largest : int
        Largest number of items that have one and the same item as a neighbor.
    hub : int
        That item's index, the lowest one in a tie.
    skewness : float
        Third standardized moment of the in-degree; 0 where all are alike, above 1 is hubby.
    """

    orphans: float
    largest: int
    hub: int
    skewness: float


def hubness(indices: npt.ArrayLike, n: int) -> Hubness:
    """Count how often each of `n` items is a neighbor.

    Parameters
    ----------
    indices : array-like of shape (q, k), integers in [0, n)
        A neighbor graph's indices.
    n : int

    Returns
    -------
    Hubness

    Raises
    ------
    InputError
        An index is no item's.

    References
    ----------
    Radovanović, M., Nanopoulos, A. & Ivanović, M. (2010). Hubs in Space. JMLR 11. Section 2, eq. 1.

    Examples
    --------
    >>> hubness([[1], [0], [1], [1]], n=4)
    Hubness(orphans=0.5, largest=3, hub=1, skewness=0.816...)
    """
    integer(n, "n", 1)
    given = np.asarray(indices)
    if given.size and (given.dtype.kind not in "iu" or given.min() < 0 or given.max() >= n):
        raise InputError(
            f"`indices` must be ints in [0, {n - 1}].", "Give a neighbor graph's indices."
        )
    degree = np.bincount(given.ravel().astype(np.int64), minlength=n)
    deviation = degree - degree.mean()
    scale = deviation.std()
    skewness = float((deviation**3).mean() / scale**3) if scale else 0.0
    hub = int(degree.argmax())
    return Hubness(float((degree == 0).mean()), int(degree[hub]), hub, skewness)


def _eigenvalues(X: Matrix) -> Double:
    """Eigenvalues of the covariance, the largest first; rounding below zero is cut off."""
    if not len(X):
        raise InputError("There are no rows.", "Give `X` at least one row.")
    center = X.mean(axis=0, dtype=np.float64)
    gram = np.zeros((X.shape[1], X.shape[1]))
    for start in range(0, len(X), _ROWS):
        block = X[start : start + _ROWS] - center
        gram += block.T @ block
    values = np.linalg.eigvalsh(gram / len(X))[::-1]
    floor = values[0] * len(values) * np.finfo(np.float64).eps
    kept: Double = np.where(values > floor, values, 0)
    return kept
