"""Why accuracy (or error) changed, and what is to be expected where labels are not there yet.

The change of a mean score between a reference and a window, cells c, shares p and q of the rows, mean
scores a and b in each cell, is two sums that add up to it exactly (Kitagawa, E. M. 1955. Components of a
difference between two rates. J. Am. Stat. Assoc. 50, 1168-1194)::

    mix       Σ_c (q_c − p_c) (a_c + b_c) / 2      other rows came
    within    Σ_c (b_c − a_c) (p_c + q_c) / 2      the same kind of rows is scored otherwise

A cell without rows on one side has no score there; it takes the other side's, so that all of it is mix.
Intervals are by the delta method, rows being independent: with g = ∂/∂p and h = ∂/∂a of a component, one
side of n rows adds (Σ p (g − Σ p g)² + Σ h² v / p) / n to its variance, v being the variance of one row's
score in the cell.

With predictions alone nobody knows the accuracy. What can be said is what it would be *if it were in each
cell what it was in the reference*: Σ q_c a_c over the cells that the reference has labels in.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.errors import InputError
from spaceport.monitoring.scores import Scores
from spaceport.quality.rates import Z, newcombe

__all__ = ["Expected", "Part", "Split", "expected", "split"]

Double: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """A part of a change, with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Split:
    """A change of the mean score, divided.

    Attributes
    ----------
    measure : str
    before, after : float
    change, mix, within : Part
        ``mix.value + within.value`` is ``change.value``.
    cells_mix, cells_within : ndarray of shape (c,), float64
        What each cell adds to the two.
    """

    measure: str
    before: float
    after: float
    change: Part
    mix: Part
    within: Part
    cells_mix: Double
    cells_within: Double

    def __str__(self) -> str:
        parts = (("change", self.change), ("mix", self.mix), ("within cells", self.within))
        told = "; ".join(f"{n} {p.value:+.4f} [{p.low:+.4f}, {p.high:+.4f}]" for n, p in parts)
        return f"{self.measure} {self.before:.4f} before, {self.after:.4f} now: {told}"

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold."""
        told = {name: asdict(getattr(self, name)) for name in ("change", "mix", "within")}
        cells = {name: getattr(self, name).tolist() for name in ("cells_mix", "cells_within")}
        return {
            "measure": self.measure,
            "before": self.before,
            "after": self.after,
            **told,
            **cells,
        }


def split(before: Scores, after: Scores) -> Split:
    """Divide the change of the mean score into mix and within.

    Parameters
    ----------
    before, after : Scores
        Of the same c cells, by one measure.

    Raises
    ------
    InputError
        A side without labeled rows, other cells, another measure.

    Examples
    --------
    >>> rows = np.array([[100, 100], [50, 150]])
    >>> right = np.array([[90.0, 50.0], [45.0, 75.0]])  # 0.9 and 0.5 in both, other shares
    >>> found = split(*(Scores("accuracy", n, k, k) for n, k in zip(rows, right)))
    >>> round(found.change.value, 3), round(found.mix.value, 3), round(found.within.value, 3)
    (-0.1, -0.1, 0.0)
    """
    _refuse(before, after)
    p, q = before.shares, after.shares
    a, b = before.means, after.means
    a, b = np.where(np.isnan(a), b, a), np.where(np.isnan(b), a, b)
    a, b = np.nan_to_num(a), np.nan_to_num(b)  # cells that neither has
    mix, within = (q - p) * (a + b) / 2, (b - a) * (p + q) / 2
    middle, share = (a + b) / 2, (p + q) / 2
    slopes = {
        "mix": (-middle, middle, (q - p) / 2, (q - p) / 2),
        "within": ((b - a) / 2, (b - a) / 2, -share, share),
    }
    parts = {
        name: _part(float(value.sum()), slopes[name], before, after)
        for name, value in (("mix", mix), ("within", within))
    }
    return Split(
        measure=before.measure,
        before=float(before.whole.means[0]),
        after=float(after.whole.means[0]),
        change=_change(before.whole, after.whole),
        mix=parts["mix"],
        within=parts["within"],
        cells_mix=mix,
        cells_within=within,
    )


def _refuse(before: Scores, after: Scores) -> None:
    if before.measure != after.measure or len(before.count) != len(after.count):
        raise InputError(
            f"{before.measure} of {len(before.count)} cells cannot be compared with {after.measure} of "
            f"{len(after.count)}.",
            "Score both alike, in the cells of one version.",
        )
    for name, side in (("reference", before), ("window", after)):
        if not side.total:
            raise InputError(
                f"The {name} has no labeled rows.", "Wait for labels, or see what is `expected`."
            )


def _part(
    value: float, slopes: tuple[Double, Double, Double, Double], before: Scores, after: Scores
) -> Part:
    dp, dq, da, db = slopes
    none, gone = before.count == 0, after.count == 0
    da, db = (
        np.where(none, 0.0, np.where(gone, da + db, da)),
        np.where(gone, 0.0, np.where(none, da + db, db)),
    )
    error = math.sqrt(_variance(before, dp, da) + _variance(after, dq, db))
    return Part(value, value - Z * error, value + Z * error)


def _variance(side: Scores, g: Double, h: Double) -> float:
    """What one side adds to the variance of a component."""
    p = side.shares
    there = p > 0
    shares = (p * (g - (p * g).sum()) ** 2).sum()
    scores = (h[there] ** 2 * side.variances[there] / p[there]).sum()
    return float((shares + scores) / side.total)


def _change(before: Scores, after: Scores) -> Part:
    value = float(after.means[0] - before.means[0])
    if before.measure == "accuracy":
        ends = newcombe(after.sums, after.count, before.sums, before.count)
        return Part(value, *(float(end[0]) for end in ends))
    parts = [side.variances[0] / side.total for side in (before, after)]
    error = math.sqrt(sum(parts))
    return Part(value, value - Z * error, value + Z * error)


@dataclass(frozen=True)
class Expected:
    """What the mean score would be, were it in each cell what it was in the reference.

    Attributes
    ----------
    measure : str
    value, low, high : float
        With its 95 % interval.
    covered : float
        The share of the window's rows in cells that the reference has labels in; of the others nothing is
        said.
    """

    measure: str
    value: float
    low: float
    high: float
    covered: float

    def __str__(self) -> str:
        return (
            f"expected {self.measure} {self.value:.4f} [{self.low:.4f}, {self.high:.4f}] if it is in each "
            f"cell as before; {self.covered:.1%} of the rows are in cells with labels"
        )

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold."""
        return asdict(self)


def expected(reference: Scores, rows: npt.NDArray[np.int64]) -> Expected | None:
    """What is expected of a window from its mix of cells alone; None where nothing can be said.

    Parameters
    ----------
    reference : Scores
        Of c cells.
    rows : ndarray of shape (c,), int64
        The window's rows with a prediction, by cell.

    Examples
    --------
    >>> right = np.array([90.0, 50.0, 0.0])
    >>> before = Scores("accuracy", np.array([100, 100, 0]), right, right)
    >>> found = expected(before, np.array([25, 75, 100]))
    >>> round(found.value, 3), found.covered
    (0.6, 0.5)
    """
    known = (reference.count > 0) & (rows > 0)
    total = int(rows[known].sum())
    if not total:
        return None
    q, a = rows[known] / total, reference.means[known]
    value = float((q * a).sum())
    mix = (q * (a - value) ** 2).sum() / total
    error = math.sqrt(mix + (q**2 * reference.variances[known] / reference.count[known]).sum())
    low, high = max(value - Z * error, 0.0), value + Z * error
    high = min(high, 1.0) if reference.measure == "accuracy" else high
    return Expected(reference.measure, value, low, high, total / int(rows.sum()))
