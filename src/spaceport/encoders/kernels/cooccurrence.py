"""Counting pairs of words: each pair in a window becomes a number, numbers are sorted, equal ones add up.

A number holds the pair's block, its places within the block, and its distance; so one sort of plain
64-bit numbers groups the pairs by block. See `encoders/_cooccurrence.py`.
"""

from __future__ import annotations

from typing import TypeAlias

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["add_up", "distinct", "merge", "pairs"]

Tokens: TypeAlias = npt.NDArray[np.int32]
Keys: TypeAlias = npt.NDArray[np.int64]
_NONE = np.iinfo(np.int64).max


@numba.njit(
    "int64(int32[::1], int64, int64, boolean, int64, int64, int64[::1])",
    nogil=True,
    cache=True,
    error_model="numpy",
)
def pairs(
    places: Tokens, first: int, window: int, symmetric: bool, bands: int, size: int, keys: Keys
) -> int:
    """Write ``pair · window + distance − 1`` for each word from `first` on with each word before it.

    Parameters
    ----------
    places : ndarray of int32
        Words that count; negative numbers end a text.
    first : int
        The words before it are there only to be reached.
    symmetric : bool
        The lesser place is the row; otherwise the later word is.
    bands, size : int
        A place is in band ``place // size``.
    keys : ndarray of int64
        As long as ``window`` times the places.

    Returns
    -------
    int
        How many were written.
    """
    written = 0
    for i in range(first, len(places)):
        if places[i] < 0:
            continue
        for distance in range(1, min(window, i) + 1):
            context = places[i - distance]
            if context < 0:
                break
            row, column = np.int64(places[i]), np.int64(context)
            if symmetric and row > column:
                row, column = column, row
            block = (row // size) * bands + column // size
            pair = (block * size + row % size) * size + column % size
            keys[written] = pair * window + distance - 1
            written += 1
    return written


@numba.njit("int64(int64[::1], int64)", nogil=True, cache=True, error_model="numpy")
def distinct(keys: Keys, window: int) -> int:
    """How many different pairs there are among sorted `keys`."""
    count, last = 0, np.int64(-1)
    for key in keys:
        pair = key // window
        count += pair != last
        last = pair
    return count


@numba.njit(
    "void(int64[::1], int64[::1], int64[:,::1])", nogil=True, cache=True, error_model="numpy"
)
def add_up(keys: Keys, units: Keys, run: Keys) -> None:
    """Write each pair of sorted `keys` once, and beside it the sum of its units.

    Parameters
    ----------
    keys : ndarray of int64
        From `pairs`, sorted.
    units : ndarray of shape (window,), int64
        What a pair at distance 1, 2… counts.
    run : ndarray of shape (n, 2), int64
        Filled; n is the number of `distinct` pairs.
    """
    at, last = -1, np.int64(-1)
    for key in keys:
        pair = key // len(units)
        if pair != last:
            at += 1
            run[at, 0] = last = pair
            run[at, 1] = 0
        run[at, 1] += units[key - pair * len(units)]


@numba.njit(
    "int64(int64[:,:,::1], int64[::1], int64[::1], int64[:,::1])",
    nogil=True,
    cache=True,
    error_model="numpy",
)
def merge(runs: Keys, heads: Keys, ends: Keys, merged: Keys) -> int:
    """Merge sorted runs until one of them has nothing left to read, or there is no more room.

    Parameters
    ----------
    runs : ndarray of shape (k, width, 2), int64
        The part of each run that is in memory: pairs and sums.
    heads, ends : ndarray of shape (k,), int64
        Where each run's unread part starts (moved on) and ends. A run that is read to its very end
        has an end of −1.
    merged : ndarray of shape (n, 2), int64
        Equal pairs come out once, with their sums added.

    Returns
    -------
    int
        How many were written.
    """
    written = 0
    while written < len(merged):
        least = _NONE
        for k in range(len(heads)):
            if ends[k] >= 0:
                if heads[k] == ends[k]:
                    return written
                least = min(least, runs[k, heads[k], 0])
        if least == _NONE:
            return written
        merged[written, 0], merged[written, 1] = least, 0
        for k in range(len(heads)):
            if ends[k] >= 0 and runs[k, heads[k], 0] == least:
                merged[written, 1] += runs[k, heads[k], 1]
                heads[k] += 1
        written += 1
    return written
