"""Hash strings to 64 bits: the key by which ids are found, sampled and told apart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["hashes"]

_MULTIPLY = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_EIGHT = np.uint64(8)
_ONE = np.uint64(1)


def hashes(strings: pa.Array) -> npt.NDArray[np.uint64]:
    """Hash each string by its UTF-8 bytes, eight at a time.

    h = length * a; for each 8 bytes w: h = mix((h xor w) * a), where mix is SplitMix64's finalizer
    (Steele, Lea, Flood 2014, fig. 14) with two of its three rounds.

    Parameters
    ----------
    strings : pyarrow.Array of n strings

    Returns
    -------
    ndarray of shape (n,), uint64

    Examples
    --------
    >>> one, two, other = hashes(pa.array(["queen", "queen", "king"]))
    >>> one == two, one == other
    (np.True_, np.False_)
    """
    starts, lengths, words = _words(strings)
    hashed = lengths.astype(np.uint64) * _MULTIPLY
    rows, done = np.flatnonzero(lengths), 0
    while len(rows):
        left = lengths[rows] - done
        word = words[starts[rows] + done]
        bits = np.minimum(left, 7).astype(np.uint64) * _EIGHT
        word = np.where(left < 8, word & ((_ONE << bits) - _ONE), word)
        mixed = (hashed[rows] ^ word) * _MULTIPLY
        mixed = (mixed ^ (mixed >> np.uint64(29))) * _MIX
        hashed[rows] = mixed ^ (mixed >> np.uint64(32))
        rows, done = rows[left > 8], done + 8
    return hashed


def _words(
    strings: pa.Array,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """Where each string starts, its length, and the eight bytes from each byte on, as a number."""
    if not pa.types.is_large_string(strings.type):
        strings = strings.cast(pa.large_string())
    _, offsets, data = strings.buffers()
    last = strings.offset + len(strings) + 1
    ends = (
        np.frombuffer(offsets, np.int64, last)[strings.offset :]
        if len(strings)
        else np.zeros(1, np.int64)
    )
    text = (
        np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]
        if data is not None
        else np.empty(0, np.uint8)
    )
    padded = np.concatenate([text, np.zeros(8, np.uint8)])
    words = np.ndarray((len(text) + 1,), np.dtype("<u8"), padded, strides=(1,))
    return ends[:-1] - ends[0], np.diff(ends), words
