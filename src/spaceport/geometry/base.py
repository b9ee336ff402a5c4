"""What all of geometry shares: the metrics, row lengths, unit rows, and exact search.

Exact search takes a few candidates more than asked from a float32 product (NumPy for small work,
faiss for large), computes their similarities again in float64, and sorts by (similarity, index). The
answer is therefore that of a float64 search rounded to float32: it depends neither on the block size
nor on the number of threads, and identical rows tie exactly, the lower index first.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, Vector, integer, matrix
from spaceport.errors import InputError, ParameterError, choices

__all__ = ["METRICS", "Exact", "Found", "check_metric", "in_order", "nearest", "normalize", "norms"]

METRICS = ("cosine", "dot", "euclidean")

Found: TypeAlias = tuple[npt.NDArray[np.int64], Matrix]
Double: TypeAlias = npt.NDArray[np.float64]

_ROWS = 512
_SMALL = 1 << 22  # pairs up to which a plain product beats importing faiss
_QUERIES = 4096
_WIDE = 1 << 16
_EXTRA = 8
_PAIRS = 1 << 22  # similarities held at once
_GATHER = 1 << 22  # numbers gathered at once when candidates are scored again


def check_metric(metric: str) -> str:
    """Give `metric` back if it is one of `METRICS`.

    Raises
    ------
    ParameterError
        It is none of them; the message lists them.
    """
    if metric not in METRICS:
        raise ParameterError(f"There is no metric `{metric}`.", choices(str(metric), METRICS))
    return metric


def norms(X: npt.ArrayLike) -> Vector:
    """Length of each row.

    Parameters
    ----------
    X : array-like of shape (n, d)

    Returns
    -------
    ndarray of shape (n,), float32
        Summed in float64.

    Examples
    --------
    >>> norms([[3, 4], [0, 0]])
    array([5., 0.], dtype=float32)
    """
    X = matrix(X)
    lengths = np.empty(len(X), dtype=np.float32)
    for start in range(0, len(X), _ROWS):
        rows = X[start : start + _ROWS].astype(np.float64)
        lengths[start : start + _ROWS] = np.sqrt(np.einsum("nd,nd->n", rows, rows))
    return lengths


def normalize(X: npt.ArrayLike) -> Matrix:
    """Scale each row to length one; a row of zeros stays zero.

    Parameters
    ----------
    X : array-like of shape (n, d)

    Returns
    -------
    ndarray of shape (n, d), float32

    Examples
    --------
    >>> normalize([[3, 4], [0, 0]])
    array([[0.6, 0.8],
           [0. , 0. ]], dtype=float32)
    """
    X = matrix(X)
    unit = np.empty_like(X)
    for start in range(0, len(X), _ROWS):
        rows = X[start : start + _ROWS].astype(np.float64)
        lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))
        lengths[lengths == 0] = 1
        rows *= (1 / lengths)[:, None]
        unit[start : start + _ROWS] = rows
    return unit


def nearest(X: npt.ArrayLike, queries: npt.ArrayLike, k: int, metric: str = "cosine") -> Found:
    """Exact `k` nearest rows of `X` for each query.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Where rows have unit length already, ``metric="dot"`` gives the same and saves the scaling.
    queries : array-like of shape (q, d)
    k : int
        Where `k` is larger than n, n neighbors come.
    metric : {"cosine", "dot", "euclidean"}

    Returns
    -------
    indices : ndarray of shape (q, k), int64
        Best first; ties go to the lower index.
    similarities : ndarray of shape (q, k), float32
        ``"euclidean"`` gives minus the distance.

    Raises
    ------
    InputError
        `X` has no rows, or the dimensions differ.

    Notes
    -----
    Of rows that tie with the k-th to within float32's last digits, only the ``4 k + 64`` with the
    lowest indices are compared by their last digits; the others count as ties and stay out.

    Examples
    --------
    >>> nearest([[1, 0], [0, 1], [2, 0]], [[1, 0.1]], k=2)
    (array([[0, 2]]), array([[0.9950372, 0.9950372]], dtype=float32))
    """
    check_metric(metric)
    X = matrix(X)
    Q = matrix(queries, "queries", X.shape[1])
    if not len(X):
        raise InputError("There are no rows to search in.", "Give `X` at least one row.")
    k = min(integer(k, "k", 1), len(X))
    search = Exact(X, metric)
    indices = np.empty((len(Q), k), dtype=np.int64)
    scores = np.empty((len(Q), k), dtype=np.float32)
    for start in range(0, len(Q), _QUERIES):
        block = slice(start, start + _QUERIES)
        indices[block], scores[block] = search(Q[block], k)
    return indices, scores


def in_order(indices: npt.NDArray[np.int64], scores: Matrix) -> Found:
    """Sort each row by descending score, ties by the lower index; both have shape (q, k)."""
    order = np.lexsort((indices, -scores), axis=1)
    return np.take_along_axis(indices, order, axis=1), np.take_along_axis(scores, order, axis=1)


class Exact:
    """Exact search among the rows of `X`, made ready once; `nearest` says what a call gives."""

    def __init__(self, X: Matrix, metric: str) -> None:
        self.metric = metric
        self.rows = normalize(X) if metric == "cosine" else X
        self.center = np.zeros(X.shape[1], dtype=np.float32)
        self.near_zero = self.rows
        if metric == "euclidean":
            self.center = X.mean(axis=0, dtype=np.float64).astype(np.float32)
            self.near_zero = X - self.center
        self.lengths = np.ones(len(X), dtype=np.float32)
        if metric != "cosine":
            self.lengths = np.sqrt(np.einsum("nd,nd->n", self.near_zero, self.near_zero))

    def __call__(self, queries: Matrix, k: int) -> Found:
        """Find the `k` <= n nearest rows for a block of queries, shape (q, d)."""
        Q = normalize(queries) if self.metric == "cosine" else queries
        shifted = Q - self.center if self.metric == "euclidean" else Q  # so that less cancels
        wide = min(len(self.rows), k + _EXTRA)
        candidates, worst = self._candidates(shifted, wide)
        indices, scores = in_order(candidates, self._score(Q, candidates))
        indices, scores = indices[:, :k], scores[:, :k]
        if wide < len(self.rows):
            bar = _product_of(scores[:, -1], self.metric)  # what an omitted row must reach
            error = self._error(shifted, self.lengths.max(), 2**-23)  # (q, 1)
            doubtful = np.flatnonzero(bar <= worst + error[:, 0])
            self._reconsider(Q, shifted, doubtful, bar, indices, scores)
        return indices, scores

    def _candidates(self, Q: Matrix, wide: int) -> tuple[npt.NDArray[np.int64], Vector]:
        """Give `wide` rows that look nearest in float32, and how near the last of them looks."""
        if len(Q) * len(self.rows) <= _SMALL:
            products = _products(Q, self.near_zero, self.metric)
            found = np.argpartition(-products, wide - 1, axis=1)[:, :wide]
            return found, np.take_along_axis(products, found, axis=1).min(axis=1)
        import faiss

        euclidean = self.metric == "euclidean"
        kind = faiss.METRIC_L2 if euclidean else faiss.METRIC_INNER_PRODUCT
        distances, found = faiss.knn(Q, self.near_zero, wide, metric=kind)
        return found, -distances[:, -1] if euclidean else distances[:, -1]

    def _fine_products(self, Q: Matrix) -> Double:
        """Products in float64, shape (q, n)."""
        origin = self.center.astype(np.float64)
        products = np.empty((len(Q), len(self.rows)))
        for start in range(0, len(self.rows), _WIDE):
            block = slice(start, start + _WIDE)
            products[:, block] = _products(Q - origin, self.rows[block] - origin, self.metric)
        return products

    def _score(self, Q: Matrix, candidates: npt.NDArray[np.int64]) -> Matrix:
        """Similarity of each query with its own candidates, in float64, given as float32."""
        scores = np.empty(candidates.shape, dtype=np.float32)
        step = max(1, _GATHER // (candidates.shape[1] * Q.shape[1]))
        for start in range(0, len(Q), step):
            block = slice(start, start + step)
            left = Q[block].astype(np.float64)
            right = self.rows[candidates[block]].astype(np.float64)  # (b, w, d)
            if self.metric == "euclidean":
                right -= left[:, None]
                scores[block] = 0 - np.sqrt(np.einsum("bwd,bwd->bw", right, right))
            else:
                scores[block] = np.einsum("bd,bwd->bw", left, right)
        return np.clip(scores, -1, 1) if self.metric == "cosine" else scores

    def _error(self, Q: Matrix, lengths: Vector, unit: float) -> Double:
        """How far a product can be off: d rounding units of its largest term, shape (q, lengths)."""
        asked = norms(Q).astype(np.float64)[:, None]
        largest = (asked + lengths) ** 2 if self.metric == "euclidean" else asked * lengths
        error: Double = largest * Q.shape[1] * unit
        return error

    def _reconsider(
        self,
        Q: Matrix,
        shifted: Matrix,
        doubtful: npt.NDArray[np.int64],
        bar: Vector,
        indices: npt.NDArray[np.int64],
        scores: Matrix,
    ) -> None:
        """Search again, in place, where a row left out may tie with the k-th or beat it."""
        k = indices.shape[1]
        step = max(1, _PAIRS // len(self.rows))
        for start in range(0, len(doubtful), step):
            block = doubtful[start : start + step]
            above_bar = self._fine_products(Q[block]) - bar[block, None]
            margin = self._error(shifted[block], self.lengths, 2**-51)  # (b, n)
            margin += np.abs(bar[block, None]) * 2.0**-22  # they tie once they are float32
            for query, ahead, tie in zip(block, above_bar, margin, strict=True):
                level = np.flatnonzero(np.abs(ahead) <= tie)[: 4 * k + 64]
                near = np.union1d(np.flatnonzero(ahead > tie), level)[None]
                best = in_order(near, self._score(Q[query : query + 1], near))
                indices[query], scores[query] = best[0][0, :k], best[1][0, :k]


def _products(Q: npt.NDArray[Any], rows: npt.NDArray[Any], metric: str) -> npt.NDArray[Any]:
    """x·q, or -|x - q|² where the metric is euclidean; shape (q, n), the dtype of what comes in."""
    products: npt.NDArray[Any] = Q @ rows.T
    if metric == "euclidean":
        products *= 2
        products -= np.einsum("nd,nd->n", rows, rows)
        products -= np.einsum("qd,qd->q", Q, Q)[:, None]
    return products


def _product_of(scores: Vector, metric: str) -> Vector:
    """Undo the root and sign of the Euclidean similarity: -|x - q|²."""
    return -(scores**2) if metric == "euclidean" else scores
