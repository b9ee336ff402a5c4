"""Where new items stand on a map that is there already: among their nearest items.

The map itself stays as it is. A projection's own transform (UMAP's, for example) goes on to move the
new points by a random descent that knows no item but the old ones, so two runs differ and what is
new is drawn into an old cluster all the same; here a place is a weighted median, the same at every
run, and it claims no more than it says: *of the items that were there, these are the nearest*. A
place alone can therefore never show that something is new. The color must, by what was measured in
the space itself (`drift.novelty`).

A median and not a mean: where a few neighbors lie in another part of the map, a mean is drawn into the
void between, where no item is.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, matrix
from spaceport.errors import InputError

__all__ = ["place"]

Double: TypeAlias = npt.NDArray[np.float64]

_STEPS = 60
_CLOSE = 1e-6  # of the neighbors' spread: nearer than this to one of them is on it
_STEEPNESS = 3.0  # the farthest neighbor weighs exp(-3), a twentieth of the nearest


def place(positions: npt.ArrayLike, indices: npt.ArrayLike, similarities: npt.ArrayLike) -> Matrix:
    """Place m items at the weighted geometric median of the positions of their k nearest.

    It is the place y with the least ``Σ w_j |y - x_j|``, found by 60 steps of Weiszfeld's iteration
    from the weighted mean: ``y ← Σ (w_j / |y - x_j|) x_j / Σ (w_j / |y - x_j|)``. The weights are
    ``exp(-3 (s_1 - s_j) / (s_1 - s_k))``, s_1 the nearest one's similarity and s_k the farthest's; all
    equal where these are equal. They stay the same if all similarities are scaled or shifted, so any
    metric will do.

    Parameters
    ----------
    positions : array-like of shape (n, 2)
        The map of the items that are there.
    indices : array-like of shape (m, k), integers in [0, n)
        Each new item's nearest, the nearest first.
    similarities : array-like of shape (m, k)
        Larger is nearer; descending along each row.

    Returns
    -------
    ndarray of shape (m, 2), float32

    Raises
    ------
    InputError
        Shapes that disagree, or an index out of range.

    References
    ----------
    Weiszfeld & Plastria (2009), "On the point for which the sum of the distances to n given points is
    minimum", Annals of Operations Research 167, 7-41.

    Examples
    --------
    >>> place([[0, 0], [2, 0], [9, 9]], [[0, 1]], [[0.8, 0.8]])
    array([[1., 0.]], dtype=float32)
    >>> place([[0, 0], [1, 0], [0, 1], [99, 99]], [[0, 1, 2, 3]], [[0.8, 0.8, 0.8, 0.8]]).round(1)
    array([[0.5, 0.5]], dtype=float32)
    """
    known = matrix(positions, "positions", 2)
    near = matrix(similarities, "similarities").astype(np.float64)
    ends = np.asarray(indices)
    if ends.shape != near.shape or ends.dtype.kind not in "iu":
        raise InputError(
            f"`indices` {ends.shape} must be integers of the shape of `similarities` {near.shape}.",
            "Give the k nearest known items of each new one.",
        )
    if ends.size and (ends.min() < 0 or ends.max() >= len(known)):
        raise InputError(
            f"`indices` must be in [0, {len(known)}).", "Give row numbers of `positions`."
        )
    return matrix(_medians(_weights(near), known[ends].astype(np.float64)), "places")


def _medians(weights: Double, corners: Double) -> Double:
    """Weighted geometric medians (m, 2) of the points (m, k, 2)."""
    spread = np.ptp(corners, axis=1).max(axis=1) if corners.size else np.zeros(len(corners))
    least = np.maximum(spread * _CLOSE, np.finfo(np.float64).tiny)[:, None]  # (m, 1)
    places: Double = np.einsum("mk,mkc->mc", weights, corners)
    for _ in range(_STEPS):
        away = np.maximum(np.linalg.norm(corners - places[:, None], axis=2), least)  # (m, k)
        pulls = weights / away
        places = np.einsum("mk,mkc->mc", pulls / pulls.sum(axis=1, keepdims=True), corners)
    return places


def _weights(near: Double) -> Double:
    behind = near[:, :1] - near  # (m, k), 0 for the nearest
    spread = behind[:, -1:]
    weights = np.exp(-_STEEPNESS * behind / np.where(spread > 0, spread, 1.0))
    shares: Double = weights / weights.sum(axis=1, keepdims=True)
    return shares
