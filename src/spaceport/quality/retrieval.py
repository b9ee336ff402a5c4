"""Retrieval: whether what is relevant to a query stands among its nearest items."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, integer
from spaceport.errors import InputError, ParameterError
from spaceport.geometry.neighbors import nearest

__all__ = ["MEASURES", "retrieval"]

MEASURES = ("ndcg", "recall")


def retrieval(
    index: Matrix,
    queries: Matrix,
    relevant: Sequence[Collection[int]],
    k: int = 10,
    measure: str = "ndcg",
    metric: str = "cosine",
) -> npt.NDArray[np.float64]:
    r"""Score each query by where its relevant items stand among its `k` nearest, found exactly.

    With the relevant items R of a query and hit(i) = 1 where its i-th nearest item is one of them:
    recall@k = sum of hit(i) / \|R\|, and NDCG@k = sum of hit(i) / log2(i + 1), over what it would be with
    all of R first (at most k of them).

    Parameters
    ----------
    index, queries : ndarray of shape (n, d) and (m, d), float32
    relevant : sequence of m collections of int
        Rows of `index`.
    k : int
    measure : {"ndcg", "recall"}
    metric : {"cosine", "dot", "euclidean"}

    Returns
    -------
    ndarray of shape (m,), float64, in [0, 1]

    References
    ----------
    Järvelin, Kekäläinen 2002, "Cumulated gain-based evaluation of IR techniques".

    Examples
    --------
    >>> index = np.eye(3, dtype=np.float32)
    >>> retrieval(index, index[:2], [{0}, {0, 1}], k=1, measure="recall").tolist()
    [1.0, 0.5]
    """
    if measure not in MEASURES:
        raise ParameterError(
            f"`measure` must be one of {', '.join(MEASURES)}. Got {measure!r}.", "Choose one."
        )
    if len(relevant) != len(queries) or not all(relevant):
        raise InputError(
            f"{len(queries)} queries came with {len(relevant)} sets of relevant items, or an empty one.",
            "Give at least one relevant item for each query.",
        )
    found, _ = nearest(index, queries, min(integer(k, "k", 1), len(index)), metric)
    hits = np.array(
        [[place in wanted for place in row] for row, wanted in zip(found, relevant, strict=True)]
    )
    counts = np.array([len(wanted) for wanted in relevant])
    if measure == "recall":
        shares: npt.NDArray[np.float64] = hits.sum(axis=1) / counts
        return shares
    gains = 1 / np.log2(np.arange(2, k + 2))  # (k,)
    ideal = np.cumsum(gains)[np.minimum(counts, k) - 1]
    scores: npt.NDArray[np.float64] = hits @ gains[: hits.shape[1]] / ideal
    return scores
