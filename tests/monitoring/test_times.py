"""Times as Python's datetime reads them; what has no zone, no sense, or is yet to come."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaceport.errors import InputError, ParameterError
from spaceport.monitoring.times import Clock, check_zone

NOW = np.datetime64("2026-11-22T12:00:00", "us")
MOMENTS = st.datetimes(
    datetime(1971, 1, 1),
    datetime(2026, 11, 1),
    timezones=st.sampled_from(
        [UTC, timezone(timedelta(hours=-3, minutes=-30)), timezone(timedelta(hours=9))]
    ),
)


def read(values: object, zone: str | None = None) -> list[datetime]:
    array = values if isinstance(values, pa.Array) else pa.array(values)
    places = [f"row {n}" for n in range(1, len(array) + 1)]
    return Clock("log.csv", "when", zone, NOW).read(array, places).tolist()


def naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


@given(st.lists(MOMENTS, min_size=1, max_size=5))
def test_iso_times_are_what_the_standard_library_reads(moments: list[datetime]) -> None:
    expected = [naive(m) for m in moments]
    assert read([m.isoformat() for m in moments]) == expected
    assert read([m.isoformat(sep=" ") for m in moments]) == expected
    assert read(pa.array(expected, pa.timestamp("us", "UTC"))) == expected


@given(st.lists(st.integers(10**8, 1_700_000_000), min_size=1, max_size=5))
def test_numbers_are_seconds_since_1970(seconds: list[int]) -> None:
    expected = [datetime(1970, 1, 1) + timedelta(seconds=s) for s in seconds]
    for factor in (1, 10**3, 10**6, 10**9):
        assert read([s * factor for s in seconds]) == expected
    assert read([float(s) for s in seconds]) == expected
    halves = read([s + 0.5 for s in seconds])
    assert halves == [e + timedelta(seconds=0.5) for e in expected]


def test_days_months_and_years_are_days_as_they_stand() -> None:
    expected = [datetime(2012, 3, 5), datetime(2012, 3, 1), datetime(2012, 1, 1)]
    assert read(["2012-03-05", "2012-03", "2012"]) == expected
    assert read(["2012-03-05", "2012-03", "2012"], zone="Asia/Tokyo") == expected
    assert read([2012, 1987]) == [datetime(2012, 1, 1), datetime(1987, 1, 1)]
    assert read([2012.0]) == [datetime(2012, 1, 1)]
    assert read([date(2012, 3, 5)]) == expected[:1]


def test_a_zone_is_needed_and_used() -> None:
    for values in (["2026-07-01T10:00"], [datetime(2026, 7, 1, 10)]):
        with pytest.raises(InputError, match="no zone: row 1 has '2026-07-01") as caught:
            read(values)
        assert "--zone UTC" in str(caught.value)
        there = datetime(2026, 7, 1, 10, tzinfo=ZoneInfo("Europe/Paris"))
        assert read(values, zone="Europe/Paris") == [naive(there)]


def test_clocks_that_are_put_back_or_forward() -> None:
    twice = datetime(2025, 10, 26, 2, 30, fold=0, tzinfo=ZoneInfo("Europe/Paris"))
    assert read(["2025-10-26T02:30"], zone="Europe/Paris") == [naive(twice)]
    assert read(["2026-03-29T02:30"], zone="Europe/Paris") == [datetime(2026, 3, 29, 1)]


def test_digits_below_the_microsecond_are_cut() -> None:
    assert read(["2026-01-01T00:00:00.123456789Z"]) == [datetime(2026, 1, 1, 0, 0, 0, 123456)]


def test_the_first_time_without_a_zone_is_told() -> None:
    with pytest.raises(InputError, match="row 3 has '2026-01-01 10:00'"):
        read(["2026-01-01T10:00Z", "2026", "2026-01-01 10:00"])


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["2026-01-01", "2026-13-01"], "'2026-13-01' in row 2"),
        (["2026-01-01T10:00Z", "2026-02-30T10:00Z"], "'2026-02-30T10:00Z' in row 2"),
        (["31/01/2024"], "'31/01/2024' in row 1"),
        (["2026-01-01T25:00Z"], "'2026-01-01T25:00Z' in row 1"),
        ([20240131], "'20240131' in row 1"),
        ([2012, 5], "'5' in row 2"),
        ([1_700_000_000, 2012], "'2012' in row 2"),
        ([1.5], "'1.5' in row 1"),
        ([float("nan")], "'nan' in row 1"),
        (["2026", None], "`when` in 1 row, the first in row 2"),
        ([[1]], "which is no time"),
        ([True], "which is no time"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(values: object, told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        read(values, zone="UTC")
    assert len(str(caught.value).splitlines()) == 2


def test_the_future_begins_in_five_minutes() -> None:
    assert read(["2026-11-22T12:04:59Z"])
    assert read(["2026-11-23"])  # that day has begun in Kiribati
    for late in ("2026-11-22T12:05:01Z", "2026-11-24"):
        with pytest.raises(InputError, match="1 row with a time in the future, the first in row 2"):
            read(["2026-01-01", late])


def test_the_machines_own_clock() -> None:
    clock = Clock("log.csv", "when")
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    with pytest.raises(InputError, match="in the future"):
        clock.read(pa.array([soon]), ["row 1"])


def test_zones() -> None:
    assert check_zone(None) is None
    for wrong in ("Mars", "../etc/passwd", ""):
        with pytest.raises(ParameterError, match="no time zone"):
            check_zone(wrong)
