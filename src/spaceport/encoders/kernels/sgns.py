"""One step of word2vec: skip-gram and CBOW with negative sampling.

For a window with input rows x₁…x_k (context words) and output rows y₀ (the word in the middle) and
y₁…y_n (negatives), the loss is

    L = − Σ_j [ log σ(x_j·y₀) + Σ_i log σ(−x_j·y_i) ]

and one step moves every row of the window by −α ∂L/∂row, all computed from the same old values. The
negatives are drawn once per window and shared by its inputs; a negative that is the middle word
itself is skipped. More than five negatives are taken in tiles of six output rows, each tile seeing
the inputs as the tile before left them.

Rows are padded to whole cache lines. The dot products of two inputs with three outputs, and the
updates of an input by six outputs, are done at once, so that each number loaded is used several
times.

References
----------
Mikolov, Sutskever, Chen, Corrado, Dean 2013, "Distributed Representations of Words and Phrases and
their Compositionality", section 2.2. Ji, Satish, Li, Dubey 2016, "Parallelizing Word2Vec in Shared
and Distributed Memory", section III (sharing the negatives of a window).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numba
import numpy as np
import numpy.typing as npt

from spaceport.encoders.kernels.lanes import (
    LANES,
    add,
    clamp,
    divide,
    load,
    multiply,
    multiply_add,
    splat,
    store,
    total,
)

__all__ = ["TILE", "Chances", "Floats", "Ints", "Tokens", "step", "step_mean"]

TILE = 6  # output rows that are updated together: the middle word and five negatives
_ONE = np.float32(1)

Floats: TypeAlias = npt.NDArray[np.float32]
Ints: TypeAlias = npt.NDArray[np.int64]
Tokens: TypeAlias = npt.NDArray[np.int32]
Chances: TypeAlias = npt.NDArray[np.uint32]


@numba.njit(inline="always")
def _dots(
    X: Floats,
    Y: Floats,
    x: int,
    z: int,
    a: int,
    b: int,
    c: int,
    stride: int,
    scores: Floats,
    at: int,
    width: int,
) -> None:
    """Write the dot products of input rows x, z with output rows a, b, c."""
    zero = splat(np.float32(0))
    xa, xb, xc, za, zb, zc = zero, zero, zero, zero, zero, zero
    for v in range(0, stride, LANES):
        left, right = load(X, x + v), load(X, z + v)
        out = load(Y, a + v)
        xa, za = multiply_add(left, out, xa), multiply_add(right, out, za)
        out = load(Y, b + v)
        xb, zb = multiply_add(left, out, xb), multiply_add(right, out, zb)
        out = load(Y, c + v)
        xc, zc = multiply_add(left, out, xc), multiply_add(right, out, zc)
    scores[at], scores[at + 1], scores[at + 2] = total(xa), total(xb), total(xc)
    at += width
    scores[at], scores[at + 1], scores[at + 2] = total(za), total(zb), total(zc)


@numba.njit(inline="always")
def _negative_sigmoid(s: Any, rate: np.float32) -> Any:
    """Give −rate · σ(s), s cut to [−8, 8]; e^−s is the 64th power of a cubic, 2·10⁻⁴ off at most."""
    one = splat(_ONE)
    z = multiply(clamp(s, np.float32(8)), splat(np.float32(-1 / 64)))
    e = multiply_add(z, splat(np.float32(1 / 6)), splat(np.float32(0.5)))
    e = multiply_add(z, multiply_add(z, e, one), one)
    for _ in range(6):
        e = multiply(e, e)
    return divide(splat(-rate), add(one, e))


@numba.njit(inline="always")
def _grow(Y: Floats, row: int, change: Any) -> None:
    """Add to an output row; read anew, for a word may be drawn twice."""
    store(Y, row, add(load(Y, row), change))


@numba.njit(inline="always")
def _update(
    X: Floats,
    Y: Floats,
    inputs: Ints,
    k: int,
    outputs: Ints,
    first: int,
    stride: int,
    gains: Floats,
    width: int,
) -> None:
    """Move the k inputs and one tile of outputs by their gains, all from the old values."""
    a, b, c = outputs[first], outputs[first + 1], outputs[first + 2]
    d, e, f = outputs[first + 3], outputs[first + 4], outputs[first + 5]
    for v in range(0, stride, LANES):
        ya, yb, yc = load(Y, a + v), load(Y, b + v), load(Y, c + v)
        yd, ye, yf = load(Y, d + v), load(Y, e + v), load(Y, f + v)
        zero = splat(np.float32(0))
        da, db, dc, dd, de, df = zero, zero, zero, zero, zero, zero
        for j in range(k):
            g = j * width + first
            x = load(X, inputs[j] + v)
            gain = splat(gains[g])
            left, da = multiply_add(gain, ya, x), multiply_add(gain, x, da)
            gain = splat(gains[g + 1])
            right, db = multiply(gain, yb), multiply_add(gain, x, db)
            gain = splat(gains[g + 2])
            left, dc = multiply_add(gain, yc, left), multiply_add(gain, x, dc)
            gain = splat(gains[g + 3])
            right, dd = multiply_add(gain, yd, right), multiply_add(gain, x, dd)
            gain = splat(gains[g + 4])
            left, de = multiply_add(gain, ye, left), multiply_add(gain, x, de)
            gain = splat(gains[g + 5])
            right, df = multiply_add(gain, yf, right), multiply_add(gain, x, df)
            store(X, inputs[j] + v, add(left, right))
        _grow(Y, a + v, da)
        _grow(Y, b + v, db)
        _grow(Y, c + v, dc)
        _grow(Y, d + v, dd)
        _grow(Y, e + v, de)
        _grow(Y, f + v, df)


@numba.njit(inline="always")
def step(
    X: Floats,
    Y: Floats,
    inputs: Ints,
    k: int,
    outputs: Ints,
    tiles: int,
    stride: int,
    scores: Floats,
    rate: np.float32,
) -> None:
    """One step on one window.

    Parameters
    ----------
    X, Y : ndarray of float32, flat
        Input and output rows of `stride` numbers, a multiple of 16.
    inputs : ndarray of int64
        Where the k input rows start in X; one more may be read.
    outputs : ndarray of int64
        Where the output rows start in Y: the middle word first, 6 · tiles in all. Those that equal
        the first are skipped.
    scores : ndarray of float32
        Scratch, at least 6 · tiles · (k + 1) rounded up to 16.
    rate : float32
        α, the learning rate.
    """
    width = TILE * tiles
    inputs[k] = inputs[k - 1]  # the partner of the last one, if k is odd
    for j in range(0, k, 2):
        for q in range(0, width, 3):
            a, b, c = outputs[q], outputs[q + 1], outputs[q + 2]
            at = j * width + q
            _dots(X, Y, inputs[j], inputs[j + 1], a, b, c, stride, scores, at, width)
    for t in range(0, k * width, LANES):
        store(scores, t, _negative_sigmoid(load(scores, t), rate))
    for j in range(k):
        scores[j * width] += rate
    for q in range(1, width):
        if outputs[q] == outputs[0]:
            for j in range(k):
                scores[j * width + q] = np.float32(0)
    for tile in range(tiles):
        _update(X, Y, inputs, k, outputs, tile * TILE, stride, scores, width)


@numba.njit(inline="always")
def step_mean(
    X: Floats,
    Y: Floats,
    inputs: Ints,
    k: int,
    outputs: Ints,
    tiles: int,
    stride: int,
    scores: Floats,
    rate: np.float32,
    mean: Floats,
    one: Ints,
) -> None:
    """CBOW: a step whose one input is the mean of the k; each of them gets the mean's move whole."""
    share = splat(np.float32(1) / np.float32(k))
    for v in range(0, stride, LANES):
        sum_ = load(X, inputs[0] + v)
        for j in range(1, k):
            sum_ = add(sum_, load(X, inputs[j] + v))
        sum_ = multiply(sum_, share)
        store(mean, v, sum_)
        store(mean, stride + v, sum_)
    step(mean, Y, one, 1, outputs, tiles, stride, scores, rate)
    minus = splat(np.float32(-1))
    for v in range(0, stride, LANES):
        move = multiply_add(minus, load(mean, stride + v), load(mean, v))
        for j in range(k):
            store(X, inputs[j] + v, add(load(X, inputs[j] + v), move))
