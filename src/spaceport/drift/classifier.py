"""A classifier that tells current from reference rows, judged on rows that it did not learn from.

::

    halves A, B of the pool, drawn by content;  S_A = the pooled scatter of A / |A|
    w_A = ((1 - g) S_A + g tr(S_A)/d I)^-1 (mean(current in A) - mean(reference in A))
    T = (AUC of x' w_A on B + AUC of x' w_B on A) / 2

This is Fisher's discriminant: the scatter around the *pooled* mean gives the same direction as that within
the samples, and does not depend on the split. So it is factored once, and the classifier is learnt anew
under every split for the price of a product. The ridge g is Ledoit and Wolf's.

Fisher, R. (1936). The use of multiple measurements in taxonomic problems. Ledoit, O. & Wolf, M. (2004). A
well-conditioned estimator for large-dimensional covariance matrices. Journal of Multivariate Analysis 88(2). Kim,
I., Ramdas, A., Singh, A. & Wasserman, L. (2021). Classification accuracy as a proxy for two-sample testing. Annals
of Statistics 49(1). Newcombe, R. (2006). Confidence intervals for an effect size measure based on the Mann-Whitney
statistic, part 2. Statistics in Medicine 25(4), method 5.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, integer
from spaceport.drift._order import by_content
from spaceport.drift._pooled import Double, Pooled
from spaceport.drift.base import DriftTest
from spaceport.threads import in_order, one_thread

__all__ = ["Classifier", "area_interval"]

_LEAST_RIDGE = 1e-3
_SCORES = 4_000_000  # at a time


class Classifier(DriftTest):
    """Learns what tells the samples apart; its AUC is the plainest effect there is.

    Parameters
    ----------
    seed : int
        Of the halves.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> here, there = rng.standard_normal((300, 5)), rng.standard_normal((200, 5)) + [1, 0, 0, 0, 0]
    >>> found = Classifier()(here, there)
    >>> found.p, round(found.statistic, 2)
    (0.001, 0.75)
    """

    modality: ClassVar[str] = "vectors"
    needs_rows: ClassVar[bool] = True

    def __init__(self, seed: int = 0) -> None:
        self.seed = integer(seed, "seed", 0)

    def statistics(self, pooled: Pooled) -> Double:
        """Mean AUC of both halves under each split, (P + 1,)."""
        return self._judged(pooled, pooled.splits.inside)

    def area(self, pooled: Pooled, level: float = 0.95) -> tuple[float, float, float]:
        """Give the AUC of the observed split and its interval: how well a row's sample can be told.

        The interval is that of half the rows. Both halves are judged, but where the drift is weak their
        errors are one and the same (chance's likeness of the two differences of means), and the mean of
        both is hardly surer than one.
        """
        found = float(self._judged(pooled, pooled.splits.inside[:1])[0])
        n, m = pooled.splits.rows
        return found, *area_interval(found, n / 2, m / 2, level)

    def _judged(self, pooled: Pooled, inside: npt.NDArray[np.bool_]) -> Double:
        rows = self.rows_of(pooled)
        order = by_content(rows, self.seed)
        halves = np.sort(order[::2]), np.sort(order[1::2])
        with one_thread():  # of linear algebra, beside the two of ours
            ways = [halves, halves[::-1]]
            one, other = in_order(lambda way: held_out_areas(rows, way[0], way[1], inside), ways)
        both: Double = (one + other) / 2
        return both


def held_out_areas(
    rows: Matrix,
    learnt: npt.NDArray[np.intp],
    judged: npt.NDArray[np.intp],
    inside: npt.NDArray[np.bool_],
) -> Double:
    """AUC on `judged` of the discriminant of `learnt`, for each split of `inside`, (S, u); gives (S,)."""
    from spaceport.drift.kernels.ranks import areas

    center = rows[learnt].mean(axis=0)
    known, asked = rows[learnt] - center, rows[judged] - center
    if len(known) < known.shape[1]:  # what the learnt rows do not span has no part in the direction
        spanned = np.linalg.qr(known.T)[0]
        known, asked = known @ spanned, asked @ spanned
    witness = asked @ (_inverse(known, rows.shape[1]) @ known.T)  # (judged, learnt)
    found = np.empty(len(inside))
    step = max(1, _SCORES // len(judged))
    for start in range(0, len(inside), step):
        part = inside[start : start + step]
        scores = _contrast(part[:, learnt]) @ witness.T
        order = np.argsort(scores, axis=1)
        found[start : start + step] = areas(scores, order, part[:, judged])
    return found


def area_interval(area: float, n: float, m: float, level: float = 0.95) -> tuple[float, float]:
    """Interval of an AUC from n and m rows: all t with |area - t| <= z sqrt(V(t)).

    ::

        V(t) = t (1 - t) (1 + N (1 - t)/(2 - t) + N t/(1 + t)) / (n m),   N = (n + m)/2 - 1

    Examples
    --------
    >>> low, high = area_interval(0.75, 100, 50)
    >>> round(low, 3), round(high, 3)
    (0.658, 0.822)
    """
    from scipy.special import ndtri

    z, rest = float(ndtri((1 + level) / 2)), (n + m) / 2 - 1
    t = np.linspace(0, 1, 20_001)
    spread = t * (1 - t) * (1 + rest * (1 - t) / (2 - t) + rest * t / (1 + t)) / (n * m)
    held = t[np.abs(area - t) <= z * np.sqrt(spread) + 0.5 / 20_000]
    return float(held[0]), float(held[-1])


def _inverse(centered: Matrix, d: int) -> Matrix:
    """Inverse of the shrunk scatter of rows that stand for `d` dimensions."""
    scatter = (centered.T @ centered / np.float32(len(centered))).astype(np.float64)
    scale = float(np.trace(scatter)) / d
    ridge = max(_shrinkage(centered, scatter, d), _LEAST_RIDGE)
    scatter *= 1 - ridge
    scatter[np.diag_indices_from(scatter)] += ridge * scale if scale > 0 else 1
    inverse: Matrix = np.linalg.inv(scatter).astype(np.float32)
    return inverse


def _shrinkage(rows: Matrix, scatter: Double, d: int) -> float:
    """Ledoit and Wolf's share of the identity, for rows with mean zero."""
    far = float(np.square(scatter).sum() - np.trace(scatter) ** 2 / d)
    lengths = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
    noise = float(np.square(lengths).mean() - np.square(scatter).sum()) / len(rows)
    return 1.0 if far <= 0 else min(max(noise, 0), far) / far


def _contrast(inside: npt.NDArray[np.bool_]) -> Matrix:
    """Weights whose product with rows is mean(current) - mean(reference), (S, u)."""
    m = inside.sum(axis=1, keepdims=True)
    n = inside.shape[1] - m
    contrast: Matrix = np.where(inside, 1 / np.maximum(m, 1), -1 / np.maximum(n, 1)).astype("f4")
    return contrast
