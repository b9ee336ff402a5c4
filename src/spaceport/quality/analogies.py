"""Word analogies: whether king − man + woman comes out as queen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, ids, integer, matrix
from spaceport.errors import InputError
from spaceport.quality.lines import lines

__all__ = ["AnalogyScores", "Questions", "Tally", "analogies", "read_questions"]

Questions: TypeAlias = Mapping[str, Sequence[tuple[str, str, str, str]]]

_BLOCK = 512  # questions per matrix product: 512 x 30,000 float32 are 61 MB


@dataclass(frozen=True)
class Tally:
    """Questions answered rightly, questions whose four words are known, questions asked."""

    correct: int
    covered: int
    total: int

    @property
    def accuracy(self) -> float:
        """`correct` as a share of `covered`; 0 where none is covered."""
        return self.correct / self.covered if self.covered else 0.0


@dataclass(frozen=True)
class AnalogyScores:
    """What `analogies` measured.

    Attributes
    ----------
    overall, semantic, syntactic : Tally
        All the questions; those of sections not called ``gram…``; those of sections called ``gram…``.
    sections : dict of str to Tally
        In the order in which the sections were given.
    """

    overall: Tally
    semantic: Tally
    syntactic: Tally
    sections: Mapping[str, Tally] = field(default_factory=dict)

    @property
    def accuracy(self) -> float:
        """The overall share of right answers among the covered questions."""
        return self.overall.accuracy


def analogies(
    words: Sequence[str], vectors: npt.ArrayLike, questions: Questions, restrict: int = 30000
) -> AnalogyScores:
    """Answer each question a : b = c : ? and count the right answers.

    The answer is the word w, other than a, b and c, whose unit vector has the largest dot product
    with b − a + c, all three unit vectors (3CosAdd). Words are compared in upper case; of words that
    then are the same, the first counts. A question with an unknown word is not covered.

    Parameters
    ----------
    words : sequence of n str
        The most frequent first.
    vectors : array-like of shape (n, d)
        Of any length; they are normalized here.
    questions : mapping of str to sequence of (a, b, c, d)
        By section, as `read_questions` gives them.
    restrict : int
        Only the first `restrict` words ask and answer.

    Returns
    -------
    AnalogyScores

    References
    ----------
    Mikolov, Chen, Corrado, Dean 2013, "Efficient Estimation of Word Representations in Vector
    Space", section 4.1. Levy, Goldberg 2014, "Linguistic Regularities in Sparse and Explicit Word
    Representations", section 3.1 (3CosAdd).

    Examples
    --------
    >>> words = ["king", "queen", "man", "woman"]
    >>> vectors = [[1, 0, 1], [1, 1, 1], [0, 0, 1], [0, 1, 1]]
    >>> scores = analogies(words, vectors, {"royal": [("man", "woman", "king", "queen")]})
    >>> scores.accuracy, scores.overall.covered
    (1.0, 1)
    """
    integer(restrict, "restrict", 1)
    vectors = matrix(vectors, "vectors")
    known = ids(words, "words", len(vectors))[:restrict]
    units = _normalized(vectors[:restrict])
    position: dict[str, int] = {}
    for row, word in enumerate(known):
        position.setdefault(word.upper(), row)
    rows = np.fromiter(position.values(), dtype=np.int64)
    place = {word: index for index, word in enumerate(position)}
    sections = {name: _tally(units[rows], place, asked) for name, asked in questions.items()}
    syntactic = [tally for name, tally in sections.items() if name.startswith("gram")]
    semantic = [tally for name, tally in sections.items() if not name.startswith("gram")]
    return AnalogyScores(_sum([*sections.values()]), _sum(semantic), _sum(syntactic), sections)


def read_questions(path: str | Path) -> dict[str, list[tuple[str, str, str, str]]]:
    """Read questions in the format of ``questions-words.txt``.

    A line ``: name`` opens a section; every other line holds four words, a : b = c : d.

    Raises
    ------
    InputError
        A line that holds another number of words, or a question before the first section.
    """
    sections: dict[str, list[tuple[str, str, str, str]]] = {}
    for number, line in lines(path):
        if line.lstrip().startswith(":"):
            section = sections.setdefault(line.lstrip()[1:].strip(), [])
            continue
        asked = line.split()
        if len(asked) != 4 or not sections:
            raise InputError(
                f"Line {number} of {path} is no analogy question: {line[:60]!r}.",
                "Give four words a line, below a line `: name` that opens their section.",
            )
        section.append((asked[0], asked[1], asked[2], asked[3]))
    return sections


def _normalized(vectors: Matrix) -> Matrix:
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))  # (n,)
    return matrix(vectors / np.where(lengths > 0, lengths, 1)[:, None], "vectors")


def _tally(
    units: Matrix, place: Mapping[str, int], asked: Sequence[tuple[str, str, str, str]]
) -> Tally:
    upper = [[word.upper() for word in question] for question in asked]
    covered = [
        [place[w] for w in question] for question in upper if all(w in place for w in question)
    ]
    correct = 0
    for start in range(0, len(covered), _BLOCK):
        correct += _right(units, np.array(covered[start : start + _BLOCK]))
    return Tally(correct, len(covered), len(asked))


def _right(units: Matrix, questions: npt.NDArray[np.int64]) -> int:
    """Count the right answers to a block of questions of shape (q, 4), rows of `units`."""
    a, b, c, d = questions.T
    scores = (units[b] - units[a] + units[c]) @ units.T  # (q, n)
    np.put_along_axis(scores, questions[:, :3], -np.inf, axis=1)
    return int((scores.argmax(axis=1) == d).sum())


def _sum(tallies: Sequence[Tally]) -> Tally:
    return Tally(
        sum(tally.correct for tally in tallies),
        sum(tally.covered for tally in tallies),
        sum(tally.total for tally in tallies),
    )
