"""Random choices of the word kernels: each a pure function of a counter.

A choice depends on the seed and on where it is made, never on what was chosen before; so any thread
can make it, in any order, and two visits of the same sentence choose the same.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["alias_table", "below", "keep_thresholds", "mix", "pick"]

_SHIFT = np.uint64(32)
_FACTOR = np.uint64(0xD6E8FEB86659FD93)
_RANGE = 2**32


@numba.njit(inline="always")
def mix(counter: np.uint64) -> np.uint64:
    """Scatter a 64-bit counter: twice xor with the upper half and multiply by an odd number."""
    counter = (counter ^ (counter >> _SHIFT)) * _FACTOR
    counter = (counter ^ (counter >> _SHIFT)) * _FACTOR
    return counter ^ (counter >> _SHIFT)


@numba.njit(inline="always")
def below(bits: np.uint64, limit: int) -> np.int64:
    """Give an int in [0, limit) from the upper 32 bits, by multiplication (no modulo, no division)."""
    return np.int64(((bits >> _SHIFT) * np.uint64(limit)) >> _SHIFT)


@numba.njit(inline="always")
def pick(
    counter: np.uint64, accept: npt.NDArray[np.uint32], other: npt.NDArray[np.int32]
) -> np.int64:
    """Draw an index from the distribution of an `alias_table`."""
    bits = mix(counter)
    slot = below(bits, len(accept))
    return slot if np.uint32(bits) <= accept[slot] else np.int64(other[slot])


def alias_table(
    weights: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int32]]:
    """Prepare draws from n weights: slot i gives i with probability accept[i] / 2³², else other[i].

    Eight bytes a word, so that the table of a large vocabulary stays in the processor's cache, and
    exact; the table of the original word2vec rounds each word's share to a hundred-millionth.

    References
    ----------
    Walker 1977, "An Efficient Method for Generating Discrete Random Variables with General
    Distributions"; Vose 1991, "A Linear Algorithm for Generating Random Numbers with a Given
    Distribution".
    """
    share = weights * (len(weights) / weights.sum())  # mean 1
    accept = np.ones(len(weights))
    other = np.arange(len(weights), dtype=np.int32)
    poor, rich = np.flatnonzero(share < 1).tolist(), np.flatnonzero(share >= 1).tolist()
    while poor and rich:
        slot, giver = poor.pop(), rich[-1]
        accept[slot], other[slot] = share[slot], giver
        share[giver] -= 1 - share[slot]
        if share[giver] < 1:
            poor.append(rich.pop())
    return _thresholds(accept), other


def keep_thresholds(counts: npt.NDArray[np.int64], sample: float) -> npt.NDArray[np.uint32]:
    """Chance of each word to be kept, times 2³², for the words (most frequent first) that have one.

    With f the word's share of all words and t = `sample`, the chance is min(1, (√(f/t) + 1) · t/f).
    This is the rule of the original C code; the paper's is 1 − √(t/f). Words beyond the end of the
    result are always kept.

    References
    ----------
    Mikolov, Sutskever, Chen, Corrado, Dean 2013, "Distributed Representations of Words and Phrases
    and their Compositionality", section 2.3.
    """
    if sample == 0:
        return np.empty(0, dtype=np.uint32)
    share = counts / counts.sum() / sample
    chance = (np.sqrt(share) + 1) / share
    return _thresholds(chance[chance < 1])


def _thresholds(chance: npt.NDArray[np.float64]) -> npt.NDArray[np.uint32]:
    return np.minimum(chance * _RANGE, _RANGE - 1).astype(np.uint32)
