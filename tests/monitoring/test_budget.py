"""A budget is never shared out twice, whatever comes later."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaceport.errors import ParameterError
from spaceport.monitoring.budget import MOST, Budget, Shares, permutations


@pytest.mark.parametrize(
    ("text", "per_year"),
    [
        ("1 false alarm per year", 1),
        ("2 per month", 24),
        ("0.5 per quarter", 2),
        ("3 alarms a week", 3 * 365.2425 / 7),
        ("1/day", 365.2425),
        ("2 false alarms every 5 years", 0.4),
        ("  1 False Alarm PER Year ", 1),
    ],
)
def test_what_people_write(text: str, per_year: float) -> None:
    assert Budget.parse(text).per_year == pytest.approx(per_year)


@pytest.mark.parametrize("text", ["", "one", "0 per year", "-1 per year", "1 per fortnight", "1e9"])
def test_what_is_none_is_told(text: str) -> None:
    with pytest.raises(ParameterError, match="how many false alarms") as caught:
        Budget.parse(text)
    assert caught.value.remedy == "Write for example: 1 false alarm per year."


def test_a_budget_that_windows_spend_without_a_reason_is_refused() -> None:
    with pytest.raises(ParameterError, match="24 a year, of 12 windows a year"):
        Shares.of(Budget.parse("2 per month"), 12)


@given(
    budget=st.floats(0.01, 5),
    windows=st.floats(12, 9000),
    declared=st.integers(0, 40),
    reserve=st.booleans(),
    came=st.integers(0, 300),
)
def test_all_that_is_spent_in_a_year_is_at_most_the_budget(
    budget: float, windows: float, declared: int, reserve: bool, came: int
) -> None:
    """However many segments come, and however often late rows have each window judged again."""
    shares = Shares.of(Budget(budget, 1), windows, declared, reserve)
    editions = [
        [shares.alpha(place, edition) for edition in range(1, 60)] for place in range(came + 1)
    ]
    spent = windows * math.fsum(a for alphas in editions for a in alphas if a is not None)
    assert spent <= budget * (1 + 1e-9)
    if came == declared and not reserve:
        assert spent == pytest.approx(budget)


def test_shares_are_settled_before_the_segments_are_seen() -> None:
    shares = Shares.of(Budget(1, 1), 12, segments=3, reserve=True)
    declared = [shares.alpha(place) for place in range(4)]
    assert declared == [pytest.approx(0.9 / 12 / 5)] * 4
    assert shares.alpha(4) == pytest.approx(0.9 / 12 / 5 / 2)
    assert shares.alpha(5) == pytest.approx(0.9 / 12 / 5 / 6)
    assert Shares.of(Budget(1, 1), 12, segments=3).alpha(4) is None


@given(st.floats(1e-7, 0.5))
def test_permutations_can_give_an_alarm_or_are_not_drawn(alpha: float) -> None:
    count = permutations(alpha)
    if count is None:
        assert alpha < 1 / (MOST + 1)
    else:
        assert 1 / (count + 1) <= alpha
        assert count <= MOST
        assert count == MOST or count + 1 >= 20 / alpha
