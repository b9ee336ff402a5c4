"""Labels that come after their events: each is counted once, and what was said of drift stands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from monitoring.worlds import log, world
from spaceport.errors import CorruptError
from spaceport.monitoring.events import Events
from spaceport.monitoring.known import Known, among
from spaceport.monitoring.monitor import Monitor
from spaceport.spaces.version import Version

ROWS = 120


@pytest.fixture
def version(tmp_path: Path) -> Version:
    return world(tmp_path)


def traffic(month: int, right: float, **told: object) -> Events:
    """A month of predictions and labels in two segments, so many of them right."""
    events = log(f"2026-0{month}-01", rows=ROWS, segments=("de", "fr"), **told)
    rng = np.random.default_rng(month)
    label = rng.choice(["cat", "dog"], ROWS)
    said = np.where(rng.random(ROWS) < right, label, "emu")
    return replace(events, prediction=pa.array(said), label=pa.array(label))


def unlabeled(events: Events, but: np.ndarray | None = None) -> Events:
    """The same events before their labels were known, or some of them."""
    known = np.zeros(len(events), bool) if but is None else but
    return replace(events, label=pa.array(events.label.to_pylist(), mask=~known))


def watched(version: Version, name: str, *logs: Events | list[Events]) -> Monitor:
    monitor = version.monitor(alpha=0.01, segment="segment", reference="first:1", name=name)
    for each in logs:
        monitor.update(each)
    return monitor


def of_predictions(monitor: Monitor) -> list[object]:
    return [(tick.begins, tick.segment, tick.outcomes) for tick in monitor.ticks()]


def test_it_is_as_if_they_had_been_there_from_the_beginning(version: Version) -> None:
    months = [traffic(1, 0.9), traffic(2, 0.6)]
    some = np.arange(ROWS) % 3 == 0
    at_once = watched(version, "once", months)
    late = watched(
        version,
        "late",
        [unlabeled(each) for each in months],
        [unlabeled(each, some) for each in months],
        months[1],
        months[0],
    )
    assert late.performance() == at_once.performance()
    assert of_predictions(late) == of_predictions(at_once)
    right = (months[1].prediction.to_numpy(False) == months[1].label.to_numpy(False)).mean()
    told = late.performance()["2026-02", None]
    assert (told["labeled"], told["whole"]["value"]) == (ROWS, pytest.approx(right))
    assert [update.facts["labeled"] for update in late.updates()] == [0, 80, 80, 80]
    assert {update.facts["added"] for update in late.updates()[1:]} == {0}


def test_what_was_said_of_drift_stands_and_no_sketch_is_written_again(version: Version) -> None:
    months = [traffic(1, 0.9), traffic(2, 0.6)]
    monitor = watched(version, "late", [unlabeled(each) for each in months])
    said, kept = monitor.history(), {tick.sketch for tick in monitor.ticks()}
    assert monitor.update(months) == []
    assert monitor.history(every_edition=True) == said
    assert {tick.sketch for tick in monitor.ticks()} == kept
    updates = len(monitor.updates())
    assert monitor.update(months) == []
    assert len(monitor.updates()) == updates  # nothing was new
    store = version.store
    assert store.verify(version.record) == []
    assert store.gc() == []
    assert monitor.update(traffic(3, 0.9))[0].rows == ROWS  # the sketches can be read


def test_late_rows_and_late_labels_may_come_together(version: Version) -> None:
    whole = traffic(1, 0.8)
    first = np.arange(ROWS) < 70
    monitor = watched(version, "late", unlabeled(whole.take(first)), whole)
    told = monitor.performance()["2026-01", None]
    assert (told["rows"], told["labeled"]) == (ROWS, ROWS)
    assert monitor.updates()[-1].facts | {"segments": 0} == {
        "added": ROWS - 70, "known": 70, "labeled": 70, "elsewhere": 0, "broken": 0, "segments": 0,
    }  # fmt: skip


def test_a_prediction_may_come_late_too(version: Version) -> None:
    whole = traffic(1, 0.8)
    plain = replace(whole, prediction=None, label=None)
    told = replace(whole, label=None)
    late = watched(version, "late", plain, told, whole)
    assert of_predictions(late) == of_predictions(watched(version, "once", whole))
    together = watched(version, "together", plain, whole)
    assert of_predictions(together) == of_predictions(late)


def test_an_event_of_another_day_brings_no_label(version: Version) -> None:
    """An id belongs to the day on which it came first."""
    whole = traffic(1, 0.8)
    monitor = watched(version, "late", unlabeled(whole))
    before = of_predictions(monitor)
    elsewhere = replace(whole, at=whole.at + np.timedelta64(40, "D"))
    monitor.update([elsewhere, traffic(2, 0.8)])
    assert monitor.updates()[-1].facts["elsewhere"] == ROWS
    assert of_predictions(monitor)[: len(before)] == before
    assert monitor.performance()["2026-02", None]["rows"] == ROWS


def test_the_first_label_counts(version: Version) -> None:
    whole = traffic(1, 1.0)
    other = replace(whole, label=pa.array(["ox"] * ROWS))
    monitor = watched(version, "late", whole, other)
    assert monitor.performance()["2026-01", None]["whole"]["value"] == 1.0


def test_a_number_without_an_error_waits_for_a_label(version: Version) -> None:
    events = log("2026-01-01", rows=ROWS)
    said = replace(events, prediction=pa.array(np.arange(ROWS, dtype=float)))
    label = np.arange(ROWS) + 0.5
    missing = replace(said, label=pa.array(np.full(ROWS, np.nan)))
    monitor = version.monitor(alpha=0.01)
    monitor.update(missing)
    assert monitor.performance()["2026-01", None]["labeled"] == 0
    monitor.update(replace(said, label=pa.array(label)))
    told = monitor.performance()["2026-01", None]
    assert (told["labeled"], told["whole"]["value"]) == (ROWS, 0.5)


def test_a_label_may_come_with_a_vector_of_another_cell(version: Version) -> None:
    """The encoder moved meanwhile: the label is counted where the row lies now, and all can be read."""
    whole = traffic(1, 0.8)
    moved = replace(whole, vectors=whole.vectors[::-1].copy())
    monitor = watched(version, "late", unlabeled(whole), moved, traffic(2, 0.8))
    told = monitor.performance()["2026-01", None]
    assert (told["rows"], told["labeled"]) == (ROWS, ROWS)


def test_a_row_without_a_prediction_brings_no_label(version: Version) -> None:
    whole = traffic(1, 0.8)
    monitor = watched(version, "late", unlabeled(whole))
    assert monitor.update(replace(whole, prediction=pa.nulls(ROWS, pa.string()))) == []
    assert len(monitor.updates()) == 1


def test_what_is_known_of_a_tick_is_read_as_it_was_written() -> None:
    known = Known(*(np.array(ids, np.uint64) for ids in ([1, 4, 9], [1, 4], [4])))
    again = Known.read(known.arrays(), "x")
    read = [again.ids.tolist(), again.predicted.tolist(), again.labeled.tolist()]
    assert read == [[1, 4, 9], [1, 4], [4]]
    assert among(np.array([9, 2, 4], np.uint64), known.ids, again.labeled).tolist() == [1, 0, 1]
    damages = (
        {"ids": known.ids},
        known.arrays() | {"more": known.ids},
        known.arrays() | {"ids": known.ids.astype(np.int64)},
        known.arrays() | {"labeled": known.ids[None]},
    )
    for damage in damages:
        with pytest.raises(CorruptError, match="holds no hashes of ids"):
            Known.read(damage, "x")
