"""Windows of time against the standard library's calendar."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaceport.errors import InputError, ParameterError
from spaceport.monitoring.windows import DAY, HOUR, Every, Window, instants

UNITS = ("hour", "day", "week", "month", "quarter", "year")
MOMENTS = st.datetimes(datetime(1890, 1, 1), datetime(2200, 1, 1))
EVERIES = st.builds(Every, st.sampled_from(UNITS), st.integers(1, 9))


def us(moment: datetime) -> np.datetime64:
    return np.datetime64(moment, "us")


def by_calendar(unit: str, at: datetime) -> str:
    """The oracle: the window's name by the standard library."""
    year, week, _ = at.isocalendar()
    return {
        "hour": f"{at:%Y-%m-%dT%H}",
        "day": f"{at:%Y-%m-%d}",
        "week": f"{year}-W{week:02d}",
        "month": f"{at:%Y-%m}",
        "quarter": f"{at.year}-Q{(at.month - 1) // 3 + 1}",
        "year": f"{at:%Y}",
    }[unit]


@given(MOMENTS, st.sampled_from(UNITS))
def test_a_time_falls_into_the_calendars_window(at: datetime, unit: str) -> None:
    window = Every(unit).of(us(at))
    assert window.name == by_calendar(unit, at)
    assert window.holds(np.array([us(at), window.start, window.end])).tolist() == [
        True,
        True,
        False,
    ]


@given(MOMENTS, EVERIES)
def test_windows_lie_side_by_side(at: datetime, every: Every) -> None:
    index = int(every.index(us(at)))
    before, own, after = (every.window(index + step) for step in (-1, 0, 1))
    assert before.end == own.start <= us(at) < own.end == after.start
    assert len({before.name, own.name, after.name}) == 3
    assert every.index(np.array([own.start, own.end], "datetime64[us]")).tolist() == [
        index,
        index + 1,
    ]


@given(MOMENTS, EVERIES)
def test_ticks_make_up_their_window(at: datetime, every: Every) -> None:
    window = every.of(us(at))
    ticks = every.ticks(window) if window.days < 400 else []
    assert not ticks or (ticks[0].start, ticks[-1].end) == (window.start, window.end)
    assert all(one.end == other.start for one, other in pairwise(ticks))
    assert {tick.end - tick.start for tick in ticks} <= {
        np.timedelta64(1 if every.unit == "hour" else 24, "h").astype("timedelta64[us]")
    }


def test_windows_without_rows_are_listed() -> None:
    found = Every("month").between(np.datetime64("2025-11-30"), np.datetime64("2026-02-01"))
    assert [w.name for w in found] == ["2025-11", "2025-12", "2026-01", "2026-02"]


def test_index_takes_many_times_at_once() -> None:
    days = np.arange("2024-01-01", "2026-01-01", dtype="datetime64[D]")
    weeks = Every("week").index(days)
    expected = [(date.fromisoformat(str(d)) - date(1970, 1, 5)).days // 7 for d in days]
    assert weeks.tolist() == expected


@pytest.mark.parametrize(
    ("text", "every", "per_year"),
    [
        ("month", Every("month"), 12),
        ("Quarter", Every("quarter"), 4),
        (" 7 days ", Every("day", 7), 365.2425 / 7),
        ("12 hours", Every("hour", 12), 2 * 365.2425),
        ("2 years", Every("year", 2), 0.5),
    ],
)
def test_parsing(text: str, every: Every, per_year: float) -> None:
    assert Every.parse(text) == every
    assert every.per_year == pytest.approx(per_year)
    assert Every.parse(str(every)) == every


@pytest.mark.parametrize(
    "text", ["", "fortnight", "0 days", "-1 day", "1.5 days", "7days", "99999 days"]
)
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="`every` must be a span of time") as caught:
        Every.parse(text)
    assert len(str(caught.value).splitlines()) == 2


def test_hours_are_kept_by_the_hour_and_the_rest_by_day() -> None:
    assert [Every(unit).tick for unit in UNITS] == [HOUR, DAY, DAY, DAY, DAY, DAY]


def test_the_season_of_the_year_before() -> None:
    at = np.datetime64("2024-02-29T12")
    names = {u: Every(u).season_before(Every(u).of(at)).name for u in ("month", "quarter", "year")}
    assert names == {"month": "2023-02", "quarter": "2023-Q1", "year": "2023"}
    day = Every("day").season_before(Every("day").of(at))
    assert date.fromisoformat(day.name) == date(2024, 2, 29) - timedelta(weeks=52)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2012", "2012-01-01", "2013-01-01"),
        ("2012-02..2013", "2012-02-01", "2014-01-01"),
        ("2012-01-01..2012-12-31", "2012-01-01", "2013-01-01"),
    ],
)
def test_spans_of_days_hold_both_ends(text: str, start: str, end: str) -> None:
    found = Window.parse(text)
    assert (found.start, found.end) == (np.datetime64(start, "us"), np.datetime64(end, "us"))


@pytest.mark.parametrize(
    "text", ["2013..2012", "2012-13", "x", "", "..", "2012..", "2012-1-1", "NaT1"]
)
def test_no_spans(text: str) -> None:
    with pytest.raises(ParameterError) as caught:
        Window.parse(text)
    assert len(str(caught.value).splitlines()) == 2


def test_no_times() -> None:
    with pytest.raises(InputError, match="1 of 2 times are missing"):
        instants(np.array(["2024-01-01", "NaT"], "datetime64[D]"))
    with pytest.raises(InputError, match="must be datetime64"):
        instants([1, 2])
    with pytest.raises(InputError, match="windows of a hour"):
        HOUR.between(np.datetime64("0100-01-01"), np.datetime64("2024-01-01"))
