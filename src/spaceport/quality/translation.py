"""Translation: whether words and sentences find those of the other language that mean the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, ids, integer, matrix
from spaceport.errors import InputError, ParameterError, choices
from spaceport.geometry.base import Found, nearest
from spaceport.geometry.csls import CSLS
from spaceport.quality.lines import lines
from spaceport.quality.probe import Accuracy

__all__ = [
    "RETRIEVALS",
    "Dictionary",
    "SentenceScore",
    "TranslationScore",
    "read_dictionary",
    "sentence_retrieval",
    "word_translation",
]

RETRIEVALS = ("csls", "cosine")
"""How neighbors in the other language are found."""

Dictionary: TypeAlias = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class TranslationScore:
    """What `word_translation` measured.

    Attributes
    ----------
    precision : dict of int to Accuracy
        For each k, the covered words with a right answer among their k nearest.
    covered : int
        Words that are known and have a known translation.
    total : int
        Words in the dictionary.
    """

    precision: Mapping[int, Accuracy]
    covered: int
    total: int


@dataclass(frozen=True)
class SentenceScore:
    """Sentences that find a translation of theirs first: from left to right, and back."""

    forward: Accuracy
    backward: Accuracy


def word_translation(
    words: Sequence[str],
    vectors: npt.ArrayLike,
    other_words: Sequence[str],
    other_vectors: npt.ArrayLike,
    dictionary: Dictionary,
    k: Sequence[int] = (1, 5),
    retrieval: str = "csls",
    neighborhood: int = 10,
) -> TranslationScore:
    """Look each word of a dictionary up among the words of the other language.

    Precision at k is the share of words with at least one of their translations among the k nearest
    (Conneau et al. 2018, section 3.1). Words that the spaces do not know are not asked, and counted.

    Parameters
    ----------
    words : sequence of n str
    vectors : array-like of shape (n, d)
        Of any length.
    other_words : sequence of m str
        Of the other language; all of them can be answers.
    other_vectors : array-like of shape (m, d)
        In the same coordinates.
    dictionary : mapping of str to sequence of str
        A word's right translations, as `read_dictionary` gives them; compared as they are written.
    k : sequence of int
    retrieval : {"csls", "cosine"}
        See `geometry.csls`.
    neighborhood : int
        Of CSLS.

    Returns
    -------
    TranslationScore

    Raises
    ------
    InputError
        No word of the dictionary is covered.

    Examples
    --------
    >>> score = word_translation(
    ...     ["cat", "dog"], [[1, 0], [0, 1]], ["gato", "perro"], [[1, 0.2], [0.9, 0.1]],
    ...     {"cat": ["gato", "gata"], "dog": ["perro"], "owl": ["buho"]}, k=(1, 2), retrieval="cosine",
    ... )
    >>> score.precision[1], score.precision[2], score.covered, score.total
    (Accuracy(correct=0, total=2), Accuracy(correct=2, total=2), 2, 3)
    """
    X, Y = matrix(vectors, "vectors"), matrix(other_vectors, "other_vectors")
    rows = {word: row for row, word in enumerate(ids(words, "words", len(X)))}
    places = {word: row for row, word in enumerate(ids(other_words, "other_words", len(Y)))}
    asked = {
        rows[word]: [places[answer] for answer in answers if answer in places]
        for word, answers in dictionary.items()
        if word in rows
    }
    covered = {row: answers for row, answers in asked.items() if answers}
    if not covered:
        raise InputError(
            f"None of the {len(dictionary)} words of the dictionary is known with a translation.",
            "Check the languages' order and the spelling.",
        )
    wide = max(integer(count, "k", 1) for count in k)
    found = _search(X, Y, X[list(covered)], wide, retrieval, neighborhood)[0]
    right = np.array(
        [np.isin(row, answers) for row, answers in zip(found, covered.values(), strict=True)]
    )
    precision = {n: Accuracy(int(right[:, :n].any(axis=1).sum()), len(covered)) for n in k}
    return TranslationScore(precision, len(covered), len(dictionary))


def sentence_retrieval(
    left: npt.ArrayLike,
    right: npt.ArrayLike,
    pairs: Sequence[tuple[str, str]],
    known: Iterable[tuple[str, str]] = (),
    retrieval: str = "csls",
    neighborhood: int = 10,
) -> SentenceScore:
    """Let each sentence look for its translation among all those of the other side, and back.

    An answer is right if it is written like the sentence's own translation, or if question and answer
    are a pair elsewhere in `pairs` or `known`: *Run!* has several translations.

    Parameters
    ----------
    left, right : array-like of shape (n, d)
        The vectors of the pairs' two sides.
    pairs : sequence of n (str, str)
        The sentences.
    known : iterable of (str, str)
        More pairs that are right.
    retrieval, neighborhood
        As in `word_translation`.

    Returns
    -------
    SentenceScore

    Examples
    --------
    >>> score = sentence_retrieval(
    ...     [[1, 0], [0, 1]], [[1, 0], [1, 0.5]], [("Go.", "Va !"), ("Hi.", "Salut !")], retrieval="cosine"
    ... )
    >>> score.forward, score.backward
    (Accuracy(correct=2, total=2), Accuracy(correct=1, total=2))
    """
    X, Y = matrix(left, "left"), matrix(right, "right")
    if not len(X) == len(Y) == len(pairs):
        raise InputError(
            f"There are {len(X)} and {len(Y)} vectors for {len(pairs)} pairs.",
            "Give one vector for each side of each pair.",
        )
    true = {*pairs, *known}
    there = _search(X, Y, X, 1, retrieval, neighborhood)[0][:, 0]
    back = _search(Y, X, Y, 1, retrieval, neighborhood)[0][:, 0]
    forward = sum((pairs[i][0], pairs[j][1]) in true for i, j in enumerate(there))
    backward = sum((pairs[j][0], pairs[i][1]) in true for i, j in enumerate(back))
    return SentenceScore(Accuracy(forward, len(X)), Accuracy(backward, len(X)))


def read_dictionary(path: str | Path) -> dict[str, list[str]]:
    """Read a dictionary: a word and a translation a line, a tab (or, without one, spaces) between them.

    Further fields are more translations; a word may stand on several lines.

    Raises
    ------
    InputError
        A line without a translation, or a file without any.
    """
    dictionary: dict[str, list[str]] = {}
    for number, line in lines(path):
        fields = [part.strip() for part in (line.split("\t") if "\t" in line else line.split())]
        word, answers = fields[0], [answer for answer in fields[1:] if answer]
        if not word or not answers:
            raise InputError(
                f"Line {number} of {path} is no dictionary entry: {line[:60]!r}.",
                "Give a word, a tab and a translation a line.",
            )
        listed = dictionary.setdefault(word, [])
        listed += [answer for answer in answers if answer not in listed]
    if not dictionary:
        raise InputError(f"{path} holds no entries.", "Give a word and a translation a line.")
    return dictionary


def _search(
    X: Matrix, Y: Matrix, queries: Matrix, k: int, retrieval: str, neighborhood: int
) -> Found:
    """Neighbors of `queries`, rows of `X`, among the rows of `Y`."""
    if retrieval not in RETRIEVALS:
        raise ParameterError(
            f"There is no retrieval `{retrieval}`.", choices(str(retrieval), RETRIEVALS)
        )
    if retrieval == "cosine":
        return nearest(Y, queries, k)
    return CSLS(X, Y, neighborhood).search(queries, k)
