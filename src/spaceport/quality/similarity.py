"""Word similarity: whether cosines rank pairs of words as people do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import ids, matrix
from spaceport.errors import InputError
from spaceport.quality.lines import lines

__all__ = ["Judgement", "SimilarityScore", "read_pairs", "word_similarity"]

Judgement: TypeAlias = tuple[str, str, float]


@dataclass(frozen=True)
class SimilarityScore:
    """Spearman's rank correlation over the `covered` of `total` pairs whose two words are known."""

    spearman: float
    covered: int
    total: int


def word_similarity(
    words: Sequence[str], vectors: npt.ArrayLike, pairs: Sequence[Judgement]
) -> SimilarityScore:
    """Correlate the cosines of pairs of words with people's judgements.

    Spearman's rho, equal values sharing their mean rank. Words are compared in upper case; of words
    that then are the same, the first counts. Pairs with an unknown word are left out.

    Parameters
    ----------
    words : sequence of n str
        The most frequent first.
    vectors : array-like of shape (n, d)
        Of any length; the zero vector has cosine 0 with all.
    pairs : sequence of (str, str, float)
        Two words and how alike people find them, on any scale.

    Returns
    -------
    SimilarityScore

    Raises
    ------
    InputError
        Fewer than two pairs are covered, or all their cosines or judgements are equal.

    References
    ----------
    Finkelstein et al. 2002, "Placing Search in Context: The Concept Revisited", section 4.

    Examples
    --------
    >>> words, vectors = ["cat", "dog", "car"], [[1, 0], [1, 0.2], [0, 1]]
    >>> word_similarity(words, vectors, [("cat", "dog", 9), ("dog", "car", 3), ("cat", "car", 1)])
    SimilarityScore(spearman=1.0, covered=3, total=3)
    """
    from scipy.stats import spearmanr

    vectors = matrix(vectors, "vectors")
    place: dict[str, int] = {}
    for row, word in enumerate(ids(words, "words", len(vectors))):
        place.setdefault(word.upper(), row)
    known = [
        (place[a.upper()], place[b.upper()], score)
        for a, b, score in pairs
        if a.upper() in place and b.upper() in place
    ]
    judged = np.array([row[2] for row in known])
    if len(set(judged.tolist())) < 2:
        raise InputError(
            f"Only {len(known)} of {len(pairs)} pairs have two known words and differ in judgement.",
            "Give pairs of words that were trained on.",
        )
    first, second = (np.array([row[side] for row in known]) for side in (0, 1))
    cosines = _cosines(vectors[first], vectors[second])
    if len(set(cosines.tolist())) < 2:
        raise InputError(
            "All the pairs have the same cosine, so they have no ranks.", "Check the vectors."
        )
    rho = float(spearmanr(cosines, judged).statistic)
    return SimilarityScore(rho, len(known), len(pairs))


def read_pairs(path: str | Path) -> list[Judgement]:
    """Read lines of two words and a number, separated by tabs or spaces.

    Raises
    ------
    InputError
        A line that is none of these.
    """
    pairs: list[Judgement] = []
    for number, line in lines(path):
        try:
            first, second, judged = line.split()
            pairs.append((first, second, float(judged)))
        except ValueError as error:
            raise InputError(
                f"Line {number} of {path} is no judged pair: {line[:60]!r}.",
                "Give two words and a number a line.",
            ) from error
    return pairs


def _cosines(X: npt.NDArray[np.float32], Y: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Cosine of each row of `X` with the same row of `Y`, (n,)."""
    X64, Y64 = X.astype(np.float64), Y.astype(np.float64)
    lengths = np.linalg.norm(X64, axis=1) * np.linalg.norm(Y64, axis=1)
    dots: npt.NDArray[np.float64] = np.einsum("nd,nd->n", X64, Y64)
    return dots / np.where(lengths > 0, lengths, 1)
