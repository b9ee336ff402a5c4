"""Two distribution functions along one axis, under every split at once.

With c of the first i rows current, F_current - F_reference = (c (n + m) - i m) / (n m): whole numbers until
the end, so that splits that are equally far apart compare as equal.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["areas_between", "largest_gaps"]

Double = npt.NDArray[np.float64]


@njit(cache=True, nogil=True)
def largest_gaps(
    values: npt.NDArray[np.float32], order: npt.NDArray[np.intp], inside: npt.NDArray[np.uint8]
) -> Double:
    """max_x |F_current(x) - F_reference(x)| of each split.

    Parameters
    ----------
    values : ndarray of shape (u,)
        Coordinates, sorted.
    order : ndarray of shape (u,)
        Which row each of them is of.
    inside : ndarray of shape (u, S)
        1 where a row is current in a split; equally many in every split.
    """
    u, splits = inside.shape
    m = np.int64(0)
    for row in range(u):
        m += inside[row, 0]
    n = u - m
    counts = np.zeros(splits, np.int64)
    widest = np.zeros(splits, np.int64)
    for place in range(u):
        row = order[place]
        for s in range(splits):
            counts[s] += inside[row, s]
        if place + 1 < u and values[place + 1] == values[place]:
            continue
        for s in range(splits):
            widest[s] = max(widest[s], abs(counts[s] * u - (place + 1) * m))
    return widest / np.float64(n * m)


@njit(cache=True, nogil=True)
def areas_between(
    values: npt.NDArray[np.float32], order: npt.NDArray[np.intp], inside: npt.NDArray[np.uint8]
) -> Double:
    """Integral of |F_current - F_reference| of each split; parameters as for `largest_gaps`."""
    u, splits = inside.shape
    m = np.int64(0)
    for row in range(u):
        m += inside[row, 0]
    n = u - m
    counts = np.zeros(splits, np.int64)
    areas = np.zeros(splits, np.float64)
    for place in range(u - 1):
        row = order[place]
        for s in range(splits):
            counts[s] += inside[row, s]
        width = np.float64(values[place + 1]) - np.float64(values[place])
        if width == 0:
            continue
        for s in range(splits):
            areas[s] += width * abs(counts[s] * u - (place + 1) * m)
    return areas / np.float64(n * m)
