"""The history of a space: nothing is lost, nothing comes before what it needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from spaceport.storage import aliases, catalog, registry
from spaceport.storage.registry import Consumer
from spaceport.storage.store import Record, Store, open_store

First = Callable[..., Record]


def consumer(name: str) -> Consumer:
    return Consumer("words", name, "team", "1", {"kind": "labels"}, 0.01)


def happen(store: Store, first: First, minor: First) -> None:
    """Eight things, in this order."""
    first(store)
    store.add_consumer(consumer("a"))
    store.promote("words@1", "live", "begin")
    minor(store, "words", [], ["hen"])
    store.refuse("words@1.1", "live", "no", {"consumers": []})
    store.promote("words@1.1", "live")
    store.rollback("words", "live")
    store.remove_consumer("words", "a")


def told(store: Store) -> list[tuple[str, str]]:
    return [(event.action, event.subject) for event in store.events("words")]


def clocks(monkeypatch: pytest.MonkeyPatch, times: Sequence[str]) -> None:
    """Let the clock say these times, one after another."""
    ticks = iter(times)
    for module in (aliases, catalog, registry):
        if hasattr(module, "now"):
            monkeypatch.setattr(module, "now", lambda: next(ticks))
    monkeypatch.setattr("spaceport.storage.writer.now", lambda: next(ticks))


EXPECTED = [
    ("publish", "1.0.0"),
    ("add", "consumer a"),
    ("promote", "live"),
    ("publish", "1.1.0"),
    ("refuse", "live"),
    ("promote", "live"),
    ("rollback", "live"),
    ("remove", "consumer a"),
]


def test_everything_stands_there_in_its_order(
    tmp_path: Path,
    catalog_url: str,
    first: First,
    minor: First,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clocks(monkeypatch, [f"2026-01-01T00:00:{second:02d}Z" for second in range(20)])
    store = open_store(tmp_path / "store", catalog_url)
    happen(store, first, minor)
    assert told(store) == EXPECTED
    notes = [event.note for event in store.events("words") if event.action == "promote"]
    assert notes == ["begin", ""]


def test_equal_times_keep_each_tables_order_and_put_first_what_is_needed(
    tmp_path: Path, first: First, minor: First, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks(monkeypatch, ["2026-01-01T00:00:00Z"] * 20)
    store = open_store(tmp_path / "store")
    happen(store, first, minor)
    found = told(store)
    assert sorted(found) == sorted(EXPECTED)
    for kind in (("publish",), ("promote", "refuse", "rollback"), ("add", "remove")):
        of_kind = [each for each in found if each[0] in kind]
        assert of_kind == [each for each in EXPECTED if each[0] in kind]
    assert found.index(("publish", "1.1.0")) < found.index(("refuse", "live"))


def test_a_clock_that_went_back_reorders_no_table(
    tmp_path: Path, first: First, minor: First, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACEPORT_TRUST_CLOCK", "1")
    back = [f"2026-01-01T00:{59 - minute:02d}:00Z" for minute in range(20)]
    clocks(monkeypatch, back)
    store = open_store(tmp_path / "store")
    happen(store, first, minor)
    found = told(store)
    for kind in (("publish",), ("promote", "refuse", "rollback")):
        assert [e for e in found if e[0] in kind] == [e for e in EXPECTED if e[0] in kind]
    assert found.index(("publish", "1.1.0")) < found.index(("refuse", "live"))
    assert found.index(("add", "consumer a")) < found.index(("remove", "consumer a"))
    assert found[0] == ("publish", "1.0.0")
