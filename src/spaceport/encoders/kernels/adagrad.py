"""Weighted least squares on the logarithms of counts, by AdaGrad: the inner loop of GloVe.

For an entry X_ij with weight f, rate η and the current parameters,

    δ = w_i · w̃_j + b_i + b̃_j − ln X_ij
    g = η f δ w̃_j      w_i ← w_i − g / √G_i      G_i ← G_i + g²      (each number on its own)

and likewise for w̃_j (with the old w_i) and, with 1 in place of the other vector, for both biases.
This is the rule of the authors' C program: G starts at 1 and sums the squares of what already has
the rate in it, and the factor 2 of the gradient is left out. 1/√G is within 5·10⁻⁶ (`lanes`).

A row of `X` is [w, b, 1, 0…] and then its sums G; a row of `Y` is [w̃, 1, b̃, 0…] and its sums. One
product of rows gives the whole of δ but the logarithm, and one loop moves vectors and biases alike;
the ones are put back after it.

References
----------
Pennington, Socher, Manning 2014, "GloVe: Global Vectors for Word Representation", section 4.2.
Duchi, Hazan, Singer 2011, "Adaptive Subgradient Methods for Online Learning and Stochastic
Optimization".
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numba
import numpy as np
import numpy.typing as npt

from spaceport.encoders.kernels.lanes import (
    LANES,
    fetch,
    inverse_root,
    load,
    multiply,
    multiply_add,
    splat,
    store,
    total,
)
from spaceport.encoders.kernels.sampling import below, mix

__all__ = ["descend"]

Floats: TypeAlias = npt.NDArray[np.float32]
Places: TypeAlias = npt.NDArray[np.int32]

_AHEAD = 2  # entries between asking for rows and using them


@numba.njit(inline="always")
def _shuffled(count: int, seed: np.uint64) -> Places:
    """A permutation of 0…count − 1 (Fisher-Yates)."""
    order = np.arange(count).astype(np.int32)
    for last in range(count - 1, 0, -1):
        other = below(mix(seed + np.uint64(last)), last + 1)
        order[last], order[other] = order[other], order[last]
    return order


@numba.njit(inline="always")
def _product(X: Floats, Y: Floats, x: int, y: int, stride: int) -> Any:
    score = splat(np.float32(0))
    for v in range(0, stride, LANES):
        score = multiply_add(load(X, x + v), load(Y, y + v), score)
    return total(score)


@numba.njit(inline="always")
def _step(X: Floats, Y: Floats, x: int, y: int, stride: int, gain: np.float32) -> None:
    """Move two rows against their gradients, both from the old values."""
    fall = splat(-gain)
    for v in range(0, stride, LANES):
        left, right = load(X, x + v), load(Y, y + v)
        left_sums, right_sums = load(X, x + stride + v), load(Y, y + stride + v)
        to_left, to_right = multiply(fall, right), multiply(fall, left)
        store(X, x + v, multiply_add(to_left, inverse_root(left_sums), left))
        store(Y, y + v, multiply_add(to_right, inverse_root(right_sums), right))
        store(X, x + stride + v, multiply_add(to_left, to_left, left_sums))
        store(Y, y + stride + v, multiply_add(to_right, to_right, right_sums))


@numba.njit(
    "float64(int32[::1], int32[::1], float32[::1], float32[::1], float32[::1], float32[::1], "
    "int64, int64, float32, uint64)",
    nogil=True,
    cache=True,
    error_model="numpy",
)
def descend(
    rows: Places,
    columns: Places,
    logarithms: Floats,
    weights: Floats,
    X: Floats,
    Y: Floats,
    stride: int,
    dimension: int,
    rate: np.float32,
    seed: np.uint64,
) -> float:
    """Go through the entries once, in an order drawn from `seed`.

    Parameters
    ----------
    rows, columns : ndarray of shape (n,), int32
    logarithms, weights : ndarray of shape (n,), float32
        ln X_ij and f(X_ij).
    X, Y : ndarray of float32, flat
        Rows of ``2 * stride``, as above.
    stride : int
        A multiple of 16, at least ``dimension + 2``.
    dimension : int
    rate : float32
        η.
    seed : uint64

    Returns
    -------
    float
        Σ f δ² over the entries, each δ from before its step.
    """
    order = _shuffled(len(rows), seed)
    loss = 0.0
    for k in range(len(order)):
        if k + _AHEAD < len(order):
            ahead = order[k + _AHEAD]
            for v in range(0, 2 * stride, LANES):
                fetch(X, rows[ahead] * 2 * stride + v)
                fetch(Y, columns[ahead] * 2 * stride + v)
        entry = order[k]
        x, y = np.int64(rows[entry]) * 2 * stride, np.int64(columns[entry]) * 2 * stride
        difference = _product(X, Y, x, y, stride) - logarithms[entry]
        _step(X, Y, x, y, stride, rate * weights[entry] * difference)
        X[x + dimension + 1] = Y[y + dimension] = np.float32(1)
        loss += weights[entry] * difference * difference
    return loss
