"""How many rows are exact copies of others: a mergeable sample of distinct vectors with their counts.

Each vector is hashed to 64 bits, and the `KEPT` distinct vectors with the smallest hashes are kept, each
with the number of its rows. Which vectors are kept depends on the vectors alone, so a vector kept in a sum
was kept in every part that has it, and its count is exact (a bottom-k sketch: Cohen & Kaplan 2007, PODC).
As long as there are no more distinct vectors than that, everything is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, generator

__all__ = ["KEPT", "Copies", "vector_hashes"]

KEPT = 512

_ROWS = 512
_SALT = 0x53504143
_MULTIPLY = np.uint64(0x9E3779B97F4A7C15)

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Copies:
    """A sample of distinct vectors, and how many rows each has; `a + b` is that of both.

    Attributes
    ----------
    hashes : ndarray of shape (k,), uint64
        Ascending; k is at most `KEPT`.
    counts : ndarray of shape (k,), int64

    Examples
    --------
    >>> X = np.eye(3, dtype=np.float32)
    >>> both = Copies.of(X) + Copies.of(X[:2])
    >>> len(both.hashes), both.twice, both.share
    (3, 2, 0.4)
    """

    hashes: Hashes
    counts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, X: Matrix) -> Copies:
        """Count the rows of X (n, d), float32."""
        hashes, counts = np.unique(vector_hashes(X), return_counts=True)
        return cls(hashes[:KEPT], counts[:KEPT].astype(np.int64))

    @property
    def rows(self) -> int:
        """Rows of the vectors in the sample."""
        return int(self.counts.sum())

    @property
    def twice(self) -> int:
        """Vectors of the sample that stand twice or more."""
        return int((self.counts > 1).sum())

    @property
    def share(self) -> float:
        """The share of rows that are copies of a row before them, as far as the sample tells."""
        return (self.rows - len(self.counts)) / self.rows if self.rows else 0.0

    def thinned(self, share: float, seed: int = 0) -> Copies:
        """The sample of a part of the rows, each kept with probability `share`.

        In more rows more vectors stand twice, so collections of two sizes are compared at one.
        """
        if share >= 1:
            return self
        counts = generator(seed).binomial(self.counts, share)
        return Copies(self.hashes[counts > 0], counts[counts > 0])

    def __add__(self, other: Copies) -> Copies:
        hashes, places = np.unique(np.concatenate([self.hashes, other.hashes]), return_inverse=True)
        counts = np.zeros(len(hashes), np.int64)
        np.add.at(counts, places, np.concatenate([self.counts, other.counts]))
        return Copies(hashes[:KEPT], counts[:KEPT])

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold; hashes in hexadecimal."""
        return {"hashes": [f"{h:016x}" for h in self.hashes], "counts": self.counts.tolist()}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Copies:
        """Undo `to_dict`; a ValueError or KeyError where it is none."""
        hashes = np.array([int(h, 16) for h in told["hashes"]], np.uint64)
        counts = np.array(told["counts"], np.int64).reshape(-1)
        ascending = bool((hashes[1:] > hashes[:-1]).all())
        if len(hashes) != len(counts) or len(hashes) > KEPT or not ascending or (counts < 1).any():
            raise ValueError("no sample of distinct vectors")
        return cls(hashes, counts)


def vector_hashes(X: Matrix) -> Hashes:
    """64 bits for each row of X (n, d): equal for equal rows, −0 being 0.

    h = mix(Σ a_i x_i mod 2⁶⁴) with x_i the 32 bits of each number and a_i odd and random (multilinear
    hashing, Dietzfelbinger 1996), mix one round of SplitMix64.

    Examples
    --------
    >>> one, two, other = vector_hashes(np.array([[0.0, 1], [-0.0, 1], [1, 0]], np.float32))
    >>> one == two, one == other
    (np.True_, np.False_)
    """
    factors = generator(_SALT).integers(1 << 63, size=X.shape[1], dtype=np.uint64)
    factors = factors << np.uint64(1) | np.uint64(1)
    hashes = np.empty(len(X), np.uint64)
    for start in range(0, len(X), _ROWS):
        bits = np.ascontiguousarray(X[start : start + _ROWS] + np.float32(0)).view(np.uint32)
        hashes[start : start + _ROWS] = np.einsum("ij,j->i", bits, factors, dtype=np.uint64)
    hashes = (hashes ^ (hashes >> np.uint64(30))) * _MULTIPLY
    return hashes ^ (hashes >> np.uint64(31))
