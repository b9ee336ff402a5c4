"""How often words stand near one another, counted within a bound of memory.

The corpus is read in chunks. Every pair of a chunk becomes a 64-bit number; the numbers are sorted
and equal pairs added up, which makes a *run*; runs go to an unlinked temporary file and are merged,
streamed, into another one. Weights are whole numbers of 2⁻³⁰, so that the sums are the same in any
order: the counts do not depend on the memory.

Words are dealt in turn to `bands` bands, so that each band has frequent and rare ones. The entries of
a block, the words of one band with those of another, stand together in the file.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from spaceport.encoders._runs import MEBIBYTE, Runs, enough_space, few, read_array, write_array
from spaceport.progress import task
from spaceport.vocabulary import DROPPED, END, TokenFile

__all__ = ["ENTRY", "Bands", "Cooccurrences", "Counting", "count_pairs"]

ENTRY = np.dtype([("row", "<i4"), ("column", "<i4"), ("count", "<f4")])
"""One entry of the matrix: the places of two words, and how often they stand near."""

_UNIT = 1 << 30  # what a pair at distance 1 counts
_PAIR_BYTES = 28  # of a run in the making: the pair's number, and at most one pair and sum

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Counting:
    """What counts as near: words to each side, both or only the left one, weighted 1/distance or 1."""

    window: int
    symmetric: bool
    distance_weighting: bool
    memory: int

    def units(self) -> Ints:
        """What a pair counts at distance 1…window, in 2⁻³⁰."""
        distance = (
            np.arange(1, self.window + 1) if self.distance_weighting else np.ones(self.window)
        )
        return np.rint(_UNIT / distance).astype(np.int64)

    def pairs(self) -> int:
        """How many pairs of a chunk fit into the memory."""
        return max(self.memory * MEBIBYTE // _PAIR_BYTES, 2 * self.window)


@dataclass(frozen=True)
class Bands:
    """n words dealt in turn to `count` bands.

    Examples
    --------
    >>> Bands(5, 2).places.tolist()
    [0, 3, 1, 4, 2]
    """

    words: int
    count: int

    @property
    def size(self) -> int:
        """Places of a band; the last of some bands stay empty."""
        return -(-self.words // self.count)

    @property
    def places(self) -> npt.NDArray[np.int32]:
        """The place of each word, (n,): band by band."""
        row = np.arange(self.words, dtype=np.int32)
        return (row % self.count) * np.int32(self.size) + row // np.int32(self.count)


@dataclass
class Cooccurrences:
    """The counts, block by block, in a temporary file; use it in a ``with`` block.

    Attributes
    ----------
    bands : Bands
    symmetric : bool
        Only entries with row ≤ column are in the file; the others are their mirror image.
    starts : ndarray of shape (bands² + 1,), int64
        Where each block's entries start.
    own : ndarray of shape (bands,), int64
        Entries of each band's words with themselves.
    pairs : int
        Pairs of words that were counted.
    seconds : float
        How long it took.
    """

    bands: Bands
    symmetric: bool
    starts: Ints
    own: Ints
    pairs: int
    seconds: float
    _file: IO[bytes] = field(repr=False)

    def __enter__(self) -> Cooccurrences:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        """Entries of the matrix that are in the file."""
        return int(self.starts[-1])

    def block(self, row_band: int, column_band: int) -> npt.NDArray[Any]:
        """Entries of the words of one band with those of another; several threads may read at once.

        Returns
        -------
        ndarray of `ENTRY`
        """
        if not self.symmetric or row_band < column_band:
            return self._stored(row_band, column_band)
        entries = self._stored(column_band, row_band)
        mirrored = _mirrored(entries)
        if row_band > column_band:
            return mirrored
        return np.concatenate([entries, mirrored[entries["row"] != entries["column"]]])

    def sizes(self) -> Ints:
        """Entries of each block as `block` gives it, (bands, bands)."""
        stored = np.diff(self.starts).reshape(self.bands.count, -1)
        if not self.symmetric:
            return stored
        return stored + stored.T - np.diag(self.own)

    def _stored(self, row_band: int, column_band: int) -> npt.NDArray[Any]:
        block = row_band * self.bands.count + column_band
        start, end = self.starts[block : block + 2].tolist()
        entries = np.empty(end - start, dtype=ENTRY)
        read_array(self._file, entries, start * ENTRY.itemsize)
        return entries


def count_pairs(
    corpus: TokenFile, rows: npt.NDArray[np.int32], bands: Bands, told: Counting
) -> Cooccurrences:
    """Count all pairs of words within a window; texts are windows' ends, words left out are closed up.

    Parameters
    ----------
    corpus : TokenFile
    rows : ndarray of int32
        The row of each provisional id, or a negative number for words that are left out.
    bands : Bands
        Of the rows.
    told : Counting

    Returns
    -------
    Cooccurrences
        X_ij, the sum over all places where word j stands up to `window` words before word i (and,
        if symmetric, after it) of 1/distance, or of 1.

    Raises
    ------
    StoreError
        No space is left for the temporary files.
    """
    began = time.perf_counter()
    with enough_space():
        runs = Runs()
        try:
            pairs = _spill(corpus, rows, bands, told, runs)
            runs = few(runs, told.memory)
            file, sizes, own = _entries(runs, bands, told)
        finally:
            runs.close()
    starts = np.concatenate([[0], np.cumsum(sizes)])
    seconds = time.perf_counter() - began
    return Cooccurrences(bands, told.symmetric, starts, own, pairs, seconds, file)


def _spill(
    corpus: TokenFile, rows: npt.NDArray[np.int32], bands: Bands, told: Counting, runs: Runs
) -> int:
    """Read the corpus in chunks and write a run for each; gives how many pairs were counted."""
    from spaceport.encoders.kernels.cooccurrence import pairs

    places = np.append(bands.places, [np.int32(DROPPED), np.int32(END)])  # ids −2 and −1 are kept
    before = np.empty(0, dtype=np.int32)
    room = np.empty(told.pairs(), dtype=np.int64)
    total, step = 0, len(room) // told.window
    with task("counting pairs", corpus.length, "words") as work:
        for start in range(0, corpus.length, step):
            tokens = corpus.tokens(start, step)
            found = places[np.where(tokens < 0, END, rows[tokens])]
            chunk = np.concatenate([before, found[found != DROPPED]])
            told_of = (told.window, told.symmetric, bands.count, bands.size)
            written = pairs(chunk, len(before), *told_of, room)
            runs.append([_run(room[:written], told.units())])
            before = chunk[-told.window :]
            total += written
            work.advance(len(tokens))
    return total


def _run(keys: Ints, units: Ints) -> Ints:
    """The distinct pairs of `keys`, sorted, beside what they count, (n, 2)."""
    from spaceport.encoders.kernels.cooccurrence import add_up, distinct

    keys.sort()
    run = np.empty((distinct(keys, len(units)), 2), dtype=np.int64)
    add_up(keys, units, run)
    return run


def _entries(runs: Runs, bands: Bands, told: Counting) -> tuple[IO[bytes], Ints, Ints]:
    """Write the merged runs as entries; gives the file, each block's size, and each band's `own`."""
    file: IO[bytes] = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - the counts close it
    sizes = np.zeros(bands.count**2, dtype=np.int64)
    own = np.zeros(bands.count, dtype=np.int64)
    try:
        for part in runs.merged(range(len(runs.sizes)), told.memory):
            block, place = np.divmod(part[:, 0], bands.size**2)
            entries = np.empty(len(part), dtype=ENTRY)
            entries["row"] = block // bands.count * bands.size + place // bands.size
            entries["column"] = block % bands.count * bands.size + place % bands.size
            same = entries["row"] == entries["column"]
            both_ways = told.symmetric * same  # counted as the pair and as its mirror image
            entries["count"] = part[:, 1] * (1 + both_ways) / _UNIT
            write_array(file, entries)
            sizes += np.bincount(block, minlength=len(sizes))
            own += np.bincount(block[same] // bands.count, minlength=len(own))
    except BaseException:
        file.close()
        raise
    return file, sizes, own


def _mirrored(entries: npt.NDArray[Any]) -> npt.NDArray[Any]:
    mirrored = entries.copy()
    mirrored["row"], mirrored["column"] = entries["column"], entries["row"]
    return mirrored
