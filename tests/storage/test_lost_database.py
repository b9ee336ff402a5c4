"""The catalog's server goes away in the middle and comes back: everything whole, nothing half."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pyarrow as pa
import pytest

from databases import Server, binaries, server
from spaceport.errors import BusyError, StoreError
from spaceport.storage.names import Number
from spaceport.storage.store import Record, Store, Writer, open_store
from storage.hands import again

Publish = Callable[..., Record]
Rows = Callable[..., pa.RecordBatch]
FIELDS = {"contract": {"metric": "cosine"}, "fingerprint": "a" * 64}


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    """A server that these tests may stop."""
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    with server() as started:
        yield started


@pytest.fixture(params=["folder", "bucket"])
def store(own: Server, request: pytest.FixtureRequest, tmp_path) -> Iterator[Store]:
    bucket = request.param == "bucket"
    where = request.getfixturevalue("bucket_uri") if bucket else tmp_path / "store"
    with own.database() as url:
        yield open_store(where, url)


def stage(writer: Writer, base: Record, rows: Rows) -> None:
    (writer.folder / "card.json").write_text("{}")
    writer.extend_vectors(base, ["cat"], [rows(["king"])])


def gone(attempt: Callable[[], object]) -> None:
    with pytest.raises(StoreError) as caught:
        attempt()
    assert len(str(caught.value).split("\n")) == 2
    assert "tester" in str(caught.value), "the catalog is named"


def test_gone_between_writing_and_committing(
    store: Store, own: Server, first: Publish, minor: Publish, rows: Rows
) -> None:
    record = first(store)

    def publish() -> None:
        with store.writing("words") as writer:
            stage(writer, record, rows)
            own.stop()
            writer.publish(Number(1, 1), **FIELDS)

    try:
        gone(publish)
        gone(store.spaces)
        gone(lambda: store.promote("words", "live"))
        assert store.vectors(record).ids() == ["cat", "dog", "queen"], "the files need no catalog"
    finally:
        own.start()
    fresh = again(store)
    assert fresh.versions("words") == [record]
    assert fresh.verify(record) == []
    assert minor(fresh, "words", ["cat"], ["king"]).reference == "words@1.1.0"
    fresh.gc()
    assert [fresh.verify(one) for one in fresh.versions("words")] == [[], []]


def test_a_writer_whose_lock_was_lost_publishes_nothing_over_the_next_one(
    store: Store, own: Server, first: Publish, minor: Publish, rows: Rows
) -> None:
    """The server restarts; another writer takes the space; the first one comes back."""
    record = first(store)

    def publish() -> None:
        with store.writing("words") as writer:
            stage(writer, record, rows)
            own.stop()
            own.start()
            other = again(store)
            try:
                minor(other, "words", [], ["prince"])
            except BusyError:  # on one machine the lock file holds still
                assert (store.root / "locks").is_dir()
            writer.publish(Number(1, 1), **FIELDS)

    with pytest.raises(StoreError, match="the lock of this writer"):
        publish()
    fresh = again(store)
    assert {r.reference for r in fresh.versions("words")} <= {"words@1.0.0", "words@1.1.0"}
    assert [fresh.verify(one) for one in fresh.versions("words")] == [
        [] for _ in fresh.versions("words")
    ]
    latest = minor(fresh, "words", [], ["duke"])
    fresh.gc()
    assert "king" not in fresh.vectors(latest).ids()
    assert [fresh.verify(one) for one in fresh.versions("words")] == [
        [] for _ in fresh.versions("words")
    ]


def test_a_writer_whose_lock_was_lost_removes_nothing_of_the_next_one(
    bucket_uri: str, own: Server, first: Publish, rows: Rows
) -> None:
    """It leaves while the next writer's files are there and its row is not."""
    with own.database() as url:
        store = open_store(bucket_uri, url)
        record = first(store)
        with ExitStack() as stack:
            lost = store.writing("words")
            stage(lost.__enter__(), record, rows)
            own.stop()
            own.start()
            writer = stack.enter_context(again(store).writing("words"))
            stage(writer, record, rows)
            lost.__exit__(None, None, None)
            latest = writer.publish(Number(1, 1), **FIELDS)
        assert store.verify(latest) == []


def test_an_artifact_is_kept_by_who_has_the_lock(store: Store, own: Server, first: Publish) -> None:
    record = first(store)

    def keep() -> None:
        with store.keeping("words") as keeper:
            (keeper.folder / "weights").write_bytes(b"x")
            own.stop()
            own.start()
            keeper.keep(record, "probe", "p")

    with pytest.raises(StoreError, match="the lock of this writer"):
        keep()
    fresh = again(store)
    assert fresh.artifacts("words") == []
    fresh.gc()
    assert fresh.gc() == []


def test_waiting_for_a_lock_while_the_server_goes_away(
    store: Store, own: Server, first: Publish
) -> None:
    first(store)
    with store._foundation.database.lock("x", 0.0):
        own.stop()
        try:
            gone(lambda: store._foundation.database.lock("y", 1.0).__enter__())
        finally:
            own.start()
    with store._foundation.database.lock("x", 5.0):
        pass
