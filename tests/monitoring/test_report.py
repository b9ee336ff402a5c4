"""The report of a monitor: what stands on it is what the catalog says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import spaceport as sp
from spaceport.errors import ParameterError
from spaceport.monitoring import prometheus, report, report_tables
from spaceport.monitoring.report import sheet, write
from spaceport.storage.alarms import Alarm, AlarmEvent
from spaceport.storage.monitors import Verdict

WORDS = ("goats", "ships", "bonds", "stars")
CENTERS = np.random.default_rng(7).normal(size=(4, 6)) * 6


def rows(count: int, rng: np.random.Generator, shares: Sequence[float] = (1, 1, 1, 1)) -> Any:
    kinds = rng.choice(4, count, p=np.array(shares) / sum(shares))
    return (CENTERS[kinds] + rng.normal(size=(count, 6))).astype(np.float32), kinds


@pytest.fixture(scope="module")
def monitor(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Three windows like the version, one with half as many again of one kind, one with few rows."""
    rng = np.random.default_rng(0)
    X, kinds = rows(400, rng)
    store = sp.open(tmp_path_factory.mktemp("report") / "store")
    texts = [f"{WORDS[kind]} {WORDS[kind]} {row}" for row, kind in enumerate(kinds)]
    store.publish("mine", [f"i{row}" for row in range(400)], X, {"text": texts}, metric="euclidean")
    watched = store["mine"].monitor(alpha=0.02, least=20)
    for shares in ((1, 1, 1, 1), (1, 1, 1, 1), (1, 1, 8, 1)):
        watched.update(rows(150, rng, shares)[0])
    watched.update(rows(10, rng)[0])
    return watched


def test_windows_p_values_and_effects_are_those_of_the_history(monitor: Any) -> None:
    laid_out = sheet(monitor)
    (track,) = laid_out.tracks
    found = monitor.history()
    assert laid_out.windows == [verdict.window for verdict in found] == ["#1", "#2", "#3", "#4"]
    assert track.rows == [150, 150, 150, 10]
    assert track.p == [verdict.p for verdict in found]
    assert track.p[3] is None
    assert track.alpha == [0.02, 0.02, 0.02, None]
    assert track.alarms == ["", "", "open", ""]
    assert track.effect[2] is not None
    assert track.low[2] < track.effect[2] < track.high[2]  # type: ignore[operator]
    assert laid_out.effect == "share of the items that moved"


def test_the_planted_cell_is_the_one_that_grew(monitor: Any) -> None:
    laid_out = sheet(monitor)
    assert laid_out.heat is not None
    grew = [
        (laid_out.heat.cells[cell], window)
        for cell, window in np.argwhere(laid_out.heat.significant & (laid_out.heat.changes > 0))
    ]
    assert grew
    assert all("bonds" in name and window == 2 for name, window in grew)
    assert np.isnan(laid_out.heat.changes[:, 3]).all()  # too few rows: not shown
    assert np.allclose(np.nansum(laid_out.heat.changes[:, :3], axis=0), 0)
    first = laid_out.worst[0]
    assert (first.window, first.how) == ("#3", "more")
    assert "bonds" in first.cell
    assert first.after > first.before
    assert all(item.startswith("bonds") for item in first.old)  # texts of the version's items
    assert all(re.fullmatch(r"3-\d+", item) for item in first.new)  # ids of the window's


def test_the_state_of_an_alarm_is_followed(monitor: Any) -> None:
    (alarm,) = monitor.alarms()
    monitor.acknowledge(alarm.id, "looking")
    assert sheet(monitor).tracks[0].alarms == ["", "", "acknowledged", ""]
    monitor.resolve(alarm.id, "a new source")
    laid_out = sheet(monitor)
    assert laid_out.tracks[0].alarms == ["", "", "resolved", ""]
    assert "1 alarm: 1 resolved." in laid_out.findings
    table = next(rows for title, _, rows in laid_out.tables if title == "Alarms")
    assert "a new source" in table[0][-1]


def test_it_is_written_as_its_ending_says(monitor: Any, tmp_path: Path) -> None:
    for name, head in (("r.html", b"<!doctype html>"), ("r.png", b"\x89PNG"), ("r.svg", b"<?xml")):
        write(monitor, tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(head)
    with pytest.raises(ParameterError, match=r"\.html, \.png, \.svg"):
        write(monitor, tmp_path / "r.pdf")


def test_a_monitor_without_a_window(monitor: Any, tmp_path: Path) -> None:
    fresh = monitor.version.monitor(alpha=0.02, name="fresh")
    assert sheet(fresh).findings == ["No window is over yet."]
    write(fresh, tmp_path / "r.html")
    assert prometheus.readings(fresh) == []


def test_readings_are_of_the_last_window_and_the_last_test(monitor: Any) -> None:
    (reading,) = prometheus.readings(monitor)
    third = monitor.history()[2]
    assert (reading.space, reading.monitor, reading.segment) == ("mine", "default", "")
    assert reading.rows == 10
    assert (reading.p, reading.alpha, reading.effect) == (third.p, 0.02, third.effect)
    assert reading.ended is None  # windows with numbers have no time


def verdict(
    window: str, state: str = "none", segment: str | None = None, **evidence: Any
) -> Verdict:
    ends = f"{window}-28T00:00:00Z"
    return Verdict(
        window, f"{window}-01T00:00:00Z", ends, segment, 1, state, 100, 0.5, 0.01, 0.1, evidence
    )


def stub(verdicts: Sequence[Verdict], alarms: Sequence[Alarm] = ()) -> Any:
    version = SimpleNamespace(record=SimpleNamespace(space="news"))
    return SimpleNamespace(
        name="default", version=version, history=lambda: list(verdicts), alarms=lambda: list(alarms)
    )


def alarm(number: int, segment: str | None, state: str) -> Alarm:
    events = (AlarmEvent("2026-01-02T00:00:00Z", "x", "open", "2026-01", ""),)
    return Alarm(number, "news", "default", segment, state, "2026-01-02T00:00:00Z", events)


def test_readings_count_the_alarms_that_stand_by_segment() -> None:
    verdicts = [
        verdict("2026-01"),
        verdict("2026-01", segment=""),
        verdict("2026-01", segment="DE"),
    ]
    standing = [alarm(1, None, "open"), alarm(2, None, "resolved"), alarm(3, "DE", "acknowledged")]
    found = {r.segment: r for r in prometheus.readings(stub(verdicts, standing))}
    assert {name: r.open_alarms for name, r in found.items()} == {"": 1, "(none)": 0, "DE": 1}
    assert found[""].ended == 1_769_558_400  # 2026-01-28T00:00:00Z


@pytest.mark.parametrize(
    ("told", "wanted"),
    [("model", 1.0), ("both", 1.0), ("data", 0.0), ("neither", 0.0), ("unclear", None)],
)
def test_readings_say_whether_the_model_moved(told: str, wanted: float | None) -> None:
    before = verdict("2026-01", cause={"verdict": "model", "reason": ""})
    after = verdict("2026-02", cause={"verdict": told, "reason": ""})
    (found,) = prometheus.readings(stub([before, after, verdict("2026-03")]))
    assert found.canaries == wanted


PERFORMANCE = {
    "rows": 100,
    "labeled": 80,
    "measure": "accuracy",
    "whole": {"name": "0", "rows": 80, "value": 0.75, "low": 0.7, "high": 0.8},
    "worst": [{"name": "1", "rows": 9, "value": 0.25, "low": 0.1, "high": None}],
    "beside": "2026-01",
    "split": {
        name: {"value": value, "low": value - 0.01, "high": value + 0.01}
        for name, value in (("change", -0.1), ("mix", -0.04), ("within", -0.06))
    },
}


def test_performance_by_window_and_the_worst_cells_by_name() -> None:
    told = {("2026-02", None): PERFORMANCE}
    (title, _, whole), (cells, head, worst) = report_tables.performance(told, [["a"], ["b", "c"]])
    assert title == "Performance"
    assert whole == [
        ("2026-02", "all rows", "80 of 100", "accuracy 0.750 (0.700 to 0.800)", "2026-01",
         "-0.100 (-0.110 to -0.090)", "-0.040 (-0.050 to -0.030)", "-0.060 (-0.070 to -0.050)"),
    ]  # fmt: skip
    assert (cells, head[0]) == ("Cells with the worst accuracy in 2026-02", "cell")
    assert worst == [("c", "9", "0.250 (0.100 to ∞)")]


def test_classes_that_are_predicted_more_often() -> None:
    classes = {
        "p": 0.001,
        "moved": 0.2,
        "classes": [("cat", 0.5, 0.3), ("emu", 0, 0.1), ("dog", 0.5, 0.6)],
    }
    guess = {"rows": 100, "labeled": 0, "classes": classes, "beside": "2026-01"}
    ((title, head, table),) = report_tables.performance({("2026-02", None): guess}, [[]])
    assert title == "Predicted classes"
    assert dict(zip(head, table[0], strict=True)) == {
        "window": "2026-02", "segment": "all rows", "beside": "2026-01", "changed": "20.0%", "p": "0.001",
        "the most": "cat 50.0% → 30.0%, emu 0.0% → 10.0%",
    }  # fmt: skip


def test_predictions_without_labels_tell_what_is_expected() -> None:
    guess = {"rows": 100, "labeled": 0, "expected": {"value": 0.8, "low": 0.7, "high": 0.9}}
    ((_, _, table),) = report_tables.performance({("2026-02", None): guess}, [[]])
    assert table[0][3:] == ("expected 0.800 (0.700 to 0.900)", "", "", "", "")


def test_health_and_causes_as_sentences() -> None:
    finding = {"check": "zero", "reference": 0.0, "current": 0.25, "low": 0.1, "high": 0.4, "p": 1e-4,
               "found": True}  # fmt: skip
    told = verdict("2026-02", health=[finding], cause={"verdict": "model", "reason": "a canary"})
    ((_, _, health),) = report_tables.health([told])
    assert health[0][:2] == ("2026-02", "all rows")
    assert "0.000% before, 25.000% now" in health[0][2]
    ((_, _, causes),) = report_tables.causes([told])
    assert causes == [("2026-02", "model", "a canary")]
    assert report_tables.health([]) == report_tables.causes([]) == report_tables.alarms([]) == []


def cell(number: int, rate: float, kind: str = "more") -> dict[str, Any]:
    items = [{"id": f"i{why}{n}", "why": why} for why in ("old", "new", "novel") for n in range(5)]
    share = {"before": [0.1, 0.0, 0.2], "after": [0.3, 0.2, 0.4], "shift": [0.25, 0.1, 0.4]}
    return {"level": 1, "cell": number, "rate": rate, "kind": kind, "items": items, **share}


def test_the_newest_alarm_stands_first() -> None:
    ((_, _, table),) = report_tables.alarms([alarm(1, None, "resolved"), alarm(2, "", "open")])
    assert [row[:3] for row in table] == [("2", "(none)", "open"), ("1", "all rows", "resolved")]


def test_only_cells_that_the_verdict_names_and_of_the_last_alarm() -> None:
    names = [["a"], [f"n{number}" for number in range(9)]]
    many = [cell(2, 0.01, "moved"), *(cell(n, 0.1) for n in (3, 4, 5, 6, 7)), cell(8, 0.2)]
    earlier = verdict("2026-01", "alarm", where={"rate": 0.1, "cells": [cell(1, 0.01)]})
    last = verdict("2026-02", "alarm", where={"rate": 0.1, "cells": many})
    calm = verdict("2026-03", where={"rate": 0.1, "cells": [cell(1, 0.01)]})
    found = report_tables.worst([earlier, last, calm], names, {"iold0": "a text"})
    assert [(each.window, each.cell) for each in found] == [
        ("2026-02", f"n{n}") for n in range(2, 7)
    ]
    assert [each.how for each in found[:2]] == ["moved by 0.25 of its spread", "more"]
    assert (found[0].old, found[0].novel) == (
        ["a text", "iold1", "iold2"],
        ["inovel0", "inovel1", "inovel2"],
    )
    few = verdict("2026-02", "alarm", where={"rate": 0.1, "cells": [cell(1, 0.11)]})
    assert report_tables.worst([few], names, {}) == []
    assert report_tables.worst([verdict("2026-02", "alarm", where=None)], names, {}) == []


def test_windows_beside_the_windows_before(monitor: Any) -> None:
    """With a rolling reference, shares are compared with those of the window before."""
    watched = monitor.version.monitor(alpha=0.02, least=20, reference="rolling:1", name="rolling")
    rng = np.random.default_rng(5)
    parts = [rows(120, rng), rows(120, rng, (1, 1, 8, 1)), rows(120, rng, (1, 1, 8, 1))]
    for part, _ in parts:
        watched.update(part)
    laid_out = sheet(watched)
    assert laid_out.heat is not None
    assert np.isnan(laid_out.heat.changes[:, 0]).all()  # nothing before the first
    bonds = np.array(["bonds" in name for name in laid_out.heat.cells])
    counted = [(kinds == 2).mean() for _, kinds in parts]
    found = laid_out.heat.changes[bonds].sum(axis=0)[1:]
    assert found == pytest.approx(np.diff(counted), abs=0.02)


def test_an_unknown_measure_is_called_effect(monitor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_tables, "MEASURES", {})
    assert report.sheet(monitor).effect == "effect"
