"""Two languages' word vectors laid onto each other by a few known translations.

1. Both sides: rows of unit length, the mean taken off, unit length again (Artetxe, Labaka & Agirre
   2016, sections 2.2 and 2.3, and 2018): a rotation can only match what is centered alike.
2. The rotation R that lays the seeds' left rows onto the right ones (`geometry.alignment`).
3. A few rounds of refinement: words that are each other's nearest under CSLS, among the most frequent
   of both sides, join the seeds, and R is found again (Conneau et al. 2018, section 2.2).

Artetxe, M., Labaka, G. & Agirre, E. (2016). Learning principled bilingual mappings of word embeddings
while preserving monolingual invariance. EMNLP.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, ids, matrix
from spaceport.errors import InputError
from spaceport.geometry.alignment import Map, procrustes
from spaceport.geometry.base import normalize
from spaceport.geometry.csls import mutual
from spaceport.progress import track
from spaceport.sources.base import Source

__all__ = ["Aligned", "Seeds", "Words", "aligned", "prepared", "read_seeds"]

MOST_FREQUENT = 10_000


@dataclass(frozen=True, eq=False)
class Words:
    """One language's n words, the most frequent first, and their vectors (n, d)."""

    words: list[str]
    vectors: Matrix

    @classmethod
    def of(cls, words: list[str], vectors: npt.ArrayLike) -> Words:
        """Checked."""
        X = matrix(vectors, "vectors")
        return cls(ids(words, "words", len(X)), X)


@dataclass(frozen=True, eq=False)
class Aligned:
    """Both sides' vectors in the right one's coordinates, unit rows; what it was learnt from.

    Attributes
    ----------
    left, right : ndarray of shape (n, d) and (m, d), float32
    residual : float
        Of the seeds alone; see `geometry.alignment.Map`.
    found : int
        Pairs that the last round of refinement added to the seeds.
    """

    left: Matrix
    right: Matrix
    residual: float
    found: int


@dataclass(frozen=True, eq=False)
class Seeds:
    """The two languages, how many pairs were given, and those whose words are known, as rows (s, 2)."""

    languages: list[str]
    asked: int
    rows: npt.NDArray[np.int64]


def read_seeds(source: Source, left: list[str], right: list[str]) -> Seeds:
    """Find the words of a source of pairs among those of both sides, as they are written.

    Raises
    ------
    InputError
        No pair has two known words.
    """
    places = [{word: row for row, word in enumerate(words)} for words in (left, right)]
    languages: list[str] = []
    pairs: list[list[str]] = []
    for batch in source.batches():
        content = batch.column("content")
        languages = [field.name for field in content.type]
        pairs += map(list, zip(*(texts.to_pylist() for texts in content.flatten()), strict=True))
    known = [[places[0][a], places[1][b]] for a, b in pairs if a in places[0] and b in places[1]]
    if not known:
        raise InputError(
            f"None of the {len(pairs)} pairs of {source.spec} has two words that are known.",
            "Check the languages' order, and that both spaces spell words as the dictionary does.",
        )
    return Seeds(languages, len(pairs), np.array(known, dtype=np.int64))


def aligned(left: Matrix, right: Matrix, seeds: npt.NDArray[np.int64], refinements: int) -> Aligned:
    """Lay `left` onto `right`.

    Parameters
    ----------
    left : ndarray of shape (n, p), float32
    right : ndarray of shape (m, q), float32
    seeds : ndarray of shape (s, 2), int64
        Rows of `left` and of `right` that mean the same.
    refinements : int
        Rounds of refinement; 0 for none.
    """
    X, Y = prepared(left), prepared(right)
    rotation, more = _rotation(X, Y, seeds), np.empty((0, 2), np.int64)
    for _ in track(range(refinements), "refining"):
        more = mutual(rotation(X[:MOST_FREQUENT]), Y[:MOST_FREQUENT])
        rotation = _rotation(X, Y, np.concatenate([seeds, more]))
    sent, wanted = rotation(X[seeds[:, 0]]), Y[seeds[:, 1]]
    residual = float(((sent - wanted) ** 2).sum() / (wanted**2).sum())
    return Aligned(normalize(rotation(X)), Y, residual, len(more))


def prepared(vectors: Matrix) -> Matrix:
    """Unit rows, less their mean, as unit rows again."""
    unit = normalize(vectors)
    return normalize(unit - unit.mean(axis=0, dtype=np.float64))


def _rotation(X: Matrix, Y: Matrix, pairs: npt.NDArray[np.int64]) -> Map:
    return procrustes(X[pairs[:, 0]], Y[pairs[:, 1]])
