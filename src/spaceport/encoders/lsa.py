"""Latent semantic analysis: tf-idf and a truncated singular value decomposition.

::

    a_ij = (1 + ln n_ij) (1 + ln((1 + N) / (1 + N_j)))   word j in text i, rows scaled to unit length
    A ≈ U S Vᵀ                                           the `dimension` largest singular values
    W_j = V_j / |V_j|                                    with terms="unit"; W = V with terms="plain"
    φ(text) = a W, scaled to unit length                 (= U S for the texts themselves, if plain)

N texts, N_j of them with word j. With plain terms inner products stay as near to those of the rows
of A as so few dimensions allow (Eckart-Young), but a rare word, whose V_j is short, is then all but
lost from a short query. Unit terms give each word its own tf-idf weight back and keep its direction:
``python -m benchmarks lsa`` shows what that does for titles that look for their abstracts.

Deerwester, S. et al. (1990). Indexing by Latent Semantic Analysis. JASIS 41. The decomposition is
that of Halko, Martinsson & Tropp (2011), `_decomposition.py`.
"""

from __future__ import annotations

import time
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, integer, pack, unpack
from spaceport.encoders._decomposition import decompose
from spaceport.encoders.base import Encoder, State
from spaceport.errors import InputError, ParameterError, choices
from spaceport.geometry.similarity import normalize
from spaceport.progress import task
from spaceport.sources.base import Source
from spaceport.tokens import WORDS, Tokenizer

__all__ = ["LSA"]

_WEIGHTINGS = ("sublinear", "linear")
_TERMS = ("unit", "plain")


class LSA(Encoder):
    """Tf-idf weights of a text's words, projected on the main directions of a collection.

    Parameters
    ----------
    dimension : int
    minimum_count : int
        Words that stand in fewer texts are left out.
    maximum_share : float
        Words that stand in a larger share of the texts are left out, in (0, 1].
    token_pattern : str
        See `spaceport.tokens.Tokenizer`.
    lowercase : bool
    weighting : {"sublinear", "linear"}
        A word that stands n times in a text counts 1 + ln n, or n.
    terms : {"unit", "plain"}
        Words enter a text's vector with directions of unit length, or as V has them.
    seed : int
        For the random start of the decomposition.

    Attributes
    ----------
    words_ : list of str
        The vocabulary, v words, sorted.
    idf_ : ndarray of shape (v,), float32
        1 + ln((1 + N) / (1 + N_j)).
    components_ : ndarray of shape (v, d), float32
        V; each column's largest entry in magnitude is positive, the lowest index in a tie.
    singular_values_ : ndarray of shape (d,), float32
        Descending.

    Examples
    --------
    >>> from spaceport.sources.base import Source
    >>> import pyarrow as pa
    >>> class Poem(Source):
    ...     modality, unique_ids = "texts", True
    ...     def read(self):
    ...         lines = ["the cat sat", "the dog sat", "a dog and a cat", "stocks fell", "stocks rose"]
    ...         yield pa.record_batch({"id": list("abcde"), "content": lines})
    ...     def size(self):
    ...         return 60
    >>> encoder = LSA(dimension=2).fit(Poem())
    >>> encoder.words_
    ['cat', 'dog', 'sat', 'stocks', 'the']
    >>> cat, dog, stocks = encoder.encode(["my cat", "one dog", "stocks"])
    >>> (cat @ dog).round(2), abs((cat @ stocks).round(2))
    (np.float32(1.0), np.float32(0.0))
    """

    modality: ClassVar[str] = "texts"
    also: ClassVar[tuple[str, ...]] = ("words",)
    fitted: ClassVar[bool] = True
    leading: ClassVar[bool] = True

    def __init__(
        self,
        dimension: int = 100,
        minimum_count: int = 2,
        maximum_share: float = 0.5,
        token_pattern: str = WORDS,
        lowercase: bool = True,
        weighting: str = "sublinear",
        terms: str = "unit",
        seed: int = 0,
    ) -> None:
        self.dimension = integer(dimension, "dimension", 1)
        self.minimum_count = integer(minimum_count, "minimum_count", 1)
        self.maximum_share = maximum_share
        self.token_pattern = token_pattern
        self.lowercase = lowercase
        self.weighting = weighting
        self.terms = terms
        self.seed = integer(seed, "seed", 0)
        if not 0 < maximum_share <= 1:
            raise ParameterError(
                f"`maximum_share` must be in (0, 1]. Got {maximum_share!r}.",
                "Use 1 to keep all words.",
            )
        if weighting not in _WEIGHTINGS:
            raise ParameterError(
                f"There is no weighting `{weighting}`.", choices(str(weighting), _WEIGHTINGS)
            )
        if terms not in _TERMS:
            raise ParameterError(f"There are no `{terms}` terms.", choices(str(terms), _TERMS))
        self._tokens = Tokenizer(token_pattern, lowercase)
        self._index: dict[str, int] = {}
        self._facts: dict[str, Any] = {}

    def fit(self, source: Source) -> LSA:
        """Learn the vocabulary, the weights and the directions; keeps only the sparse counts.

        Raises
        ------
        InputError
            `dimension` is larger than the vocabulary or the number of texts.
        """
        began = time.perf_counter()
        counts, words, running = _count(source.contents(), self._tokens)
        counts, self.words_, frequency = self._select(counts, words)
        texts = counts.shape[0]
        self._index = {word: column for column, word in enumerate(self.words_)}
        self.idf_ = (1 + np.log((1 + texts) / (1 + frequency))).astype(np.float32)
        weighted = self._weigh(counts)
        values, components = decompose(weighted, self.dimension, self.seed)
        self.singular_values_, self.components_ = values, components
        self._directions = self._term_directions()
        seconds = time.perf_counter() - began
        self._facts = {
            "seconds": seconds,
            "texts": texts,
            "words": running,
            "vocabulary": len(self.words_),
            "words_per_second": running / seconds,
            "explained": float((values.astype(np.float64) ** 2).sum() / weighted.power(2).sum()),
        }
        return self

    def encode_batch(self, items: Sequence[str], role: str = "document") -> Matrix:
        """Encode texts as unit rows; a text without a known word is a row of zeros."""
        if not self._index:
            raise InputError(f"{self.spec} has not learnt anything yet.", "Call fit(source) first.")
        counts = [Counter(self._tokens(text)) for text in items]
        known = [{self._index[w]: n for w, n in c.items() if w in self._index} for c in counts]
        weighted = self._weigh(_sparse(known, len(self._index)))
        return normalize(weighted @ self._directions)

    def unseen(self, items: Sequence[Any]) -> npt.NDArray[np.int64]:
        """Of each text its words and those without a vector (rare, unknown, or too common), (n, 2)."""
        texts = [self._tokens(text) for text in items]
        counts = [(len(words), sum(word not in self._index for word in words)) for words in texts]
        return np.array(counts, np.int64).reshape(-1, 2)

    def facts(self) -> dict[str, Any]:
        """Give seconds, texts, running words, words per second, and the share of A's squares in S."""
        return dict(self._facts)

    def state(self) -> State:
        """Give the vocabulary, the weights and the directions."""
        if not self._index:
            return {}, {}
        arrays = {f"words.{name}": array for name, array in pack(self.words_).items()}
        arrays |= {
            "idf": self.idf_,
            "components": self.components_,
            "singular_values": self.singular_values_,
        }
        return arrays, {}

    def restore(self, arrays: dict[str, npt.NDArray[Any]], values: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        if not arrays:
            return
        self.words_ = unpack({name: arrays[f"words.{name}"] for name in ("bytes", "ends")})
        self.idf_ = arrays["idf"]
        self.components_ = arrays["components"]
        self.singular_values_ = arrays["singular_values"]
        v, d = len(self.words_), self.dimension
        shapes = [self.idf_.shape, self.components_.shape, self.singular_values_.shape]
        if shapes != [(v,), (v, d), (d,)]:
            raise ValueError(f"the arrays of {v} words in {d} dimensions have the shapes {shapes}")
        self._index = {word: column for column, word in enumerate(self.words_)}
        self._directions = self._term_directions()

    def _term_directions(self) -> Matrix:
        """W: what a word adds to a text's vector, (v, d)."""
        return normalize(self.components_) if self.terms == "unit" else self.components_

    def _select(
        self, counts: Any, words: list[str]
    ) -> tuple[Any, list[str], npt.NDArray[np.int64]]:
        """Leave out rare and common words; the columns that remain stand in the words' order."""
        texts = counts.shape[0]
        frequency = np.bincount(counts.indices, minlength=len(words))
        kept = np.flatnonzero(
            (frequency >= self.minimum_count) & (frequency <= self.maximum_share * texts)
        )
        columns = np.array(sorted(kept, key=words.__getitem__), dtype=np.int64)
        if self.dimension > min(texts, len(columns)):
            raise InputError(
                f"`dimension` is {self.dimension}, but there are {texts} texts and "
                f"{len(columns)} words in the vocabulary.",
                "Choose a smaller dimension, or keep more words (minimum_count, maximum_share).",
            )
        return counts[:, columns], [words[column] for column in columns], frequency[columns]

    def _weigh(self, counts: Any) -> Any:
        """Give tf-idf rows of unit length, (n, v) sparse float32."""
        weighted = counts.astype(np.float32)
        if self.weighting == "sublinear":
            weighted.data = 1 + np.log(weighted.data)
        weighted.data *= self.idf_[weighted.indices]
        row = np.repeat(np.arange(weighted.shape[0]), np.diff(weighted.indptr))
        lengths = np.sqrt(np.bincount(row, weighted.data.astype(np.float64) ** 2))
        weighted.data = (weighted.data / lengths[row]).astype(np.float32)
        return weighted


def _count(batches: Iterable[list[str]], tokens: Tokenizer) -> tuple[Any, list[str], int]:
    """Word counts (texts, words) sparse, the words in order of appearance, and the running words."""
    from scipy.sparse import csr_array

    index: dict[str, int] = {}
    columns, times, ends = array("i"), array("i"), array("q", [0])
    with task("counting words", None, "texts") as work:
        for texts in batches:
            for text in texts:
                counted = Counter(tokens(text))
                columns.extend([index.setdefault(word, len(index)) for word in counted])
                times.extend(counted.values())
                ends.append(len(columns))
            work.advance(len(texts))
    data = np.frombuffer(times, dtype=np.int32) if times else np.empty(0, dtype=np.int32)
    where = np.frombuffer(columns, dtype=np.int32) if columns else np.empty(0, dtype=np.int32)
    counts = csr_array((data, where, np.array(ends)), shape=(len(ends) - 1, len(index)))
    return counts, list(index), int(data.sum(dtype=np.int64))


def _sparse(rows: list[dict[int, int]], width: int) -> Any:
    from scipy.sparse import csr_array

    sizes = [len(row) for row in rows]
    columns = np.array([column for row in rows for column in row], dtype=np.int32)
    times = np.array([n for row in rows for n in row.values()], dtype=np.int32)
    return csr_array((times, columns, np.cumsum([0, *sizes])), shape=(len(rows), width))
