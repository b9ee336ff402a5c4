"""Alarms and their history, and the outbox; the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from spaceport.errors import NotFoundError, ParameterError
from spaceport.storage.monitors import Changes, Verdict, Watch
from spaceport.storage.store import Store, open_store


@pytest.fixture
def store(tmp_path: Path, catalog_url: str) -> Store:
    return open_store(tmp_path / "store", catalog_url)


@pytest.fixture
def watch(store: Store, first) -> Watch:
    record = first(store)
    with store.watched.recording("words") as recorder:
        return recorder.create(record, "default", {})


def update(store: Store, watch: Watch, verdicts: tuple[Verdict, ...], notify: bool = False) -> None:
    with store.watched.recording("words") as recorder:
        recorder.commit(watch, Changes({}, (), verdicts, notify))


def said(window: str, state: str, edition: int = 1, segment: str | None = None) -> Verdict:
    return Verdict(
        window, f"{window}-01", f"{window}-31", segment, edition, state, 5, 0.5, 0.01, 0.1
    )


def test_the_last_edition_of_a_verdict_counts(store: Store, watch: Watch) -> None:
    update(store, watch, (said("2026-03", "alarm"), said("2026-03", "none", 1, "")))
    update(store, watch, (said("2026-03", "none", 2),))
    whole, segment = store.watched.verdicts(watch)
    assert (whole.state, whole.edition, whole.revised, whole.segment) == ("none", 2, True, None)
    assert (segment.segment, segment.revised, segment.p) == ("", False, 0.5)
    assert [v.edition for v in store.watched.verdicts(watch, every_edition=True)] == [1, 2, 1]


def test_alarms_open_go_on_and_come_back(store: Store, watch: Watch) -> None:
    update(store, watch, (said("2026-01", "alarm"), said("2026-01", "alarm", 1, "de")))
    update(store, watch, (said("2026-02", "alarm"), said("2026-02", "drift", 1, "de")))
    whole, german = store.watched.alarms("words")
    assert (whole.windows, german.windows) == (["2026-01", "2026-02"], ["2026-01"])
    assert [event.action for event in whole.events] == ["open", "continue"]
    acknowledged = store.watched.acknowledge("words", whole.id, "looking")
    assert (acknowledged.state, acknowledged.events[-1].note) == ("acknowledged", "looking")
    update(store, watch, (said("2026-03", "alarm"),))
    assert store.watched.alarms("words")[0].state == "acknowledged"
    store.watched.resolve("words", whole.id, "new source")
    update(store, watch, (said("2026-04", "alarm"),))
    assert [alarm.state for alarm in store.watched.alarms("words", watch)] == [
        "resolved",
        "open",
        "open",
    ]


def test_a_resolved_alarm_whose_window_is_judged_again_says_so_and_stays(
    store: Store, watch: Watch
) -> None:
    update(store, watch, (said("2026-01", "alarm"),))
    (alarm,) = store.watched.alarms("words")
    store.watched.resolve("words", alarm.id, "known")
    update(store, watch, (said("2026-01", "alarm", 2),))
    (alarm,) = store.watched.alarms("words")
    assert (alarm.state, alarm.revised) == ("resolved", True)


def test_late_rows_may_take_an_alarm_back(store: Store, watch: Watch) -> None:
    update(store, watch, (said("2026-01", "alarm"), said("2026-02", "alarm")))
    update(store, watch, (said("2026-01", "none", 2),))
    (alarm,) = store.watched.alarms("words")
    assert (alarm.state, alarm.windows, alarm.revised) == ("open", ["2026-02"], True)
    update(store, watch, (said("2026-02", "drift", 2),))
    (alarm,) = store.watched.alarms("words")
    assert (alarm.state, alarm.windows) == ("resolved", [])
    assert [event.action for event in alarm.events] == [
        "open",
        "continue",
        "withdraw",
        "withdraw",
        "resolve",
    ]


def test_an_alarm_that_somebody_looks_after_is_not_resolved_for_them(
    store: Store, watch: Watch
) -> None:
    update(store, watch, (said("2026-01", "alarm"),))
    store.watched.acknowledge("words", store.watched.alarms("words")[0].id)
    update(store, watch, (said("2026-01", "none", 2),))
    (alarm,) = store.watched.alarms("words")
    assert (alarm.state, alarm.windows) == ("acknowledged", [])


def test_a_window_that_alarms_only_with_late_rows_opens_an_alarm(
    store: Store, watch: Watch
) -> None:
    update(store, watch, (said("2026-01", "none"),))
    update(store, watch, (said("2026-01", "alarm", 2),))
    (alarm,) = store.watched.alarms("words")
    assert (alarm.state, alarm.windows, alarm.revised) == ("open", ["2026-01"], False)


def test_what_cannot_be_done_to_an_alarm_is_told(store: Store, watch: Watch) -> None:
    with pytest.raises(NotFoundError, match="words has no alarm 1") as caught:
        store.watched.acknowledge("words", 1)
    assert caught.value.remedy == "There is none."
    update(store, watch, (said("2026-01", "alarm"),))
    (alarm,) = store.watched.alarms("words")
    with pytest.raises(ParameterError, match="with a reason"):
        store.watched.resolve("words", alarm.id, " ")
    store.watched.resolve("words", alarm.id, "known")
    with pytest.raises(ParameterError, match="is resolved"):
        store.watched.acknowledge("words", alarm.id)
    with pytest.raises(ParameterError, match="is resolved"):
        store.watched.resolve("words", alarm.id, "again")
    assert len(store.watched.alarms("words")[0].events) == 2


def test_the_outbox_keeps_what_was_not_delivered(store: Store, watch: Watch) -> None:
    update(store, watch, (said("2026-01", "alarm"),), notify=True)
    update(store, watch, (said("2026-02", "alarm"),), notify=True)
    outbox = store.watched.outbox(watch)
    (message,) = outbox.pending()
    assert len(bytes.fromhex(message.key)) == hashlib.sha256().digest_size
    assert {k: message.body[k] for k in ("event", "space", "window", "segment", "p")} == {
        "event": "alarm",
        "space": "words",
        "window": "2026-01",
        "segment": None,
        "p": 0.5,
    }
    outbox.failed(message.key, "timed out")
    assert outbox.pending() == [replace(message, tries=1)]
    outbox.delivered(message.key)
    assert outbox.pending() == []


def test_without_a_webhook_nothing_waits_to_be_sent(store: Store, watch: Watch) -> None:
    update(store, watch, (said("2026-01", "alarm"),))
    assert store.watched.outbox(watch).pending() == []
