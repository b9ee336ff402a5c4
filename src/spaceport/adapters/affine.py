"""Any linear map, held back twice: by a ridge, and by a rank.

::

    y = s (x - m) B P + t
    B = (G + λ I)⁻¹ C,    G = (X - m)ᵀ (X - m),  C = (X - m)ᵀ (Y - t),  λ = ridge · trace(G) / p
    P = T Tᵀ,             T the first `rank` eigenvectors of Cᵀ B

B is ridge regression. P keeps the directions of Y in which B, with the ridge counted as rows of its own,
predicts most: no map of that rank fits better (reduced-rank regression). An affine map without a ridge
fits its pairs well and collapses on new rows, so there is none here.

s gives the rows back the spread that the ridge and the rank took (`procrustes` says why). What is not told
is chosen by cross-validation over five parts of the pairs: first the ridge, with full
rank, then the rank. Both come from the parts' sums, so the rows are gone through once.

Hoerl, A. & Kennard, R. (1970). Ridge Regression: Biased Estimation for Nonorthogonal Problems.
Technometrics 12. Izenman, A. (1975). Reduced-rank regression for the multivariate linear model. Journal
of Multivariate Analysis 5. Mukherjee, A. & Zhu, J. (2011). Reduced Rank Ridge Regression and Its Kernel
Extensions. Statistical Analysis and Data Mining 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from spaceport.adapters._spread import spread
from spaceport.adapters._sums import Sums
from spaceport.adapters.base import Adapter, Arrays, Double, linear
from spaceport.arrays import generator, integer, positive
from spaceport.errors import ParameterError
from spaceport.threads import one_thread

__all__ = ["Affine"]

RIDGES: tuple[float, ...] = tuple(10.0 ** (step / 2) for step in range(-14, 5))
PARTS = 5


class Affine(Adapter):
    """A linear map of few directions, held back by a ridge.

    Parameters
    ----------
    rank : int, optional
        At most this many directions of Y; by default cross-validated.
    ridge : float, optional
        As a share of the mean eigenvalue of G, so that it means the same for any scale and number of
        pairs; by default cross-validated over 10⁻⁷ … 10².
    scaling : bool
        Use s; without it y is the least-squares prediction.
    seed : int
        For the parts of the cross-validation.

    Attributes
    ----------
    ridge_, rank_ : float, int
        What was used.

    Examples
    --------
    >>> X = np.random.default_rng(0).standard_normal((60, 3))
    >>> stretched = Affine().fit(X, X @ np.diag([2.0, 1.0, 0.0]))
    >>> stretched([[1, 1, 1]]).round(2), stretched.rank_
    (array([[2., 1., 0.]], dtype=float32), 2)
    """

    freedom: ClassVar[int] = 1

    def __init__(
        self,
        rank: int | None = None,
        ridge: float | None = None,
        scaling: bool = True,
        seed: int = 0,
    ) -> None:
        self.rank = None if rank is None else integer(rank, "rank", 1)
        self.ridge = None if ridge is None else positive(ridge, "ridge")
        self.scaling = scaling
        self.seed = integer(seed, "seed", 0)

    def learn(self, X: Double, Y: Double) -> Arrays:
        """Learn m, B P and t from pairs, (n, p) and (n, q)."""
        most = min(X.shape[1], Y.shape[1])
        if self.rank is not None and self.rank > most:
            raise ParameterError(
                f"`rank` must be at most {most} between {X.shape[1]} and {Y.shape[1]} dimensions. "
                f"Got {self.rank}.",
                "Choose a smaller one, or leave it out.",
            )
        near, far = X.mean(axis=0), Y.mean(axis=0)
        with one_thread():
            parts = self._parts(X - near, Y - far)
            whole = sum(parts[1:], parts[0])
            self.ridge_ = self.ridge or _best_ridge(whole, parts)
            self.rank_ = self.rank or _best_rank(whole, parts, self.ridge_, most)
            found = solved(whole, self.ridge_)
            B = found @ _projection(whole, found, self.rank_)
            scale = spread((X - near) @ B, Y - far) if self.scaling else 1.0
        return linear(near, scale * B, far)

    def facts(self) -> dict[str, Any]:
        """The ridge and the rank that were used."""
        return {"ridge": self.ridge_, "rank": self.rank_} if hasattr(self, "rank_") else {}

    def _parts(self, X: Double, Y: Double) -> list[Sums]:
        """Sums over random parts of the pairs; one part where nothing is to be chosen."""
        told = self.rank is not None and self.ridge is not None
        order = generator(self.seed).permutation(len(X))
        return [
            Sums.of(X[rows], Y[rows])
            for rows in np.array_split(order, 1 if told else min(PARTS, len(X)))
        ]


def solved(pairs: Sums, ridge: float) -> Double:
    """B, the ridge regression of the pairs about their means, (p, q)."""
    G, C, _ = pairs.centered()
    size = np.trace(G) / len(G)
    held = G + (ridge * size or 1.0) * np.eye(len(G))
    return np.asarray(np.linalg.solve(held, C), np.float64)


def _projection(pairs: Sums, B: Double, rank: int) -> Double:
    T = _directions(pairs, B)[:, :rank]
    kept: Double = T @ T.T
    return kept


def _directions(pairs: Sums, B: Double) -> Double:
    """T: eigenvectors of Cᵀ B, the largest first, (q, q)."""
    predicted = pairs.centered()[1].T @ B
    vectors: Double = np.linalg.eigh((predicted + predicted.T) / 2)[1][:, ::-1]
    return vectors


def _best_ridge(whole: Sums, parts: Sequence[Sums]) -> float:
    errors = np.zeros(len(RIDGES))
    for part in parts:
        rest = whole - part
        G, C, _ = rest.centered()
        values, V = np.linalg.eigh(G)
        turned, size = V.T @ C, np.trace(G) / len(G)
        tested_G, tested_C, squares = part.about(*rest.means)
        tested_G, tested_C = V.T @ tested_G @ V, V.T @ tested_C
        for place, ridge in enumerate(RIDGES):
            B = turned / (np.maximum(values, 0) + (ridge * size or 1.0))[:, None]
            errors[place] += squares - 2 * np.sum(B * tested_C) + np.sum(B * (tested_G @ B))
    return RIDGES[int(errors.argmin())]


def _best_rank(whole: Sums, parts: Sequence[Sums], ridge: float, most: int) -> int:
    """The rank whose predictions of the parts left out are nearest, all ranks at once."""
    errors = np.zeros(most)
    for part in parts:
        rest = whole - part
        B = solved(rest, ridge)
        T = _directions(rest, B)[:, :most]
        G, C, _ = part.about(*rest.means)
        sent = B @ T  # (p, most): what each direction adds
        agreed, length = np.sum(sent * (C @ T), axis=0), np.sum(sent * (G @ sent), axis=0)
        errors += np.cumsum(length - 2 * agreed)
    return int(errors.argmin()) + 1
