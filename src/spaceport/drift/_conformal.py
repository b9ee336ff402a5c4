"""Conformal p-values: how unusual each row is among the neighbors of a reference."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, generator, integer, matrix
from spaceport.errors import InputError
from spaceport.geometry.neighbors import nearest

__all__ = ["conformal"]

Double = npt.NDArray[np.float64]


def conformal(
    reference: npt.ArrayLike,
    current: npt.ArrayLike,
    neighbors: int = 10,
    metric: str = "cosine",
    seed: int = 0,
) -> Double:
    """Give each row of `current` the p-value of its coming from where `reference` comes from.

    The reference is cut at random into two halves. A row's score s is the distance to its k-th
    nearest row of the first half; the second half's n rows, which the search never saw, give the
    scores to compare with: ``p = (#{scores >= s} + 1) / (n + 1)``. Where a row comes from the
    reference's distribution, it is exchangeable with the second half, so ``P(p <= a) <= a`` for
    every a, whatever the dimension and the distribution. The p-values of one call share their second
    half and so are not independent; Benjamini and Hochberg's procedure holds for them all the same.

    Parameters
    ----------
    reference : array-like of shape (n, d)
    current : array-like of shape (m, d)
    neighbors : int
        The k; the first half must have that many rows.
    metric : {"cosine", "dot", "euclidean"}
        Cosine compares directions; the others compare the rows as they are, by Euclidean distance.
    seed : int
        For the halves.

    Returns
    -------
    ndarray of shape (m,), float64, in (0, 1]
        At least 1 / (n / 2 + 1).

    Raises
    ------
    InputError
        Another dimension, or a reference with fewer than ``2 * neighbors`` rows.

    References
    ----------
    Bates, Candès, Lei, Romano & Sesia (2023), "Testing for outliers with conformal p-values",
    Annals of Statistics 51(1), sections 1.2 and 2.

    Examples
    --------
    >>> line = [[float(x), 0.0] for x in range(40)]
    >>> conformal(line, [[20.2, 0.0], [20.2, 90.0]], neighbors=2, metric="euclidean").round(3).tolist()
    [0.81, 0.048]
    """
    X = matrix(reference, "reference")
    Y = matrix(current, "current", X.shape[1])
    k = integer(neighbors, "neighbors", 1)
    if len(X) < max(2 * k, 2):
        raise InputError(
            f"{k} neighbors are looked for in half of the reference, which has {len(X)} rows in all.",
            f"Give at least {2 * k} rows, or ask for fewer neighbors.",
        )
    order = generator(seed).permutation(len(X))
    first, second = np.split(X[order], [(len(X) + 1) // 2])
    if not len(Y):
        return np.ones(0)
    return _ranked(_scores(first, second, k, metric), _scores(first, Y, k, metric))


def _scores(first: Matrix, rows: Matrix, k: int, metric: str) -> Double:
    """Distance to the k-th nearest, up to a constant: only the order counts."""
    by = "cosine" if metric == "cosine" else "euclidean"
    _, similarities = nearest(first, rows, k, by)
    return -similarities[:, -1].astype(np.float64)


def _ranked(known: Double, asked: Double) -> Double:
    """Share of the known scores that are at least as large, the asked one counted among them."""
    above = len(known) - np.searchsorted(np.sort(known), asked, side="left")
    shares: Double = (above + 1) / (len(known) + 1)
    return shares
