"""Pairs of texts as matrices: what is held out, how words are weighed, and their main directions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, Vector
from spaceport.encoders._decomposition import decompose
from spaceport.encoders._two_languages import Corpus
from spaceport.geometry.base import normalize

__all__ = ["decomposed", "held_out", "log_entropy", "shares"]

_NOTHING = 1e-6

Places = npt.NDArray[np.int64]


def held_out(corpus: Corpus, share: float, seed: int) -> tuple[Places, Places]:
    """Rows to learn from, and rows held out.

    A `share` of the left side's distinct texts is drawn, at least one, and held out with all pairs
    that have it, so that no left text is on both sides.
    """
    texts, which = np.unique(corpus.left.texts, return_inverse=True)
    count = max(1, round(share * len(texts)))
    chosen = np.zeros(len(texts), bool)
    chosen[np.random.default_rng(seed).choice(len(texts), count, replace=False)] = True
    return np.flatnonzero(~chosen[which]), np.flatnonzero(chosen[which])


def shares(corpus: Corpus, sif: float) -> Vector:
    """Weights s / (s + p(w)) of all words, the left language's first; p is a word's share of its own."""
    p = [side.frequencies / max(1, side.frequencies.sum()) for side in corpus]
    found: Vector = (sif / (sif + np.concatenate(p))).astype(np.float32)
    return found


def decomposed(corpus: Corpus, dimension: int, seed: int) -> Matrix:
    """The words' directions among the leading right singular vectors, as unit rows (n, dimension)."""
    from scipy.sparse import hstack

    counts = hstack([side.counts for side in corpus], format="csr")
    return normalize(decompose(log_entropy(counts), dimension, seed)[1])


def log_entropy(counts: Any) -> Any:
    """Weigh counts n_ij of word j in text i, (n, v) sparse float32, rows of unit length.

    a_ij = ln(1 + n_ij) (1 + Σ_i p_ij ln p_ij / ln n), p_ij = n_ij / Σ_i n_ij (Dumais 1991, "Improving
    the retrieval of information from external sources"): a word that stands evenly in all texts weighs
    nothing.
    """
    from scipy.sparse import csr_array

    found = counts.tocoo()
    total = np.bincount(found.col, found.data, counts.shape[1])
    p = found.data / total[found.col]
    entropy = np.bincount(found.col, p * np.log(p), counts.shape[1])
    weights = 1 + entropy / np.log(max(2, counts.shape[0]))
    weights[weights < _NOTHING] = 0  # else rounding would be scaled up to unit length
    data = np.log1p(found.data) * weights[found.col]
    lengths = np.sqrt(np.bincount(found.row, data**2, counts.shape[0]))
    data = data / np.where(lengths > 0, lengths, 1)[found.row]
    return csr_array((data.astype(np.float32), (found.row, found.col)), shape=counts.shape)
