"""What adapted vectors still find: the recall that an adapter keeps of a full re-embedding.

A query x is sent over to ŷ; y is what a full re-embedding gives for the same item::

    recall@k(i)    = 1 if item i itself is among the k nearest rows of ŷ_i, else 0
    RR(i)          = 1 / rank of item i itself, asked with ŷ_i;  0 beyond the first 100
    neighbors@k(i) = |N_k(ŷ_i) ∩ N_k(y_i)| / k     N_k: the k nearest rows of the index, item i left out

The first two, whose means are recall@k and the mean reciprocal rank (MRR), search for a known item; a full
re-embedding finds each first, so they are shares of what it recovers. The third is stricter: it asks for
the very neighbors that the re-embedding would give, which two trainings of one method may not share
themselves (`quality.overlap`). Items should not have been learnt from.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import integer, matrix
from spaceport.errors import InputError
from spaceport.geometry.base import Found, check_metric, nearest
from spaceport.quality.overlap import interval, shares
from spaceport.quality.probe import Accuracy

__all__ = ["DEPTH", "Recovery", "behind", "recovery"]

Double: TypeAlias = npt.NDArray[np.float64]
Places: TypeAlias = npt.NDArray[np.int64]

_Z = 1.959964  # of a 95 % interval

DEPTH = 100
"""How far down an item itself is looked for."""


@dataclass(frozen=True, eq=False)
class Recovery:
    """What `recovery` found.

    Attributes
    ----------
    neighbors, neighbors_low, neighbors_high : float
        Mean neighbors@k with its 95 % interval.
    recall, recall_low, recall_high : float or None
        recall@k with its 95 % interval (Wilson); None where no query's item is in the index.
    mrr, mrr_low, mrr_high : float or None
        Mean reciprocal rank with its 95 % interval; None likewise.
    k : int
    queries, index : int
        How many were asked, among how many rows.
    each : ndarray of shape (q,), float64
        Each query's neighbors@k.
    """

    neighbors: float
    neighbors_low: float
    neighbors_high: float
    recall: float | None
    recall_low: float | None
    recall_high: float | None
    mrr: float | None
    mrr_low: float | None
    mrr_high: float | None
    k: int
    queries: int
    index: int
    each: Double

    def facts(self) -> dict[str, float | int | None]:
        """Everything but `each`, JSON-able."""
        return {name: value for name, value in asdict(self).items() if name != "each"}


def recovery(
    adapted: npt.ArrayLike,
    truth: npt.ArrayLike,
    index: npt.ArrayLike,
    k: int = 10,
    metric: str = "cosine",
    own: Sequence[int] | Places | None = None,
) -> Recovery:
    """Compare what adapted vectors find with what a full re-embedding finds.

    Parameters
    ----------
    adapted : array-like of shape (q, d)
        Each query's vector as the adapter gives it.
    truth : array-like of shape (q, d)
        The same queries' own vectors in the space that is searched.
    index : array-like of shape (n, d)
        The rows that are searched, exactly.
    k : int
        Where it is larger than n - 1, n - 1.
    metric : {"cosine", "dot", "euclidean"}
    own : sequence of q int, optional
        Where each query's item stands in the index; -1 where it does not.

    Raises
    ------
    InputError
        Nothing to ask, another number of rows, an index of fewer than two rows, a place outside.

    Examples
    --------
    >>> rows = np.random.default_rng(0).standard_normal((50, 4))
    >>> same = recovery(rows[:9], rows[:9], rows, own=np.arange(9))
    >>> same.recall, same.mrr, same.neighbors
    (1.0, 1.0, 1.0)
    >>> recovery(-rows[:9], rows[:9], rows, own=np.arange(9)).neighbors
    0.0
    """
    check_metric(metric)
    rows = matrix(index, "index")
    asked, wanted = (
        matrix(side, name, rows.shape[1]) for side, name in ((adapted, "adapted"), (truth, "truth"))
    )
    places = np.full(len(asked), -1) if own is None else np.asarray(own, np.int64)
    _check(len(asked), len(wanted), places, len(rows))
    k = min(integer(k, "k", 1), len(rows) - 1)
    found = nearest(rows, asked, max(k + 1, DEPTH), metric)
    expected = nearest(rows, wanted, k + 1, metric)[0]
    each = shares(_others(expected, places, k), _others(found[0], places, k))
    ranks = _ranks(found, places)
    known = (*_hits(ranks, k), *_reciprocal(ranks))
    return Recovery(*interval(each, sys.maxsize), *known, k, len(asked), len(rows), each)


def behind(best: Double, other: Double) -> tuple[float, float]:
    """How far one mean is behind another over the same queries, and the half-width of its 95 % interval.

    d ± 1.96 s / √q, with s the standard deviation of the q differences.

    Examples
    --------
    >>> behind(np.array([1.0, 1.0]), np.array([0.5, 0.5]))
    (0.5, 0.0)
    """
    gap = best - other
    spread = float(gap.std(ddof=1)) if len(gap) > 1 else 0.0
    return float(gap.mean()), _Z * spread / float(np.sqrt(len(gap)))


def _check(asked: int, wanted: int, places: Places, rows: int) -> None:
    if not asked or asked != wanted or asked != len(places):
        raise InputError(
            f"{asked} adapted vectors, {wanted} true ones, {len(places)} places.",
            "Give each query one of each, and at least one query.",
        )
    if rows < 2 or places.max() >= rows or places.min() < -1:
        raise InputError(
            f"The index has {rows} rows; the places go from {places.min()} to {places.max()}.",
            "Give at least two rows, and places among them (-1: not there).",
        )


def _others(found: Places, own: Places, k: int) -> Places:
    """The first `k` that are not the query's own item, (q, k)."""
    order = np.argsort(found == own[:, None], axis=1, kind="stable")[:, :k]
    return np.take_along_axis(found, order, axis=1)


def _ranks(found: Found, own: Places) -> Double:
    """Of each query whose item is in the index the item's rank, infinity beyond the depth.

    Rows that tie with it do not count ahead.
    """
    there = own >= 0
    indices, scores = (side[there][:, :DEPTH] for side in found)
    hit = indices == own[there, None]
    score = np.where(hit, scores, -np.inf).max(axis=1, initial=-np.inf)
    rank = 1.0 + (scores > score[:, None]).sum(axis=1)
    return np.where(hit.any(axis=1), rank, np.inf)


def _hits(ranks: Double, k: int) -> tuple[float | None, float | None, float | None]:
    if not len(ranks):
        return None, None, None
    hits = Accuracy(int((ranks <= k).sum()), len(ranks))
    return hits.value, *hits.interval


def _reciprocal(ranks: Double) -> tuple[float | None, float | None, float | None]:
    if not len(ranks):
        return None, None, None
    return interval(1 / ranks, sys.maxsize)
