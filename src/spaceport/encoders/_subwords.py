"""Vectors for words that were never seen, from the character n-grams that they are made of.

A word w with n-grams G_w (3 to 6 characters of ``<w>``, hashed to buckets) gets

    v(w) = 1/|G_w| Σ_{g ∈ G_w} z_g

and the z are fitted to the n words whose vectors v_w are known, after those were learnt:

    minimize Σ_w |v_w − v(w)|² + λ Σ_g |z_g|²

by conjugate gradients on the normal equations, (AᵀA + λ) Z = Aᵀ V with A_wg = 1/|G_w|, from Z = 0 for
a fixed number of rounds: every sum is taken in one order, so that the same words give the same bytes.

References
----------
Bojanowski, Grave, Joulin, Mikolov 2017, "Enriching Word Vectors with Subword Information", section
3.2 (the n-grams). Zhao, Mudgal, Liang 2018, "Generalizing Word Embeddings using Bag of Subwords",
section 3 (fitting them to vectors that are there). Hestenes, Stiefel 1952, "Methods of Conjugate
Gradients for Solving Linear Systems".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix
from spaceport.progress import track

__all__ = ["fit_ngrams", "ngrams", "spelled"]

_SHORTEST, _LONGEST = 3, 6
_RIDGE = 0.01
_ROUNDS = 10
_COLUMNS = 16  # dimensions that are solved for at once; bounds the memory

Floats = npt.NDArray[np.float32]


def ngrams(word: str) -> list[str]:
    """The n-grams of 3 to 6 characters of a word between ``<`` and ``>``.

    Examples
    --------
    >>> ngrams("cat")
    ['<ca', '<cat', '<cat>', 'cat', 'cat>', 'at>']
    """
    marked = f"<{word}>"
    return [
        marked[start : start + length]
        for start in range(len(marked) - _SHORTEST + 1)
        for length in range(_SHORTEST, min(_LONGEST, len(marked) - start) + 1)
    ]


def spelled(words: Sequence[str], buckets: int) -> Any:
    """The share that each bucket has of each word's n-grams, sparse (n, buckets), float32.

    The bucket of an n-gram is the CRC-32 of its UTF-8 bytes, modulo `buckets`.
    """
    from scipy.sparse import csr_array

    found = [
        [crc32(part.encode("utf-8", "surrogatepass")) % buckets for part in ngrams(word)]
        for word in words
    ]
    sizes = np.array([len(row) for row in found], dtype=np.int64)
    columns = np.fromiter((column for row in found for column in row), np.int64, int(sizes.sum()))
    shares = np.repeat(1 / np.maximum(sizes, 1), sizes).astype(np.float32)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    shared = csr_array((shares, columns, ends), shape=(len(words), buckets))
    shared.sum_duplicates()
    return shared


def fit_ngrams(words: Sequence[str], vectors: Matrix, buckets: int) -> Matrix:
    """Fit the vectors of n-grams to those of words.

    Parameters
    ----------
    words : sequence of n str
    vectors : ndarray of shape (n, d), float32
    buckets : int

    Returns
    -------
    ndarray of shape (buckets, d), float32
        Zero for a bucket that no word has an n-gram in.
    """
    A = spelled(words, buckets)
    AT = A.T.tocsr()
    Z = np.empty((buckets, vectors.shape[1]), dtype=np.float32)
    for first in track(range(0, vectors.shape[1], _COLUMNS), "fitting n-grams"):
        part = slice(first, first + _COLUMNS)
        Z[:, part] = _solve(A, AT, np.ascontiguousarray(vectors[:, part]))
    return Z


def _solve(A: Any, AT: Any, V: Floats) -> Floats:
    """Conjugate gradients for each column of V on its own."""
    residual: Floats = AT @ V
    Z, direction = np.zeros_like(residual), residual.copy()
    size = _squares(residual)
    for _ in range(_ROUNDS):
        image = AT @ (A @ direction) + np.float32(_RIDGE) * direction
        step = _ratio(size, np.einsum("gd,gd->d", direction, image, dtype=np.float64))
        Z += step * direction
        residual -= step * image
        before, size = size, _squares(residual)
        direction = residual + _ratio(size, before) * direction
    return Z


def _squares(X: Floats) -> npt.NDArray[np.float64]:
    squares: npt.NDArray[np.float64] = np.einsum("gd,gd->d", X, X, dtype=np.float64)
    return squares


def _ratio(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> Floats:
    """Give a / b, or 0 where a column is solved already."""
    return (a / np.where(b > 0, b, 1)).astype(np.float32)
