"""Versions are written, and come whole or not at all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from spaceport.errors import (
    InputError,
    ParameterError,
    StoreError,
)
from spaceport.storage.names import Number
from spaceport.storage.store import Record, Store, Writer
from storage.hands import Hands, again

Publish = Callable[..., Record]
Rows = Callable[..., pa.RecordBatch]
FIELDS = {"contract": {"metric": "cosine"}, "fingerprint": "a" * 64}


@pytest.fixture
def store(anywhere: Store) -> Store:
    return anywhere


def test_a_first_version(store: Store, first: Publish) -> None:
    record = first(store)
    assert record.reference == "words@1.0.0"
    assert (record.rows, record.dimension, record.kind) == (3, 8, "major")
    fresh = again(store)
    assert fresh.spaces() == ["words"]
    assert fresh.versions("words") == [record]
    assert fresh.vectors(record).ids() == ["cat", "dog", "queen"]
    assert fresh.read(record, "card.json") == b'{"measured": 1}'
    assert fresh.file(record, "card.json").read_bytes() == b'{"measured": 1}'
    assert list(fresh.files(record)) == ["card.json"]
    assert fresh.verify(record) == []
    assert fresh.gc() == []


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
    fresh = again(store)
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


def leave_with(
    error: BaseException, store: Store, space: str, write: Callable[[Writer], object]
) -> None:
    with store.writing(space) as writer:
        (writer.folder / "half").write_text("half")
        write(writer)
        raise error


@pytest.mark.parametrize("error", [KeyError("x"), KeyboardInterrupt(), SystemExit(1)])
def test_leaving_without_publishing_leaves_nothing(
    store: Store, hands: Hands, first: Publish, rows: Rows, error: BaseException
) -> None:
    record = first(store)
    before = hands.names()
    hint = {name for name in before if name.endswith("hint.json")}
    for write in (
        lambda writer: writer.extend_vectors(record, ["cat"], [rows(["king"])]),
        lambda writer: writer.create_vectors(rows(["a"]).schema, [rows(["a"])]),
        lambda writer: writer.keep_vectors(record),
        lambda writer: None,
    ):
        with pytest.raises(type(error)):
            leave_with(error, store, "words", write)
        assert hands.names() - hint == before - hint
    with pytest.raises(type(error)):
        leave_with(error, store, "new", lambda writer: None)
    assert store.spaces() == ["words"]
    assert not any("new" in name.split("/") for name in hands.names())
    assert not list(store.root.glob("s*/new"))
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
