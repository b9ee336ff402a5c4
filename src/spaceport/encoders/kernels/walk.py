"""The walk of word2vec over a chunk of a corpus: sentences, windows, negatives.

The negatives of the next window are drawn, and their rows asked for, while this window is computed.

numba keeps the compiled `train` beside this file and compiles anew when *this* file changes; whoever
changes another kernel that is inlined here deletes ``__pycache__/*.nb*`` in this folder.
"""

from __future__ import annotations

import numba
import numpy as np

from spaceport.encoders.kernels.lanes import LANES, fetch
from spaceport.encoders.kernels.sampling import below, mix, pick
from spaceport.encoders.kernels.sgns import (
    TILE,
    Chances,
    Floats,
    Ints,
    Tokens,
    step,
    step_mean,
)

__all__ = ["LONGEST", "train"]

LONGEST = 10_000  # words of a sentence; what is longer is cut


@numba.njit(inline="always")
def _fetch_row(A: Floats, row: int, stride: int) -> None:
    for v in range(0, stride, LANES):
        fetch(A, row + v)


@numba.njit(inline="always")
def _choose(
    outputs: Ints,
    base: int,
    middle: int,
    seed: np.uint64,
    negatives: int,
    width: int,
    accept: Chances,
    other: Tokens,
    strata: int,
    block: int,
    Y: Floats,
    stride: int,
) -> None:
    """Write at `base` the rows of the middle word and its negatives, and ask for them.

    The rest of the last tile is filled with the middle word, which `step` skips.
    """
    for q in range(width):
        outputs[base + q] = middle * stride
    for q in range(1, negatives + 1):
        word = pick(seed + np.uint64(q), accept, other) * strata + block
        outputs[base + q] = word * stride
        _fetch_row(Y, outputs[base + q], stride)
    _fetch_row(Y, outputs[base], stride)


@numba.njit(inline="always")
def _gather(
    tokens: Tokens, start: int, final: Tokens, keep: Chances, seed: np.uint64, sentence: Ints
) -> tuple[int, int]:
    """Write the known and kept words of one sentence; gives where the next starts, and how many."""
    end, m = start, 0
    while end < len(tokens) and m < LONGEST:
        token = tokens[end]
        end += 1
        if token < 0:
            break
        word = final[token]
        if word >= 0:
            chance = mix(seed + np.uint64(end)) >> np.uint64(32)
            if word >= len(keep) or chance < keep[word]:
                sentence[m] = word
                m += 1
    return end, m


@numba.njit(inline="always")
def _middles(sentence: Ints, m: int, mask: int, block: int, middles: Ints) -> int:
    """Write the places of the words of `block`; gives how many."""
    count = 0
    for c in range(m):
        if sentence[c] & mask == block:
            middles[count] = c
            count += 1
    return count


@numba.njit(inline="always")
def _contexts(
    sentence: Ints, m: int, c: int, reach: int, mask: int, block: int, stride: int, inputs: Ints
) -> int:
    """Write the rows of the words of `block` around place c; gives how many."""
    k = 0
    for j in range(max(0, c - reach), min(m, c + reach + 1)):
        if j != c and sentence[j] & mask == block:
            inputs[k] = sentence[j] * stride
            k += 1
    return k


@numba.njit(
    "void(int32[::1], int32[::1], float32[::1], float32[::1], int64, uint32[::1], uint32[::1], "
    "int32[::1], int64, int64, boolean, uint64, float32, float32, int64, int64, int64)",
    nogil=True,
    cache=True,
    error_model="numpy",
)
def train(
    tokens: Tokens,
    final: Tokens,
    X: Floats,
    Y: Floats,
    stride: int,
    keep: Chances,
    accept: Chances,
    other: Tokens,
    window: int,
    negatives: int,
    average: bool,
    seed: np.uint64,
    rate: np.float32,
    last_rate: np.float32,
    strata: int,
    input_block: int,
    output_block: int,
) -> None:
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
        Each middle word takes a reach drawn from 1…window, to both sides.
    average : bool
        CBOW in place of skip-gram.
    seed : uint64
        Of this chunk in this epoch.
    rate, last_rate : float32
        Learning rate at the chunk's start and end, linear between, constant in a sentence.
    strata, input_block, output_block : int
        Only pairs whose context word is ``input_block`` modulo `strata` and whose middle word is
        ``output_block`` modulo `strata`, a power of two; negatives are of the latter. 1, 0, 0: all
        pairs.
    """
    tiles = -(-(negatives + 1) // TILE)
    width = TILE * tiles
    sentence, middles = np.empty(LONGEST, dtype=np.int64), np.empty(LONGEST, dtype=np.int64)
    inputs, one = np.zeros(2 * window + 2, dtype=np.int64), np.zeros(2, dtype=np.int64)
    outputs = np.zeros(2 * width, dtype=np.int64)  # of this window and of the next one
    scores = np.zeros((2 * window + 2) * width + LANES, dtype=np.float32)
    mean = np.zeros(2 * stride, dtype=np.float32)
    draws = seed ^ mix(np.uint64(1 + output_block * strata + input_block))
    start = 0
    while start < len(tokens):
        now = np.float32(rate + (last_rate - rate) * np.float32(start / len(tokens)))
        place = np.uint64(start) << np.uint64(16)
        start, m = _gather(tokens, start, final, keep, seed, sentence)
        count = _middles(sentence, m, strata - 1, output_block, middles) if m > 1 else 0
        base = 0
        for t in range(-1, count):
            if t + 1 < count:  # one window ahead, so that memory has time to answer
                ahead = middles[t + 1]
                coming = mix(draws + place + np.uint64(ahead))
                _choose(outputs, width - base, sentence[ahead], coming, negatives, width, accept,
                        other, strata, output_block, Y, stride)  # fmt: skip
            if t >= 0:
                c = middles[t]
                if c + 1 + window < m:
                    _fetch_row(X, sentence[c + 1 + window] * stride, stride)
                reach = 1 + below(mix(seed ^ (place + np.uint64(c))), window)
                k = _contexts(sentence, m, c, reach, strata - 1, input_block, stride, inputs)
                tile = outputs[base : base + width]
                if k and average:
                    step_mean(X, Y, inputs, k, tile, tiles, stride, scores, now, mean, one)
                elif k:
                    step(X, Y, inputs, k, tile, tiles, stride, scores, now)
            base = width - base
