"""Words by the company they keep, counted and factored: positive pointwise mutual information and SVD."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, Vector, integer, positive
from spaceport.encoders._cooccurrence import Bands, Cooccurrences, Counting, count_pairs
from spaceport.encoders._decomposition import decompose
from spaceport.encoders._words import WordEncoder
from spaceport.encoders.base import State
from spaceport.errors import ParameterError
from spaceport.tokens import WORDS
from spaceport.vocabulary import TokenFile, Vocabulary

__all__ = ["PpmiSvd", "shifted_ppmi"]


class PpmiSvd(WordEncoder):
    """A truncated singular value decomposition of shifted positive pointwise mutual information.

    With X_ij the co-occurrence counts (as for `glove`), x_i = Σ_j X_ij and a = `smoothing`,

        M_ij = max(0, ln(X_ij Σ_k x_k^a / (x_i x_j^a)) − ln shift)
        M ≈ U S Vᵀ                                  the `dimension` largest singular values
        W = U S^p                                   p = `eigenvalue_weight`

    and the vectors given are the rows of W.

    Parameters
    ----------
    dimension : int
        Of the vectors, at most the size of the vocabulary.
    window : int
        Reach, in words to each side. Words that are left out do not count; a text ends a window.
    shift : float
        The k of word2vec's k negatives: the logarithm of it is taken from each entry; 1 takes
        nothing.
    smoothing : float
        Exponent of the context's distribution; below 1, rare contexts score lower.
    eigenvalue_weight : float
        p: 0 gives every direction the same weight, 1 its singular value.
    minimum_count : int
        Words that stand less often are left out.
    distance_weighting : bool
        A pair at distance d counts 1/d, or 1.
    memory : int
        MiB that the counting may use; what does not fit goes to a temporary file. The counts do not
        depend on it. The matrix itself is held in memory, 8 bytes an entry.
    seed : int
        For the random start of the decomposition.
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
    singular_values_ : ndarray of shape (dimension,), float32
        Descending.

    References
    ----------
    Levy, Goldberg 2014, "Neural Word Embedding as Implicit Matrix Factorization", section 4. Levy,
    Goldberg, Dagan 2015, "Improving Distributional Similarity with Lessons Learned from Word
    Embeddings", sections 2 and 3.

    Examples
    --------
    >>> PpmiSvd(dimension=50, shift=5.0).spec
    'ppmi_svd(dimension=50, shift=5.0)'
    """

    def __init__(
        self,
        dimension: int = 100,
        window: int = 5,
        shift: float = 1.0,
        smoothing: float = 0.75,
        eigenvalue_weight: float = 0.5,
        minimum_count: int = 5,
        distance_weighting: bool = True,
        memory: int = 512,
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
        self.shift = shift
        self.smoothing = smoothing
        self.eigenvalue_weight = eigenvalue_weight
        self.distance_weighting = distance_weighting
        self.memory = memory
        self.seed = seed
        self.neutral = frozenset({"memory"})
        integer(window, "window", 1)
        integer(memory, "memory", 1)
        integer(seed, "seed", 0)
        positive(smoothing, "smoothing")
        positive(eigenvalue_weight, "eigenvalue_weight", zero=True)
        if positive(shift, "shift") < 1:
            raise ParameterError(
                f"`shift` must be at least 1. Got {shift!r}.", "Use 1 to shift nothing."
            )

    def learn(
        self, corpus: TokenFile, vocabulary: Vocabulary, rows: npt.NDArray[np.int32]
    ) -> tuple[Matrix, dict[str, Any]]:
        """Count and decompose; gives the vectors, and the share of M's squares in S."""
        told = Counting(self.window, True, self.distance_weighting, self.memory)
        with count_pairs(corpus, rows, Bands(len(vocabulary), 1), told) as counts:
            X = _matrix(counts)
        start = time.perf_counter()
        M = shifted_ppmi(X, self.shift, self.smoothing)
        values, right = decompose(M, self.dimension, self.seed)
        self.singular_values_ = values
        seconds = time.perf_counter() - start
        squares = float(np.square(M.data, dtype=np.float64).sum())
        facts = {"seconds": seconds, "pairs": counts.pairs, "counting_seconds": counts.seconds}
        facts |= {"entries": X.nnz, "positive_entries": M.nnz}
        facts["explained"] = float(np.square(values, dtype=np.float64).sum()) / max(squares, 1e-300)
        return _left(M, values, right, self.eigenvalue_weight), facts

    def state(self) -> State:
        """Words, counts, vectors and singular values."""
        arrays, values = super().state()
        return arrays | ({"singular_values": self.singular_values_} if arrays else {}), values

    def restore(self, arrays: dict[str, npt.NDArray[Any]], values: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        super().restore(arrays, values)
        if arrays:
            self.singular_values_ = arrays["singular_values"]


def shifted_ppmi(X: Any, shift: float = 1.0, smoothing: float = 1.0) -> Any:
    """Positive pointwise mutual information of counts, minus ln `shift`; the formula of `PpmiSvd`.

    Parameters
    ----------
    X : sparse array of shape (n, m)
        Counts of words in contexts, above zero.

    Returns
    -------
    csr_array of shape (n, m), float32
        Only the entries above zero.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> shifted_ppmi(csr_array([[2.0, 1.0], [1.0, 4.0]])).toarray().round(2)
    array([[0.58, 0.  ],
           [0.  , 0.25]], dtype=float32)
    """
    M = X.tocsr().astype(np.float32)
    words = np.asarray(M.sum(axis=1, dtype=np.float64))  # (n,)
    contexts = np.asarray(M.sum(axis=0, dtype=np.float64)) ** smoothing  # (m,)
    with np.errstate(divide="ignore"):  # a word without company has no entry to use its logarithm
        rows, columns = np.log(words), np.log(contexts)
    row = np.repeat(np.arange(M.shape[0], dtype=np.int32), np.diff(M.indptr))
    level = np.log(contexts.sum()) - np.log(shift) if M.nnz else 0.0
    M.data = np.maximum(np.log(M.data) + level - rows[row] - columns[M.indices], 0).astype(
        np.float32
    )
    M.eliminate_zeros()
    return M


def _matrix(counts: Cooccurrences) -> Any:
    """All the counts, (n, n) sparse."""
    from scipy.sparse import csr_array

    entries = counts.block(0, 0)
    n = counts.bands.words
    return csr_array((entries["count"], (entries["row"], entries["column"])), shape=(n, n))


def _left(M: Any, values: Vector, right: Matrix, weight: float) -> Matrix:
    """U S^p = M V S^(p − 1); zero where the singular value is."""
    above = values > values.max(initial=0) * np.finfo(np.float32).eps
    scale = np.where(above, np.where(above, values, 1) ** np.float32(weight - 1), 0)
    W: Matrix = ((M @ right) * scale).astype(np.float32)
    return np.ascontiguousarray(W)
