from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest

from spaceport.maps.page._columns import column, cut

DAY = 86_400_000


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, None, 3], "number", [1, np.nan, 3]),
        ([1.5, float("nan"), float("inf")], "number", [1.5, np.nan, np.nan]),
        ([Decimal("0.5"), np.float32(2), np.int64(3)], "number", [0.5, 2, 3]),
        ([date(1970, 1, 2), None], "date", [DAY, np.nan]),
        ([datetime(1970, 1, 1, 12), datetime(1970, 1, 2, tzinfo=UTC)], "date", [DAY / 2, DAY]),
        ([np.datetime64("1970-01-02"), np.datetime64("NaT")], "date", [DAY, np.nan]),
        ([True, False, True, None], "category", [0, 1, 0, -1]),
        ([np.True_, np.False_], "category", [1, 0]),
        (["b", "a", "b", "", None], "category", [0, 1, 0, -1, -1]),
        ([1, "one", 1], "category", [0, 1, 0]),
        ([None, None], "category", [-1, -1]),
        ([2**60, 1], "category", [1, 0]),
    ],
)
def test_what_a_column_holds_is_found_out(values, kind, expected):
    found = column("any", values)
    assert found.kind == kind
    np.testing.assert_array_equal(found.values, expected)


def test_large_whole_numbers_stay_exact():
    assert column("id", [2**60 + 1]).names == [str(2**60 + 1)]


def test_categories_stand_by_frequency_and_then_by_name():
    assert column("venue", list("cabbcad")).names == ["a", "b", "c", "d"]


def test_the_scale_is_not_stretched_by_one_outlier():
    found = column("cites", [*range(1000), 10**9])
    assert found.low == 10
    assert found.high == 990


def test_a_scale_of_rare_values_still_has_two_ends():
    found = column("flag", [0] * 999 + [5])
    assert (found.low, found.high) == (0, 5)


def test_titles_are_no_colors_but_a_few_names_are():
    assert not column("title", [f"Title {i}" for i in range(100)]).colors
    assert not column("empty", [None] * 100).colors
    assert column("name", ["a", "b", "c"]).colors


def test_long_values_are_cut():
    assert column("x", ["a" * 200]).names == ["a" * 79 + "…"]
    assert cut("abc", 3) == "abc"


def test_numbers_and_dates_are_told_as_people_read_them():
    years = column("year", [1999, 2001])
    assert [years.told(1999.0), years.told(0.123456), years.told(1_234_567)] == [
        "1999",
        "0.12346",
        "1,234,567",
    ]
    assert column("day", [date(2001, 2, 3)]).told(-DAY) == "1969-12-31"
