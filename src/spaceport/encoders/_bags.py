"""Texts as bags of words and word n-grams: which rows of a table are averaged for each.

A word of the vocabulary has its own row. A run of n words w₁…w_n shares a row with all those that
fall into the same of B buckets:

    h = crc32(w₁);   h ← h · 116 049 371 + crc32(w_i) for i = 2…n, modulo 2⁶⁴;   bucket = h mod B

(crc32 of the word's UTF-8 bytes.) Only buckets that training saw have a row.

References
----------
Joulin, Grave, Bojanowski, Mikolov 2017, "Bag of Tricks for Efficient Text Classification", section 2.2.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from zlib import crc32

import numpy as np
import numpy.typing as npt

from spaceport.vocabulary import END

__all__ = ["Bags", "Features", "hashes", "numbered"]

Ints = npt.NDArray[np.int32]
Hashes = npt.NDArray[np.uint64]

_FACTOR = np.uint64(116_049_371)
_NONE = -1


@dataclass(frozen=True)
class Bags:
    """Rows of a table for each of n texts, one after another.

    Attributes
    ----------
    rows : ndarray of int32
    ends : ndarray of shape (n + 1,), int64
        Text i has the rows ``rows[ends[i]:ends[i + 1]]``.
    """

    rows: Ints
    ends: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ends) - 1

    def take(self, places: npt.NDArray[np.int64]) -> Bags:
        """The bags of some texts, in that order."""
        sizes = self.ends[places + 1] - self.ends[places]
        ends = np.concatenate([[0], np.cumsum(sizes)])
        within = np.arange(ends[-1]) - np.repeat(ends[:-1], sizes)
        return Bags(self.rows[np.repeat(self.ends[places], sizes) + within], ends)

    def thinned(self, share: float, rng: np.random.Generator) -> Bags:
        """Leave rows out at random, each with chance `share`."""
        kept = rng.random(len(self.rows)) >= share
        passed = np.concatenate([[0], np.cumsum(kept)])
        return Bags(self.rows[kept], passed[self.ends])


@dataclass(frozen=True)
class Features:
    """Which row a word, and a bucket, has.

    Attributes
    ----------
    words : int
        Words have the first rows.
    ngrams : int
        The longest run of words; 1: none.
    buckets : ndarray of shape (B,), int32
        The row of each bucket, or -1.
    """

    words: int
    ngrams: int
    buckets: Ints

    @classmethod
    def seen(
        cls, ids: Ints, made: Hashes, words: int, ngrams: int, buckets: int, minimum_count: int
    ) -> Features:
        """Give rows to the buckets into which n-grams of `ids` fall `minimum_count` times."""
        counts = np.zeros(buckets, np.int64)
        for _, fallen in _runs(ids, made, ngrams, buckets):
            counts += np.bincount(fallen, minlength=buckets)
        used = np.flatnonzero(counts >= minimum_count)
        return cls.of(used, words, ngrams, buckets)

    @classmethod
    def of(cls, used: npt.NDArray[np.integer], words: int, ngrams: int, buckets: int) -> Features:
        """Give rows to the buckets `used`, in that order."""
        rows = np.full(buckets, _NONE, np.int32)
        rows[used] = np.arange(words, words + len(used), dtype=np.int32)
        return cls(words, ngrams, rows)

    @property
    def used(self) -> Ints:
        """The buckets that have a row, in the rows' order; ascending."""
        return np.flatnonzero(self.buckets >= 0).astype(np.int32)

    @property
    def size(self) -> int:
        """Rows in all."""
        return self.words + len(self.used)

    def bags(self, ids: Ints, rows: Ints, made: Hashes) -> Bags:
        """The bags of texts that are given as numbers of words.

        Parameters
        ----------
        ids : ndarray of int32
            Words by number, and `END` after each text.
        rows, made : ndarray of shape (v,)
            For each number its row in the vocabulary, negative for an unknown word, and its hash.
        """
        ended = ids == END
        text = np.cumsum(ended) - ended  # of each id
        found = [(text, np.where(ended, _NONE, rows[ids]))]
        for start, fallen in _runs(ids, made, self.ngrams, len(self.buckets)):
            found.append((text[start], self.buckets[fallen]))
        owner = np.concatenate([owners for owners, _ in found])
        row = np.concatenate([places for _, places in found])
        owner, row = owner[row >= 0], row[row >= 0]
        order = np.argsort(owner, kind="stable")
        ends = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=int(ended.sum())))])
        return Bags(row[order].astype(np.int32), ends)


def hashes(words: Iterable[str]) -> Hashes:
    """The crc32 of each word."""
    return np.array([crc32(word.encode("utf-8", "surrogatepass")) for word in words], np.uint64)


def numbered(texts: Iterable[Sequence[str]]) -> tuple[list[str], Ints]:
    """Number the words by first appearance: the words, and the texts with `END` after each."""
    known: defaultdict[str, int] = defaultdict(count().__next__)
    ids: list[int] = []
    for words in texts:
        ids.extend(map(known.__getitem__, words))
        ids.append(END)
    return list(known), np.array(ids, np.int32)


def _runs(
    ids: Ints, made: Hashes, ngrams: int, buckets: int
) -> Iterable[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """For n = 2…`ngrams`: where each run of n words starts, and the bucket it falls into."""
    ended = ids == END
    own = np.append(made, np.uint64(0))[ids]  # END is -1: the last
    start = np.flatnonzero(~ended)
    run = own[start]
    for length in range(2, ngrams + 1):
        whole = start + length - 1 < len(ids)
        whole[whole] = ~ended[start[whole] + length - 1]
        start, run = start[whole], run[whole]
        run = run * _FACTOR + own[start + length - 1]
        yield start, (run % np.uint64(buckets)).astype(np.int64)
