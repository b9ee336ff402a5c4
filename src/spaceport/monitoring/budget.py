"""How many false alarms are allowed, and what that leaves for each test.

Let test t alarm where p_t <= a_t. If nothing drifted and each p-value is valid, P(p_t <= a) <= a, then
whatever the tests have to do with each other::

    E[false alarms] = sum_t P(p_t <= a_t) <= sum_t a_t

since expectations add up without independence. So the a_t of all tests of a year (windows, the whole and
each segment, judgements again after late rows) are made to add up to the budget. This is the per-family
error rate of Tukey (1953, The problem of multiple comparisons); Gordon, Glazko, Qiu & Yakovlev (2007,
Annals of Applied Statistics 1(1), 179-190) argue for it in place of the chance of any false alarm. By
Markov's inequality that chance is at most the budget, too.

The mean time until a first false alarm, by which detectors are set in the literature on change points, is
not stated: with one finite reference for all windows the p-values are valid one by one, but not given the
past, which is what e-detectors (Shin, Ramdas & Rinaldo 2023, NEJSDS 2(2)) need.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from spaceport.errors import ParameterError

__all__ = ["MOST", "Budget", "Shares", "permutations"]

MOST = 20_000
"""Permutations that are drawn at most."""
FIRST = 0.9
"""What of a window's share the first judgement has; those after late rows halve the rest."""

_YEARS = {"day": 1 / 365.2425, "week": 7 / 365.2425, "month": 1 / 12, "quarter": 1 / 4, "year": 1.0}
_TEXT = re.compile(
    r"([0-9]+(?:\.[0-9]+)?)\s*(?:false\s+)?(?:alarms?)?\s*(?:per|a|an|every|/)\s*"
    rf"(?:([1-9][0-9]{{0,3}})\s+)?({'|'.join(_YEARS)})s?"
)


@dataclass(frozen=True)
class Budget:
    """False alarms that are expected in a span of time, if nothing drifts at all.

    Attributes
    ----------
    alarms : float
    years : float
        The span.
    """

    alarms: float
    years: float

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read ``"1 false alarm per year"``, ``"2 per month"``, ``"1 per 5 years"``.

        Raises
        ------
        ParameterError
            It is none, or zero.

        Examples
        --------
        >>> Budget.parse("1 false alarm per year").per_year
        1.0
        >>> Budget.parse("0.5 per quarter").per_year, Budget.parse("1 per 5 years").per_year
        (2.0, 0.2)
        """
        found = _TEXT.fullmatch(str(text).strip().lower())
        if not found or not float(found[1]):
            raise ParameterError(
                f"`budget` must say how many false alarms you can live with. Got {text!r}.",
                "Write for example: 1 false alarm per year.",
            )
        return cls(float(found[1]), int(found[2] or 1) * _YEARS[found[3]])

    @property
    def per_year(self) -> float:
        """How many a year."""
        return self.alarms / self.years


@dataclass(frozen=True)
class Shares:
    """What of the budget each test has.

    Attributes
    ----------
    window : float
        False alarms that a window may cost in the mean: budget / windows, both of a year.
    segments : int
        For how many segments it was shared out, beside the whole.
    reserve : bool
        One more share is kept for segments that appear later: the k-th of them has 1 / (k (k + 1)) of
        it, which adds up to 1 however many come.
    """

    window: float
    segments: int = 0
    reserve: bool = False

    @classmethod
    def of(cls, budget: Budget, windows: float, segments: int = 0, reserve: bool = False) -> Shares:
        """Share a budget out over `windows` a year.

        Raises
        ------
        ParameterError
            It allows half an alarm or more in each window.

        Examples
        --------
        >>> Shares.of(Budget.parse("1 per year"), 12, segments=10).alpha(3)
        0.006818181818181818
        """
        window = budget.per_year / windows
        if window >= 0.5:
            raise ParameterError(
                f"A budget of {budget.per_year:g} a year, of {windows:.3g} windows a year, lets half of them "
                "alarm without a reason.",
                "Allow less (`--budget '1 false alarm per 10 years'`), or choose shorter windows.",
            )
        return cls(window, segments, reserve)

    def alpha(self, place: int, edition: int = 1) -> float | None:
        """What p is held against.

        Parameters
        ----------
        place : int
            0 for the whole, 1, 2, ... for the segments in the order in which they appeared.
        edition : int
            1 for the first judgement of a window, 2, 3, ... after late rows.

        Returns
        -------
        float or None
            None where the segment has no share.
        """
        share = self.window / (1 + self.segments + self.reserve)
        later = place - self.segments
        if later > 0:
            if not self.reserve:
                return None
            share /= later * (later + 1)
        return share * (FIRST if edition == 1 else (1 - FIRST) / 2 ** (edition - 1))


def permutations(alpha: float) -> int | None:
    """How many random splits it takes to tell p-values near `alpha` apart: 20 / alpha - 1.

    Returns
    -------
    int or None
        `MOST` where that would be more; None where even `MOST` cannot give a p-value of `alpha`.

    Examples
    --------
    >>> permutations(0.05), permutations(0.0002), permutations(1e-6)
    (399, 20000, None)
    """
    if alpha < 1 / (MOST + 1):
        return None
    return min(MOST, math.ceil(20 / alpha) - 1)
