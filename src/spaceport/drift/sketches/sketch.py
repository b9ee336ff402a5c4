"""The sketch of a window: sums over blocks of its rows, and a sample of them.

A row's block, and whether it is in the sample, follow from a hash of its id alone, so that ``a + b`` is
the sketch of both collections whatever their order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix
from spaceport.drift.sketches.basis import Basis
from spaceport.geometry.moments import Moments

__all__ = ["BLOCKS", "SAMPLE", "Sketch"]

BLOCKS = 64
SAMPLE = 1024


@dataclass(frozen=True, eq=False)
class Sketch:
    """What is kept of a window of vectors.

    Attributes
    ----------
    basis : Basis
    moments : Moments
        Count, mean and scatter of all rows.
    sizes : ndarray of shape (b,), float64
        Rows of each block.
    sums : dict of str to ndarray of shape (b, F), float64
        Sums of each feature over each block: ``vectors``, ``waves``, ``squares``, ``cells0``,
        ``shifts0`` (of the projected coordinates by cell, c r of them) and so on.
    keys : ndarray of shape (s,), uint64
        The sample's hashes, ascending: those of the s smallest.
    ids : tuple of str
        The sample's ids.
    rows : ndarray of shape (s, d), float32
        The sample's rows, ready.
    """

    basis: Basis
    moments: Moments
    sizes: npt.NDArray[np.float64]
    sums: dict[str, npt.NDArray[np.float64]]
    keys: npt.NDArray[np.uint64]
    ids: tuple[str, ...]
    rows: Matrix

    @classmethod
    def of(cls, basis: Basis, vectors: npt.ArrayLike, ids: Sequence[str]) -> Sketch:
        """Sketch rows, whose ids are unique, in one go."""
        rows = basis.ready(vectors)
        keys = _keys(ids)
        blocks = (keys % np.uint64(BLOCKS)).astype(np.intp)
        sums: dict[str, Any] = {}
        for name in ("vectors", "waves", "squares"):
            sums[name] = _added(basis.features(name, rows), blocks, BLOCKS)
        coordinates = basis.projected(rows)
        for level, centroids in enumerate(basis.cells):
            places = blocks * len(centroids) + basis.assign(rows, level)
            flat = BLOCKS * len(centroids)
            ones = np.ones((len(rows), 1), np.float32)
            sums[f"cells{level}"] = _added(ones, places, flat).reshape(BLOCKS, -1)
            sums[f"shifts{level}"] = _added(coordinates, places, flat).reshape(BLOCKS, -1)
        order = np.argsort(keys)[:SAMPLE]
        return cls(
            basis,
            Moments.of(rows),
            np.bincount(blocks, minlength=BLOCKS).astype(float),
            sums,
            keys[order],
            tuple(ids[place] for place in order),
            rows[order],
        )

    @property
    def count(self) -> int:
        """How many rows were summed up."""
        return self.moments.count

    @property
    def complete(self) -> bool:
        """The sample holds every row."""
        return self.count == len(self.rows)

    def __add__(self, other: Sketch) -> Sketch:
        self.basis.check_same(other.basis)
        keys = np.concatenate([self.keys, other.keys])
        order = np.argsort(keys)[:SAMPLE]
        ids = self.ids + other.ids
        return Sketch(
            self.basis,
            self.moments + other.moments,
            self.sizes + other.sizes,
            {name: mine + other.sums[name] for name, mine in self.sums.items()},
            keys[order],
            tuple(ids[place] for place in order),
            np.concatenate([self.rows, other.rows])[order],
        )


def _added(features: Matrix, places: npt.NDArray[np.intp], count: int) -> npt.NDArray[np.float64]:
    added = np.zeros((count, features.shape[1]))
    np.add.at(added, places, features)
    return added


def _keys(ids: Sequence[str]) -> npt.NDArray[np.uint64]:
    hashed = [hashlib.blake2b(name.encode(), digest_size=8).digest() for name in ids]
    return np.frombuffer(b"".join(hashed), np.uint64)
