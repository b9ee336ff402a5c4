"""The rules by which entries are split into a part to learn from and a part to test with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.sources._entries import Entries, Mask, latest_in

__all__ = ["SPLITS", "part_of"]

_ROUNDING = 1e-9  # 0.29 x 100 is 28.999999999999996 in floating point
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)

Bits: TypeAlias = npt.NDArray[np.uint64]


def part_of(entries: Entries, part: str, split: str, share: float, seed: int) -> Entries:
    """The entries of one part, ``train`` or ``test``; see `Interactions` for the rules."""
    held_out = SPLITS[split](entries, share, seed)
    return entries.where(held_out if part == "test" else ~held_out)


def _random(entries: Entries, share: float, seed: int) -> Mask:
    """Of each user's n entries, the floor(share x n) with the smallest hash."""
    starts, counts = _histories(entries)
    users = _hashes(entries.users)[entries.user]
    items = _mixed(_hashes(entries.items) ^ _salt(seed))[entries.item]
    history = np.repeat(np.arange(len(starts)), counts)
    room = np.uint64(len(starts).bit_length())
    # One key of 64 bits, the history and then as much of the hash as fits, sorts faster than two.
    keys = (history.astype(np.uint64) << (np.uint64(64) - room)) | (_mixed(users ^ items) >> room)
    rank = np.arange(len(entries)) - np.repeat(starts, counts)
    held_out = np.zeros(len(entries), bool)
    held_out[np.argsort(keys)] = rank < np.repeat(np.floor(share * counts + _ROUNDING), counts)
    return held_out


def _latest(entries: Entries, share: float, seed: int) -> Mask:
    """Of each user with two entries or more, the latest one."""
    starts, counts = _histories(entries)
    ranks = np.zeros(len(entries))
    ranks[np.lexsort((entries.last, _times(entries)))] = np.arange(len(entries))
    held_out = np.zeros(len(entries), bool)
    held_out[latest_in(starts, counts, ranks)[counts > 1]] = True
    return held_out


def _by_time(entries: Entries, share: float, seed: int) -> Mask:
    """Of all n entries, the floor(share x n) latest."""
    wanted = int(share * len(entries) + _ROUNDING)
    if not wanted:
        return np.zeros(len(entries), bool)
    times = _times(entries)
    cut = np.partition(times, len(times) - wanted)[len(times) - wanted]
    held_out: Mask = times > cut
    at_the_cut = np.flatnonzero(times == cut)
    later_rows_first = at_the_cut[np.argsort(-entries.last[at_the_cut])]
    held_out[later_rows_first[: wanted - int(held_out.sum())]] = True
    return held_out


SPLITS: Mapping[str, Callable[[Entries, float, int], Mask]] = {
    "random": _random,
    "time": _by_time,
    "last": _latest,
}
"""The rules by name: each says which entries are held out for testing."""


def _histories(entries: Entries) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where each user's entries start, and how many they are."""
    starts = np.flatnonzero(np.diff(entries.user, prepend=-1))
    return starts, np.diff(starts, append=len(entries))


def _times(entries: Entries) -> npt.NDArray[np.float64]:
    assert entries.times is not None, "Interactions asks for the column of times"
    return entries.times


def _hashes(ids: pa.Array) -> Bits:
    digests = b"".join(blake2b(id.encode(), digest_size=8).digest() for id in ids.to_pylist())
    return np.frombuffer(digests, "<u8").astype(np.uint64)


def _salt(seed: int) -> np.uint64:
    return np.uint64(int.from_bytes(blake2b(str(seed).encode(), digest_size=8).digest(), "little"))


def _mixed(bits: Bits) -> Bits:
    """SplitMix64's finalizer (Steele, Lea, Flood 2014): every bit of the answer hangs on every bit."""
    bits = bits + _GOLDEN
    bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    return bits ^ (bits >> np.uint64(31))
