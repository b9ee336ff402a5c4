"""Mean scores with their intervals: accuracy or error, cell by cell or segment by segment.

::

    accuracy   the Wilson interval of a share
    error      mean ± t(n − 1) √(s²/n), not below 0

Units are ranked by the end of the interval that speaks for them: by the highest accuracy that a cell may
have, or the least error. A cell of three rows that are all wrong is not the worst by luck.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.quality.rates import wilson

__all__ = ["Scored", "Scores", "ranked"]

Double: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of c units (cells, segments), summed up.

    Attributes
    ----------
    measure : {"accuracy", "absolute error", "squared error"}
    count : ndarray of shape (c,), int64
        Labeled rows.
    sums, squares : ndarray of shape (c,), float64
        Σ s and Σ s².
    """

    measure: str
    count: npt.NDArray[np.int64]
    sums: Double
    squares: Double

    @property
    def total(self) -> int:
        """All labeled rows."""
        return int(self.count.sum())

    @property
    def shares(self) -> Double:
        """The share of each unit among the rows, (c,)."""
        shares: Double = self.count / max(self.total, 1)
        return shares

    @property
    def means(self) -> Double:
        """The mean score of each unit, (c,); NaN where it has no rows."""
        means: Double = np.divide(
            self.sums, self.count, out=np.full(len(self.count), np.nan), where=self.count > 0
        )
        return means

    @property
    def variances(self) -> Double:
        """The variance of one row's score in each unit, (c,).

        Of accuracy that of (k + 1)/(n + 2), which is not 0 where all rows are right; of errors the
        sample's, and that of all rows together where a unit has less than two.
        """
        if self.measure == "accuracy":
            near = (self.sums + 1) / (self.count + 2)
            return np.asarray(near * (1 - near))
        own = self._sample_variance(self.count, self.sums, self.squares)
        whole = self.whole
        pooled = self._sample_variance(whole.count, whole.sums, whole.squares)
        return np.where(self.count > 1, own, pooled)

    @property
    def whole(self) -> Scores:
        """All units as one."""
        parts = (self.count, self.sums, self.squares)
        return Scores(self.measure, *(part.sum(keepdims=True) for part in parts))

    def intervals(self) -> tuple[Double, Double]:
        """The 95 % interval of each unit's mean, (c,) each; up to infinity where nothing is known."""
        if self.measure == "accuracy":
            return wilson(self.sums, self.count)
        from scipy.special import stdtrit

        known = self.count > 1
        n = np.where(known, self.count, 2)
        half = stdtrit(n - 1, 0.975) * np.sqrt(self.variances / n)
        low = np.where(known, np.maximum(np.nan_to_num(self.means) - half, 0.0), 0.0)
        return low, np.where(known, np.nan_to_num(self.means) + half, np.inf)

    @staticmethod
    def _sample_variance(n: Any, sums: Double, squares: Double) -> Double:
        scatter = np.maximum(squares - sums**2 / np.maximum(n, 1), 0.0)
        return np.asarray(scatter / np.maximum(n - 1, 1))


@dataclass(frozen=True)
class Scored:
    """One unit's score.

    Attributes
    ----------
    name : str
    rows : int
        Labeled rows.
    value, low, high : float
        The mean score and its 95 % interval; `high` is None where it has no end.
    """

    name: str
    rows: int
    value: float
    low: float
    high: float | None

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold."""
        return asdict(self)


def ranked(scores: Scores, names: Sequence[str] | None = None) -> list[Scored]:
    """The units that have labeled rows, the worst first.

    Parameters
    ----------
    scores : Scores
        Of c units.
    names : sequence of c str, optional
        Default: their numbers.

    Examples
    --------
    >>> few_and_wrong, many_and_poor, fine = (0, 2), (500, 1000), (95, 100)
    >>> right, rows = np.array([few_and_wrong, many_and_poor, fine], float).T
    >>> found = ranked(Scores("accuracy", rows.astype(int), right, right))
    >>> [(each.name, each.value, round(each.high, 2)) for each in found]
    [('1', 0.5, 0.53), ('0', 0.0, 0.66), ('2', 0.95, 0.98)]
    """
    low, high = scores.intervals()
    key = high if scores.measure == "accuracy" else -low
    order = np.lexsort((np.arange(len(key)), scores.means, key))
    told = [str(unit) for unit in range(len(key))] if names is None else names
    return [
        Scored(
            told[unit],
            int(scores.count[unit]),
            float(scores.means[unit]),
            float(low[unit]),
            float(high[unit]) if np.isfinite(high[unit]) else None,
        )
        for unit in order.tolist()
        if scores.count[unit]
    ]
