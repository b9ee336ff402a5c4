"""The budget, spent by the panel's own p-values on windows in which nothing drifts."""

from __future__ import annotations

import math

import pytest
from benchmarks.monitoring.budget import WINDOWS, year

YEARS, BUDGET, SEGMENTS = 6, 5.0, 2


@pytest.mark.slow
def test_false_alarms_are_as_many_as_the_budget_allows() -> None:
    """Of 216 tests 27 may alarm, nine tenths of the budget; a count more than four deviations off fails.

    The whole shares its rows with the segments, and all windows a reference, so the deviation is taken as
    twice that of independent tests.
    """
    alarms = sum(len(year(seed, BUDGET, SEGMENTS)) for seed in range(YEARS))
    allotted = 0.9 * BUDGET * YEARS
    assert YEARS * WINDOWS * (SEGMENTS + 1) == 216
    assert allotted == 27
    assert allotted - 8 * math.sqrt(allotted) / 2 < alarms <= allotted + 8 * math.sqrt(allotted) / 2
