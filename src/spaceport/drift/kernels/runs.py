"""How far each row is from the nearest reference row, under every split, from one graph of the pool."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["nearest_reference"]


@njit(cache=True, nogil=True)
def nearest_reference(
    neighbors: npt.NDArray[np.int32],
    distances: npt.NDArray[np.float32],
    inside: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Walk each row's neighbors, the nearest first, to the first that is of the reference.

    Parameters
    ----------
    neighbors, distances : ndarray of shape (u, k)
        Nearest first, the row itself left out.
    inside : ndarray of shape (S, u)
        Which rows are current.

    Returns
    -------
    steps : ndarray of shape (S, u), int32
        How many current rows are nearer than the nearest reference row; k where all neighbors are.
    far : ndarray of shape (S, u), float32
        The distance of that reference row; of the last neighbor where all are current.
    """
    splits, u = inside.shape
    k = neighbors.shape[1]
    steps = np.empty((splits, u), np.int32)
    far = np.empty((splits, u), np.float32)
    for s in range(splits):
        for row in range(u):
            place = 0
            while place < k and inside[s, neighbors[row, place]]:
                place += 1
            far[s, row] = distances[row, min(place, k - 1)]
            while 0 < place < k and distances[row, place - 1] == far[s, row]:
                place -= 1
            steps[s, row] = place
    return steps, far
