"""Rank correlation, also of many samples at once."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import generator
from spaceport.geometry.base import normalize

__all__ = ["cosines", "rank_correlations", "resampled_correlations"]

Double: TypeAlias = npt.NDArray[np.float64]

_BLOCK = 100  # draws at once


def cosines(X: npt.ArrayLike, Y: npt.ArrayLike) -> Double:
    """Cosine of each row of `X` with the same row of `Y`, (n,).

    Examples
    --------
    >>> cosines([[1, 0], [3, 4]], [[2, 0], [-3, -4]]).round(6).tolist()
    [1.0, -1.0]
    """
    found: Double = np.einsum("nd,nd->n", normalize(X), normalize(Y), dtype=np.float64)
    return found


def rank_correlations(
    x: npt.ArrayLike, y: npt.ArrayLike, times: npt.ArrayLike | None = None
) -> Double:
    """Spearman's rho of `x` and `y` where pair i stands `times[b, i]` times, for each b; (draws,).

    Equal values share their mean rank. Where all that stand are equal in `x` or `y` it is 0.

    Examples
    --------
    >>> rank_correlations([1.0, 2, 3], [1.0, 3, 2]).tolist()
    [0.5]
    """
    weights = np.ones((1, len(np.asarray(x)))) if times is None else np.asarray(times, np.float64)
    a, b = (_centered_ranks(np.asarray(values), weights) for values in (x, y))
    return _correlated(a, b, weights)


def _correlated(a: Double, b: Double, weights: Double) -> Double:
    """Correlation of centered values that each stand several times, (draws,)."""
    weighted = weights * b
    both, second = np.einsum("bn,bn->b", a, weighted), np.einsum("bn,bn->b", b, weighted)
    scale = np.sqrt(np.einsum("bn,bn->b", a, weights * a) * second)
    rho: Double = both / np.where(scale > 0, scale, 1)
    return rho


def _centered_ranks(values: npt.NDArray[Any], weights: Double) -> Double:
    """Mean ranks, less their mean, of values that each stand several times, (draws, n)."""
    _, group = np.unique(values, return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    sizes = np.add.reduceat(weights[:, order], starts, axis=1)  # (draws, groups)
    middle = np.cumsum(sizes, axis=1) - sizes / 2
    centered: Double = middle[:, group] - weights.sum(axis=1)[:, None] / 2
    return centered


def resampled_correlations(
    rows: npt.ArrayLike, wanted: npt.ArrayLike, draws: int, seed: int = 0
) -> Double:
    """Spearman's rho of each row with `wanted` over samples of the columns with replacement.

    Parameters
    ----------
    rows : array-like of shape (c, n)
    wanted : array-like of shape (n,)
    draws, seed : int

    Returns
    -------
    ndarray of shape (c, draws), float64
        The same samples for all rows.
    """
    given, judged = np.asarray(rows, np.float64), np.asarray(wanted, np.float64)
    random, n = generator(seed), given.shape[1]
    blocks = []
    for start in range(0, draws, _BLOCK):
        size = min(_BLOCK, draws - start)
        drawn = random.integers(0, n, (size, n)) + n * np.arange(size)[:, None]
        times = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(float)
        told = _centered_ranks(judged, times)
        blocks.append([_correlated(_centered_ranks(row, times), told, times) for row in given])
    return np.concatenate(blocks, axis=1)
