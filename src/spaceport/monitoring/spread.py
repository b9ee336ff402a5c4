"""Count, mean, scatter and ends of numbers, as one mergeable value.

Chan, T., Golub, G. & LeVeque, R. (1979), as in `geometry.moments`, for one column. Two spreads are
compared by Welch's t (1947, Biometrika 34, 28-35), which holds for means of many rows, whatever each
row's distribution.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.quality.rates import Z

__all__ = ["Change", "Spread", "welch"]


@dataclass(frozen=True)
class Spread:
    """Some numbers, summed up; `a + b` are those of both.

    Attributes
    ----------
    count : int
    mean, scatter : float
        Σ x / n and Σ (x − mean)²; 0 where there are no numbers.
    smallest, largest : float or None

    Examples
    --------
    >>> both = Spread.of([1.0, 3.0]) + Spread.of([5.0])
    >>> both.mean, both.deviation, both.largest
    (3.0, 2.0, 5.0)
    """

    count: int = 0
    mean: float = 0.0
    scatter: float = 0.0
    smallest: float | None = None
    largest: float | None = None

    @classmethod
    def of(cls, values: npt.ArrayLike) -> Spread:
        """Sum up n finite numbers."""
        x = np.asarray(values, np.float64)
        if not len(x):
            return cls()
        mean = float(x.mean())
        return cls(len(x), mean, float(np.square(x - mean).sum()), float(x.min()), float(x.max()))

    @property
    def variance(self) -> float:
        """Of the numbers, n − 1 in the denominator; 0 for less than two."""
        return self.scatter / (self.count - 1) if self.count > 1 else 0.0

    @property
    def deviation(self) -> float:
        """The square root of the `variance`."""
        return math.sqrt(self.variance)

    def __add__(self, other: Spread) -> Spread:
        if not self.count or not other.count:
            return self if self.count else other
        count = self.count + other.count
        apart = other.mean - self.mean
        assert self.smallest is not None
        assert self.largest is not None
        assert other.smallest is not None
        assert other.largest is not None
        return Spread(
            count,
            self.mean + apart * other.count / count,
            self.scatter + other.scatter + apart**2 * self.count * other.count / count,
            min(self.smallest, other.smallest),
            max(self.largest, other.largest),
        )

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Spread:
        """Undo `to_dict`; a ValueError or KeyError where it is none."""
        found = cls(**{name: told[name] for name in cls.__annotations__})
        numbers = (found.mean, found.scatter, found.smallest or 0.0, found.largest or 0.0)
        if type(found.count) is not int or found.count < 0 or not np.isfinite(numbers).all():
            raise ValueError(f"{found} sums up no numbers")
        return found


@dataclass(frozen=True)
class Change:
    """A difference of two means: its 95 % interval, and the p-value that it is none."""

    value: float
    low: float
    high: float
    p: float


def welch(before: Spread, after: Spread) -> Change | None:
    """The change of the mean; None where either has less than two numbers.

    Examples
    --------
    >>> before, after = Spread.of([1.0, 2.0, 3.0]), Spread.of([2.0, 4.0, 6.0, 8.0])
    >>> found = welch(before, after)
    >>> found.value, round(found.p, 4)
    (3.0, 0.0999)
    """
    from scipy.special import stdtr, stdtrit

    if before.count < 2 or after.count < 2:
        return None
    one, two = before.variance / before.count, after.variance / after.count
    value, error = after.mean - before.mean, math.sqrt(one + two)
    if error == 0:
        return Change(value, value, value, 1.0 if value == 0 else 0.0)
    freedom = (one + two) ** 2 / (one**2 / (before.count - 1) + two**2 / (after.count - 1))
    half = float(stdtrit(freedom, 0.975)) * error if math.isfinite(freedom) else Z * error
    return Change(value, value - half, value + half, float(2 * stdtr(freedom, -abs(value) / error)))
