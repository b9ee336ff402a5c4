"""What the encoders share that learn a vector for each word of a collection."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, integer, pack, positive, unpack
from spaceport.encoders._subwords import fit_ngrams, spelled
from spaceport.encoders.base import Encoder, State
from spaceport.errors import InputError, ParameterError
from spaceport.phrases import join_phrases, join_words
from spaceport.sources.base import Source
from spaceport.tokens import Tokenizer
from spaceport.vocabulary import TokenFile, Vocabulary, read

__all__ = ["WordEncoder"]


class WordEncoder(Encoder):
    """Learns a vector for each word, and encodes a text as the mean of its words' vectors.

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
    phrases : float
        Join neighbors that stand together more often than their counts let expect, ``new york`` to
        ``new_york``, if their score is above this; 0 joins none. See `spaceport.phrases`. Texts are
        encoded with the same phrases joined.
    phrase_discount : float
        Taken from the count of each pair before it is scored.
    subwords : bool
        Give words that were never seen the mean of their character n-grams' vectors, which are
        fitted to the words' vectors after these were learnt. See `spaceport.encoders._subwords`. A
        text's unknown words then count as known ones; with ``"sif"``, as words with p(w) = 0.
    buckets : int
        How many vectors the n-grams share.

    Attributes
    ----------
    vocabulary_ : Vocabulary
    counts_ : ndarray of shape (n,), int64
        How often each word stands in the corpus.
    vectors_ : ndarray of shape (n, dimension), float32
    ngram_vectors_ : ndarray of shape (buckets, dimension), float32
        With `subwords` only.

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
        phrases: float,
        phrase_discount: float,
        subwords: bool,
        buckets: int,
    ) -> None:
        self.dimension = dimension
        self.minimum_count = minimum_count
        self.token_pattern = token_pattern
        self.lowercase = lowercase
        self.weighting = weighting
        self.sif = sif
        self.phrases = phrases
        self.phrase_discount = phrase_discount
        self.subwords = subwords
        self.buckets = buckets
        self._tokenize = Tokenizer(token_pattern, lowercase)
        self._facts: dict[str, Any] = {}
        integer(dimension, "dimension", 1)
        integer(minimum_count, "minimum_count", 1)
        if weighting not in ("mean", "sif"):
            raise ParameterError(
                f"`weighting` must be mean or sif. Got {weighting!r}.", "Choose one."
            )
        positive(sif, "sif")
        positive(phrases, "phrases", zero=True)
        positive(phrase_discount, "phrase_discount", zero=True)
        integer(buckets, "buckets", 1)

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
        with self._read(source) as corpus:
            vocabulary, rows = corpus.cut(self.minimum_count, self._largest())
            self._learn_from(corpus, vocabulary, rows)
        return self

    def entities(self) -> tuple[list[str], Matrix]:
        """The words, the most frequent first, and their vectors of shape (n, dimension)."""
        self._require_fit()
        return self.vocabulary_.words, self.vectors_

    def facts(self) -> dict[str, Any]:
        """Seconds of training and of reading, words of the corpus, and what the method adds."""
        return dict(self._facts)

    def encode_batch(self, items: Sequence[Any], role: str = "document") -> Matrix:
        """Encode texts as the (weighted) mean of their words' vectors.

        Returns
        -------
        ndarray of shape (n, dimension), float32
            Not unit length; zero for a text without a known word (with `subwords`: without a word).
        """
        self._require_fit()
        texts = [self._words_of(text) for text in items]
        known = self.vocabulary_.index
        sums, counts = _sums(texts, known, self.vectors_, self._weights())
        if self.subwords:
            words = sorted({word for words in texts for word in words if word not in known})
            unseen = {word: row for row, word in enumerate(words)}
            made = spelled(words, self.buckets) @ self.ngram_vectors_
            more, others = _sums(texts, unseen, made, np.ones(len(words), np.float32))
            sums, counts = sums + more, counts + others
        encoded: Matrix = np.divide(sums, np.maximum(counts, 1)[:, None], dtype=np.float32)
        return encoded

    def unseen(self, items: Sequence[Any]) -> npt.NDArray[np.int64]:
        """Of each text its words and those that are not in the vocabulary, subwords or not, (n, 2)."""
        self._require_fit()
        known = self.vocabulary_.index
        texts = [self._words_of(text) for text in items]
        counts = [(len(words), sum(word not in known for word in words)) for words in texts]
        return np.array(counts, np.int64).reshape(-1, 2)

    def state(self) -> State:
        """Words, counts and vectors, and those of n-grams; nothing before `fit`."""
        if not hasattr(self, "vectors_"):
            return {}, {}
        packed = {f"words_{key}": array for key, array in pack(self.vocabulary_.words).items()}
        arrays = {**packed, "counts": self.counts_, "vectors": self.vectors_}
        return arrays | ({"ngram_vectors": self.ngram_vectors_} if self.subwords else {}), {}

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
        if self.subwords:
            self.ngram_vectors_ = arrays["ngram_vectors"]
            if self.ngram_vectors_.shape != (self.buckets, self.dimension):
                raise InputError(
                    f"The n-grams' vectors have the shape {self.ngram_vectors_.shape}, "
                    f"not {(self.buckets, self.dimension)}.",
                    "The files are not of one encoder.",
                )

    def _largest(self) -> int | None:
        """How many words the vocabulary may have; None: any number."""
        return None

    def _remember(self, vocabulary: Vocabulary, vectors: Matrix) -> None:
        self.vocabulary_ = vocabulary
        self.counts_ = vocabulary.counts
        self.vectors_ = vectors

    def _read(self, source: Source, known: Iterable[str] = ()) -> TokenFile:
        """The corpus in words, phrases joined; `known` ones whatever they score."""
        corpus = read(source, self._tokenize)
        if not self.phrases:
            return corpus
        with corpus:
            told = (self.phrases, self.phrase_discount, self.minimum_count)
            return join_phrases(corpus, *told, known)

    def _learn_from(
        self, corpus: TokenFile, vocabulary: Vocabulary, rows: npt.NDArray[np.int32]
    ) -> None:
        """Check, learn and remember."""
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
        if self.subwords:
            start = time.perf_counter()
            self.ngram_vectors_ = fit_ngrams(vocabulary.words, vectors, self.buckets)
            self._facts["subword_seconds"] = time.perf_counter() - start

    def _words_of(self, text: str) -> list[str]:
        words = self._tokenize(text)
        return join_words(words, self.vocabulary_.index) if self.phrases else words

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


def _sums(
    texts: list[list[str]],
    rows: Mapping[str, int],
    vectors: Matrix,
    weights: npt.NDArray[np.float32],
) -> tuple[Matrix, npt.NDArray[np.int64]]:
    """The weighted sum of the vectors of each text's words that have a row (n, d); how many have."""
    from scipy.sparse import csr_array

    found = [np.fromiter(map(rows.get, words, repeat(-1)), np.int64) for words in texts]
    known = [places[places >= 0] for places in found]
    counts = np.array([len(places) for places in known], dtype=np.int64)
    flat = np.concatenate([np.empty(0, np.int64), *known])
    ends = np.concatenate([[0], np.cumsum(counts)])
    sums = csr_array((weights[flat], flat, ends), shape=(len(texts), len(vectors))) @ vectors
    return sums, counts
