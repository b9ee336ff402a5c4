"""The inner loops of word2vec: skip-gram and CBOW with negative sampling.

For a window with input rows x₁…x_k (context words) and output rows y₀ (the word in the middle) and
y₁…y_n (negatives), the loss is

    L = − Σ_j [ log σ(x_j·y₀) + Σ_i log σ(−x_j·y_i) ]

and one step moves every row of the window by −α ∂L/∂row, all computed from the same old values. The
negatives are drawn once per window and shared by its inputs; a negative that is the middle word
itself is skipped. More than five negatives are taken in tiles of six output rows, each tile seeing
the inputs as the tile before left them.

Rows are padded to whole cache lines. The dot products of two inputs with three outputs, and the
updates of an input by six outputs, are done at once, so that each number loaded is used several
times; the rows of the next window are asked for while this one is computed.

References
----------
Mikolov, Sutskever, Chen, Corrado, Dean 2013, "Distributed Representations of Words and Phrases and
their Compositionality", section 2.2. Ji, Satish, Li, Dubey 2016, "Parallelizing Word2Vec in Shared
and Distributed Memory", section III (sharing the negatives of a window).
"""

from __future__ import annotations

import numba
import numpy as np

from spaceport.encoders.kernels.lanes import (
    LANES,
    add,
    clamp,
    divide,
    fetch,
    load,
    multiply,
    multiply_add,
    splat,
    store,
    total,
)
from spaceport.encoders.kernels.sampling import below, mix, pick

__all__ = ["LONGEST", "TILE", "step", "train"]

LONGEST = 10_000  # words of a sentence; what is longer is cut
TILE = 6  # output rows that are updated together: the middle word and five negatives
_ONE = np.float32(1)


@numba.njit(inline="always")
def _dots(X, Y, x, z, a, b, c, stride, scores, at, width):
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
def _negative_sigmoid(s, rate):
    """Give −rate · σ(s), s cut to [−8, 8]; e^−s is the 64th power of a cubic, 2·10⁻⁴ off at most."""
    one = splat(_ONE)
    z = multiply(clamp(s, np.float32(8)), splat(np.float32(-1 / 64)))
    e = multiply_add(z, splat(np.float32(1 / 6)), splat(np.float32(0.5)))
    e = multiply_add(z, multiply_add(z, e, one), one)
    for _ in range(6):
        e = multiply(e, e)
    return divide(splat(-rate), add(one, e))


@numba.njit(inline="always")
def _grow(Y, row, change):
    """Add to an output row; read anew, for a word may be drawn twice."""
    store(Y, row, add(load(Y, row), change))


@numba.njit(inline="always")
def _update(X, Y, inputs, k, outputs, first, stride, gains, width):
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
def step(X, Y, inputs, k, outputs, tiles, stride, scores, rate):
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
def _fetch_row(A, row, stride):
    for v in range(0, stride, LANES):
        fetch(A, row + v)


@numba.njit(inline="always")
def _step_mean(X, Y, inputs, k, outputs, tiles, stride, scores, rate, mean, one):
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


@numba.njit(inline="always")
def _choose(outputs, base, middle, seed, negatives, accept, other, strata, block, Y, stride):
    """Write the rows of the middle word and its negatives at `base`, and ask for them."""
    outputs[base] = middle * stride
    for q in range(1, negatives + 1):
        word = pick(seed + np.uint64(q), accept, other) * strata + block
        outputs[base + q] = word * stride
        _fetch_row(Y, outputs[base + q], stride)
    _fetch_row(Y, outputs[base], stride)


@numba.njit(inline="always")
def _gather(tokens, start, final, keep, seed, sentence):
    """Read one sentence: give where it ends, and how many of its words are known and kept."""
    end, m = start, 0
    while end < len(tokens) and m < LONGEST:
        token = tokens[end]
        if token < 0:
            break
        word = final[token]
        if word >= 0:
            chance = mix(seed + np.uint64(end)) >> np.uint64(32)
            if word >= len(keep) or chance < keep[word]:
                sentence[m] = word
                m += 1
        end += 1
    return end, m


_SIGNATURE = (
    "void(int32[::1], int32[::1], float32[::1], float32[::1], int64, uint32[::1], uint32[::1], "
    "int32[::1], int64, int64, boolean, uint64, float32, float32, int64, int64, int64)"
)


@numba.njit(_SIGNATURE, nogil=True, cache=True, error_model="numpy")
def train(
    tokens, final, X, Y, stride, keep, accept, other, window, negatives, average, seed,
    rate, last_rate, strata, input_block, output_block,
):  # fmt: skip
    """Train on a chunk of tokens.

    Parameters
    ----------
    tokens : ndarray of int32
        Provisional ids; negative ones end a sentence.
    final : ndarray of int32
        The row of each provisional id, or a negative number for words that are left out.
    X, Y : ndarray of float32, flat
        Input and output rows, padded to `stride`, a multiple of 16.
    keep : ndarray of uint32
        From `sampling.keep_thresholds`.
    accept, other : ndarray
        From `sampling.alias_table`, over the words of `output_block`.
    window, negatives : int
        Each middle word takes a width drawn from 1…window, to both sides.
    average : bool
        CBOW in place of skip-gram.
    seed : uint64
        Of this chunk in this epoch.
    rate, last_rate : float32
        Learning rate at the chunk's start and end, linear between.
    strata, input_block, output_block : int
        Only pairs whose context word is ``input_block`` modulo `strata` and whose middle word is
        ``output_block`` modulo `strata`; negatives are of the latter. 1, 0, 0: all pairs.
    """
    tiles = -(-(negatives + 1) // TILE)
    width = TILE * tiles
    sentence = np.empty(LONGEST, dtype=np.int64)
    middles = np.empty(LONGEST, dtype=np.int64)
    inputs = np.zeros(2 * window + 2, dtype=np.int64)
    one = np.zeros(2, dtype=np.int64)
    outputs = np.zeros(2 * width, dtype=np.int64)
    scores = np.zeros((2 * window + 2) * width + LANES, dtype=np.float32)
    mean = np.zeros(2 * stride, dtype=np.float32)
    draws = seed ^ mix(np.uint64(1 + output_block * strata + input_block))
    start = 0
    while start < len(tokens):
        now = np.float32(rate + (last_rate - rate) * np.float32(start / len(tokens)))
        end, m = _gather(tokens, start, final, keep, seed, sentence)
        place = np.uint64(start) << np.uint64(16)
        start = end + 1 if end < len(tokens) and tokens[end] < 0 else end
        count = 0
        for c in range(m):
            if sentence[c] % strata == output_block:
                middles[count] = c
                count += 1
        if m < 2 or count == 0:
            continue
        base = 0
        first = mix(draws + place + np.uint64(middles[0]))
        _choose(outputs, 0, sentence[middles[0]], first, negatives, accept, other, strata,
                output_block, Y, stride)  # fmt: skip
        for t in range(count):
            c = middles[t]
            if t + 1 < count:
                ahead = middles[t + 1]
                coming = mix(draws + place + np.uint64(ahead))
                _choose(outputs, width - base, sentence[ahead], coming, negatives, accept, other,
                        strata, output_block, Y, stride)  # fmt: skip
            if c + 1 + window < m:
                _fetch_row(X, sentence[c + 1 + window] * stride, stride)
            reach = 1 + below(mix(seed ^ (place + np.uint64(c))), window)
            k = 0
            for j in range(max(0, c - reach), min(m, c + reach + 1)):
                if j != c and sentence[j] % strata == input_block:
                    inputs[k] = sentence[j] * stride
                    k += 1
            tile = outputs[base : base + width]
            for q in range(negatives + 1, width):
                tile[q] = tile[0]
            base = width - base
            if k == 0:
                continue
            if average:
                _step_mean(X, Y, inputs, k, tile, tiles, stride, scores, now, mean, one)
            else:
                step(X, Y, inputs, k, tile, tiles, stride, scores, now)
