"""Nearest neighbors: exact, blockwise; and through a faiss index whose recall is measured."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, generator, integer, matrix
from spaceport.errors import CorruptError, InputError
from spaceport.geometry.base import Exact, Found, check_metric, in_order, nearest, normalize
from spaceport.progress import task
from spaceport.safe import read_json

__all__ = ["Graph", "Index", "graph", "nearest"]

_QUERIES = 4096
_SAMPLE = 500
_NPROBE = 16
_LOST = 1e-5  # relative; a neighbor whose float32 score is this close to the true k-th one counts


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

    Returns
    -------
    Graph

    Raises
    ------
    InputError
        `X` has no rows.

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
    check_metric(metric)
    X = _rows(X)
    k = min(integer(k, "k", 1), len(X) - 1)
    if len(X) <= integer(exact_limit, "exact_limit", 0):
        return Graph(*_neighbors(X, k, metric, None), metric, "exact", 1.0, 0)
    index = Index.build(X, metric, seed, exact_limit=0)
    indices, scores = _neighbors(X, k, metric, index)
    sample = _sample(len(X), seed)
    truth = _without_self(nearest(X, X[sample], k + 1, metric), sample)[1]
    recall = _recall(scores[sample], truth)
    return Graph(indices, scores, metric, index.method, recall, len(sample))


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

    Examples
    --------
    >>> index = Index.build([[1, 0], [0, 1], [2, 2]])
    >>> index.search([[1, 0.2]], k=2)[0]
    array([[0, 2]])
    >>> index.method, index.recall, len(index), index.dimension
    ('faiss Flat', 1.0, 3, 2)
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
        cls, X: npt.ArrayLike, metric: str = "cosine", seed: int = 0, exact_limit: int = 100_000
    ) -> Index:
        """Index the rows of `X`.

        Up to `exact_limit` rows the index is flat. Beyond, an inverted file of about √n lists is
        trained by k-means, 16 lists are searched, and the recall of 10 neighbors is measured on
        500 rows against exact search.

        Parameters
        ----------
        X : array-like of shape (n, d)
        metric : {"cosine", "dot", "euclidean"}
        seed : int
            For k-means and the rows on which recall is measured.
        exact_limit : int

        Raises
        ------
        InputError
            `X` has no rows.
        """
        X = _rows(X)
        rows = normalize(X) if check_metric(metric) == "cosine" else X
        if len(X) <= integer(exact_limit, "exact_limit", 0):
            return cls(_flat(rows, metric), metric, "faiss Flat", 1.0, 0)
        index, method = _inverted(rows, metric, integer(seed, "seed", 0))
        sample = _sample(len(X), seed)
        found = cls(index, metric, method, 0.0, 0).search(X[sample], 10)[1]
        truth = nearest(X, X[sample], 10, metric)[1]
        return cls(index, metric, method, _recall(found, truth), len(sample))

    def search(self, queries: npt.ArrayLike, k: int) -> Found:
        """Find the `k` nearest rows for each query; see `nearest` for what comes back.

        Scores are float32 sums. Where fewer than `k` rows lie in the lists searched, index -1 and
        similarity -inf fill up.
        """
        Q = matrix(queries, "queries", self.dimension)
        if self.metric == "cosine":
            Q = normalize(Q)
        scores, indices = self._index.search(Q, min(integer(k, "k", 1), len(self)))
        if self.metric == "euclidean":
            scores = 0 - np.sqrt(np.maximum(scores, 0))
        scores[indices < 0] = -np.inf
        return in_order(indices, scores)

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
            facts = read_json((folder / "index.json").read_bytes(), "index.json")
            index = faiss.read_index(str(folder / "index.faiss"))
            recall, queries = float(facts["recall"]), int(facts["recall_queries"])
            return cls(index, check_metric(facts["metric"]), str(facts["method"]), recall, queries)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise CorruptError(
                f"The index in {folder} cannot be read: {reason}", "Build the index again."
            ) from error


def _rows(X: npt.ArrayLike) -> Matrix:
    X = matrix(X)
    if not len(X):
        raise InputError("There are no rows to search in.", "Give `X` at least one row.")
    return X


def _neighbors(
    X: Matrix, k: int, metric: str, index: Index | None
) -> tuple[npt.NDArray[np.int32], Matrix]:
    indices = np.empty((len(X), k), dtype=np.int32)
    scores = np.empty((len(X), k), dtype=np.float32)
    find = Exact(X, metric) if index is None else index.search
    with task("neighbors", len(X)) as work:
        for start in range(0, len(X), _QUERIES):
            block = np.arange(start, min(start + _QUERIES, len(X)))
            indices[block], scores[block] = _without_self(find(X[block], k + 1), block)
            work.advance(len(block))
    return indices, scores


def _without_self(found: Found, own: npt.NDArray[np.int64]) -> Found:
    """Leave out each query's own index, or, where it was not found, the last neighbor."""
    indices, scores = found
    order = np.argsort(indices == own[:, None], axis=1, kind="stable")[:, :-1]
    return np.take_along_axis(indices, order, axis=1), np.take_along_axis(scores, order, axis=1)


def _sample(n: int, seed: int) -> npt.NDArray[np.int64]:
    return np.sort(generator(seed).choice(n, min(n, _SAMPLE), replace=False))


def _recall(found: Matrix, truth: Matrix) -> float:
    """Share of the k found that are as near as the true k-th; a tie counts as found."""
    if not truth.size:
        return 1.0
    bar = truth[:, -1:]
    return float((found >= bar - _LOST * np.abs(bar)).mean())


def _flat(rows: Matrix, metric: str) -> Any:
    import faiss

    index = faiss.IndexFlatL2 if metric == "euclidean" else faiss.IndexFlatIP
    flat = index(rows.shape[1])
    flat.add(rows)
    return flat


def _inverted(rows: Matrix, metric: str, seed: int) -> tuple[Any, str]:
    """Train and fill an inverted file of 2^round(log2 √n) lists."""
    import faiss

    n, d = rows.shape
    lists = min(n, 2 ** round(np.log2(n) / 2))
    kind = faiss.METRIC_L2 if metric == "euclidean" else faiss.METRIC_INNER_PRODUCT
    index = faiss.IndexIVFFlat(_flat(rows[:0], metric), d, lists, kind)
    index.cp.seed = seed
    index.cp.niter = 10
    index.cp.spherical = metric == "cosine"
    index.cp.min_points_per_centroid = 1
    index.cp.max_points_per_centroid = 64
    index.train(rows)
    index.add(rows)
    index.nprobe = min(lists, _NPROBE)
    return index, f"faiss IVF{lists},nprobe={index.nprobe}"
