"""Feature hashing of words: no training, no dependency but NumPy, the same vector everywhere.

::

    φ(text) = Σ_w (1 + ln n_w) |G_w|^-½ Σ_{g ∈ G_w} ξ(g) e_{h(g)},   scaled to unit length

n_w is how often the word w stands in the text; G_w is the word itself and, if asked for, its
character n-grams; h (the dimension) and ξ (the sign) come from one BLAKE2b hash.

Weinberger, K. et al. (2009). Feature Hashing for Large Scale Multitask Learning. ICML. Section 2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from itertools import chain
from typing import ClassVar

import numpy as np

from spaceport.arrays import Matrix, integer
from spaceport.encoders.base import Encoder
from spaceport.geometry.similarity import normalize
from spaceport.tokens import WORDS, Tokenizer

__all__ = ["Hashing"]

_KEPT = 1 << 20


class Hashing(Encoder):
    """Signed feature hashing of a text's words into `dimension` numbers.

    Two texts are near when they share words; it knows nothing of meaning, and common words weigh as
    much as rare ones. Its use is as a baseline, and in examples and tests, which run offline.

    Parameters
    ----------
    dimension : int
    ngrams : int
        Length of the character n-grams that stand beside each word, taken from ``<word>`` with its
        end marks so that kindred forms are near (Bojanowski et al. 2017); 0 for none.
    token_pattern : str
        See `spaceport.tokens.Tokenizer`.
    lowercase : bool
    seed : int
        Another seed, another hash function.

    Examples
    --------
    >>> encoder = Hashing(dimension=64)
    >>> X = encoder.encode(["read a csv file", "reads a file of csv", "a banana", ""])
    >>> X.shape, X.dtype.name
    ((4, 64), 'float32')
    >>> (X @ X[0]).round(2)
    array([1.  , 0.67, 0.35, 0.  ], dtype=float32)
    """

    modality: ClassVar[str] = "texts"
    also: ClassVar[tuple[str, ...]] = ("words",)

    def __init__(
        self,
        dimension: int = 256,
        ngrams: int = 0,
        token_pattern: str = WORDS,
        lowercase: bool = True,
        seed: int = 0,
    ) -> None:
        self.dimension = integer(dimension, "dimension", 1)
        self.ngrams = integer(ngrams, "ngrams", 0)
        self.token_pattern = token_pattern
        self.lowercase = lowercase
        self.seed = integer(seed, "seed", 0, 2**64 - 1)
        self._words = Tokenizer(token_pattern, lowercase)
        self._codes = _Codes(dimension, ngrams, seed)

    def encode_batch(self, items: Sequence[str], role: str = "document") -> Matrix:
        """Encode texts as unit rows; a text without words is a row of zeros."""
        counts = [Counter(self._words(text)) for text in items]
        codes = [self._codes[word] for count in counts for word in count]
        many = np.fromiter(map(len, codes), np.int64, len(codes))  # (words,)
        flat = np.fromiter(chain.from_iterable(codes), np.int64, int(many.sum()))  # (features,)
        rows = np.repeat(np.arange(len(items)), [len(count) for count in counts])  # (words,)
        times = np.fromiter(
            chain.from_iterable(count.values() for count in counts), np.float64, len(codes)
        )
        weights = np.repeat((1 + np.log(times)) / np.sqrt(many), many)
        places = np.repeat(rows, many) * self.dimension + flat // 2
        signed = weights * (1 - 2 * (flat % 2))
        sums = np.bincount(places, signed, minlength=len(items) * self.dimension)
        return normalize(sums.reshape(len(items), self.dimension))


class _Codes(dict[str, tuple[int, ...]]):
    """The features of each word met so far: twice the dimension, plus one where the sign is minus."""

    def __init__(self, dimension: int, ngrams: int, seed: int) -> None:
        super().__init__()
        self._dimension = dimension
        self._ngrams = ngrams
        self._salt = seed.to_bytes(8, "little")

    def __missing__(self, word: str) -> tuple[int, ...]:
        if len(self) >= _KEPT:
            self.clear()
        features = [word, *_ngrams(word, self._ngrams)]
        self[word] = codes = tuple(self._code(feature) for feature in features)
        return codes

    def _code(self, feature: str) -> int:
        encoded = feature.encode("utf-8", "surrogatepass")
        number = int.from_bytes(blake2b(encoded, digest_size=8, salt=self._salt).digest(), "little")
        return (number >> 1) % self._dimension * 2 + (number & 1)


def _ngrams(word: str, length: int) -> list[str]:
    """Character n-grams of ``<word>``; the marks keep them apart from the word itself."""
    marked = f"<{word}>"
    return [marked[i : i + length] for i in range(len(marked) - length + 1)] if length else []
