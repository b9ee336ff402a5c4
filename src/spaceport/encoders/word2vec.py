"""word2vec: words that stand in like company get like vectors."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, integer, positive
from spaceport.encoders._training import Settings, train_words
from spaceport.encoders._words import WordEncoder
from spaceport.errors import ParameterError
from spaceport.threads import workers
from spaceport.tokens import WORDS
from spaceport.vocabulary import TokenFile, Vocabulary

__all__ = ["Word2Vec"]

_RATES = {"skipgram": 0.025, "cbow": 0.05}
_HALVES = 2


class Word2Vec(WordEncoder):
    """Skip-gram or CBOW with negative sampling.

    For a word w in the middle of a window, a context word c and negatives n₁…n_k, skip-gram raises

        log σ(x_c · y_w) + Σ_i log σ(−x_c · y_{n_i})

    by one gradient step of the learning rate α, which falls linearly to α/10,000. CBOW does the same
    with the mean of the window's x in place of x_c, and moves each of them by the mean's whole step.
    The vectors given are the x. The negatives are drawn in proportion to count^0.75, once per window,
    and shared by its context words. A window reaches 1…`window` words to both sides, drawn anew for
    each middle word, after frequent words were left out at random (`sample`). A text is a sentence;
    one longer than 10,000 words is cut.

    Parameters
    ----------
    dimension : int
        Of the vectors, at most the size of the vocabulary.
    window : int
        Widest reach, in words to each side.
    negatives : int
        Per window. A negative that is the middle word itself is skipped.
    minimum_count : int
        Words that stand less often are left out.
    sample : float
        t of the subsampling: a word with share f of all words is kept with chance
        min(1, (√(f/t) + 1) · t/f). 0 keeps all.
    epochs : int
        Passes over the corpus.
    learning_rate : float, optional
        The first α; None: .025 for skip-gram, .05 for CBOW.
    architecture : {"skipgram", "cbow"}
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

    Notes
    -----
    By default the threads take chunks of the corpus in turn and write to the same matrices without
    locks (Hogwild), so two runs differ a little, as two seeds do; with ``threads=1`` they do not.

    ``reproducible=True`` divides the vocabulary in two halves, words of even and of odd rank. A pair
    (context, middle) falls into one of four strata. Each chunk is trained in two rounds: first
    (even, even) beside (odd, odd), then (even, odd) beside (odd, even); negatives are taken from the
    middle word's half. The two strata of a round share no row of either matrix, so that it does not
    matter who is first, and every random choice is a hash of the seed and the place in the corpus.
    It uses at most two threads. CBOW, whose windows touch both halves at once, then uses one.

    `threads` is part of the fingerprint unless `reproducible` is set.

    References
    ----------
    Mikolov, Chen, Corrado, Dean 2013, "Efficient Estimation of Word Representations in Vector Space",
    section 3. Mikolov, Sutskever, Chen, Corrado, Dean 2013, "Distributed Representations of Words and
    Phrases and their Compositionality", sections 2.2 and 2.3. Recht, Ré, Wright, Niu 2011, "Hogwild!".
    Ji, Satish, Li, Dubey 2016, "Parallelizing Word2Vec in Shared and Distributed Memory", section III.
    Gemulla, Nijkamp, Haas, Sismanis 2011, "Large-Scale Matrix Factorization with Distributed
    Stochastic Gradient Descent", section 4 (strata).

    Examples
    --------
    >>> Word2Vec(dimension=50, architecture="cbow").spec
    "word2vec(dimension=50, architecture='cbow')"
    """

    def __init__(
        self,
        dimension: int = 100,
        window: int = 5,
        negatives: int = 5,
        minimum_count: int = 5,
        sample: float = 1e-3,
        epochs: int = 5,
        learning_rate: float | None = None,
        architecture: str = "skipgram",
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
        self.negatives = negatives
        self.sample = sample
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.architecture = architecture
        self.threads = threads
        self.reproducible = reproducible
        self.seed = seed
        self._check()
        if reproducible:
            self.neutral = frozenset({"threads"})

    def learn(
        self, corpus: TokenFile, vocabulary: Vocabulary, rows: npt.NDArray[np.int32]
    ) -> tuple[Matrix, dict[str, Any]]:
        """Train; gives the input vectors, and words per second over all epochs."""
        import spaceport.encoders.kernels.walk  # noqa: F401 - compiled here, once per machine

        start = time.perf_counter()
        settings = self._settings(len(vocabulary))
        vectors = train_words(corpus, vocabulary.counts, rows, settings)
        seconds = time.perf_counter() - start
        words = corpus.total * self.epochs
        facts: dict[str, Any] = {"epochs": self.epochs, "threads": settings.threads, "words": words}
        facts |= {"seconds": seconds, "words_per_second": words / seconds}
        return np.ascontiguousarray(vectors), facts

    def _settings(self, words: int) -> Settings:
        threads = workers(self.threads)
        strata = 1
        if self.reproducible and self.architecture == "skipgram" and words >= _HALVES:
            strata = _HALVES
        if self.reproducible:
            threads = min(threads, strata)
        rate = _RATES[self.architecture] if self.learning_rate is None else self.learning_rate
        return Settings(
            dimension=self.dimension,
            window=self.window,
            negatives=self.negatives,
            sample=self.sample,
            epochs=self.epochs,
            rate=rate,
            average=self.architecture == "cbow",
            threads=threads,
            strata=strata,
            seed=self.seed,
        )

    def _check(self) -> None:
        integer(self.window, "window", 1)
        integer(self.negatives, "negatives", 1)
        integer(self.epochs, "epochs", 1)
        integer(self.seed, "seed", 0)
        positive(self.sample, "sample", zero=True)
        if self.threads is not None:
            integer(self.threads, "threads", 1)
        if self.learning_rate is not None:
            positive(self.learning_rate, "learning_rate")
        if self.architecture not in _RATES:
            raise ParameterError(
                f"`architecture` must be skipgram or cbow. Got {self.architecture!r}.",
                "Choose one.",
            )
