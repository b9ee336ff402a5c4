"""GloVe: words whose vectors multiply to the logarithm of how often they stand together."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, Vector, integer, positive
from spaceport.encoders._adagrad import (
    Factors,
    Settings,
    bands_for,
    expected_biases,
    start,
    train_entries,
)
from spaceport.encoders._cooccurrence import Counting, count_pairs
from spaceport.encoders._words import WordEncoder
from spaceport.encoders.base import State
from spaceport.errors import InputError, ParameterError
from spaceport.sources.base import Source
from spaceport.threads import workers
from spaceport.tokens import WORDS
from spaceport.vocabulary import TokenFile, Vocabulary

__all__ = ["GloVe"]

_PARTS = ("words", "contexts", "word_squares", "context_squares")


class GloVe(WordEncoder):
    """Weighted least squares on the logarithms of co-occurrence counts.

    X_ij sums 1/distance over all places where word j stands up to `window` words before or after
    word i. What is minimized is

        J = Σ_ij f(X_ij) (w_i · w̃_j + b_i + b̃_j − ln X_ij)²      f(x) = min(1, (x / x_max)^alpha)

    over the entries above zero, by AdaGrad, one entry at a time; the exact step is written in
    `spaceport.encoders.kernels.adagrad`. The vectors given are w + w̃.

    The biases start where the counts of the words alone would put them, at half the logarithm of
    r c_i² / N for a word that stands c_i times among N, r being the weight of a whole window. The
    authors' program draws them at random; so do we the vectors.

    Parameters
    ----------
    dimension : int
        Of the vectors, at most the size of the vocabulary.
    window : int
        Reach, in words to each side. Words that are left out do not count; a text ends a window.
    x_max : float
        Counts from here on weigh 1. The paper's 100 is for corpora of billions of words.
    alpha : float
        Exponent of the weight.
    minimum_count : int
        Words that stand less often are left out.
    epochs : int
        Passes over the entries.
    learning_rate : float
        η of AdaGrad. The authors' program takes .05; at .2 training runs away on Wikipedia.
    symmetric : bool
        Count the words before and after, or those before only.
    distance_weighting : bool
        A pair at distance d counts 1/d, or 1.
    vectors : {"sum", "word"}
        Give w + w̃, or w.
    memory : int
        MiB that the counting may use; what does not fit goes to a temporary file. The counts do not
        depend on it.
    threads : int, optional
        None: one per core.
    reproducible : bool
        The same bytes from any number of threads, run after run, on one kind of processor.
    seed : int
    token_pattern, lowercase
        The rule that splits a text into words; see `spaceport.tokens.Tokenizer`.
    weighting, sif
        How a text is encoded by its words: ``"mean"`` or ``"sif"``, as for every word encoder.
    phrases, phrase_discount
        Join neighbors such as ``new york`` whose score is above `phrases`; 0 joins none.
    subwords, buckets
        Give unseen words vectors by their character n-grams, hashed to so many buckets.

    Attributes
    ----------
    factors_ : Factors
        w, w̃, biases and AdaGrad's sums, each (n, dimension + 1).

    Notes
    -----
    The entries are grouped in blocks, the words of one band of about a thousand with those of another,
    so that the rows in use stay in the processor's cache; blocks come in random order, and so do the
    entries of each. By default a thread takes the next block when it is done with one, and two that
    meet in a row write to it without locks (Hogwild). With `reproducible`, blocks run side by side
    only if they share no row, so that it does not matter who is first.

    `threads` is part of the fingerprint unless `reproducible` is set; `memory` is not.

    References
    ----------
    Pennington, Socher, Manning 2014, "GloVe: Global Vectors for Word Representation", sections 3 and
    4.2. Gemulla, Nijkamp, Haas, Sismanis 2011, "Large-Scale Matrix Factorization with Distributed
    Stochastic Gradient Descent", section 4 (blocks that share no row).

    Examples
    --------
    >>> GloVe(dimension=50, x_max=100.0).spec
    'glove(dimension=50, x_max=100.0)'
    """

    def __init__(
        self,
        dimension: int = 100,
        window: int = 15,
        x_max: float = 10.0,
        alpha: float = 0.75,
        minimum_count: int = 5,
        epochs: int = 15,
        learning_rate: float = 0.1,
        symmetric: bool = True,
        distance_weighting: bool = True,
        vectors: str = "sum",
        memory: int = 512,
        threads: int | None = None,
        reproducible: bool = False,
        seed: int = 1,
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
        self.window = window
        self.x_max = x_max
        self.alpha = alpha
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.symmetric = symmetric
        self.distance_weighting = distance_weighting
        self.vectors = vectors
        self.memory = memory
        self.threads = threads
        self.reproducible = reproducible
        self.seed = seed
        self._check()
        self.neutral = frozenset({"memory", "threads"} if reproducible else {"memory"})

    def learn(
        self, corpus: TokenFile, vocabulary: Vocabulary, rows: npt.NDArray[np.int32]
    ) -> tuple[Matrix, dict[str, Any]]:
        """Count and train; gives the vectors, and updates per second over all epochs.

        Raises
        ------
        InputError
            Training ran away, for too high a learning rate.
        """
        told = Counting(self.window, self.symmetric, self.distance_weighting, self.memory)
        begin = self._carried(vocabulary, expected_biases(vocabulary.counts, told))
        settings = self._settings()
        with count_pairs(corpus, rows, bands_for(len(vocabulary)), told) as counts:
            started = time.perf_counter()
            factors, losses = train_entries(counts, begin, settings)
            seconds = time.perf_counter() - started
            entries = int(counts.sizes().sum())
        if not np.isfinite(losses).all():
            raise InputError(
                f"Training ran away: the loss of each epoch is {losses}.",
                f"Lower `learning_rate`, now {self.learning_rate}.",
            )
        self.factors_ = factors
        speed = entries * self.epochs / seconds
        facts: dict[str, Any] = {"epochs": self.epochs, "threads": settings.threads}
        facts |= {"pairs": counts.pairs, "entries": entries, "counting_seconds": counts.seconds}
        facts |= {"seconds": seconds, "seconds_per_epoch": seconds / self.epochs, "loss": losses}
        facts |= {"updates_per_second": speed}
        facts |= {"updates_per_second_per_thread": speed / settings.threads}
        return self._vectors(factors), facts

    def partial_fit(self, source: Source) -> GloVe:
        """Go on with more text, from where the last training stopped; as `fit` if there was none.

        Words that stand `minimum_count` times in the new text join the vocabulary, and counts add up.
        What was learnt of the known words, AdaGrad's sums included, is where training starts; it goes
        over the pairs of the new text only.
        """
        if not hasattr(self, "factors_"):
            self.fit(source)
            return self
        with self._read(source, self.vocabulary_.words) as corpus:
            vocabulary, rows = corpus.extend(self.vocabulary_, self.minimum_count)
            self._learn_from(corpus, vocabulary, rows)
        return self

    def fit(self, source: Source) -> GloVe:
        """Learn anew; see `WordEncoder.fit`."""
        vars(self).pop("factors_", None)
        super().fit(source)
        return self

    def state(self) -> State:
        """Words, counts, and what goes on being learnt; the vectors follow from it."""
        arrays, values = super().state()
        arrays.pop("vectors", None)
        if arrays:
            arrays |= {name: getattr(self.factors_, name) for name in _PARTS}
        return arrays, values

    def restore(self, arrays: dict[str, npt.NDArray[Any]], values: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        if not arrays:
            return
        factors = Factors(*(arrays[name] for name in _PARTS))
        shape = (*arrays["counts"].shape, self.dimension + 1)
        if any(getattr(factors, name).shape != shape for name in _PARTS):
            raise InputError(
                f"What was learnt of {shape[0]} words does not have the shape {shape}.",
                "The files are not of one encoder.",
            )
        self.factors_ = factors
        super().restore({**arrays, "vectors": self._vectors(factors)}, values)

    def _vectors(self, factors: Factors) -> Matrix:
        d = self.dimension
        if self.vectors == "word":
            return np.ascontiguousarray(factors.words[:, :d])
        return factors.words[:, :d] + factors.contexts[:, :d]

    def _carried(self, vocabulary: Vocabulary, biases: Vector) -> Factors:
        """Where training starts: known words as they were left, new ones at random."""
        if not hasattr(self, "factors_"):
            return start(biases, self.dimension, [self.seed])
        begin = start(biases, self.dimension, [self.seed, len(self.vocabulary_)])
        rows = [vocabulary.index[word] for word in self.vocabulary_.words]
        for name in _PARTS:
            getattr(begin, name)[rows] = getattr(self.factors_, name)
        return begin

    def _settings(self) -> Settings:
        return Settings(
            dimension=self.dimension,
            epochs=self.epochs,
            rate=self.learning_rate,
            x_max=self.x_max,
            alpha=self.alpha,
            threads=workers(self.threads),
            ordered=self.reproducible,
            seed=self.seed,
        )

    def _check(self) -> None:
        integer(self.window, "window", 1)
        integer(self.epochs, "epochs", 1)
        integer(self.memory, "memory", 1)
        integer(self.seed, "seed", 0)
        positive(self.x_max, "x_max")
        positive(self.alpha, "alpha", zero=True)
        positive(self.learning_rate, "learning_rate")
        if self.threads is not None:
            integer(self.threads, "threads", 1)
        if self.vectors not in ("sum", "word"):
            raise ParameterError(
                f"`vectors` must be sum or word. Got {self.vectors!r}.", "Choose one."
            )
