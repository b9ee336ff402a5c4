"""The words of a corpus and how often they stand, found in one streamed pass.

The pass writes the corpus to an unlinked temporary file as one int32 a word, so that every later
pass reads four bytes in place of a word, and the corpus is never wholly in memory.
"""

from __future__ import annotations

import errno
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from types import TracebackType
from typing import IO

import numpy as np
import numpy.typing as npt

from spaceport.arrays import integer
from spaceport.errors import InputError, StoreError
from spaceport.progress import Task, task
from spaceport.sources.base import Source

__all__ = ["DROPPED", "END", "TokenFile", "Vocabulary", "read", "write"]

END = -1  # stands after each text
DROPPED = -2  # the row of a word that the vocabulary leaves out
_FLUSH = 1 << 18  # words gathered before they are written
_BYTES = 4  # of an int32


@dataclass(frozen=True)
class Vocabulary:
    """Words with their counts, the most frequent first, equal counts in alphabetical order.

    Attributes
    ----------
    words : list of n str
    counts : ndarray of shape (n,), int64

    Examples
    --------
    >>> vocabulary = Vocabulary(["the", "cat"], np.array([7, 2]))
    >>> vocabulary.index["cat"], vocabulary.total
    (1, 9)
    """

    words: list[str]
    counts: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def index(self) -> dict[str, int]:
        """The row of each word."""
        return {word: row for row, word in enumerate(self.words)}

    @property
    def total(self) -> int:
        """How many words of the corpus are in the vocabulary, repeats counted."""
        return int(self.counts.sum())


@dataclass
class TokenFile:
    """A corpus as `read` leaves it: provisional ids, by first appearance, in a temporary file.

    Use it in a ``with`` block; leaving the block frees the file.

    Attributes
    ----------
    words : list of n str
        Every word found, by first appearance.
    counts : ndarray of shape (n,), int64
    length : int
        Ids in the file: one a word, and one `END` a text.
    seconds : float
        How long the pass took.
    """

    words: list[str]
    counts: npt.NDArray[np.int64]
    length: int
    seconds: float
    _file: IO[bytes] = field(repr=False)

    def __enter__(self) -> TokenFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def total(self) -> int:
        """Words of the corpus, repeats counted."""
        return int(self.counts.sum())

    def tokens(self, start: int, size: int) -> npt.NDArray[np.int32]:
        """Ids `start` to ``start + size``, or to the end, int32; several threads may read at once."""
        part = np.empty(max(0, min(size, self.length - start)), dtype=np.int32)
        got = os.preadv(self._file.fileno(), [part.data], start * _BYTES) if part.size else 0
        if got != part.nbytes:
            raise StoreError(
                f"The temporary file of the corpus gave {got} of {part.nbytes} bytes.", "Run again."
            )
        return part

    def cut(
        self, minimum_count: int = 1, maximum_size: int | None = None
    ) -> tuple[Vocabulary, npt.NDArray[np.int32]]:
        """Keep the words that stand often enough, the most frequent ones where there are too many.

        Returns
        -------
        Vocabulary
        ndarray of shape (n,), int32
            For each provisional id its row in the vocabulary, or `DROPPED`.

        Raises
        ------
        InputError
            No word stands `minimum_count` times.
        """
        integer(minimum_count, "minimum_count", 1)
        rows = np.flatnonzero(self.counts >= minimum_count)
        if not rows.size:
            raise InputError(
                f"No word stands {minimum_count} times: the most frequent of {len(self.words)}, "
                f"{self.words[int(self.counts.argmax())]!r}, stands {self.counts.max()} times.",
                "Give more text, or lower `minimum_count`.",
            )
        counts = self.counts.tolist()
        order = sorted(rows.tolist(), key=lambda row: (-counts[row], self.words[row]))
        if maximum_size is not None:
            order = order[: integer(maximum_size, "maximum_size", 1)]
        vocabulary = Vocabulary([self.words[row] for row in order], self.counts[order])
        return vocabulary, self._rows_in(vocabulary)

    def extend(
        self, known: Vocabulary, minimum_count: int = 1
    ) -> tuple[Vocabulary, npt.NDArray[np.int32]]:
        """Add this corpus to a vocabulary: counts add up, and words that stand often enough join it.

        Returns
        -------
        Vocabulary
        ndarray of shape (n,), int32
            For each provisional id its row in the vocabulary, or `DROPPED`.
        """
        integer(minimum_count, "minimum_count", 1)
        counts = dict(zip(known.words, known.counts.tolist(), strict=True))
        for word, more in zip(self.words, self.counts.tolist(), strict=True):
            if word in counts or more >= minimum_count:
                counts[word] = counts.get(word, 0) + more
        words = sorted(counts, key=lambda word: (-counts[word], word))
        vocabulary = Vocabulary(words, np.array([counts[word] for word in words], dtype=np.int64))
        return vocabulary, self._rows_in(vocabulary)

    def _rows_in(self, vocabulary: Vocabulary) -> npt.NDArray[np.int32]:
        find = vocabulary.index.get
        return np.fromiter((find(word, DROPPED) for word in self.words), np.int32, len(self.words))


def read(source: Source, tokenize: Callable[[str], list[str]]) -> TokenFile:
    """Read `source` once: find and count its words, and write the corpus as ids.

    Parameters
    ----------
    source : Source
        Of modality ``"words"`` or ``"texts"``.
    tokenize : callable
        Gives the words of a text; see `spaceport.tokens.Tokenizer`.

    Raises
    ------
    InputError
        The source holds no word, or holds vectors.
    StoreError
        No space is left for the temporary file.
    """
    if source.modality not in ("words", "texts"):
        raise InputError(
            f"{source.spec} holds {source.modality}, not text.",
            "Give a corpus or texts to learn words from.",
        )
    start = time.perf_counter()
    with _Spill().open() as spill:
        with task("reading", unit="words") as work:
            _spill(source, tokenize, spill, work)
        return spill.corpus(time.perf_counter() - start)


def write(
    words: Iterable[str], parts: Iterable[npt.NDArray[np.int32]], seconds: float = 0.0
) -> TokenFile:
    """Make a corpus of ids that are there already.

    Parameters
    ----------
    words : iterable of str
        Id by id, each once.
    parts : iterable of ndarray of int32
        The ids, in order, and `END` after each text.
    seconds : float
        What `TokenFile.seconds` shall say.

    Raises
    ------
    StoreError
        No space is left for the temporary file.

    Examples
    --------
    >>> with write(["a", "b"], [np.array([0, 1, 0, END], np.int32)]) as corpus:
    ...     corpus.counts.tolist(), corpus.length
    ([2, 1], 4)
    """
    with _Spill().open() as spill:
        for word in words:
            spill.ids[word]
        for part in parts:
            spill.write(part)
        return spill.corpus(seconds)


class _Spill:
    """Gives each new word the next id, counts, and writes ids to an unlinked temporary file."""

    def __init__(self) -> None:
        self.ids: defaultdict[str, int] = defaultdict(count().__next__)
        self.counts = np.zeros(0, dtype=np.int64)
        self.length = 0
        self.file: IO[bytes] = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - the corpus closes it

    @contextmanager
    def open(self) -> Iterator[_Spill]:
        """Close the file if the block fails, and say so where it is for want of space."""
        try:
            yield self
        except BaseException as error:
            self.file.close()
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise StoreError(
                    f"No space is left in {tempfile.gettempdir()} for the corpus as ids (4 bytes a word).",
                    "Set TMPDIR to a folder with more space.",
                ) from error
            raise

    def corpus(self, seconds: float) -> TokenFile:
        """What was written so far."""
        return TokenFile(list(self.ids), self.counts, self.length, seconds, self.file)

    def write(self, part: npt.NDArray[np.int32]) -> None:
        """Write ids, and count those that are words."""
        found = np.bincount(part[part >= 0], minlength=len(self.ids))
        found[: len(self.counts)] += self.counts
        self.counts = found
        left = part.data.cast("B")
        while left:  # a raw write may take less than it is given
            left = left[self.file.write(left) :]
        self.length += part.size


def _spill(source: Source, tokenize: Callable[[str], list[str]], spill: _Spill, work: Task) -> None:
    pending: list[int] = []
    known = spill.ids.__getitem__
    for texts in source.contents():
        for text in texts:
            pending.extend(map(known, tokenize(text)))
            pending.append(END)
            if len(pending) >= _FLUSH:
                spill.write(np.array(pending, dtype=np.int32))
                work.advance(len(pending))
                pending.clear()
    spill.write(np.array(pending, dtype=np.int32))
    if not spill.ids:
        raise InputError(
            f"{source.spec} holds no word.",
            "Check the path, and the token pattern against the text.",
        )
