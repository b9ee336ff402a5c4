"""What the encoders share that learn a vector for each word of a collection."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Sequence
from itertools import repeat
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, integer, pack, unpack
from spaceport.encoders.base import Encoder, State
from spaceport.errors import InputError, ParameterError
from spaceport.sources.base import Source
from spaceport.tokens import Tokenizer
from spaceport.vocabulary import TokenFile, Vocabulary, read

__all__ = ["WordEncoder"]


class WordEncoder(Encoder):
    """Learns a vector for each word, and encodes a text as the mean of its known words' vectors.

    A method writes `learn`, and takes the parameters of this class in its own constructor.

    Parameters
    ----------
    dimension : int
        Of the vectors, at most the size of the vocabulary.
    minimum_count : int
        Words that stand less often are left out.
    token_pattern, lowercase
        The rule that splits a text into words; see `spaceport.tokens.Tokenizer`.
    weighting : {"mean", "sif"}
        How a text of known words w₁…w_m is encoded: ``"mean"``, (1/m) Σ v(w_i); ``"sif"``,
        (1/m) Σ a/(a + p(w_i)) · v(w_i), with a = `sif` and p(w) the word's share of all the
        vocabulary's words in the corpus. Of the paper we run these weights (its algorithm 1, lines
        1 to 3) and not the removal of the first principal component, which would make a text's
        vector depend on the texts that it is encoded with. A text without a known word is zero.
    sif : float
        The a of ``"sif"``.

    Attributes
    ----------
    vocabulary_ : Vocabulary
    counts_ : ndarray of shape (n,), int64
        How often each word stands in the corpus.
    vectors_ : ndarray of shape (n, dimension), float32

    References
    ----------
    Arora, Liang, Ma 2017, "A Simple but Tough-to-Beat Baseline for Sentence Embeddings".
    """

    modality: ClassVar[str] = "words"
    also: ClassVar[tuple[str, ...]] = ("texts",)
    fitted: ClassVar[bool] = True

    def __init__(
        self,
        dimension: int,
        minimum_count: int,
        token_pattern: str,
        lowercase: bool,
        weighting: str,
        sif: float,
    ) -> None:
        self.dimension = dimension
        self.minimum_count = minimum_count
        self.token_pattern = token_pattern
        self.lowercase = lowercase
        self.weighting = weighting
        self.sif = sif
        self._tokenize = Tokenizer(token_pattern, lowercase)
        self._facts: dict[str, Any] = {}
        integer(dimension, "dimension", 1)
        integer(minimum_count, "minimum_count", 1)
        if weighting not in ("mean", "sif"):
            raise ParameterError(
                f"`weighting` must be mean or sif. Got {weighting!r}.", "Choose one."
            )
        positive(sif, "sif")

    @abstractmethod
    def learn(
        self, corpus: TokenFile, vocabulary: Vocabulary, rows: npt.NDArray[np.int32]
    ) -> tuple[Matrix, dict[str, Any]]:
        """Learn the vectors; the one method that a word encoder writes.

        Parameters
        ----------
        corpus : TokenFile
            The tokens, as provisional ids.
        vocabulary : Vocabulary
            The n words that get a vector.
        rows : ndarray of int32
            The row of each provisional id, or a negative number for words that are left out.

        Returns
        -------
        ndarray of shape (n, dimension), float32
            The vectors, in the order of `vocabulary`.
        dict
            Facts for the card.
        """

    def fit(self, source: Source) -> WordEncoder:
        """Read the words of `source` and learn their vectors.

        Raises
        ------
        InputError
            No words, none that stands `minimum_count` times, or fewer than `dimension` of them.
        """
        with read(source, self._tokenize) as corpus:
            vocabulary, rows = corpus.cut(self.minimum_count, self._largest())
            if self.dimension > len(vocabulary):
                raise InputError(
                    f"`dimension` is {self.dimension}, but the vocabulary has only {len(vocabulary)} words "
                    f"that stand {self.minimum_count} times or more.",
                    "Give more text, a smaller `dimension` or a smaller `minimum_count`.",
                )
            start = time.perf_counter()
            vectors, facts = self.learn(corpus, vocabulary, rows)
            seconds = time.perf_counter() - start
        self._remember(vocabulary, vectors)
        self._facts = {"seconds": seconds, "reading_seconds": corpus.seconds} | facts
        self._facts |= {"corpus_words": corpus.total, "vocabulary_words": vocabulary.total}
        return self

    def entities(self) -> tuple[list[str], Matrix]:
        """The words, the most frequent first, and their vectors of shape (n, dimension)."""
        self._require_fit()
        return self.vocabulary_.words, self.vectors_

    def facts(self) -> dict[str, Any]:
        """Seconds of training and of reading, words of the corpus, and what the method adds."""
        return dict(self._facts)

    def encode_batch(self, items: Sequence[Any], role: str = "document") -> Matrix:
        """Encode texts as the (weighted) mean of their known words' vectors.

        Returns
        -------
        ndarray of shape (n, dimension), float32
            Not unit length; zero for a text without a known word.
        """
        from scipy.sparse import csr_array

        self._require_fit()
        words, ends = self._rows(items)
        weights = self._weights()[words]
        shape = (len(items), len(self.vocabulary_))
        means = csr_array((weights, words, ends), shape=shape) @ self.vectors_  # (n, d)
        encoded: Matrix = means / np.maximum(np.diff(ends), 1)[:, None].astype(np.float32)
        return encoded

    def state(self) -> State:
        """Words, counts and vectors; nothing before `fit`."""
        if not hasattr(self, "vectors_"):
            return {}, {}
        packed = {f"words_{key}": array for key, array in pack(self.vocabulary_.words).items()}
        return {**packed, "counts": self.counts_, "vectors": self.vectors_}, {}

    def restore(self, arrays: dict[str, npt.NDArray[Any]], values: dict[str, Any]) -> None:
        """Take back what `state` gave.

        Raises
        ------
        InputError
            The arrays do not belong together.
        """
        if not arrays:
            return
        words = unpack({"bytes": arrays["words_bytes"], "ends": arrays["words_ends"]})
        counts, vectors = arrays["counts"], arrays["vectors"]
        if counts.shape != (len(words),) or vectors.shape != (len(words), self.dimension):
            raise InputError(
                f"There are {len(words)} words, counts {counts.shape} and vectors {vectors.shape}.",
                "The files are not of one encoder.",
            )
        self._remember(Vocabulary(words, counts), vectors)

    def _largest(self) -> int | None:
        """How many words the vocabulary may have; None: any number."""
        return None

    def _remember(self, vocabulary: Vocabulary, vectors: Matrix) -> None:
        self.vocabulary_ = vocabulary
        self.counts_ = vocabulary.counts
        self.vectors_ = vectors

    def _rows(self, texts: Sequence[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Rows of the known words of all texts, and where each text's rows end (first a zero)."""
        find = self.vocabulary_.index.get
        found = [
            np.fromiter(map(find, self._tokenize(text), repeat(-1)), np.int64) for text in texts
        ]
        known = [rows[rows >= 0] for rows in found]
        ends = np.cumsum([0, *map(len, known)], dtype=np.int64)
        return np.concatenate([np.empty(0, np.int64), *known]), ends

    def _weights(self) -> npt.NDArray[np.float32]:
        """The weight of each word in a text's mean, (n,)."""
        if self.weighting == "mean":
            return np.ones(len(self.vocabulary_), dtype=np.float32)
        share = self.counts_ / self.vocabulary_.total
        weights: npt.NDArray[np.float32] = (self.sif / (self.sif + share)).astype(np.float32)
        return weights

    def _require_fit(self) -> None:
        if not hasattr(self, "vectors_"):
            raise InputError(f"{self.spec} has not learnt anything yet.", "Call fit(source) first.")


def positive(value: object, name: str, zero: bool = False) -> float:
    """Check that `value` is a finite number above zero, or zero where that is allowed."""
    if (
        not isinstance(value, int | float)
        or isinstance(value, bool)
        or not np.isfinite(value)
        or value < 0
        or (value == 0 and not zero)
    ):
        least = "at least" if zero else "above"
        raise ParameterError(
            f"`{name}` must be a number {least} 0. Got {value!r}.", "Choose such a value."
        )
    return float(value)
