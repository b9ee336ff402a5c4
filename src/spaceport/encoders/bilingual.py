"""One space for the words and sentences of two languages.

::

    φ(text) = Σ n_w a_w v_w, scaled to unit length     of a pair: of both sides' unit vectors
    a_w = |z_w| s/(s + p(w)),   v_w = z_w / |z_w|      z_w learnt, p(w) the word's share of its language

What is learnt of words is told by `objective`:

``contrastive``
    z so that a sentence's vector lies by its translation's and far from others (`_dual_encoder.py`).
``svd``
    Both sides of a pair are one text, A its words' log-entropy weights, rows scaled to unit length;
    A ≈ U S Vᵀ, z_w = V_w / |V_w| (Dumais et al. 1997: cross-language latent semantic indexing).
``rotation``
    Vectors of both languages' words that were learnt apart are laid onto each other; the pairs are a
    dictionary (`_rotation.py`). Here a_w = 1.

Dumais, S., Letsche, T., Littman, M. & Landauer, T. (1997). Automatic Cross-Language Retrieval Using
Latent Semantic Indexing. AAAI Spring Symposium. The weights s/(s + p) are those of Arora, Liang & Ma
(2017); its last step, taking off a principal component, is not run.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, Vector, integer, pack, positive, unpack
from spaceport.encoders._parallel import decomposed, held_out, shares
from spaceport.encoders._rotation import Words, aligned, read_seeds
from spaceport.encoders._two_languages import Corpus, counted, sides, weighted_sums
from spaceport.encoders.base import Encoder, State
from spaceport.errors import InputError, MissingExtra, ParameterError, choices
from spaceport.geometry.base import normalize, norms
from spaceport.sources.base import Source
from spaceport.tokens import WORDS, Tokenizer

__all__ = ["Bilingual"]

OBJECTIVES = ("contrastive", "svd", "rotation")


class Bilingual(Encoder):
    """Words and sentences of two languages in one space, learnt from pairs.

    Parameters
    ----------
    dimension : int
        With ``"rotation"`` that of the right language's vectors.
    objective : {"contrastive", "svd", "rotation"}
        See the module's first lines. ``"contrastive"`` needs the extra `torch` to learn, not to
        encode; ``"rotation"`` needs `between` first.
    minimum_count : int
        Words that stand less often in their side of the training pairs are left out.
    token_pattern, lowercase
        The rule that splits a text into words; see `spaceport.tokens.Tokenizer`.
    sif : float
        The s above: the larger, the more common words count.
    scale, margin, dropout : float
        Of the contrastive loss; `dropout` is the share of a text's words left out at each step.
    refinements : int
        Rounds in which a rotation finds more pairs by itself.
    epochs, batch_size, learning_rate, patience, seed
        Of the contrastive training; see `networks.training`. The seed is also that of the svd.
    validation : float
        Share of the left side's distinct texts that are drawn with `seed` and held out with all their
        pairs, to stop the contrastive training.

    Attributes
    ----------
    languages_ : list of 2 str
        The left one first, as the source names them.
    words_ : list of 2 lists of str
        Each language's words, the most frequent first.
    counts_ : ndarray of shape (n,), int64
        How often each word stands in its side, the left language's words first; 0 with a rotation.
    weights_ : ndarray of shape (n,), float32
        a.
    vectors_ : ndarray of shape (n, dimension), float32
        v, unit rows.

    Notes
    -----
    The same seed on the same machine gives the same bytes.

    Examples
    --------
    >>> from spaceport.sources.base import Source
    >>> import pyarrow as pa
    >>> class Lines(Source):
    ...     modality, unique_ids = "pairs", True
    ...     def read(self):
    ...         pairs = [("a cat", "un chat"), ("a dog", "un chien"), ("the cat", "le chat")]
    ...         rows = [{"en": left, "fr": right} for left, right in pairs]
    ...         yield pa.record_batch({"id": list("abc"), "content": pa.array(rows)})
    ...     def size(self):
    ...         return 60
    >>> encoder = Bilingual(dimension=2, objective="svd").fit(Lines())
    >>> cat, chat, dog = encoder.encode([{"en": "cat"}, "fr: chat", "en: dog"])
    >>> (cat @ chat).round(2), (dog @ chat).round(2)
    (np.float32(1.0), np.float32(0.15))
    """

    modality: ClassVar[str] = "pairs"
    fitted: ClassVar[bool] = True

    def __init__(
        self,
        dimension: int = 200,
        objective: str = "contrastive",
        minimum_count: int = 1,
        token_pattern: str = WORDS,
        lowercase: bool = True,
        sif: float = 0.03,
        scale: float = 20.0,
        margin: float = 0.1,
        dropout: float = 0.1,
        refinements: int = 5,
        epochs: int = 12,
        batch_size: int = 256,
        learning_rate: float = 0.003,
        patience: int = 3,
        validation: float = 0.03,
        seed: int = 0,
    ) -> None:
        self.dimension = integer(dimension, "dimension", 1)
        self.objective = objective
        self.minimum_count = integer(minimum_count, "minimum_count", 1)
        self.token_pattern = token_pattern
        self.lowercase = lowercase
        self.sif = sif
        self.scale = scale
        self.margin = margin
        self.dropout = dropout
        self.refinements = integer(refinements, "refinements", 0)
        self.epochs = integer(epochs, "epochs", 1)
        self.batch_size = integer(batch_size, "batch_size", 2)
        self.learning_rate = learning_rate
        self.patience = integer(patience, "patience", 1)
        self.validation = validation
        self.seed = integer(seed, "seed", 0)
        for name in ("sif", "scale", "learning_rate"):
            positive(getattr(self, name), name)
        positive(margin, "margin", zero=True)
        _share(dropout, "dropout", zero=True)
        _share(validation, "validation")
        if objective not in OBJECTIVES:
            raise ParameterError(
                f"There is no objective `{objective}`.", choices(str(objective), OBJECTIVES)
            )
        self._tokenize = Tokenizer(token_pattern, lowercase)
        self._given: tuple[Words, Words] | None = None
        self._facts: dict[str, Any] = {}

    def between(
        self,
        left_words: list[str],
        left_vectors: npt.ArrayLike,
        right_words: list[str],
        right_vectors: npt.ArrayLike,
    ) -> Bilingual:
        """Say which vectors a rotation is to lay onto each other; gives itself.

        Parameters
        ----------
        left_words, right_words : list of str
            The most frequent first; the source of `fit` names the two languages in this order.
        left_vectors, right_vectors : array-like of shape (n, p) and (m, dimension)
        """
        self._given = Words.of(left_words, left_vectors), Words.of(right_words, right_vectors)
        return self

    def fit(self, source: Source) -> Bilingual:
        """Learn from pairs.

        Raises
        ------
        InputError
            Too few pairs or words for `dimension`; with ``"rotation"``, no vectors given, or no pair
            whose two words are known.
        MissingExtra
            The contrastive objective without torch.
        """
        began = time.perf_counter()
        if self.objective == "rotation":
            facts = self._rotate(source)
        else:
            corpus = counted(source, self._tokenize)
            facts = {"pairs": len(corpus)} | self._learn(corpus, source)
        self._facts = facts | {"seconds": time.perf_counter() - began}
        return self

    def entities(self) -> tuple[list[str], Matrix]:
        """Each word as ``language:word``, the left language's first, and the unit vectors (n, d)."""
        self._require_fit()
        named = zip(self.languages_, self.words_, strict=True)
        return [f"{name}:{word}" for name, words in named for word in words], self.vectors_

    def entity_columns(self) -> dict[str, Any]:
        """The words' ``language``, the ``word`` alone, and, of pairs of texts, its ``count``."""
        left, right = self.words_
        first, second = self.languages_
        columns = {
            "language": [first] * len(left) + [second] * len(right),
            "word": [*left, *right],
        }
        return columns | ({"count": self.counts_.tolist()} if self.counts_.any() else {})

    def facts(self) -> dict[str, Any]:
        """What was learnt from, and how the training went."""
        return dict(self._facts)

    def encode_batch(self, items: Sequence[Any], role: str = "document") -> Matrix:
        """Encode texts in either language, or pairs of them.

        Parameters
        ----------
        items : Arrow array of structs, or sequence of dicts or str
            ``{"en": "the cat"}``, ``"en: the cat"``, or both languages of a pair.

        Returns
        -------
        ndarray of shape (n, dimension), float32
            Unit rows; zero where no word is known.
        """
        self._require_fit()
        total = np.zeros((len(items), self.dimension), np.float32)
        start = 0
        for texts, words in zip(sides(items, self.languages_), self.words_, strict=True):
            rows = slice(start, start + len(words))
            index = {word: row for row, word in enumerate(words)}
            total += normalize(
                weighted_sums(
                    texts, index, self._tokenize, self.weights_[rows], self.vectors_[rows]
                )
            )
            start += len(words)
        return normalize(total)

    def state(self) -> State:
        """Words, counts, weights and vectors; nothing before `fit`."""
        if not hasattr(self, "vectors_"):
            return {}, {}
        packed: dict[str, npt.NDArray[Any]] = {
            f"words.{side}.{key}": array
            for side, words in enumerate(self.words_)
            for key, array in pack(words).items()
        }
        packed |= {"counts": self.counts_, "weights": self.weights_, "vectors": self.vectors_}
        return packed, {"languages": self.languages_}

    def restore(self, arrays: dict[str, npt.NDArray[Any]], values: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        if not arrays:
            return
        words = [
            unpack({key: arrays[f"words.{side}.{key}"] for key in ("bytes", "ends")})
            for side in (0, 1)
        ]
        n = sum(map(len, words))
        counts, weights, vectors = (arrays[key] for key in ("counts", "weights", "vectors"))
        shapes = [counts.shape, weights.shape, vectors.shape]
        if shapes != [(n,), (n,), (n, self.dimension)]:
            raise ValueError(f"{n} words have arrays of the shapes {shapes}")
        self._remember(list(values["languages"]), words, counts, weights, vectors)

    def _learn(self, corpus: Corpus, source: Source) -> dict[str, Any]:
        """Vectors by the objective, and the words' weights; gives facts."""
        facts: dict[str, Any] = {}
        if self.objective == "svd":
            corpus = self._cut(corpus)
            z = decomposed(corpus, self.dimension, self.seed)
        else:
            corpus, z, facts = self._contrasted(corpus, source)
        self._remember(
            [side.language for side in corpus],
            [side.words for side in corpus],
            np.concatenate([side.frequencies for side in corpus]),
            norms(z) * shares(corpus, self.sif),
            normalize(z),
        )
        return facts

    def _cut(self, corpus: Corpus) -> Corpus:
        """Only the frequent words, and the pairs that then have a word on either side."""
        corpus = corpus.map(lambda side: side.frequent(self.minimum_count)).filled()
        words = sum(len(side.words) for side in corpus)
        if self.dimension > min(len(corpus), words):
            raise InputError(
                f"`dimension` is {self.dimension}, but there are {len(corpus)} pairs with words on both "
                f"sides, and {words} words.",
                "Choose a smaller dimension, or give more pairs.",
            )
        return corpus

    def _contrasted(self, corpus: Corpus, source: Source) -> tuple[Corpus, Matrix, dict[str, Any]]:
        """Train on the pairs that are not held out; gives them, their words' vectors, and facts."""
        try:
            from spaceport.encoders._dual_encoder import Loss, contrasted
            from spaceport.networks.training import Schedule
        except ModuleNotFoundError as error:
            raise MissingExtra.of("torch", str(error.name)) from error
        kept, out = held_out(corpus, self.validation, self.seed)
        learnt = self._cut(corpus.rows(kept))
        aside = corpus.rows(out).with_words_of(learnt).filled()
        z, curve = contrasted(
            learnt,
            aside if len(aside) else learnt,
            shares(learnt, self.sif),
            self.dimension,
            Loss(self.scale, self.margin, self.dropout),
            self.batch_size,
            Schedule(self.epochs, self.learning_rate, self.patience, self.seed),
            self.checkpoints,
            "" if self.checkpoints is None else f"{self.spec} {source.digest()}",
        )
        return learnt, z, {"held-out pairs": len(aside), **curve.facts()}

    def _rotate(self, source: Source) -> dict[str, Any]:
        """Lay the given vectors onto each other; gives facts."""
        if self._given is None:
            raise InputError(
                "A rotation lays vectors onto each other, and none were given.",
                "Call between(words, vectors, words, vectors) before fit(source).",
            )
        left, right = self._given
        if right.vectors.shape[1] != self.dimension:
            raise InputError(
                f"`dimension` is {self.dimension}, and the right language's vectors have "
                f"{right.vectors.shape[1]}.",
                "Make them equal.",
            )
        seeds = read_seeds(source, left.words, right.words)
        found = aligned(left.vectors, right.vectors, seeds.rows, self.refinements)
        vectors = np.concatenate([found.left, found.right])
        ones, zeros = np.ones(len(vectors), np.float32), np.zeros(len(vectors), np.int64)
        self._remember(seeds.languages, [left.words, right.words], zeros, ones, vectors)
        told = {"seeds": seeds.asked, "seeds known": len(seeds.rows)}
        return told | {"residual": found.residual, "pairs found": found.found}

    def _remember(
        self,
        languages: list[str],
        words: list[list[str]],
        counts: npt.NDArray[np.int64],
        weights: Vector,
        vectors: Matrix,
    ) -> None:
        self.languages_ = languages
        self.words_ = words
        self.counts_ = counts
        self.weights_ = weights
        self.vectors_ = vectors

    def _require_fit(self) -> None:
        if not hasattr(self, "vectors_"):
            raise InputError(f"{self.spec} has not learnt anything yet.", "Call fit(source) first.")


def _share(value: float, name: str, zero: bool = False) -> None:
    """Refuse what is no share of a whole."""
    if not positive(value, name, zero) < 1:
        raise ParameterError(
            f"`{name}` must be below 1. Got {value!r}.", "Give a share, such as 0.1."
        )
