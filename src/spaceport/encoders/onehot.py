"""One-hot words: the baseline that every other word encoder must beat."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix
from spaceport.encoders._words import WordEncoder
from spaceport.encoders.base import State
from spaceport.tokens import WORDS
from spaceport.vocabulary import TokenFile, Vocabulary

__all__ = ["OneHot"]


class OneHot(WordEncoder):
    """The `dimension` most frequent words, each an axis of its own.

    The vector of the word in row i is row i of the identity matrix: no two words are alike. A text is
    encoded as the share that each of these words has of its known words.

    Parameters
    ----------
    dimension : int
        How many words.
    minimum_count : int
        Words that stand less often are left out.
    token_pattern, lowercase
        The rule that splits a text into words; see `spaceport.tokens.Tokenizer`.
    weighting, sif
        How the words of a text are weighted: ``"mean"`` or ``"sif"``, as for every word encoder.
    phrases, phrase_discount
        Join neighbors such as ``new york`` whose score is above `phrases`; 0 joins none.
    subwords, buckets
        Give unseen words vectors by their character n-grams, hashed to so many buckets.

    Examples
    --------
    >>> from spaceport.arrays import pack
    >>> words = {f"words_{key}": array for key, array in pack(["cat", "dog"]).items()}
    >>> encoder = OneHot(dimension=2)
    >>> encoder.restore({**words, "counts": np.array([3, 2])}, {})
    >>> encoder.encode(["A dog, a Cat", "cow"]).tolist()
    [[0.5, 0.5], [0.0, 0.0]]
    """

    def __init__(
        self,
        dimension: int = 1000,
        minimum_count: int = 1,
        token_pattern: str = WORDS,
        lowercase: bool = True,
        weighting: str = "mean",
        sif: float = 1e-3,
        phrases: float = 0,
        phrase_discount: float = 0,
        subwords: bool = False,
        buckets: int = 200_000,
    ) -> None:
        super().__init__(
            dimension, minimum_count, token_pattern, lowercase, weighting, sif,
            phrases, phrase_discount, subwords, buckets,
        )  # fmt: skip

    def learn(
        self, corpus: TokenFile, vocabulary: Vocabulary, rows: npt.NDArray[np.int32]
    ) -> tuple[Matrix, dict[str, Any]]:
        """Give the identity."""
        return np.eye(self.dimension, dtype=np.float32), {}

    def state(self) -> State:
        """Words and counts; the identity need not be kept."""
        arrays, values = super().state()
        return {name: array for name, array in arrays.items() if name != "vectors"}, values

    def restore(self, arrays: dict[str, npt.NDArray[Any]], values: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        if arrays:
            super().restore({**arrays, "vectors": np.eye(self.dimension, dtype=np.float32)}, values)

    def _largest(self) -> int:
        return self.dimension
