"""What a window is compared with, and how windows follow each other."""

from __future__ import annotations

import pytest

from spaceport.errors import ParameterError
from spaceport.monitoring.references import Reference
from spaceport.monitoring.spans import Calendar, Numbers, Span
from spaceport.monitoring.windows import Every

MONTHS = Calendar(Every.parse("month"))
MARCH = MONTHS.of("2026-03-15T00:00:00Z")
BEGUN = "2024-11-20T00:00:00Z"


def test_a_window_of_the_calendar() -> None:
    assert Span("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", "2026-03") == MARCH
    assert MARCH.holds("2026-03-31T23:00:00Z")
    assert not MARCH.holds("2026-04-01T00:00:00Z")
    names = [w.name for w in MONTHS.between("2025-11-30T00:00:00Z", "2026-02-01T00:00:00Z")]
    assert names == ["2025-11", "2025-12", "2026-01", "2026-02"]


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        ("first:1", "2024-11-01T00:00:00Z", "2024-12-01T00:00:00Z"),
        ("first:3", "2024-11-01T00:00:00Z", "2025-02-01T00:00:00Z"),
        ("rolling:1", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ("rolling:3", "2025-12-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ("season", "2025-03-01T00:00:00Z", "2025-04-01T00:00:00Z"),
        ("2025-05-01..2025-05-31", "2025-05-01T00:00:00Z", "2025-06-01T00:00:00Z"),
        ("2024", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"),
    ],
)
def test_what_march_is_compared_with(text: str, begins: str, ends: str) -> None:
    span = Reference.parse(text).span(MONTHS, MARCH, BEGUN)
    assert span is not None
    assert (span.begins, span.ends) == (begins, ends)


def test_the_version_is_no_span() -> None:
    assert Reference.parse("version").span(MONTHS, MARCH, BEGUN) is None
    assert Reference.parse("Version ").of_version
    assert Reference.parse("in-sample").of_version
    assert Reference.parse("in-sample").in_sample


@pytest.mark.parametrize(
    "text", ["", "rolling", "rolling:0", "first", "first:0", "last year", "2026-13", "2026..2025"]
)
def test_what_is_none_is_told(text: str) -> None:
    with pytest.raises(ParameterError, match="what windows are compared with"):
        Reference.parse(text)


def test_windows_without_times_follow_their_numbers() -> None:
    numbers = Numbers()
    assert numbers.of("#000009") == Span("#000009", "#000010", "#9")
    assert [w.name for w in numbers.between("#000009", "#000011")] == ["#9", "#10", "#11"]
    before = numbers.before(numbers.of("#000009"), 3)
    assert (before.begins, before.ends) == ("#000006", "#000009")
    first = numbers.first("#000001", 2)
    assert (first.begins, first.ends) == ("#000001", "#000003")
    assert numbers.season(numbers.of("#000009")) is None
