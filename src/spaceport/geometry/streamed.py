"""Exact nearest neighbors of some rows among all rows of a stream, which is seen once and never held.

For each query the best few rows so far are kept. A block's float32 products are compared with the
worst of them, and only what is better is merged. At the end the candidates are scored again in
float64, as in `geometry.base`, and ranked by similarity rounded to a millionth of the query's best,
ties by the lower index: identical rows stay tied when a rotation in float32 has moved their last
digits. Of cosines the products are rounded so too, so that any number of identical rows may tie.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, integer
from spaceport.geometry.base import Found, check_metric, normalize

__all__ = ["Search"]

Places: TypeAlias = npt.NDArray[np.int64]

_EXTRA = 14  # candidates beyond k, among which float64 decides
_STEP = 1e-6
_BLOCK = 4096  # rows multiplied at once: the products of 1,000 queries then stay in the cache
_GATHER = 1 << 22  # numbers gathered at once when candidates are scored again


class Search:
    """The `k` nearest rows of a stream for each of q queries, each query's own row left out.

    Parameters
    ----------
    queries : ndarray of shape (q, d), float32
    own : ndarray of shape (q,), int64
        Where each query stands in the stream itself; -1 where it does not.
    k : int
    metric : {"cosine", "dot", "euclidean"}

    Examples
    --------
    >>> rows = np.array([[1, 0], [0, 1], [2, 0.1]], np.float32)
    >>> search = Search(rows[:1], np.array([0]), 1, "cosine")
    >>> search.see(rows[:2], 0)
    >>> search.see(rows[2:], 2)
    >>> search.found(lambda places: rows[places])
    (array([[2]]), array([[0.99875236]], dtype=float32))
    """

    def __init__(self, queries: Matrix, own: Places, k: int, metric: str) -> None:
        self.k = integer(k, "k", 1)
        self.metric = check_metric(metric)
        self._raw = queries
        self._origin = np.zeros(queries.shape[1], np.float32)
        if metric == "euclidean" and len(queries):  # so that less cancels
            self._origin = queries.mean(axis=0, dtype=np.float64).astype(np.float32)
        self._queries = self._made_ready(queries)
        self._own = own
        width = self.k + _EXTRA
        self._scores = np.full((len(queries), width), -np.inf, np.float32)
        self._places = np.full((len(queries), width), -1, np.int64)

    def see(self, block: Matrix, first: int) -> None:
        """Take the rows at `first`, `first` + 1, … of the stream, shape (b, d), into account."""
        for start in range(0, len(block), _BLOCK):
            self._see(block[start : start + _BLOCK], first + start)

    def found(self, fetch: Callable[[Places], Matrix]) -> Found:
        """Give indices (q, k), best first, and similarities (q, k) float32.

        Parameters
        ----------
        fetch : callable
            Gives the rows (m, d) of the stream at ascending positions (m,).

        Returns
        -------
        indices, similarities
            Fewer than `k` columns where the stream has fewer other rows; ``"euclidean"`` gives
            minus the distance.
        """
        width = int((self._places >= 0).sum(axis=1).min(initial=self.k + _EXTRA))
        best = np.argsort(-self._scores, axis=1, kind="stable")[:, :width]
        places = np.take_along_axis(self._places, best, axis=1)
        wanted = np.unique(places)
        rows = fetch(wanted) if len(wanted) else np.empty((0, self._raw.shape[1]), np.float32)
        scores = self._fine(rows, np.searchsorted(wanted, places))
        step = _STEP * np.abs(scores).max(axis=1, keepdims=True, initial=0)
        coarse = np.rint(scores / np.where(step > 0, step, 1))
        order = np.lexsort((places, -coarse), axis=1)[:, : self.k]
        similarities = np.take_along_axis(scores, order, axis=1).astype(np.float32)
        return np.take_along_axis(places, order, axis=1), similarities

    def _see(self, rows: Matrix, first: int) -> None:
        products = self._products(rows)  # (q, b)
        here = np.flatnonzero((self._own >= first) & (self._own < first + len(rows)))
        products[here, self._own[here] - first] = -np.inf
        which, place = self._better(products)
        if len(which):
            self._merge(which, place + first, self._coarse(products[which, place]))

    def _better(self, products: npt.NDArray[Any]) -> tuple[Places, Places]:
        """Which products belong among the best so far; of a block that fills them, the best alone."""
        queries, width = self._scores.shape
        worst = self._scores.min(axis=1)
        if products.shape[1] <= width or np.isfinite(worst).all():
            bar = worst + (_STEP / 2 if self.metric == "cosine" else 0)  # a tie would come later
            flat = np.flatnonzero(products > bar[:, None].astype(np.float32))
            which, place = np.divmod(flat, products.shape[1])  # three times as fast as nonzero
            return which, place
        top = np.argsort(-self._coarse(products), axis=1, kind="stable")[:, :width]
        which, place = np.repeat(np.arange(queries), width), top.ravel()
        kept = products[which, place] > worst[which]
        return which[kept], place[kept]

    def _coarse(self, products: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Cosines to a millionth; other products as they are, having no scale of their own."""
        return np.rint(products / _STEP) * _STEP if self.metric == "cosine" else products

    def _merge(self, which: Places, place: Places, score: Matrix) -> None:
        """Keep the best of what there was and what came, for the queries where something came."""
        width = self._scores.shape[1]
        touched, into = np.unique(which, return_inverse=True)
        every = np.concatenate([np.repeat(np.arange(len(touched)), width), into])
        scores = np.concatenate([self._scores[touched].ravel(), score])
        places = np.concatenate([self._places[touched].ravel(), place])
        order = np.lexsort((places, -scores, every))
        starts = np.searchsorted(every[order], np.arange(len(touched)))
        kept = order[starts[:, None] + np.arange(width)]
        self._scores[touched], self._places[touched] = scores[kept], places[kept]

    def _made_ready(self, rows: Matrix) -> Matrix:
        return normalize(rows) if self.metric == "cosine" else rows - self._origin

    def _products(self, rows: Matrix) -> npt.NDArray[Any]:
        """x·q, the cosine, or 2 x·q - |x|², which ranks as -|x - q|² does; shape (q, b)."""
        if self.metric == "cosine":
            return _cosines(self._queries, rows)
        ready = self._made_ready(rows)
        products: npt.NDArray[Any] = self._queries @ ready.T
        if self.metric == "euclidean":
            products *= 2
            products -= np.einsum("bd,bd->b", ready, ready)
        return products

    def _fine(self, rows: Matrix, into: Places) -> npt.NDArray[np.float64]:
        """Similarity of each query with its own candidates ``rows[into]``, in float64."""
        sources = normalize(rows) if self.metric == "cosine" else rows
        asked = normalize(self._raw) if self.metric == "cosine" else self._raw
        scores = np.empty(into.shape)
        step = max(1, _GATHER // max(1, into.shape[1] * self._raw.shape[1]))
        for start in range(0, len(into), step):
            block = slice(start, start + step)
            left, right = asked[block].astype(np.float64), sources[into[block]].astype(np.float64)
            if self.metric == "euclidean":
                scores[block] = 0 - np.linalg.norm(right - left[:, None], axis=2)
            else:
                scores[block] = np.einsum("bd,bwd->bw", left, right)
        return np.clip(scores, -1, 1) if self.metric == "cosine" else scores


def _cosines(queries: Matrix, rows: Matrix) -> npt.NDArray[Any]:
    """Cosines of unit queries with rows of any length; a row of zeros has cosine 0."""
    lengths = np.sqrt(np.einsum("bd,bd->b", rows, rows))
    inverse = 1 / np.where(lengths > 0, lengths, 1)
    products: npt.NDArray[Any] = queries @ (rows * inverse[:, None]).T
    return products
