"""What was encoded but is not published yet, kept so that a build that was cut off goes on there.

::

    <store>/unpublished/<space>/<first 32 digits of the fingerprint>/000001.arrow, 000002.arrow, …

Each file has the rows of some items, by the hash of their content, and comes whole or not at all.
They are read by memory map, and removed once the version is published.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.arrays import Matrix
from spaceport.errors import InputError
from spaceport.spaces.layout import fixed, unfixed
from spaceport.storage.files import flush, room

__all__ = ["Encoded", "Journal"]


@dataclass(frozen=True)
class Encoded:
    """What some items became.

    Attributes
    ----------
    vectors : ndarray of shape (r, d), float32
        The rows of all items, one item's after another's.
    counts : ndarray of shape (n,), int64
        Rows of each item; 1 each unless positions are kept.
    tokens : list of r str, or None
        What stands at each position, where positions are kept.
    """

    vectors: Matrix
    counts: npt.NDArray[np.int64]
    tokens: list[str] | None = None


@dataclass(frozen=True)
class _Place:
    """Where an item's rows lie: in which file, from which row, how many."""

    file: int
    start: int
    count: int


class Journal:
    """Rows by the hash of their item's content.

    Parameters
    ----------
    folder : Path
        Where the files lie; what is there already is known from the start. A file that cannot be
        read is removed, and its items are encoded again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._vectors: list[Matrix] = []
        self._tokens: list[pa.ChunkedArray] = []
        self._known: dict[bytes, _Place] = {}
        self._next = 1
        for path in sorted(folder.glob("*.arrow")):
            self._next = int(path.stem) + 1
            self._read(path)

    def __len__(self) -> int:
        return len(self._known)

    def hashes(self) -> set[bytes]:
        """The hashes of all contents that are kept."""
        return set(self._known)

    def through(
        self,
        hashes: Sequence[bytes],
        encode: Callable[[list[int]], Encoded],
        at_once: int,
    ) -> Encoded:
        """What the items of `hashes` became; those not known are encoded, `at_once` at a time, and kept.

        Parameters
        ----------
        hashes : sequence of n bytes
            Of the items' contents; equal contents are encoded once.
        encode : callable
            Takes places in `hashes` and gives what the items there became.
        at_once : int
            What is encoded between two writes.

        Raises
        ------
        InputError
            The encoder gives another dimension than it did for what is kept.
        """
        first = {digest: place for place, digest in reversed([*enumerate(hashes)])}
        missing = sorted(place for digest, place in first.items() if digest not in self._known)
        for start in range(0, len(missing), at_once):
            places = missing[start : start + at_once]
            self._keep([hashes[place] for place in places], encode(places))
        return self._take([self._known[digest] for digest in hashes])

    def _keep(self, hashes: Sequence[bytes], encoded: Encoded) -> None:
        dimension = encoded.vectors.shape[1]
        if self._vectors and self._vectors[0].shape[1] != dimension:
            raise InputError(
                f"The encoder gave {self._vectors[0].shape[1]} dimensions for {len(self):,} items, "
                f"and now {dimension}.",
                f"If that is right, remove {self.folder} and build again.",
            )
        self._write(hashes, encoded)
        for digest in hashes:  # an item without positions has no row in any file
            self._known.setdefault(digest, _Place(0, 0, 0))

    def _write(self, hashes: Sequence[bytes], encoded: Encoded) -> None:
        repeated = np.repeat(np.arange(len(hashes)), encoded.counts)
        columns: dict[str, Any] = {
            "hash": pa.array(hashes, pa.binary()).take(pa.array(repeated)),
            "vector": fixed(encoded.vectors),
            "token": pa.nulls(len(repeated), pa.string())
            if encoded.tokens is None
            else pa.array(encoded.tokens, pa.string()),
        }
        path = self.folder / f"{self._next:06d}.arrow"
        fresh = path.with_suffix(".new")
        with room(self.folder.parent):
            self.folder.mkdir(parents=True, exist_ok=True)
            batch = pa.RecordBatch.from_pydict(columns)
            with pa.OSFile(str(fresh), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
                writer.write_batch(batch)
            flush(fresh)
            os.replace(fresh, path)
        self._next += 1
        self._read(path)

    def _read(self, path: Path) -> None:
        try:
            table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
            column = table.column("hash").to_pylist()
        except (OSError, KeyError, pa.ArrowInvalid):
            path.unlink()
            return
        starts = [row for row in range(len(column)) if not row or column[row] != column[row - 1]]
        for start, end in zip(starts, [*starts[1:], len(column)], strict=True):
            self._known[column[start]] = _Place(len(self._vectors), start, end - start)
        self._vectors.append(unfixed(table.column("vector")))
        self._tokens.append(table.column("token"))

    def _take(self, places: Sequence[_Place]) -> Encoded:
        counts = np.array([place.count for place in places], np.int64)
        starts = np.array([place.start for place in places], np.int64)
        files = np.repeat([place.file for place in places], counts)
        rows = np.repeat(starts - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())
        vectors = np.empty((len(rows), self._vectors[0].shape[1]), np.float32)
        tokens = np.empty(len(rows), object)
        for file in np.unique(files):
            here = files == file
            vectors[here] = self._vectors[file][rows[here]]
            tokens[here] = self._tokens[file].take(pa.array(rows[here])).to_pylist()
        named = bool(len(tokens)) and tokens[0] is not None
        return Encoded(vectors, counts, tokens.tolist() if named else None)
