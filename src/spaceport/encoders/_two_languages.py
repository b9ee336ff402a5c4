"""The words of two languages: counted in pairs of texts, and summed up to a text's vector."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.arrays import Matrix, Vector
from spaceport.errors import InputError
from spaceport.progress import task
from spaceport.sources.base import Source

__all__ = ["Corpus", "Side", "counted", "sides", "weighted_sums"]

Texts = list[str | None]
Tokenize = Callable[[str], list[str]]


@dataclass(frozen=True, eq=False)
class Side:
    """One language's side of n pairs.

    Attributes
    ----------
    language : str
    words : list of str
        v of them.
    counts : sparse array of shape (n, v), float32
        How often each word stands in each text.
    texts : ndarray of shape (n,), uint64
        A hash of each text; equal texts have equal ones.
    """

    language: str
    words: list[str]
    counts: Any
    texts: npt.NDArray[np.uint64]

    @property
    def frequencies(self) -> npt.NDArray[np.int64]:
        """How often each word stands in all texts, (v,)."""
        total: npt.NDArray[np.int64] = self.counts.sum(axis=0).astype(np.int64)
        return total

    def rows(self, chosen: npt.NDArray[Any]) -> Side:
        """The same language, some of the pairs."""
        return replace(self, counts=self.counts[chosen], texts=self.texts[chosen])

    def frequent(self, minimum_count: int) -> Side:
        """The same texts, words that stand `minimum_count` times or more, the most frequent first."""
        times = self.frequencies
        kept = [column for column in range(len(times)) if times[column] >= minimum_count]
        kept.sort(key=lambda column: (-times[column], self.words[column]))
        return self.only([self.words[column] for column in kept])

    def only(self, words: list[str]) -> Side:
        """The same texts, only these of the words."""
        place = {word: column for column, word in enumerate(self.words)}
        columns = np.array([place[word] for word in words], dtype=np.int64)
        return replace(self, words=words, counts=self.counts[:, columns])


@dataclass(frozen=True, eq=False)
class Corpus:
    """Pairs of texts in two languages, counted."""

    left: Side
    right: Side

    def __iter__(self) -> Iterator[Side]:
        return iter((self.left, self.right))

    def __len__(self) -> int:
        return int(self.left.counts.shape[0])

    def map(self, change: Callable[[Side], Side]) -> Corpus:
        """The same change on both sides."""
        return Corpus(change(self.left), change(self.right))

    def rows(self, chosen: npt.NDArray[Any]) -> Corpus:
        """Some of the pairs."""
        return Corpus(self.left.rows(chosen), self.right.rows(chosen))

    def with_words_of(self, other: Corpus) -> Corpus:
        """The same pairs, with the words of another collection and no others."""
        return Corpus(self.left.only(other.left.words), self.right.only(other.right.words))

    def filled(self) -> Corpus:
        """The pairs that have a word on either side."""
        sizes = [np.diff(side.counts.indptr) for side in self]
        chosen = np.flatnonzero((sizes[0] > 0) & (sizes[1] > 0))
        return self.rows(chosen)


def counted(source: Source, tokenize: Tokenize) -> Corpus:
    """Count the words of both sides of a source of pairs.

    Raises
    ------
    InputError
        The contents are no structs of two texts.
    """
    tallies: list[_Tally] = []
    with task("counting words", None, "pairs") as work:
        for batch in source.batches():
            content = batch.column("content")
            if not pa.types.is_struct(content.type) or content.type.num_fields != 2:
                raise InputError(
                    f"{source.spec} gives {content.type}, not pairs of texts.",
                    "Read the file with sources.pairs(path, languages=(…, …)).",
                )
            names = [field.name for field in content.type]
            tallies = tallies or [_Tally(name) for name in names]
            for tally, texts in zip(tallies, content.flatten(), strict=True):
                tally.add(texts.to_pylist(), tokenize)
            work.advance(batch.num_rows)
    left, right = (tally.side() for tally in tallies)
    return Corpus(left, right)


class _Tally:
    """The counts of one language, growing."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.index: dict[str, int] = {}
        self.columns: list[int] = []
        self.times: list[int] = []
        self.ends = [0]
        self.hashes: list[bytes] = []

    def add(self, texts: Texts, tokenize: Tokenize) -> None:
        for text in texts:
            found = Counter(tokenize(text or ""))
            self.columns += [self.index.setdefault(word, len(self.index)) for word in found]
            self.times += found.values()
            self.ends.append(len(self.columns))
            data = (text or "").encode("utf-8", "surrogatepass")
            self.hashes.append(blake2b(data, digest_size=8).digest())

    def side(self) -> Side:
        from scipy.sparse import csr_array

        parts = (np.array(self.times, np.float32), np.array(self.columns, np.int64), self.ends)
        counts = csr_array(parts, shape=(len(self.hashes), len(self.index)))
        return Side(
            self.language, list(self.index), counts, np.frombuffer(b"".join(self.hashes), "<u8")
        )


def sides(items: Any, languages: Sequence[str]) -> list[Texts]:
    """The texts of each language, None where an item has none.

    Parameters
    ----------
    items : Arrow array of structs, or sequence of dicts or str
        A text alone says its language first: ``en: the cat``.
    languages : sequence of 2 str

    Raises
    ------
    InputError
        A text alone in neither language, or an item with neither field.

    Examples
    --------
    >>> sides([{"en": "a cat", "fr": None}, "fr: un chat"], ("en", "fr"))
    [['a cat', None], [None, 'un chat']]
    """
    plain = items.to_pylist() if isinstance(items, pa.Array) else items
    rows = [_as_pair(item, languages) for item in plain]
    return [[row.get(language) for row in rows] for language in languages]


def _as_pair(item: Any, languages: Sequence[str]) -> dict[str, str | None]:
    if isinstance(item, str):
        language, _, text = item.partition(":")
        item = {language.strip(): text.strip()}
    if not isinstance(item, dict) or not set(languages) & set(item):
        raise InputError(
            f"An item must be in {' or '.join(languages)}. Got {str(item)[:60]!r}.",
            f"Say the language: {{{languages[0]!r}: text}}, or the text as `{languages[0]}: …`.",
        )
    return item


def weighted_sums(
    texts: Texts, index: dict[str, int], tokenize: Tokenize, weights: Vector, vectors: Matrix
) -> Matrix:
    """Σ weight times vector over the known words of each text, (n, d); zero where there is none."""
    from scipy.sparse import csr_array

    found = [[index[w] for w in tokenize(text or "") if w in index] for text in texts]
    flat = np.array([row for rows in found for row in rows], dtype=np.int64)
    ends = np.cumsum([0, *map(len, found)])
    summed: Matrix = csr_array((weights[flat], flat, ends), (len(texts), len(vectors))) @ vectors
    return summed
