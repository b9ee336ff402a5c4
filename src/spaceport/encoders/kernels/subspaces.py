"""Rows of implicit-feedback ALS, one block of coordinates after another (iALS++).

For the equations of `kernels.als` the predictions x·y_j of a row's entries are kept. For each block of
coordinates B in turn, the row moves by the δ that solves

    (diag(D_B + ρ) + Σ_j c_j y_jB y_jBᵀ) δ = Σ_j (c_j + s − c_j x·y_j) y_jB − (D_B + ρ) x_B

exactly, by elimination, and the predictions follow.

numba compiles anew when *this* file changes; whoever changes `rows`, which is inlined here, deletes
``__pycache__/*.nb*`` in this folder.

References
----------
Rendle, Krichene, Zhang, Koren 2021, "iALS++: Speeding up Matrix Factorization with Subspace
Optimization", section 4.
"""

from __future__ import annotations

import numba
import numpy as np

from spaceport.encoders.kernels.lanes import (
    LANES,
    add,
    load,
    multiply,
    multiply_add,
    splat,
    store,
)
from spaceport.encoders.kernels.rows import (
    Columns,
    Ends,
    Floats,
    dot,
    dots,
    entry_loss,
    gain,
    gains,
)

__all__ = ["subspaces"]

_ONE = np.float32(1)


@numba.njit(inline="always")
def _square(
    H: Floats,
    Y: Floats,
    a: int,
    b: int,
    c: int,
    d: int,
    wa: np.float32,
    wb: np.float32,
    wc: np.float32,
    wd: np.float32,
    width: int,
) -> None:
    """Add w y yᵀ of four blocks to the rows of H, from the diagonal's sixteen columns on."""
    for i in range(width):
        ga, gb = splat(wa * Y[a + i]), splat(wb * Y[b + i])
        gc, gd = splat(wc * Y[c + i]), splat(wd * Y[d + i])
        for v in range(i // LANES * LANES, width, LANES):
            left = multiply_add(load(Y, a + v), ga, load(H, i * width + v))
            right = multiply(load(Y, c + v), gc)
            left = multiply_add(load(Y, b + v), gb, left)
            right = multiply_add(load(Y, d + v), gd, right)
            store(H, i * width + v, add(left, right))


@numba.njit(inline="always")
def _gather_block(
    columns: Columns,
    weights: Floats,
    scores: Floats,
    start: int,
    end: int,
    shift: np.float32,
    Y: Floats,
    stride: int,
    block: int,
    width: int,
    H: Floats,
    g: Floats,
) -> None:
    """Add Σ_j c_j y yᵀ to H's upper half and Σ_j (c_j + s − c_j x·y_j) y to g, y being y_j's block."""
    zero = np.float32(0)
    whole = end - (end - start) % 4
    for e in range(start, whole, 4):
        a, b = np.int64(columns[e]) * stride + block, np.int64(columns[e + 1]) * stride + block
        c, d = np.int64(columns[e + 2]) * stride + block, np.int64(columns[e + 3]) * stride + block
        wa, wb, wc, wd = weights[e], weights[e + 1], weights[e + 2], weights[e + 3]
        at = e - start
        ga, gb = wa + shift - wa * scores[at], wb + shift - wb * scores[at + 1]
        gc, gd = wc + shift - wc * scores[at + 2], wd + shift - wd * scores[at + 3]
        gains(g, Y, a, b, c, d, ga, gb, gc, gd, width)
        _square(H, Y, a, b, c, d, wa, wb, wc, wd, width)
    for e in range(whole, end):
        a, wa = np.int64(columns[e]) * stride + block, weights[e]
        gain(g, Y, a, wa + shift - wa * scores[e - start], width)
        _square(H, Y, a, a, a, a, wa, zero, zero, zero, width)


@numba.njit(inline="always")
def _eliminate(H: Floats, g: Floats, width: int) -> None:
    """Solve H δ = g by elimination; H is positive definite, given by its upper half; δ replaces g."""
    for k in range(width):
        inverse = _ONE / H[k * width + k]
        for i in range(k + 1, width):
            share = H[k * width + i] * inverse
            g[i] -= share * g[k]
            for v in range(i // LANES * LANES, width, LANES):
                at = i * width + v
                store(H, at, multiply_add(splat(-share), load(H, k * width + v), load(H, at)))
    for k in range(width - 1, -1, -1):
        left = g[k]
        for i in range(k + 1, width):
            left -= H[k * width + i] * g[i]
        g[k] = left / H[k * width + k]


@numba.njit(inline="always")
def _predict(
    columns: Columns, start: int, end: int, Y: Floats, stride: int, block: int, width: int,
    x: Floats, scores: Floats,
) -> None:  # fmt: skip
    """Add x·y to each entry's score, y being y_j's block."""
    whole = end - (end - start) % 4
    for e in range(start, whole, 4):
        a, b = np.int64(columns[e]) * stride + block, np.int64(columns[e + 1]) * stride + block
        c, d = np.int64(columns[e + 2]) * stride + block, np.int64(columns[e + 3]) * stride + block
        sa, sb, sc, sd = dots(Y, a, b, c, d, x, width)
        scores[e - start] += sa
        scores[e - start + 1] += sb
        scores[e - start + 2] += sc
        scores[e - start + 3] += sd
    for e in range(whole, end):
        scores[e - start] += dot(Y, np.int64(columns[e]) * stride + block, x, width)


@numba.njit(
    "void(int64[::1], int32[::1], float32[::1], float32, float32[::1], float32[::1], int64, "
    "float32[::1], float32[::1], float32[::1], int64, int64, int64)",
    nogil=True,
    cache=True,
    error_model="numpy",
)
def subspaces(
    ends: Ends,
    columns: Columns,
    weights: Floats,
    shift: np.float32,
    Y: Floats,
    X: Floats,
    stride: int,
    D: Floats,
    ridge: Floats,
    losses: Floats,
    block_size: int,
    first: int,
    last: int,
) -> None:
    """Solve each block of `block_size` coordinates, in turn, for each of the rows `first` to `last`.

    `block_size` is a multiple of 16; the other parameters are those of
    `kernels.als.conjugate_gradient`.
    """
    scores = np.zeros(max(np.max(ends[1:] - ends[:-1]), 1), dtype=np.float32)
    x, g = np.zeros(stride, dtype=np.float32), np.zeros(block_size, dtype=np.float32)
    H = np.zeros(block_size * block_size, dtype=np.float32)
    for u in range(first, last):
        start, end = ends[u], ends[u + 1]
        for v in range(0, stride, LANES):
            store(x, v, load(X, u * stride + v))
        scores[: end - start] = 0
        _predict(columns, start, end, Y, stride, 0, stride, x, scores)
        loss = np.float32(0)
        for e in range(start, end):
            loss += entry_loss(weights[e], shift, scores[e - start])
        losses[u] = loss
        for block in range(0, stride, block_size):
            width = min(block_size, stride - block)
            H[:] = 0
            for i in range(width):
                diagonal = D[block + i] + ridge[u]
                H[i * width + i] = diagonal
                g[i] = -diagonal * X[u * stride + block + i]
            _gather_block(
                columns, weights, scores, start, end, shift, Y, stride, block, width, H, g
            )
            _eliminate(H, g, width)
            _predict(columns, start, end, Y, stride, block, width, g, scores)
            for i in range(width):
                X[u * stride + block + i] += g[i]
