"""How many of an item's nearest neighbors stay its neighbors in another space.

::

    overlap(i) = |N_k(i; X) ∩ N_k(i; Y)| / k

N_k(i; X) are the k rows nearest to row i among the other rows of X. Nothing needs to be aligned
first, and the dimensions may differ. k / (n - 1) is what two spaces that have nothing to do with each
other come to.

References
----------
Wendlandt, L., Kummerfeld, J. & Mihalcea, R. (2018). Factors Influencing the Surprising Instability
of Word Embeddings. NAACL. Section 2: stability is the percent overlap between nearest neighbors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, generator, integer, matrix
from spaceport.errors import InputError
from spaceport.geometry.base import check_metric
from spaceport.geometry.streamed import Search

__all__ = ["Overlap", "draw", "interval", "overlap", "shares"]

Double: TypeAlias = npt.NDArray[np.float64]
Places: TypeAlias = npt.NDArray[np.int64]

_Z = 1.959964  # of a 95 % interval


@dataclass(frozen=True, eq=False)
class Overlap:
    """What `overlap` found.

    Attributes
    ----------
    mean : float
        Mean share of neighbors that both have, from 0 to 1.
    low, high : float
        A 95 % interval for the mean over all rows; both equal to it where every row was asked.
    each : ndarray of shape (q,), float64
        The share of each row that was asked.
    places : ndarray of shape (q,), int64
        Which rows were asked, ascending.
    k : int
        How many neighbors.
    before, after : ndarray of shape (q, k), int64
        The neighbors within X and within Y, best first.
    """

    mean: float
    low: float
    high: float
    each: Double
    places: Places
    k: int
    before: Places
    after: Places

    @classmethod
    def of(cls, places: Places, before: Places, after: Places, rows: int) -> Overlap:
        """Compare neighbors that were found for the rows `places` of `rows` ones."""
        each = shares(before, after)
        mean, low, high = interval(each, rows)
        return cls(mean, low, high, each, places, before.shape[1], before, after)


def overlap(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    k: int = 10,
    queries: int = 2000,
    metric: str = "cosine",
    other_metric: str | None = None,
    seed: int = 0,
) -> Overlap:
    """Compare the `k` nearest neighbors that each row has within `X` and within `Y`.

    Parameters
    ----------
    X : array-like of shape (n, p)
    Y : array-like of shape (n, q)
        Row i stands for the same thing as row i of `X`.
    k : int
        Where it is larger than n - 1, n - 1 neighbors are compared.
    queries : int
        How many rows are asked, drawn without replacement; all where there are no more.
    metric : {"cosine", "dot", "euclidean"}
        Under which rows of `X` are near.
    other_metric : str, optional
        Of `Y`, where it is another one.
    seed : int

    Raises
    ------
    InputError
        Another number of rows, or fewer than two.

    Notes
    -----
    The search is exact. Similarities that agree to a millionth count as ties, which go to the lower
    index.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(200, 8))
    >>> overlap(X, 2 * X[:, ::-1]).mean, overlap(X, X[::-1]).mean < 0.1
    (1.0, True)
    """
    left, right = matrix(X, "X"), matrix(Y, "Y")
    n = len(left)
    if n != len(right) or n < 2:
        raise InputError(
            f"`X` has {n} rows and `Y` has {len(right)}.",
            "Give at least two pairs of rows: row i of both stands for the same thing.",
        )
    k = min(integer(k, "k", 1), n - 1)
    places = draw(n, queries, seed)
    before = _nearest(left, places, k, check_metric(metric))
    after = _nearest(right, places, k, check_metric(other_metric or metric))
    return Overlap.of(places, before, after, n)


def draw(rows: int, count: int, seed: int) -> Places:
    """Draw `count` of `rows` places without replacement, ascending; all where there are no more.

    Examples
    --------
    >>> draw(3, 5, seed=0)
    array([0, 1, 2])
    """
    if rows <= integer(count, "queries", 1):
        return np.arange(rows)
    return np.sort(generator(seed).choice(rows, count, replace=False)).astype(np.int64)


def shares(before: Places, after: Places) -> Double:
    """Of each row of `before` (q, k), the share that stands in the same row of `after` (q, k) too.

    Examples
    --------
    >>> shares(np.array([[1, 2], [3, 4]]), np.array([[2, 1], [4, 5]]))
    array([1. , 0.5])
    """
    found: Double = (before[:, :, None] == after[:, None, :]).any(axis=2).mean(axis=1)
    return found


def interval(each: Double, rows: int) -> tuple[float, float, float]:
    """Mean of a sample drawn without replacement from `rows` values, with its 95 % interval.

    mean ± 1.96 s √((1 - q / n) / q), with s the sample's standard deviation (Cochran 1977, eq. 2.20),
    cut off at 0 and 1.

    Examples
    --------
    >>> interval(np.array([0.0, 1.0]), rows=2)
    (0.5, 0.5, 0.5)
    """
    count, mean = len(each), float(each.mean())
    spread = float(each.std(ddof=1)) if count > 1 else 0.0
    half = _Z * spread * float(np.sqrt((1 - count / rows) / count))
    return mean, max(0.0, mean - half), min(1.0, mean + half)


def _nearest(X: Matrix, places: Places, k: int, metric: str) -> Places:
    search = Search(X[places], places, k, metric)
    search.see(X, 0)
    return search.found(lambda wanted: X[wanted])[0]
