"""The parts of texts between blanks: cut and looked up in a hash table, without Python's objects.

Texts stand as UTF-8, one after another. A chunk is a run of bytes other than space, tab, line feed and
carriage return. Its key is its FNV-1a hash (64 bits); equal keys are compared byte by byte.
"""

from __future__ import annotations

from typing import TypeAlias

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["count", "enter", "look_up"]

Bytes: TypeAlias = npt.NDArray[np.uint8]
Ends: TypeAlias = npt.NDArray[np.int64]
Numbers: TypeAlias = npt.NDArray[np.int32]
Keys: TypeAlias = npt.NDArray[np.uint64]

_BASIS = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)


@numba.njit(inline="always")
def _blank(byte: int) -> bool:
    return byte == 32 or byte == 10 or byte == 9 or byte == 13


@numba.njit(inline="always")
def _place(key: np.uint64, slots: Numbers) -> np.int64:
    """Where a key's search starts; the number of slots is a power of two."""
    return np.int64((key ^ (key >> np.uint64(32))) & np.uint64(len(slots) - 1))


@numba.njit(cache=True, nogil=True)
def count(data: Bytes, byte_ends: Ends, first: int, last: int, counts: Ends) -> None:
    """How many chunks each of the texts `first` to `last` - 1 has."""
    for text in range(first, last):
        found, before = 0, True
        for at in range(byte_ends[text], byte_ends[text + 1]):
            blank = _blank(data[at])
            found += before and not blank
            before = blank
        counts[text] = found


@numba.njit(cache=True, nogil=True)
def look_up(
    data: Bytes,
    byte_ends: Ends,
    text_ends: Ends,
    first: int,
    last: int,
    slots: Numbers,
    keys: Keys,
    known: Bytes,
    known_ends: Ends,
    numbers: Numbers,
    spans: Ends,
) -> None:
    """Write each chunk's number, -1 if it is not known, and its first and last byte."""
    for text in range(first, last):
        at, end = byte_ends[text], byte_ends[text + 1]
        for place in range(text_ends[text], text_ends[text + 1]):
            while _blank(data[at]):
                at += 1
            start, key = at, _BASIS
            while at < end and not _blank(data[at]):
                key = (key ^ np.uint64(data[at])) * _PRIME
                at += 1
            numbers[place] = _find(data, start, at, key, slots, keys, known, known_ends)
            spans[place, 0], spans[place, 1] = start, at


@numba.njit(cache=True, nogil=True)
def enter(data: Bytes, ends: Ends, first: int, last: int, slots: Numbers, keys: Keys) -> None:
    """Put the chunks `first` to `last` - 1, which are not there yet, into the table."""
    for chunk in range(first, last):
        key = _BASIS
        for at in range(ends[chunk], ends[chunk + 1]):
            key = (key ^ np.uint64(data[at])) * _PRIME
        keys[chunk] = key
        slot = _place(key, slots)
        while slots[slot] >= 0:
            slot = (slot + 1) & (len(slots) - 1)
        slots[slot] = chunk


@numba.njit(inline="always")
def _find(
    data: Bytes,
    start: int,
    end: int,
    key: np.uint64,
    slots: Numbers,
    keys: Keys,
    known: Bytes,
    known_ends: Ends,
) -> np.int32:
    slot = _place(key, slots)
    while slots[slot] >= 0:
        chunk = slots[slot]
        if keys[chunk] == key and known_ends[chunk + 1] - known_ends[chunk] == end - start:
            own, same = known_ends[chunk], True
            for shift in range(end - start):
                if known[own + shift] != data[start + shift]:
                    same = False
                    break
            if same:
                return np.int32(chunk)
        slot = (slot + 1) & (len(slots) - 1)
    return np.int32(-1)
