"""Nearest neighbors: exact, blockwise; and through a faiss index whose recall is measured.

Exact search takes a few candidates more than asked from a float32 product (NumPy for small work,
faiss for large), computes their similarities again in float64, and sorts by (similarity, index). The
answer is therefore that of a float64 search rounded to float32: it depends neither on the block size
nor on the number of threads, and identical rows tie exactly, the lower index first.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, generator, integer, matrix
from spaceport.errors import CorruptError, InputError
from spaceport.geometry.base import check_metric, normalize, norms
from spaceport.progress import task

__all__ = ["Graph", "Index", "graph", "nearest"]

Indices: TypeAlias = npt.NDArray[np.int64]
Found: TypeAlias = tuple[Indices, Matrix]

_SMALL = 1 << 22  # pairs up to which a plain product beats importing faiss
_QUERIES = 4096
_EXTRA = 8
_GATHER = 1 << 22  # numbers gathered at once when candidates are scored again
_SAMPLE = 500
_NPROBE = 16


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
    More than ``4 k + 64`` rows whose similarity is within float32's rounding of the k-th are too
    many to be all compared in float64; among those, that many with the lowest indices are.

    Examples
    --------
    >>> nearest([[1, 0], [0, 1], [2, 0]], [[1, 0.1]], k=2)
    (array([[0, 2]]), array([[0.9950372, 0.9950372]], dtype=float32))
    """
    X, k = _checked(X, k)
    Q = matrix(queries, "queries", X.shape[1])
    rows, asked = _prepared(X, Q, check_metric(metric))
    return _nearest(rows, asked, k, metric)


@dataclass(frozen=True)
class Graph:
    """The neighbors of every item of a collection, the item itself left out.

    Attributes
    ----------
    indices : ndarray of shape (n, k), int32
        Best first.
    similarities : ndarray of shape (n, k), float32
        Descending along each row.
    metric : str
    method : str
        ``"exact"``, or the index used, such as ``"faiss IVF512,nprobe=16"``.
    recall : float
        Share of the true neighbors found, measured on `recall_queries` items; 1 where exact.
    recall_queries : int
        0 where exact.
    """

    indices: npt.NDArray[np.int32]
    similarities: Matrix
    metric: str
    method: str
    recall: float
    recall_queries: int


def graph(
    X: npt.ArrayLike, k: int = 15, metric: str = "cosine", seed: int = 0, exact_limit: int = 60_000
) -> Graph:
    """Find the `k` nearest neighbors of every row of `X` among the others.

    Parameters
    ----------
    X : array-like of shape (n, d)
    k : int
        Where `k` is larger than n - 1, n - 1 neighbors come.
    metric : {"cosine", "dot", "euclidean"}
    seed : int
        For the index's k-means and the items on which recall is measured.
    exact_limit : int
        Rows up to which the search is exact, some 10 s for 60,000 x 128 on two cores; beyond, a
        faiss index answers, and its recall is measured against exact search.

    Examples
    --------
    >>> near = graph([[0, 0], [0, 1], [0, 1], [0, 3]], k=2, metric="euclidean")
    >>> near.indices
    array([[1, 2],
           [2, 0],
           [1, 0],
           [1, 2]], dtype=int32)
    >>> near.method, near.recall
    ('exact', 1.0)
    """
    X, wanted = _checked(X, integer(k, "k", 1) + 1)
    integer(exact_limit, "exact_limit", 0)
    rows, _ = _prepared(X, X[:0], check_metric(metric))
    index = Index.build(X, metric, seed) if len(X) > exact_limit else None
    indices = np.empty((len(X), wanted - 1), dtype=np.int32)
    scores = np.empty((len(X), wanted - 1), dtype=np.float32)
    with task("neighbors", len(X)) as work:
        for start in range(0, len(X), _QUERIES):
            block = slice(start, min(start + _QUERIES, len(X)))
            if index is None:
                found = _nearest(rows, rows[block], wanted, metric)
            else:
                found = index.search(X[block], wanted)
            indices[block], scores[block] = _without_self(found, start)
            work.advance(block.stop - block.start)
    if index is None:
        return Graph(indices, scores, metric, "exact", 1.0, 0)
    recall, sample = _graph_recall(rows, scores, metric, seed)
    return Graph(indices, scores, metric, index.method, recall, sample)


class Index:
    """An index for search at scale: a flat faiss index, or an inverted file where X is large.

    Build it with `Index.build`; `save` and `Index.load` keep it on disk.

    Attributes
    ----------
    metric : str
    method : str
        ``"faiss Flat"`` (exact) or, for example, ``"faiss IVF1024,nprobe=16"``.
    recall : float
        Share of the true 10 nearest found, on `recall_queries` rows of `X`; 1 where flat.
    recall_queries : int
        0 where flat.
    """

    def __init__(self, index: Any, metric: str, method: str, recall: float, queries: int) -> None:
        self._index = index
        self.metric = metric
        self.method = method
        self.recall = recall
        self.recall_queries = queries

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        """The d of the vectors."""
        return int(self._index.d)

    @classmethod
    def build(
        cls, X: npt.ArrayLike, metric: str = "cosine", seed: int = 0, exact_limit: int = 20_000
    ) -> Index:
        """Index the rows of `X`, shape (n, d); the same bytes for the same seed and thread count.

        Up to `exact_limit` rows the index is flat. Beyond, an inverted file of about √n lists is
        trained by k-means, 16 lists are searched, and the recall of 10 neighbors is measured on
        500 rows against exact search.
        """
        X, _ = _checked(X, 1)
        rows, _ = _prepared(X, X[:0], check_metric(metric))
        if metric == "euclidean":
            rows = X  # an inverted file takes differences, so that nothing cancels
        if len(X) <= integer(exact_limit, "exact_limit", 0):
            return cls(_flat(rows, metric), metric, "faiss Flat", 1.0, 0)
        index, method = _inverted(rows, metric, integer(seed, "seed", 0))
        built = cls(index, metric, method, 0.0, 0)
        sample = _sample(len(X), seed)
        found = built.search(X[sample], 10)[1]
        truth = nearest(X, X[sample], 10, metric)[1]
        return cls(index, metric, method, _recall(found, truth), len(sample))

    def search(self, queries: npt.ArrayLike, k: int) -> Found:
        """Find the `k` nearest rows for each query; see `nearest` for what comes back.

        Where fewer than `k` rows lie in the lists searched, index -1 and similarity -inf fill up.
        """
        Q = matrix(queries, "queries", self.dimension)
        if self.metric == "cosine":
            Q = normalize(Q)
        distances, indices = self._index.search(Q, min(integer(k, "k", 1), len(self)))
        scores = _as_similarity(distances, self.metric)
        scores[indices < 0] = -np.inf
        return _sorted(indices, scores)

    def save(self, folder: Path) -> list[Path]:
        """Write ``index.json`` and ``index.faiss`` into `folder`; gives their paths."""
        import faiss

        facts = {key: value for key, value in vars(self).items() if key != "_index"}
        described, written = folder / "index.json", folder / "index.faiss"
        described.write_text(json.dumps(facts, indent=1, sort_keys=True), encoding="utf-8")
        faiss.write_index(self._index, str(written))
        return [described, written]

    @classmethod
    def load(cls, folder: Path) -> Index:
        """Read back what `save` wrote.

        Raises
        ------
        CorruptError
            A file is missing, or is not what `save` writes.
        """
        import faiss

        try:
            facts = json.loads((folder / "index.json").read_text(encoding="utf-8"))
            index = faiss.read_index(str(folder / "index.faiss"))
            return cls(
                index,
                check_metric(facts["metric"]),
                facts["method"],
                float(facts["recall"]),
                int(facts["recall_queries"]),
            )
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise CorruptError(
                f"The index in {folder} cannot be read: {reason}.", "Build the index again."
            ) from error


def _checked(X: npt.ArrayLike, k: int) -> tuple[Matrix, int]:
    X = matrix(X)
    if not len(X):
        raise InputError("There are no rows to search in.", "Give `X` at least one row.")
    return X, min(integer(k, "k", 1), len(X))


def _prepared(X: Matrix, Q: Matrix, metric: str) -> tuple[Matrix, Matrix]:
    """Unit rows for cosine; for euclidean the mean of `X` taken off, so that products cancel less."""
    if metric == "cosine":
        return normalize(X), normalize(Q)
    if metric == "euclidean":
        center = X.mean(axis=0, dtype=np.float64).astype(np.float32)
        return X - center, Q - center
    return X, Q


def _nearest(rows: Matrix, asked: Matrix, k: int, metric: str) -> Found:
    found = np.empty((len(asked), k), dtype=np.int64)
    scores = np.empty((len(asked), k), dtype=np.float32)
    lengths = norms(rows)
    for start in range(0, len(asked), _QUERIES):
        block = slice(start, start + _QUERIES)
        found[block], scores[block] = _block(rows, asked[block], k, metric, lengths)
    return found, scores


def _block(rows: Matrix, Q: Matrix, k: int, metric: str, lengths: npt.NDArray[np.float32]) -> Found:
    wide = min(len(rows), k + _EXTRA)
    candidates, worst = _candidates(rows, Q, wide, metric, lengths)
    indices, scores = _sorted(candidates, _scored(rows, Q, candidates, metric))
    indices, scores = indices[:, :k], scores[:, :k]
    if wide < len(rows):
        slack = _slack(Q, lengths, metric)  # (q,)
        last = _as_product(scores[:, -1], metric)
        for row in np.flatnonzero(last <= worst + slack):
            indices[row], scores[row] = _decide(
                rows, Q[row], k, metric, lengths, float(last[row]), float(slack[row])
            )
    return indices, scores
