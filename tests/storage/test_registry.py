"""Artifacts and consumers, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from spaceport.errors import BusyError, NotFoundError, ParameterError, StoreError
from spaceport.storage import clock
from spaceport.storage.catalog import Catalog
from spaceport.storage.names import Number
from spaceport.storage.store import Consumer, Record, Store

FILTER = Consumer("words", "spam-filter", "ann", "1", {"kind": "command", "line": "true"}, 0.01)


@pytest.fixture
def store(anywhere: Store) -> Store:
    return anywhere


@pytest.fixture
def record(store: Store, first) -> Record:
    made: Record = first(store)
    return made


def keep(store: Store, record: Record, name: str = "probe", **told):
    with store.keeping(record.space) as keeper:
        (keeper.folder / "weights").write_bytes(name.encode())
        return keeper.keep(record, "probe", name, facts={"accuracy": 0.5}, **told)


def test_an_artifact_comes_back_with_its_files(store: Store, record: Record) -> None:
    kept = keep(store, record)
    assert store.artifacts("words") == store.artifacts("words", "probe") == [kept]
    assert store.artifacts("words", "adapter") == []
    assert (kept.of, kept.onto, kept.fingerprint) == ("words@1.0.0", None, record.fingerprint)
    assert store.read(kept, "weights") == b"probe"
    assert store.file(kept, "weights").read_bytes() == b"probe"
    assert dict(kept.facts) == {"accuracy": 0.5}
    with pytest.raises(NotFoundError, match="probe probe has no file weihgts"):
        store.read(kept, "weihgts")


def test_an_adapter_names_both_versions(store: Store, record: Record, first) -> None:
    other = first(store, "other")
    kept = keep(store, record, onto=other)
    assert (kept.of, kept.onto) == ("words@1.0.0", "other@1.0.0")


def test_gc_leaves_what_is_kept_and_removes_what_was_not(store: Store, record: Record) -> None:
    keep(store, record)
    with store.keeping("words") as keeper:
        (keeper.folder / "left").write_bytes(b"x")
        folder = keeper.folder
    assert not folder.exists()
    assert store.gc() == []


def test_a_consumer_and_its_files_come_together_or_not_at_all(store: Store, record: Record) -> None:
    kept = keep(store, record, "task", consumer=FILTER)
    (known,) = store.consumers("words")
    assert (known.name, known.pin, known.artifact) == ("spam-filter", "1", kept.id)
    with pytest.raises(ParameterError, match="has a consumer spam-filter already"):
        keep(store, record, "again", consumer=FILTER)
    assert [artifact.name for artifact in store.artifacts("words")] == ["task"]
    assert store.gc() == []


def test_a_consumer_may_go_and_come_back(store: Store, record: Record) -> None:
    store.add_consumer(FILTER)
    store.remove_consumer("words", "spam-filter")
    assert store.consumers("words") == []
    with pytest.raises(NotFoundError, match="has no consumer spam-filter"):
        store.remove_consumer("words", "spam-filter")
    store.add_consumer(FILTER)
    assert len(store.consumers("words")) == 1


def test_an_alias_moves_with_the_pins_or_not_at_all(store: Store, record: Record, minor) -> None:
    store.add_consumer(FILTER)
    store.promote("words@1.0.0", "live")
    minor(store, "words", [], ["king"])
    with pytest.raises(BusyError, match="moved by somebody else"):
        store.promote("words@1.1.0", "live", expected=None, pins={"spam-filter": "1.1"})
    assert store.consumers("words")[0].pin == "1"
    told = {"spam-filter": 0.97}
    store.promote(
        "words@1.1.0", "live", "ok", expected=Number(1), pins={"spam-filter": "1.1"}, evidence=told
    )
    assert store.consumers("words")[0].pin == "1.1"
    assert dict(store.history("words", "live")[-1].evidence) == told


def test_a_refusal_stands_in_the_history_and_moves_nothing(
    store: Store, record: Record, minor
) -> None:
    store.promote("words@1.0.0", "live")
    minor(store, "words", [], ["king"])
    store.refuse("words@1.1.0", "live", "spam-filter lost 9 %", {"spam-filter": 0.88})
    assert store.aliases("words")["live"].reference == "words@1.0.0"
    assert [move.action for move in store.history("words")] == ["promote", "refuse"]
    store.promote("words@1.1.0", "live")
    assert store.rollback("words", "live").reference == "words@1.0.0"


def test_a_clock_that_went_back_writes_nothing(
    store: Store, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spaceport.storage.aliases.now", lambda: "2001-01-01T00:00:00Z")
    with pytest.raises(StoreError, match="clock says 2001-01-01T00:00:00Z, but the last entry"):
        store.promote("words@1", "live")
    assert store.aliases("words") == {}
    monkeypatch.setenv("SPACEPORT_TRUST_CLOCK", "1")
    store.promote("words@1", "live")
    monkeypatch.undo()
    assert clock.now() > store.history("words")[0].at


def test_a_version_that_took_long_to_write_is_no_clock_that_went_back(
    store: Store, record: Record
) -> None:
    catalog = Catalog(store._foundation.database)
    store.promote("words@1", "live")
    begun = replace(record, number=Number(2), created="2001-01-01T00:00:00Z")
    catalog.commit(begun, [])
    assert store.resolve("words@2").created == begun.created


def test_a_clock_that_went_back_publishes_nothing(
    store: Store, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = Catalog(store._foundation.database)
    monkeypatch.setattr("spaceport.storage.catalog.now", lambda: "2001-01-01T00:00:00Z")
    with pytest.raises(StoreError, match="clock says 2001-01-01T00:00:00Z"):
        catalog.commit(replace(record, number=Number(2)), [])
    assert [str(each.number) for each in store.versions("words")] == ["1.0.0"]
