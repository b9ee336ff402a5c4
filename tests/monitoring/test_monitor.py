"""What a monitor adds, judges, and says; the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitoring.worlds import DIMENSION, log, world
from spaceport.errors import BusyError, InputError, ParameterError
from spaceport.monitoring.monitor import Monitor
from spaceport.spaces.spaceport import Spaceport
from spaceport.spaces.version import Version
from spaceport.storage import clock
from spaceport.storage.store import open_store


@pytest.fixture
def version(tmp_path: Path, catalog_url: str) -> Version:
    return world(tmp_path, catalog_url)


def states(monitor: Monitor, segment: str | None = None) -> dict[str, str]:
    return {v.window: v.state for v in monitor.history() if v.segment == segment}


def kept(monitor: Monitor) -> Any:
    """All that the store has of it."""
    return (
        monitor.ticks(),
        monitor.history(every_edition=True),
        monitor.alarms(),
        monitor.updates(),
        sorted((monitor.version.store.place / "monitors").listing().items()),
    )


def test_drift_is_found_and_stays_found(version: Version) -> None:
    monitor = version.monitor(alpha=0.02)
    judged = monitor.update([log("2026-01-01"), log("2026-02-01"), log("2026-04-01", shift=1.5)])
    assert [(v.window, v.state, v.rows) for v in judged] == [
        ("2026-01", "none", 120),
        ("2026-02", "none", 120),
        ("2026-03", "empty", 0),
        ("2026-04", "alarm", 120),
    ]
    assert judged == monitor.history()
    (alarm,) = monitor.alarms()
    assert (alarm.state, alarm.windows, alarm.segment) == ("open", ["2026-04"], None)
    again = version.monitor()
    assert again.settings == monitor.settings
    assert again.history() == judged


def test_the_same_log_again_changes_nothing(version: Version) -> None:
    monitor = version.monitor(alpha=0.02)
    monitor.update([log("2026-01-01"), log("2026-02-01", shift=1.5)])
    before = kept(monitor)
    assert monitor.update([log("2026-02-01", shift=1.5), log("2026-01-01")]) == []
    assert kept(monitor) == before


def test_an_overlapping_log_adds_what_is_new_as_one_log_would(
    version: Version, tmp_path: Path
) -> None:
    whole, first = log("2026-01-01", rows=200), log("2026-01-01", rows=200).take(np.arange(130))
    once = version.monitor(alpha=0.02, name="once")
    once.update(whole)
    twice = version.monitor(alpha=0.02, name="twice")
    twice.update(first)
    (verdict,) = twice.update(whole)
    assert (verdict.edition, verdict.rows, verdict.revised) == (2, 200, True)
    assert twice.updates()[-1].facts["known"] == 130
    assert twice.updates()[-1].facts["added"] == 70
    assert [(t.begins, t.rows) for t in twice.ticks()] == [(t.begins, t.rows) for t in once.ticks()]
    assert {t.health["rows"] for t in twice.ticks()} == {t.health["rows"] for t in once.ticks()}


def test_an_id_of_another_day_is_counted_and_left_out(version: Version) -> None:
    monitor = version.monitor(alpha=0.02)
    first = log("2026-01-01", rows=100)
    monitor.update(first)
    later = type(first)(first.ids, first.at + np.timedelta64(31, "D"), first.vectors, first.faults)
    monitor.update([later.take(np.arange(10)), log("2026-02-01", rows=50)])
    facts = monitor.updates()[-1].facts
    assert (facts["added"], facts["elsewhere"], facts["known"]) == (50, 10, 0)
    assert sum(tick.rows for tick in monitor.ticks()) == 150


def test_an_id_that_stands_on_two_days_of_one_log_counts_once(version: Version) -> None:
    monitor = version.monitor(alpha=0.02)
    events = log("2026-01-01", rows=100)
    moved = type(events)(
        events.ids, events.at + np.timedelta64(40, "D"), events.vectors, events.faults
    )
    monitor.update([events, moved])
    assert monitor.updates()[-1].facts["elsewhere"] == 100
    assert sum(tick.rows for tick in monitor.ticks()) == 100


def test_a_late_day_judges_its_window_again_and_no_other(version: Version) -> None:
    monitor = version.monitor(alpha=0.02)
    monitor.update([log("2026-01-01"), log("2026-02-01"), log("2026-03-01")])
    (verdict,) = monitor.update(log("2026-02-10", days=1, rows=200, shift=2.0))
    assert (verdict.window, verdict.edition, verdict.state) == ("2026-02", 2, "alarm")
    assert [v.edition for v in monitor.history()] == [1, 2, 1]
    assert len(monitor.history(every_edition=True)) == 4
    monitor.update(log("2026-02-20", days=1, rows=30, shift=2.0))
    (alarm,) = monitor.alarms()
    assert [event.action for event in alarm.events] == ["open", "revise"]
    assert alarm.revised


def test_late_rows_that_explain_an_alarm_take_it_back(version: Version) -> None:
    monitor = version.monitor(alpha=0.02)
    monitor.update([log("2026-01-01"), log("2026-02-01", rows=40, shift=0.8)])
    assert states(monitor) == {"2026-01": "none", "2026-02": "alarm"}
    monitor.update(log("2026-02-02", days=20, rows=3000))
    (alarm,) = monitor.alarms()
    assert (states(monitor)["2026-02"], alarm.state, alarm.windows) == ("none", "resolved", [])


def test_a_window_that_is_not_over_waits(version: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    monitor = version.monitor(alpha=0.02)
    monitor.update(log("2026-01-01"))
    monkeypatch.setattr(clock, "now", lambda: "2026-02-28T23:59:59Z")
    assert monitor.update(log("2026-02-01", rows=60)) == []
    assert [tick.begins[:7] for tick in monitor.ticks()].count("2026-02") > 1
    assert list(states(monitor)) == ["2026-01"]
    monkeypatch.setattr(clock, "now", lambda: "2026-03-01T00:00:00Z")
    (verdict,) = monitor.update(log("2026-02-01", rows=60))
    assert (verdict.window, verdict.edition, verdict.rows) == ("2026-02", 1, 60)


def test_broken_rows_are_refused_or_counted_once(version: Version) -> None:
    monitor = version.monitor(alpha=0.02)
    events = log("2026-01-01")
    events.faults[[3, 5]] = 3
    with pytest.raises(InputError, match="2 broken rows of 120"):
        monitor.update(events)
    assert monitor.ticks() == []
    monitor.update(events, drop_broken=True)
    assert monitor.updates()[-1].facts["broken"] == 2
    assert (sum(t.rows for t in monitor.ticks()), len(monitor.updates())) == (118, 1)
    assert monitor.update(events, drop_broken=True) == []
    assert sum(t.health["rows"] for t in monitor.ticks()) == 120
    lost = log("2026-02-01", rows=60)
    lost.faults[:] = 1
    (verdict,) = monitor.update(lost, drop_broken=True)
    assert (verdict.state, verdict.rows) == ("empty", 0)
    (finding,) = [f for f in verdict.evidence["health"] if f["check"] == "missing"]
    assert finding["current"] == 1


def test_small_windows_are_told_and_not_judged(version: Version) -> None:
    monitor = version.monitor(alpha=0.02, least=50)
    (verdict,) = monitor.update(log("2026-01-01", rows=49, shift=9))
    assert (verdict.state, verdict.p, verdict.rows) == ("small", None, 49)
    assert monitor.alarms() == []


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("rolling:2", ["waiting", "waiting", "none", "alarm", "alarm", "none"]),
        ("2026-01-01..2026-02-28", ["reference", "reference", "none", "alarm", "alarm", "alarm"]),
        ("season", ["waiting"] * 6),
    ],
)
def test_what_windows_are_compared_with(
    version: Version, reference: str, expected: list[str]
) -> None:
    """The world changes in April, for good."""
    monitor = version.monitor(alpha=0.02, reference=reference)
    monitor.update([log(f"2026-0{m}-01", shift=2.0 * (m > 3)) for m in range(1, 7)])
    assert list(states(monitor).values()) == expected


def test_the_same_season_of_the_year_before(version: Version) -> None:
    """December is always another world; it alarms only when it is compared with November."""
    months = [(y, m) for y in (2024, 2025) for m in (11, 12)]
    logs = [log(f"{y}-{m}-01", shift=3.0 * (m == 12)) for y, m in months]
    monitor = version.monitor(alpha=0.02, reference="season")
    monitor.update(logs)
    found = states(monitor)
    assert (found["2025-11"], found["2025-12"]) == ("none", "none")
    rolling = version.monitor(alpha=0.02, reference="rolling:1", name="rolling")
    rolling.update(logs)
    assert states(rolling)["2025-12"] == "alarm"


def test_vectors_without_times_are_windows_one_after_another(version: Version) -> None:
    rng = np.random.default_rng(5)
    monitor = version.monitor(alpha=0.02)
    for shift in (0, 0, 2):
        X = rng.standard_normal((90, DIMENSION)) + shift
        monitor.update(X, ids=[f"{shift} {x:.6f}" for x in X[:, 0]])
    assert states(monitor) == {"#1": "none", "#2": "none", "#3": "alarm"}
    before = kept(monitor)
    assert monitor.update(X, ids=[f"{shift} {x:.6f}" for x in X[:, 0]]) == []
    assert kept(monitor) == before
    with pytest.raises(InputError, match="windows without times so far"):
        monitor.update(log("2026-01-01"))
    with pytest.raises(InputError, match=r"shape \(n, d\)"):
        monitor.update(np.zeros(3))


def test_a_monitor_keeps_its_settings(version: Version) -> None:
    version.monitor(budget="1 per year", every="week").update(log("2026-01-01"))
    assert version.monitor().settings.every == "week"
    with pytest.raises(ParameterError, match="made with every='week', not 'month'"):
        version.monitor(every="month")
    with pytest.raises(ParameterError, match="made with budget='1 per year'"):
        version.monitor(budget="2 per year")
    assert version.monitor(name="other", every="month").history() == []


@pytest.mark.parametrize(
    "told",
    [
        {"budget": "never"},
        {"every": "moon"},
        {"alpha": 1.5},
        {"least": 2},
        {"tolerance": -1.0},
        {"segments": 0},
        {"reference": "yesterday"},
    ],
)
def test_settings_that_cannot_be_used_are_told(version: Version, told: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        version.monitor(**told)


def test_two_at_once_wait_or_are_told(version: Version) -> None:
    monitor = version.monitor(alpha=0.02)
    monitor.update(log("2026-01-01"))
    with (
        version.store.watched.recording("g"),
        pytest.raises(BusyError, match="the monitors of g"),
    ):
        monitor.update(log("2026-02-01"))


def test_a_store_opened_again_knows_it_all(tmp_path: Path, catalog_url: str) -> None:
    version = world(tmp_path, catalog_url)
    version.monitor(alpha=0.02).update([log("2026-01-01"), log("2026-02-01", shift=2.0)])
    other = Spaceport(open_store(tmp_path / "store", catalog_url))["g@1"].monitor()
    assert kept(other) == kept(version.monitor())
    (verdict,) = other.update(log("2026-03-01", shift=2.0))
    assert verdict.state == "alarm"
    (alarm,) = version.monitor().alarms()
    assert alarm.windows == ["2026-02", "2026-03"]
