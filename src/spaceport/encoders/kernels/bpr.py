"""Stochastic steps of Bayesian personalized ranking.

A draw is a user with the row x, one of the user's items with the row y_i, and an item with the row
y_j that the user does not have. One step raises

    ln σ(x·(y_i − y_j)) − ρ/2 (|x|² + |y_i|² + |y_j|²)

by the learning rate α times its gradient, all from the same old values. With z = σ(−x·(y_i − y_j)):

    x += α (z (y_i − y_j) − ρ x)      y_i += α (z x − ρ y_i)      y_j += α (−z x − ρ y_j)

The last coordinate of a user is 1 and stays 1, so that an item's last coordinate is its bias.

Every random choice is a hash of the seed and of the draw, so that it does not matter which thread
makes it. Rows are padded with zeros to a multiple of 16. Whoever changes another kernel that is
inlined here deletes ``__pycache__/*.nb*`` in this folder.

References
----------
Rendle, Freudenthaler, Gantner, Schmidt-Thieme 2009, "BPR: Bayesian Personalized Ranking from Implicit
Feedback", section 4.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numba
import numpy as np
import numpy.typing as npt

from spaceport.encoders.kernels.lanes import (
    LANES,
    fetch,
    load,
    multiply,
    multiply_add,
    splat,
    store,
    total,
)
from spaceport.encoders.kernels.sampling import below, mix

__all__ = ["train"]

Floats: TypeAlias = npt.NDArray[np.float32]
Ends: TypeAlias = npt.NDArray[np.int64]
Columns: TypeAlias = npt.NDArray[np.int32]
Keys: TypeAlias = npt.NDArray[np.uint64]
Marks: TypeAlias = npt.NDArray[np.uint8]

_TRIES = 32  # for an item of the half that is wanted
_ONE = np.float32(1)


@numba.njit(inline="always")
def _half(number: np.uint64, key: np.uint64) -> np.int64:
    """0 or 1: which half of the users, or of the items, this one is in."""
    return np.int64(mix(key ^ (number * np.uint64(0x9E3779B97F4A7C15))) >> np.uint64(63))


@numba.njit(inline="always")
def _negative(
    key: np.uint64,
    pool: Columns,
    items: int,
    seen: Marks,
    split: bool,
    half: int,
    halves: np.uint64,
) -> np.int64:
    """An item of the half that is wanted; −1 if the user has it, or none was found.

    It is drawn from `pool`, or from all `items` alike where the pool is empty. There is no second
    draw for one that the user has: users with many items would get more steps than their share.
    """
    for attempt in range(_TRIES):
        bits = mix(key + np.uint64(attempt))
        item = np.int64(pool[below(bits, len(pool))]) if len(pool) else below(bits, items)
        if not split or _half(np.uint64(item), halves) == half:
            return item if seen[item] == 0 else np.int64(-1)
    return np.int64(-1)


@numba.njit(inline="always")
def _mark(seen: Marks, columns: Columns, start: int, end: int, mark: int) -> None:
    for e in range(start, end):
        seen[columns[e]] = mark


@numba.njit(inline="always")
def _copy(source: Floats, a: int, target: Floats, b: int, stride: int) -> None:
    for v in range(0, stride, LANES):
        store(target, b + v, load(source, a + v))


@numba.njit(inline="always")
def _fetch_row(Y: Floats, row: int, stride: int) -> None:
    for v in range(0, stride, LANES):
        fetch(Y, row + v)


@numba.njit(inline="always")
def _step(
    x: Floats, Y: Floats, i: int, j: int, stride: int, bias: int, rate: np.float32,
    penalty: np.float32, frozen: bool,
) -> bool:  # fmt: skip
    """One step on x and the rows at i and j; gives whether their order was right."""
    minus = splat(-_ONE)
    product = splat(np.float32(0))
    for v in range(0, stride, LANES):
        apart = multiply_add(minus, load(Y, j + v), load(Y, i + v))
        product = multiply_add(load(x, v), apart, product)
    score: np.float32 = total(product)
    z = np.float32(_ONE / (_ONE + math.exp(min(score, np.float32(60)))))
    keep, gain, loss = splat(_ONE - rate * penalty), splat(rate * z), splat(-rate * z)
    for v in range(0, stride, LANES):
        user, good, bad = load(x, v), load(Y, i + v), load(Y, j + v)
        apart = multiply_add(minus, bad, good)
        store(x, v, multiply_add(apart, gain, multiply(user, keep)))
        if not frozen:
            store(Y, i + v, multiply_add(user, gain, multiply(good, keep)))
            store(Y, j + v, multiply_add(user, loss, multiply(bad, keep)))
    if bias >= 0:
        x[bias] = _ONE
    return bool(score > 0)


@numba.njit(
    "UniTuple(int64, 2)(int64[::1], int32[::1], int32[::1], uint64[::1], int32[::1], float32[::1], float32[::1], "
    "int64, int64, float32, float32, uint64, boolean, boolean, int64, int64)",
    nogil=True,
    cache=True,
    error_model="numpy",
)
def train(
    ends: Ends,
    columns: Columns,
    order: Columns,
    keys: Keys,
    pool: Columns,
    X: Floats,
    Y: Floats,
    stride: int,
    bias: int,
    rate: np.float32,
    penalty: np.float32,
    seed: np.uint64,
    frozen: bool,
    split: bool,
    user_half: int,
    item_half: int,
) -> tuple[int, int]:
    """Draw for each user of `order` as often as it has items; gives how many were in order, of how many.

    A draw whose negative the user has is left out.

    Parameters
    ----------
    ends, columns : ndarray
        Each user's items, as in a CSR matrix.
    order : ndarray of int32
        The users to take, in order.
    keys : ndarray of shape (n,), uint64
        What tells the users' draws apart.
    pool : ndarray of int32
        What negatives are drawn from; empty: all items alike.
    X, Y : ndarray of float32, flat
        Users and items, padded to `stride`, a multiple of 16.
    bias : int
        The coordinate that is 1 for users; −1: none.
    rate, penalty : float32
        α and ρ.
    seed : uint64
        Of this pass.
    frozen : bool
        The items stay as they are.
    split : bool
        Take only users of `user_half`, and only items of `item_half`; the halves are drawn by `seed`.
    user_half, item_half : int
    """
    items = len(Y) // stride
    seen = np.zeros(items, dtype=np.uint8)
    x = np.zeros(stride, dtype=np.float32)
    halves = mix(seed + np.uint64(1))
    right, made = 0, 0
    for place in range(len(order)):
        u = np.int64(order[place])
        start, end = ends[u], ends[u + 1]
        if split and _half(np.uint64(u), mix(seed + np.uint64(2))) != user_half:
            continue
        _mark(seen, columns, start, end, 1)
        _copy(X, u * stride, x, 0, stride)
        draws = mix(seed ^ mix(keys[u]))
        i, j = np.int64(-1), np.int64(-1)
        for draw in range(end - start + 1):
            good, bad = np.int64(-1), np.int64(-1)
            if draw < end - start:  # one draw ahead, so that memory has time to answer
                key = mix(draws + (np.uint64(draw) << np.uint64(8)))
                good = np.int64(columns[start + below(key, end - start)])
                if not split or _half(np.uint64(good), halves) == item_half:
                    bad = _negative(key, pool, items, seen, split, item_half, halves)
            if bad >= 0:
                _fetch_row(Y, good * stride, stride)
                _fetch_row(Y, bad * stride, stride)
            if j >= 0:
                made += 1
                right += _step(x, Y, i * stride, j * stride, stride, bias, rate, penalty, frozen)
            i, j = good, bad
        _copy(x, 0, X, u * stride, stride)
        _mark(seen, columns, start, end, 0)
    return right, made
