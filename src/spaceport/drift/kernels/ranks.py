"""Ranks of scores under every split: the area under the ROC curve."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["areas"]

Double = npt.NDArray[np.float64]

_TIED = 1e-6  # of the scores' range: what float32 products leave between equal rows


@njit(cache=True, nogil=True)
def areas(
    scores: npt.NDArray[np.float32], order: npt.NDArray[np.intp], inside: npt.NDArray[np.bool_]
) -> Double:
    """P(score of a current row > score of a reference row) + half of P(equal), for each split.

    Parameters
    ----------
    scores : ndarray of shape (S, u)
    order : ndarray of shape (S, u)
        What sorts each row of scores.
    inside : ndarray of shape (S, u)
        Which rows are current. A split that has rows of one kind alone gets one half.
    """
    splits, u = scores.shape
    found = np.full(splits, 0.5)
    for s in range(splits):
        row = scores[s]
        places = order[s]
        tied = _TIED * (row[places[u - 1]] - row[places[0]])
        m = 0
        ranks = 0.0
        start = 0
        while start < u:
            end = start + 1
            while end < u and row[places[end]] - row[places[end - 1]] <= tied:
                end += 1
            here = 0
            for place in range(start, end):
                here += inside[s, places[place]]
            m += here
            ranks += here * 0.5 * (start + 1 + end)
            start = end
        if 0 < m < u:
            found[s] = (ranks - 0.5 * m * (m + 1)) / (m * (u - m))
    return found
