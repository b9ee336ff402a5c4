"""Where a store is, and what is said where there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from spaceport.errors import (
    CorruptError,
    NotFoundError,
    ParameterError,
    StoreError,
)
from spaceport.storage.store import Record, Store, open_store
from storage.hands import again

Publish = Callable[..., Record]
Rows = Callable[..., pa.RecordBatch]
FIELDS = {"contract": {"metric": "cosine"}, "fingerprint": "a" * 64}


def test_reading_a_store_that_is_not_there_makes_nothing(store: Store) -> None:
    for look in (store.spaces, store.gc, lambda: store.versions("a"), lambda: store.resolve("a@1")):
        with pytest.raises(NotFoundError, match="There is no store in"):
            look()
    assert not store.root.exists()


def test_where_a_store_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SPACEPORT_STORE", raising=False)
    assert open_store().root == tmp_path / "spaceport-store"
    monkeypatch.setenv("SPACEPORT_STORE", str(tmp_path / "elsewhere"))
    assert open_store().root == tmp_path / "elsewhere"
    assert open_store("here").root == tmp_path / "here"
    for uri in ("gs://bucket/store", "http://host/store", "s3://", "s3:/bucket/x", "s3://b/a b"):
        with pytest.raises(ParameterError, match="neither a folder nor a bucket"):
            open_store(uri)
    with pytest.raises(ParameterError, match="needs a catalog"):
        open_store("s3://bucket/store")


def test_a_store_whose_making_was_cut_short(store: Store, first: Publish) -> None:
    store.root.mkdir()
    for step in ("folder", "mark", "database", "tables"):
        if step == "mark":
            (store.root / "store.json").write_text('{"store": "0123456789abcdef0123456789abcdef"}')
        if step == "database":
            (store.root / "catalog.sqlite").touch()
        if step == "tables":
            again(store)._foundation.database.make()
        with pytest.raises(NotFoundError, match="no store"):
            again(store).spaces()
    record = first(store)
    assert again(store).verify(record) == []


def test_a_mark_that_is_broken(store: Store, first: Publish) -> None:
    first(store)
    (store.root / "store.json").write_text("")
    with pytest.raises(CorruptError, match=r"store\.json"):
        again(store).spaces()


def test_odd_folder_names_hold_a_store(tmp_path: Path, first: Publish, minor: Publish) -> None:
    store = open_store(tmp_path / "a b%20#?é'\"{x}")
    first(store)
    record = minor(store, "words", ["cat"], ["king"])
    fresh = again(store)
    assert fresh.verify(record) == []
    assert fresh.vectors(record).ids() == ["dog", "queen", "king"]
    assert [path.name for path in tmp_path.iterdir()] == [store.root.name]


def test_a_store_where_a_file_lies(tmp_path: Path, first: Publish) -> None:
    (tmp_path / "store").write_text("a file of the user's")
    for place in (tmp_path / "store", tmp_path / "store" / "below"):
        store = open_store(place)
        for attempt in (store.spaces, lambda store=store: first(store)):
            with pytest.raises(StoreError, match="cannot be used"):
                attempt()
    assert (tmp_path / "store").read_text() == "a file of the user's"
