"""Segments beside the whole: their references, their shares of the budget, what is told of predictions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.worlds import DIMENSION, log, world
from spaceport.errors import InputError, ParameterError
from spaceport.spaces.spaceport import Spaceport
from spaceport.spaces.version import Version
from spaceport.storage.store import open_store


@pytest.fixture
def version(tmp_path: Path) -> Version:
    """Germans lie elsewhere than the French."""
    rng = np.random.default_rng(3)
    country = np.array(["de", "fr"])[rng.integers(0, 2, 300)]
    X = rng.standard_normal((300, DIMENSION)) + 4.0 * (country == "de")[:, None]
    port = Spaceport(open_store(tmp_path / "store"))
    return port.publish(
        "g",
        [f"item {row}" for row in range(300)],
        X.astype(np.float32),
        {"country": country.tolist()},
        metric="euclidean",
    )


def traffic(start: str, shift: float = 0.0, **told: object):
    """Events of both countries; `shift` moves the French."""
    events = log(start, rows=160, segments=("de", "fr"), **told)
    german = np.array(events.segment.to_pylist()) == "de"
    events.vectors[german] += np.float32(4)
    events.vectors[~german] += np.float32(shift)
    return events


def test_a_segment_is_held_against_its_own_rows(version: Version) -> None:
    monitor = version.monitor(alpha=0.01, segment="country")
    monitor.update([traffic("2026-01-01"), traffic("2026-02-01", shift=1.5)])
    found = {(v.window, v.segment): v.state for v in monitor.history()}
    assert found["2026-01", "de"] == found["2026-01", "fr"] == found["2026-01", None] == "none"
    assert (found["2026-02", "de"], found["2026-02", "fr"]) == ("none", "alarm")
    assert "fr" in {alarm.segment for alarm in monitor.alarms()}
    assert "de" not in {alarm.segment for alarm in monitor.alarms()}


def test_the_budget_is_shared_out_by_what_is_there_first(version: Version) -> None:
    monitor = version.monitor(segment="country")
    monitor.update(traffic("2026-01-01"))
    late = traffic("2026-02-01")
    monitor.update(replace(late, segment=pa.array(["xx"] * len(late), pa.string())))
    alphas = {v.segment: v.alpha for v in monitor.history() if v.window == "2026-02"}
    assert alphas[None] == alphas["de"] == alphas["fr"] == pytest.approx(0.9 / 12 / 4)
    assert alphas["xx"] == pytest.approx(0.9 / 12 / 4 / 2)
    states = {v.segment: v.state for v in monitor.history() if v.window == "2026-02"}
    assert (states["xx"], states["de"]) == ("waiting", "empty")
    assert ("2026-01", "xx") not in {(v.window, v.segment) for v in monitor.history()}


def test_a_declared_number_of_segments_leaves_nothing_for_more(version: Version) -> None:
    monitor = version.monitor(segment="country", segments=1, reference="rolling:1")
    monitor.update([traffic("2026-01-01"), traffic("2026-02-01")])
    found = {v.segment: (v.state, v.alpha) for v in monitor.history() if v.window == "2026-02"}
    assert found["de"][1] == pytest.approx(0.9 / 12 / 2)
    assert found["fr"] == ("untested", None)


def test_segments_that_have_nothing_to_be_compared_with_are_told(
    version: Version, tmp_path: Path
) -> None:
    plain = world(tmp_path / "other")
    assert plain.monitor(segment="country").settings.reference == "first:1"
    assert version.monitor(segment="country", name="new").settings.reference == "version"
    with pytest.raises(ParameterError, match="has no column 'country'"):
        plain.monitor(segment="country", reference="version").update(traffic("2026-01-01"))
    assert plain.store.watched.monitors("g") == []
    with pytest.raises(InputError, match="these events have none"):
        version.monitor(segment="country").update(log("2026-01-01"))
    many = log("2026-01-01", rows=1100)
    named = replace(many, segment=pa.array([f"s{row}" for row in range(1100)], pa.string()))
    with pytest.raises(InputError, match="over 1,000 values"):
        version.monitor(segment="country").update(named)


def test_a_log_with_segments_may_be_watched_as_a_whole(version: Version) -> None:
    monitor = version.monitor(alpha=0.01)
    monitor.update(traffic("2026-01-01"))
    assert {tick.segment for tick in monitor.ticks()} == {None}


@pytest.mark.parametrize("reference", ["rolling:1", "version"])
def test_a_verdict_tells_how_predictions_fared(version: Version, reference: str) -> None:
    monitor = version.monitor(alpha=0.01, reference=reference)
    logs = []
    for month, wrong in ((1, 16), (2, 80)):
        events = log(f"2026-0{month}-01", rows=160)
        label = np.array(["yes"] * 160)
        said = np.where(np.arange(160) < wrong, "no", "yes")
        logs.append(replace(events, prediction=pa.array(said), label=pa.array(label)))
    monitor.update(logs)
    first, second = monitor.performance().values()
    assert (first["whole"]["value"], second["whole"]["value"]) == (0.9, 0.5)
    assert ("beside" in first, second["beside"]) == (False, "2026-01")
    change = second["split"]["change"]["value"]
    parts = second["split"]["mix"]["value"] + second["split"]["within"]["value"]
    assert change == pytest.approx(-0.4)
    assert parts == pytest.approx(change)
    assert sum(tick.outcomes["labeled"] != [] for tick in monitor.ticks()) > 1


def test_a_drift_of_imported_vectors_is_unclear(version: Version) -> None:
    """No canaries: nobody can say whether data or model moved."""
    monitor = version.monitor(alpha=0.01)
    monitor.update(log("2026-01-01", shift=6.0))
    (verdict,) = monitor.history()
    assert verdict.state == "alarm"
    assert verdict.evidence["cause"]["verdict"] == "unclear"
