"""Texts by the words and word n-grams that tell their classes apart."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, integer, pack, positive, unpack
from spaceport.encoders._bags import Bags, Features, hashes, numbered
from spaceport.encoders._classes import Classes, held_out, read_classes
from spaceport.encoders.base import Encoder, State
from spaceport.errors import InputError, MissingExtra, ParameterError
from spaceport.sources.base import Source
from spaceport.tokens import WORDS, Tokenizer
from spaceport.vocabulary import TokenFile, Vocabulary, read

__all__ = ["TextClassifier"]


class TextClassifier(Encoder):
    """The mean of word and n-gram vectors that were learnt to tell classes apart.

    A text's features F are its words that are in the vocabulary and its word n-grams that fall into a
    bucket known from training::

        h = 1/|F| Σ_{f ∈ F} z_f        the text's vector; 0 where F is empty
        p = softmax(C h)               the chances of the classes

    The z and C minimize the mean of -log p(the text's class) over the training texts; see
    `encoders._averaging`. The classes are what the column says that the source's `label` names; texts
    without one are left out. Of each class a share of `validation` is held out, drawn with `seed`:
    training stops after `patience` epochs without a smaller loss on it, and the best epoch's weights
    are kept. The same seed gives the same bytes on one machine.

    Parameters
    ----------
    dimension : int
        Of the vectors.
    ngrams : int
        The longest run of words that is a feature; 1: words only.
    buckets : int
        Into which the n-grams are hashed; see `encoders._bags`.
    minimum_count : int
        Words that stand less often, and buckets that n-grams fall into less often, are left out.
    dropout : float
        The share of a text's features that is left out at random, anew in each epoch, in [0, 1).
    epochs : int
        The most passes over the training texts.
    batch_size : int
        Texts to a step.
    learning_rate : float
        Of Adam, at its height.
    patience : int
    validation : float
        In (0, 1).
    seed : int
    token_pattern, lowercase
        The rule that splits a text into words; see `spaceport.tokens.Tokenizer`.

    Attributes
    ----------
    classes_ : list
        The c classes.
    vocabulary_ : Vocabulary
        The v words.
    vectors_ : ndarray of shape (v + b, dimension), float32
        z: the words', then those of the b buckets that have one.
    class_vectors_ : ndarray of shape (c, dimension), float32
        C.

    References
    ----------
    Joulin, Grave, Bojanowski, Mikolov 2017, "Bag of Tricks for Efficient Text Classification",
    section 2. Iyyer, Manjunatha, Boyd-Graber, Daumé 2015, "Deep Unordered Composition Rivals Syntactic
    Methods for Text Classification", section 3 (word dropout).

    Examples
    --------
    >>> TextClassifier(dimension=32, ngrams=3).spec
    'text_classifier(dimension=32, ngrams=3)'
    """

    modality: ClassVar[str] = "texts"
    fitted: ClassVar[bool] = True

    def __init__(
        self,
        dimension: int = 100,
        ngrams: int = 2,
        buckets: int = 1_000_000,
        minimum_count: int = 1,
        dropout: float = 0.7,
        epochs: int = 20,
        batch_size: int = 64,
        learning_rate: float = 0.003,
        patience: int = 3,
        validation: float = 0.1,
        seed: int = 0,
        token_pattern: str = WORDS,
        lowercase: bool = True,
    ) -> None:
        self.dimension = integer(dimension, "dimension", 1)
        self.ngrams = integer(ngrams, "ngrams", 1)
        self.buckets = integer(buckets, "buckets", 1, 2**31 - 1)
        self.minimum_count = integer(minimum_count, "minimum_count", 1)
        self.dropout = dropout
        self.epochs = integer(epochs, "epochs", 1)
        self.batch_size = integer(batch_size, "batch_size", 1)
        self.learning_rate = learning_rate
        self.patience = integer(patience, "patience", 1)
        self.validation = validation
        self.seed = integer(seed, "seed", 0)
        self.token_pattern = token_pattern
        self.lowercase = lowercase
        self._tokenize = Tokenizer(token_pattern, lowercase)
        self._facts: dict[str, Any] = {}
        positive(learning_rate, "learning_rate")
        if not 0 <= positive(dropout, "dropout", zero=True) < 1:
            raise ParameterError(
                f"`dropout` must be in [0, 1). Got {dropout!r}.", "0 leaves nothing out."
            )
        if not 0 < positive(validation, "validation") < 1:
            raise ParameterError(
                f"`validation` must be between 0 and 1. Got {validation!r}.",
                "0.1 holds a tenth out.",
            )

    def fit(self, source: Source) -> TextClassifier:
        """Learn the vectors of words, n-grams and classes; the source is read twice.

        Raises
        ------
        InputError
            The source names no label; fewer than two classes; no words; too few texts to hold some out.
        MissingExtra
            torch is not installed. What was learnt encodes without it.
        """
        began = time.perf_counter()
        classes = read_classes(source)
        with read(source, self._tokenize) as corpus:
            facts = self._learn(corpus, classes, source)
        self._facts = facts | {"seconds": time.perf_counter() - began}
        return self

    def encode_batch(self, items: Sequence[str], role: str = "document") -> Matrix:
        """Encode n texts as h; gives (n, dimension), float32, not unit length.

        A text without a known word or n-gram is a row of zeros.
        """
        from scipy.sparse import csr_array

        self._require_fit()
        words, ids = numbered(map(self._tokenize, items))
        known = self.vocabulary_.index
        rows = np.array([known.get(word, -1) for word in words] or [-1], np.int32)
        bags = self._features.bags(ids, rows, hashes(words))
        sizes = np.diff(bags.ends)
        shares = np.repeat(1 / np.maximum(sizes, 1), sizes).astype(np.float32)
        means = csr_array((shares, bags.rows, bags.ends), shape=(len(items), len(self.vectors_)))
        encoded: Matrix = np.asarray(means @ self.vectors_, np.float32)
        return encoded

    def unseen(self, items: Sequence[Any]) -> npt.NDArray[np.int64]:
        """Of each text its words and those that are not in the vocabulary, n-grams or not, (n, 2)."""
        self._require_fit()
        known = self.vocabulary_.index
        texts = [self._tokenize(text) for text in items]
        counts = [(len(words), sum(word not in known for word in words)) for words in texts]
        return np.array(counts, np.int64).reshape(-1, 2)

    def predict(self, texts: Sequence[str]) -> tuple[list[Any], Matrix]:
        """Tell the class of each text.

        Returns
        -------
        list of length n
            The most likely class; the first in `classes_` where several are.
        ndarray of shape (n, c), float32
            p, in the order of `classes_`; rows add up to 1.
        """
        logits = self.encode(texts).astype(np.float64) @ self.class_vectors_.T.astype(np.float64)
        chances = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        return [self.classes_[best] for best in chances.argmax(axis=1)], chances.astype(np.float32)

    def entities(self) -> tuple[list[str], Matrix]:
        """The words, the most frequent first, and their vectors of shape (v, dimension)."""
        self._require_fit()
        return self.vocabulary_.words, self.vectors_[: len(self.vocabulary_)]

    def entity_columns(self) -> dict[str, Any]:
        """Each word's ``count`` in the collection, and the ``class`` that it alone would speak for."""
        vectors = self.entities()[1]
        best = (vectors @ self.class_vectors_.T).argmax(axis=1)
        told = {"class": [self.classes_[place] for place in best]}
        return {"count": self.vocabulary_.counts.tolist(), **told}

    def facts(self) -> dict[str, Any]:
        """Seconds, texts, words, classes, features, and what each epoch came to (``curve``)."""
        return dict(self._facts)

    def state(self) -> State:
        """Give the words and their counts, the buckets that have a row, the weights, the classes."""
        if not hasattr(self, "vectors_"):
            return {}, {}
        packed = {f"words.{key}": array for key, array in pack(self.vocabulary_.words).items()}
        arrays = {
            **packed,
            "counts": self.vocabulary_.counts,
            "buckets": self._features.used,
            "table.weight": self.vectors_,
            "classes.weight": self.class_vectors_,
        }
        return arrays, {"classes": self.classes_}

    def restore(self, arrays: dict[str, npt.NDArray[Any]], values: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        if not arrays:
            return
        words = unpack({name: arrays[f"words.{name}"] for name in ("bytes", "ends")})
        used, counts = arrays["buckets"], arrays["counts"]
        table, classes = arrays["table.weight"], arrays["classes.weight"]
        rows, names = len(words) + len(used), list(values["classes"])
        shapes = [table.shape, classes.shape, counts.shape]
        wanted = [(rows, self.dimension), (len(names), self.dimension), (len(words),)]
        if shapes != wanted or not _ascending(used, self.buckets):
            raise ValueError(f"the arrays have the shapes {shapes}, not {wanted}")
        features = Features.of(used, len(words), self.ngrams, self.buckets)
        self._remember(Vocabulary(words, counts), features, table, classes, names)

    def _learn(self, corpus: TokenFile, classes: Classes, source: Source) -> dict[str, Any]:
        vocabulary, rows = corpus.cut(self.minimum_count)
        ids, made = corpus.tokens(0, corpus.length), hashes(corpus.words)
        told = (len(vocabulary), self.ngrams, self.buckets, self.minimum_count)
        features = Features.seen(ids, made, *told)
        weights, facts = self._train(features, features.bags(ids, rows, made), classes, source)
        table, class_vectors = weights["table.weight"], weights["classes.weight"]
        self._remember(vocabulary, features, table, class_vectors, classes.names)
        return facts | {
            "unlabeled": int((classes.codes < 0).sum()),
            "classes": len(classes.names),
            "words": corpus.total,
            "vocabulary": len(vocabulary),
            "ngram_buckets": features.size - len(vocabulary),
        }

    def _train(
        self, features: Features, bags: Bags, classes: Classes, source: Source
    ) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        """The network's weights, and what the training came to."""
        try:
            from spaceport.encoders._averaging import Averages, Averaging
            from spaceport.networks.training import Schedule, arrays_of, seeded, train
        except ModuleNotFoundError as error:
            raise MissingExtra.of("torch", "torch") from error
        learnt, held = held_out(classes.codes, self.validation, self.seed)
        with seeded(self.seed):
            size = (features.words, features.size, self.dimension, len(classes.names))
            network = Averages(*size)
        parts = (network, bags, classes.codes, learnt, held, self.batch_size, self.dropout)
        curve = train(
            Averaging(*parts),
            Schedule(self.epochs, self.learning_rate, self.patience, self.seed),
            checkpoints=self.checkpoints,
            identity=self._identity(source, classes) if self.checkpoints else "",
        )
        return arrays_of(network), {
            **curve.facts(),
            "texts": len(learnt),
            "held_out_texts": len(held),
        }

    def _identity(self, source: Source, classes: Classes) -> str:
        """What is trained on what; the digest of a source covers its contents only."""
        return f"{self.spec} {source.digest()} {classes.digest()}"

    def _remember(
        self,
        vocabulary: Vocabulary,
        features: Features,
        vectors: Matrix,
        class_vectors: Matrix,
        classes: list[Any],
    ) -> None:
        self.vocabulary_ = vocabulary
        self._features = features
        self.vectors_ = vectors
        self.class_vectors_ = class_vectors
        self.classes_ = classes

    def _require_fit(self) -> None:
        if not hasattr(self, "vectors_"):
            raise InputError(f"{self.spec} has not learnt anything yet.", "Call fit(source) first.")


def _ascending(used: npt.NDArray[Any], buckets: int) -> bool:
    """Whether these are different buckets, in order."""
    return bool((np.diff(used) > 0).all() and (used >= 0).all() and (used < buckets).all())
