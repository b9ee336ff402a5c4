"""A store as its users see it: publish, resolve, read, verify, sweep, promote."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from spaceport.errors import (
    CorruptError,
    InputError,
    NotFoundError,
    ParameterError,
    SpaceportError,
    StoreError,
)
from spaceport.storage.files import listing
from spaceport.storage.names import Number
from spaceport.storage.store import Record, Store, Writer, open_store

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


def test_a_first_version(store: Store, first: Publish) -> None:
    record = first(store)
    assert record.reference == "words@1.0.0"
    assert (record.rows, record.dimension, record.kind) == (3, 8, "major")
    again = open_store(store.root)
    assert again.spaces() == ["words"]
    assert again.versions("words") == [record]
    assert again.vectors(record).ids() == ["cat", "dog", "queen"]
    assert again.read(record, "card.json") == b'{"measured": 1}'
    assert again.file(record, "card.json").read_bytes() == b'{"measured": 1}'
    assert list(again.files(record)) == ["card.json"]
    assert again.verify(record) == []
    assert again.gc() == []


def test_minors_and_patches_leave_the_earlier_versions_as_they_were(
    store: Store, first: Publish, minor: Publish
) -> None:
    one = first(store)
    before = store.vectors(one).matrix()
    two = minor(store, "words", ["cat"], ["cat", "king"])
    with store.writing("words") as writer:
        writer.keep_vectors(two)
        (writer.folder / "card.json").write_text("better")
        three = writer.publish(Number(1, 1, 1), **FIELDS)
    fresh = open_store(store.root)
    assert [r.reference for r in fresh.versions("words")] == [
        "words@1.0.0",
        "words@1.1.0",
        "words@1.1.1",
    ]
    assert [r.kind for r in fresh.versions("words")] == ["major", "minor", "patch"]
    assert fresh.vectors(one).ids() == ["cat", "dog", "queen"]
    np.testing.assert_array_equal(fresh.vectors(one).matrix(), before)
    assert fresh.vectors(two).ids() == fresh.vectors(three).ids() == ["dog", "queen", "cat", "king"]
    np.testing.assert_array_equal(fresh.vectors(two).matrix()[:2], before[1:])
    assert fresh.read(three, "card.json") == b"better"
    assert [fresh.verify(record) for record in (one, two, three)] == [[], [], []]
    assert fresh.gc(dry_run=True) == []


def test_a_minor_may_follow_an_older_one(
    store: Store, first: Publish, minor: Publish, rows: Rows
) -> None:
    one = first(store)
    two = minor(store, "words", ["cat"], ["king"])
    with store.writing("words") as writer:
        writer.extend_vectors(one, ["dog"], [rows(["prince"])])
        three = writer.publish(Number(1, 2), **FIELDS)
    found = {record.reference: store.vectors(record).ids() for record in store.versions("words")}
    assert found == {
        "words@1.0.0": ["cat", "dog", "queen"],
        "words@1.1.0": ["dog", "queen", "king"],
        "words@1.2.0": ["cat", "queen", "prince"],
    }
    assert [store.verify(record) for record in (one, two, three)] == [[], [], []]
    assert store.gc() == []


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
def test_no_name_leads_out_of_the_store(store: Store, first: Publish, name: str) -> None:
    first(store)
    before = sorted(store.root.parent.rglob("*"))
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
    assert sorted(store.root.parent.rglob("*")) == before


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


def spoil(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_one_flipped_bit_anywhere_is_found(store: Store, first: Publish, minor: Publish) -> None:
    first(store)
    record = minor(store, "words", ["cat"], ["king"])
    catalog = store._foundation.catalog
    entries = catalog.files(record)
    assert len(entries) == 7
    for entry in entries:
        path = store.root / entry.path
        whole = path.read_bytes()
        spoil(path)
        (problem,) = open_store(store.root).verify(record)
        assert path.name in problem
        path.unlink()
        (problem,) = open_store(store.root).verify(record)
        assert "missing" in problem
        path.write_bytes(whole)
    assert open_store(store.root).verify(record) == []


def test_a_flipped_bit_in_a_small_file_is_found_when_it_is_read(
    store: Store, first: Publish
) -> None:
    record = first(store)
    spoil(store.root / record.folder / "card.json")
    for look in (store.read, store.file):
        with pytest.raises(CorruptError, match=r"card\.json"):
            look(record, "card.json")


def test_verify_counts_rows_and_ids(store: Store, rows: Rows) -> None:
    batch = rows(["twice", "once", "twice"])
    with store.writing("words") as writer:
        writer.create_vectors(batch.schema, [batch])
        record = writer.publish(Number(1), **FIELDS)
    assert store.verify(record) == ["words@1.0.0 has 1 repeated ids."]
    other = dataclasses.replace(record, rows=4, dimension=9)
    assert len(store.verify(other)) == 3


def leave_with(
    error: BaseException, store: Store, space: str, write: Callable[[Writer], object]
) -> None:
    with store.writing(space) as writer:
        (writer.folder / "half").write_text("half")
        write(writer)
        raise error


@pytest.mark.parametrize("error", [KeyError("x"), KeyboardInterrupt(), SystemExit(1)])
def test_leaving_without_publishing_leaves_nothing(
    store: Store, first: Publish, rows: Rows, error: BaseException
) -> None:
    record = first(store)
    before = listing(store.root)
    hint = {name for name in before if name.endswith("hint.json")}
    for write in (
        lambda writer: writer.extend_vectors(record, ["cat"], [rows(["king"])]),
        lambda writer: writer.create_vectors(rows(["a"]).schema, [rows(["a"])]),
        lambda writer: writer.keep_vectors(record),
        lambda writer: None,
    ):
        with pytest.raises(type(error)):
            leave_with(error, store, "words", write)
        assert listing(store.root) - hint == before - hint
    with pytest.raises(type(error)):
        leave_with(error, store, "new", lambda writer: None)
    assert store.spaces() == ["words"]
    assert not (store.root / "spaces" / "new").exists()
    assert store.verify(record) == []
    assert store.gc() == []


def test_an_error_in_the_batches_leaves_nothing(store: Store, first: Publish, rows: Rows) -> None:
    record = first(store)

    def batches() -> object:
        yield rows(["king"])
        raise InputError("bad", "mend it")

    with pytest.raises(InputError), store.writing("words") as writer:
        writer.extend_vectors(record, [], batches())
    assert store.gc(dry_run=True) == []
    assert store.verify(record) == []


def test_leftovers_are_swept_and_nothing_else(store: Store, first: Publish, minor: Publish) -> None:
    record = first(store)
    latest = minor(store, "words", ["cat"], ["king"])
    kept = listing(store.root)
    dataset, folder = store.root / record.dataset, store.root / "spaces" / "words"
    litter = [dataset / "data" / "half.lance", dataset / "_versions" / "1.manifest", dataset / ".tmpX",
              folder / "20260101-000000-abcd" / "card.json", store.root / "spaces" / "never" / "x" / "y"]  # fmt: skip
    for path in litter:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"12345")
    named = {str(path.relative_to(store.root)) for path in litter}
    assert {found.path for found in store.gc(dry_run=True)} == named
    assert all(path.exists() for path in litter)
    assert {(found.path, found.size) for found in store.gc()} == {(name, 5) for name in named}
    locks = {"locks/never.lock"}
    assert listing(store.root) - locks == kept
    assert not (store.root / "spaces" / "never").exists()
    assert not litter[3].parent.exists()
    assert store.gc() == []
    assert [store.verify(one) for one in (record, latest)] == [[], []]


def test_a_power_cut_that_emptied_lances_newest_files_does_not_stop_the_next_version(
    store: Store, first: Publish, minor: Publish
) -> None:
    record = first(store)
    dataset = store.root / record.dataset
    (dataset / "_versions" / f"{2**64 - 3:020d}.manifest").touch()
    (dataset / "_versions" / "latest_version_hint.json").write_bytes(bytes(13))
    after = minor(store, "words", ["cat"], ["king"])
    assert store.vectors(after).ids() == ["dog", "queen", "king"]
    assert [store.verify(one) for one in (record, after)] == [[], []]
    assert store.gc() == []


def test_a_sweep_leaves_a_space_alone_that_is_being_written_to(
    store: Store, first: Publish, rows: Rows
) -> None:
    record = first(store)
    with store.writing("words") as writer:
        (writer.folder / "card.json").write_text("{}")
        writer.extend_vectors(record, ["cat"], [rows(["king"])])
        assert open_store(store.root).gc() == []
        after = writer.publish(Number(1, 1), **FIELDS)
    assert store.verify(after) == []


def test_numbers_must_fit_the_vectors(store: Store, first: Publish, rows: Rows) -> None:
    record = first(store)
    batch = rows(["a"])
    cases = [
        (
            lambda writer: writer.create_vectors(batch.schema, [batch]),
            [(1, 1, 1), (3, 0), (2, 0, 1), (1, 2)],
        ),
        (
            lambda writer: writer.extend_vectors(record, ["cat"], []),
            [(1, 0), (3, 0), (1, 1, 1), (2, 1)],
        ),
        (lambda writer: writer.keep_vectors(record), [(1, 0), (1, 1), (2, 0), (1, 1, 1)]),
    ]
    for write, numbers in cases:
        with store.writing("words") as writer:
            write(writer)
            for number in numbers:
                with pytest.raises(ParameterError, match="does not fit"):
                    writer.publish(Number(*number), **FIELDS)
    with pytest.raises(ParameterError, match="does not fit"):
        first(store)
    assert store.versions("words") == [record]
    assert store.gc() == []


def test_a_writer_publishes_once_and_only_with_vectors(
    store: Store, first: Publish, rows: Rows
) -> None:
    record = first(store)
    with store.writing("words") as writer:
        with pytest.raises(ParameterError, match="no vectors"):
            writer.publish(Number(2), **FIELDS)
        writer.keep_vectors(record)
        with pytest.raises(ParameterError, match="written already"):
            writer.extend_vectors(record, [], [])
        writer.publish(Number(1, 0, 1), **FIELDS)
        with pytest.raises(ParameterError, match="published already"):
            writer.publish(Number(1, 0, 2), **FIELDS)
    with (
        store.writing("other") as writer,
        pytest.raises(ParameterError, match="no version of other"),
    ):
        writer.keep_vectors(record)


def test_a_store_whose_making_was_cut_short(store: Store, first: Publish) -> None:
    store.root.mkdir()
    for step in ("folder", "mark", "database", "tables"):
        if step == "mark":
            (store.root / "store.json").write_text('{"store": "0123456789abcdef0123456789abcdef"}')
        if step == "database":
            (store.root / "catalog.sqlite").touch()
        if step == "tables":
            open_store(store.root)._foundation.database.make()
        with pytest.raises(NotFoundError, match="no store"):
            open_store(store.root).spaces()
    record = first(store)
    assert open_store(store.root).verify(record) == []


def test_a_mark_that_is_broken(store: Store, first: Publish) -> None:
    first(store)
    (store.root / "store.json").write_text("")
    with pytest.raises(CorruptError, match=r"store\.json"):
        open_store(store.root).spaces()


def test_odd_folder_names_hold_a_store(tmp_path: Path, first: Publish, minor: Publish) -> None:
    store = open_store(tmp_path / "a b%20#?é'\"{x}")
    first(store)
    record = minor(store, "words", ["cat"], ["king"])
    fresh = open_store(store.root)
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


def test_readers_see_a_version_whole_or_not_at_all(
    store: Store, first: Publish, minor: Publish
) -> None:
    first(store)
    done = threading.Event()
    problems: list[object] = []

    def read() -> None:
        while not done.is_set():
            fresh = open_store(store.root)
            record = fresh.resolve("words")
            if fresh.verify(record) or fresh.vectors(record).count != record.rows:
                problems.append(record.reference)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for k in range(8):
        minor(store, "words", [], [f"new-{k}"], seed=k)
    done.set()
    for reader in readers:
        reader.join()
    assert problems == []
    assert store.resolve("words").rows == 11


class Hasty(Writer):
    """A saboteur: commits the row, and only then lets the files be there."""

    def _commit(self, record: Record, entries: object) -> None:
        away = self.folder.with_suffix(".away")
        self.folder.rename(away)
        super()._commit(record, entries)
        raise RuntimeError("died between the row and the files")


def test_a_row_before_its_files_would_be_found(store: Store, first: Publish) -> None:
    store.writer_class = Hasty
    with pytest.raises(RuntimeError):
        first(store)
    store.writer_class = Writer
    (record,) = store.versions("words")
    assert "missing" in store.verify(record)[0]


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt, StoreError("the connection is lost", "try again")]
)
def test_what_comes_just_after_the_row_does_not_take_the_files(
    store: Store, first: Publish, error: BaseException | type[BaseException]
) -> None:
    class Interrupted(Writer):
        def _commit(self, record: Record, entries: object) -> None:
            super()._commit(record, entries)
            raise error

    store.writer_class = Interrupted
    with pytest.raises((KeyboardInterrupt, StoreError)):
        first(store)
    (record,) = store.versions("words")
    assert store.verify(record) == []
    assert store.gc() == []


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
