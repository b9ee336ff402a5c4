"""What is broken is found, what nobody lists is swept."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable

import pyarrow as pa
import pytest

from spaceport.errors import (
    CorruptError,
)
from spaceport.storage.folder import Folder
from spaceport.storage.names import Number
from spaceport.storage.store import Record, Store, Writer
from storage.hands import Hands, again, spoil

Publish = Callable[..., Record]
Rows = Callable[..., pa.RecordBatch]
FIELDS = {"contract": {"metric": "cosine"}, "fingerprint": "a" * 64}


@pytest.fixture
def store(anywhere: Store) -> Store:
    return anywhere


def test_one_flipped_bit_anywhere_is_found(
    store: Store, hands: Hands, first: Publish, minor: Publish
) -> None:
    first(store)
    record = minor(store, "words", ["cat"], ["king"])
    catalog = store._foundation.catalog
    entries = catalog.files(record)
    assert len(entries) == 7
    for entry in entries:
        whole = hands.read(entry.path)
        spoil(hands, entry.path)
        (problem,) = again(store).verify(record)
        assert entry.path in problem
        hands.remove(entry.path)
        (problem,) = again(store).verify(record)
        assert "missing" in problem
        hands.write(entry.path, whole)
    assert again(store).verify(record) == []


def test_a_flipped_bit_in_a_small_file_is_found_when_it_is_read(
    store: Store, hands: Hands, first: Publish
) -> None:
    record = first(store)
    spoil(hands, f"{record.folder}/card.json")
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


class Hasty(Writer):
    """A saboteur: commits the row, and only then lets the files be there."""

    def _commit(self, record: Record, entries: object) -> None:
        super()._commit(record, entries)
        (self._place / record.folder).prune(["card.json"])
        raise RuntimeError("died between the row and the files")


def test_a_row_before_its_files_would_be_found(store: Store, first: Publish) -> None:
    store.writer_class = Hasty
    with pytest.raises(RuntimeError):
        first(store)
    store.writer_class = Writer
    (record,) = store.versions("words")
    assert "missing" in store.verify(record)[0]


def test_leftovers_are_swept_and_nothing_else(
    store: Store, hands: Hands, first: Publish, minor: Publish
) -> None:
    record = first(store)
    latest = minor(store, "words", ["cat"], ["king"])
    kept = hands.names()
    litter = {f"{record.dataset}/data/half.lance", f"{record.dataset}/_versions/1.manifest",
              f"{record.dataset}/.tmp X", "spaces/words/20260101-000000-abcd/card.json",
              "spaces/never/x/y"}  # fmt: skip
    for name in litter:
        hands.write(name, b"12345")
    assert {found.path for found in store.gc(dry_run=True)} == litter
    assert hands.names() >= litter
    assert {(found.path, found.size) for found in store.gc()} == {(name, 5) for name in litter}
    assert hands.names() - {"locks/never.lock"} == kept
    assert not (store.root / "spaces" / "never").exists()
    assert not (store.root / "spaces/words/20260101-000000-abcd").exists()
    assert store.gc() == []
    assert [store.verify(one) for one in (record, latest)] == [[], []]


def test_a_power_cut_that_emptied_lances_newest_files_does_not_stop_the_next_version(
    store: Store, hands: Hands, first: Publish, minor: Publish
) -> None:
    record = first(store)
    hands.write(f"{record.dataset}/_versions/{2**64 - 3:020d}.manifest", b"")
    if isinstance(store.place, Folder):
        hands.write(f"{record.dataset}/_versions/latest_version_hint.json", bytes(13))
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
        assert again(store).gc() == []
        after = writer.publish(Number(1, 1), **FIELDS)
    assert store.verify(after) == []


def test_readers_see_a_version_whole_or_not_at_all(
    store: Store, first: Publish, minor: Publish
) -> None:
    first(store)
    done = threading.Event()
    problems: list[object] = []

    def read() -> None:
        while not done.is_set():
            fresh = again(store)
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
