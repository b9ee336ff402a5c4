"""Versions by name, aliases, and files by name."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest

from spaceport.errors import (
    NotFoundError,
    ParameterError,
    SpaceportError,
)
from spaceport.storage.names import Number
from spaceport.storage.store import Record, Store
from storage.hands import Hands

Publish = Callable[..., Record]
Rows = Callable[..., pa.RecordBatch]
FIELDS = {"contract": {"metric": "cosine"}, "fingerprint": "a" * 64}

pytestmark = pytest.mark.parametrize(
    "anywhere", ["folder-sqlite", "bucket-postgresql"], indirect=True
)


@pytest.fixture
def store(anywhere: Store) -> Store:
    return anywhere


def test_references(store: Store, first: Publish, minor: Publish, rows: Rows) -> None:
    first(store)
    minor(store, "words", [], ["king"])
    batch = rows(["a"], dimension=4)
    with store.writing("words") as writer:
        writer.create_vectors(batch.schema, [batch])
        writer.publish(Number(2), **FIELDS)
    store.promote("words@1.0", "live")
    told = {"words": "2.0.0", "words@latest": "2.0.0", "words@1": "1.1.0", "words@1.0": "1.0.0",
            "words@1.0.0": "1.0.0", "words@live": "1.0.0"}  # fmt: skip
    assert {name: str(store.resolve(name).number) for name in told} == told
    with pytest.raises(NotFoundError, match=r"There are: 1\.0\.0, 1\.1\.0, 2\.0\.0, live\."):
        store.resolve("words@3")
    with pytest.raises(NotFoundError, match="Did you mean live"):
        store.resolve("words@lvie")
    with pytest.raises(NotFoundError, match="Did you mean words"):
        store.resolve("wrods")


@pytest.mark.parametrize("name", ["../x", "a/b", "/tmp/x", "a\0", "A", "", "..", "a\\..\\b"])
def test_no_name_leads_out_of_the_store(
    store: Store, hands: Hands, first: Publish, name: str
) -> None:
    first(store)
    before = sorted(store.root.parent.rglob("*")), hands.names()
    for attempt in (
        lambda: store.versions(name),
        lambda: store.resolve(name),
        lambda: store.history(name, "live"),
        lambda: store.promote("words", name),
        lambda: store.promote(f"{name}@1", "live"),
        lambda: store.writing(name).__enter__(),
    ):
        with pytest.raises(ParameterError):
            attempt()
    assert (sorted(store.root.parent.rglob("*")), hands.names()) == before


@pytest.mark.parametrize("name", ["../card.json", "../../../store.json", "/etc/passwd", "card", ""])
def test_only_listed_files_are_read(store: Store, first: Publish, name: str) -> None:
    record = first(store)
    for look in (store.read, store.file):
        with pytest.raises(NotFoundError, match=r"card\.json"):
            look(record, name)


def test_aliases(store: Store, first: Publish, minor: Publish) -> None:
    first(store)
    minor(store, "words", [], ["king"])
    with pytest.raises(NotFoundError, match="no alias live"):
        store.history("words", "live")
    store.promote("words@1.0", "live", note="try")
    assert store.promote("words", "live").reference == "words@1.1.0"
    assert {a: r.reference for a, r in store.aliases("words").items()} == {"live": "words@1.1.0"}
    assert store.rollback("words", "live", note="worse").reference == "words@1.0.0"
    assert store.resolve("words@live").reference == "words@1.0.0"
    told = [(move.action, str(move.after), move.note) for move in store.history("words", "live")]
    assert told == [
        ("promote", "1.0.0", "try"),
        ("promote", "1.1.0", ""),
        ("rollback", "1.0.0", "worse"),
    ]
    with pytest.raises(NotFoundError, match="no other version"):
        store.rollback("words", "live")


def test_every_error_has_two_lines(store: Store, first: Publish) -> None:
    record = first(store)
    for attempt in (
        lambda: store.resolve("words@7"),
        lambda: store.versions("none"),
        lambda: store.read(record, "none"),
        lambda: store.vectors(record).take(["none"]),
        lambda: store.rollback("words", "live"),
    ):
        with pytest.raises(SpaceportError) as caught:
            attempt()
        first_line, second_line = str(caught.value).split("\n")
        assert first_line
        assert second_line
