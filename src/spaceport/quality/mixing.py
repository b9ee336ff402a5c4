r"""What happens where the vectors of two versions lie in one index: whether they can be mixed.

Row i of X and row i of Y are the same item before and after. With N_k(q; X \ i) the k rows of X nearest
to the query q, row i left out::

    before among after   |N_k(x_i; X \ i) ∩ N_k(x_i; Y \ i)| / k    an old query meets a new index
    after among before   |N_k(y_i; Y \ i) ∩ N_k(y_i; X \ i)| / k    a new query meets an old index
    within each          |N_k(x_i; X \ i) ∩ N_k(y_i; Y \ i)| / k    `quality.overlap`
    residual             √(Σ |x_i − y_i|² / Σ |x_i|²)
    turned               √(Σ |x_i R − y_i|² / Σ |x_i|²), R the rotation that makes it smallest

A rotation of a space leaves the neighbors within each as they are and the mixed ones to chance. A
longer vector leaves both, and shows in the residual.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, matrix
from spaceport.errors import InputError
from spaceport.geometry.alignment import procrustes
from spaceport.geometry.base import check_metric
from spaceport.geometry.streamed import Search
from spaceport.quality.overlap import Places, draw, interval, shares

__all__ = ["Mixing", "Share", "mixing", "strangers"]


@dataclass(frozen=True)
class Share:
    """A mean share with its 95 % interval over all rows; see `quality.overlap.interval`."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True)
class Mixing:
    """What `mixing` found; the formulas stand above.

    Attributes
    ----------
    items, queries, k : int
        How many rows were compared; how many of them were asked for their neighbors; how many each.
    before_among_after, after_among_before, within : Share
    residual, turned : float
    strangers : float
        Share of the rows of Y that are, byte for byte, the row of another item of X.
    """

    items: int
    queries: int
    k: int
    before_among_after: Share
    after_among_before: Share
    within: Share
    residual: float
    turned: float
    strangers: float

    @property
    def lower(self) -> Share:
        """The worse of the two mixed overlaps."""
        both = (self.before_among_after, self.after_among_before)
        return min(both, key=lambda share: share.mean)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON-able values."""
        return asdict(self)


def mixing(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    metric: str = "cosine",
    k: int = 10,
    queries: int = 1000,
    seed: int = 0,
) -> Mixing:
    """Measure how far the vectors of the same items before and after can be mixed.

    Parameters
    ----------
    X, Y : array-like of shape (n, d)
        Row i of both is the same item.
    metric : {"cosine", "dot", "euclidean"}
    k : int
        Where it is larger than n - 1, n - 1 neighbors are compared.
    queries : int
        How many rows are asked, drawn without replacement; all where there are no more.
    seed : int

    Raises
    ------
    InputError
        Other shapes, or fewer than two rows.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(300, 8))
    >>> mixing(X, X + 1e-6).lower.mean > 0.99, mixing(X, X + 1e-6).residual < 1e-5
    (True, True)
    >>> turned = mixing(X, X[:, ::-1])
    >>> turned.within.mean, turned.lower.mean < 0.2, turned.turned < 1e-3
    (1.0, True, True)
    """
    before, after = matrix(X, "X"), matrix(Y, "Y")
    if before.shape != after.shape or len(before) < 2:
        raise InputError(
            f"`X` has shape {before.shape} and `Y` {after.shape}.",
            "Give at least two pairs of rows of one dimension.",
        )
    rows = len(before)
    places, k = draw(rows, queries, seed), min(k, rows - 1)
    near = {
        (asked, among): _nearest(index, query[places], places, k, check_metric(metric))
        for asked, query in (("X", before), ("Y", after))
        for among, index in (("X", before), ("Y", after))
    }
    pairs = (("X", "X"), ("X", "Y")), (("Y", "Y"), ("Y", "X")), (("X", "X"), ("Y", "Y"))
    first, second, within = (
        Share(*interval(shares(near[one], near[other]), rows)) for one, other in pairs
    )
    straight, turned = _residuals(before, after)
    return Mixing(
        items=rows,
        queries=len(places),
        k=k,
        before_among_after=first,
        after_among_before=second,
        within=within,
        residual=straight,
        turned=turned,
        strangers=strangers(before, after),
    )


def strangers(X: Matrix, Y: Matrix) -> float:
    """Share of the rows of `Y` (n, d) that are, byte for byte, another row of `X` (n, d) and not their own.

    A row that several items have in `X` belongs to each of them.

    Examples
    --------
    >>> X = np.eye(4, dtype=np.float32)
    >>> strangers(X, X), strangers(X, X[[1, 0, 2, 3]])
    (0.0, 0.5)
    """
    own = [row.tobytes() for row in np.ascontiguousarray(X)]
    known = set(own)
    taken = [row.tobytes() for row in np.ascontiguousarray(Y)]
    others = sum(row != mine and row in known for row, mine in zip(taken, own, strict=True))
    return others / len(own) if own else 0.0


def _nearest(index: Matrix, query: Matrix, own: Places, k: int, metric: str) -> Places:
    search = Search(query, own, k, metric)
    search.see(index, 0)
    return search.found(lambda wanted: index[wanted])[0]


def _residuals(X: Matrix, Y: Matrix) -> tuple[float, float]:
    """How much of the lengths the differences are: as they lie, and after the best rotation."""
    rows, others = X.astype(np.float64), Y.astype(np.float64)
    size = float((rows**2).sum()) or 1.0
    turned = rows @ procrustes(X, Y).matrix
    straight, left = (float(((each - others) ** 2).sum() / size) for each in (rows, turned))
    return straight**0.5, left**0.5
