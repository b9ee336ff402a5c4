"""What a monitor is made with; it never changes, since its budget was shared out by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from spaceport.arrays import integer
from spaceport.errors import CorruptError, ParameterError
from spaceport.monitoring.budget import Budget, Shares
from spaceport.monitoring.references import Reference
from spaceport.monitoring.windows import Every

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """A monitor's settings, checked.

    Attributes
    ----------
    every : str
        How long a window is; see `Every.parse`.
    budget : str or None
        False alarms that are allowed; see `Budget.parse`.
    alpha : float or None
        In place of a budget: what each p-value is held against.
    segment : str or None
        What the rows are divided by.
    segments : int or None
        How many segments the budget is shared out for; None: as many as the first update has, and a
        reserve for those that come later.
    reference : str
        See `Reference.parse`.
    tolerance : float or None
        The share of the items that may have moved; None: an alarm needs no size.
    least : int
        Rows that a window must have to be judged.
    seed : int
        Of all that is drawn.
    """

    every: str = "month"
    budget: str | None = "1 false alarm per year"
    alpha: float | None = None
    segment: str | None = None
    segments: int | None = None
    reference: str = "version"
    tolerance: float | None = None
    least: int = 30
    seed: int = 0

    def __post_init__(self) -> None:
        self.shares(0)
        Reference.parse(self.reference)
        integer(self.least, "least", 8)
        integer(self.seed, "seed", 0)
        if self.segments is not None:
            integer(self.segments, "segments", 1)
        if self.tolerance is not None and not 0 <= self.tolerance < 1:
            raise ParameterError(
                f"`tolerance` must be a share, from 0 to below 1. Got {self.tolerance!r}.",
                "Give the share of the items that may move: 0.05.",
            )

    @classmethod
    def read(cls, told: Mapping[str, Any], what: str) -> Settings:
        """Read what `written` gave.

        Raises
        ------
        CorruptError
            The catalog holds something else.
        """
        try:
            return cls(**told)
        except (TypeError, ValueError) as error:
            raise CorruptError(
                f"The settings of {what} are not what Spaceport wrote.",
                "Restore the catalog from a backup.",
            ) from error

    def written(self) -> dict[str, Any]:
        """Give them as JSON."""
        return asdict(self)

    def differing(self, told: Mapping[str, Any]) -> list[str]:
        """Name those of `told` that are others."""
        return [
            f.name for f in fields(self) if f.name in told and told[f.name] != getattr(self, f.name)
        ]

    def windows(self) -> Every:
        """Give `every`, read."""
        return Every.parse(self.every)

    def shares(self, first_segments: int) -> Shares | float:
        """Share the budget out; `alpha` as it is, where that was told.

        Parameters
        ----------
        first_segments : int
            How many segments the first update had.
        """
        every = self.windows()
        if self.alpha is not None:
            if not 0 < self.alpha < 1:
                raise ParameterError(
                    f"`alpha` must be between 0 and 1. Got {self.alpha!r}.",
                    "Give for example 0.01.",
                )
            return float(self.alpha)
        if self.budget is None:
            raise ParameterError("A monitor needs a budget.", "Give budget= or alpha=.")
        budget = Budget.parse(self.budget)
        if self.segment is None:
            return Shares.of(budget, every.per_year)
        if self.segments is not None:
            return Shares.of(budget, every.per_year, self.segments)
        return Shares.of(budget, every.per_year, first_segments, reserve=True)
