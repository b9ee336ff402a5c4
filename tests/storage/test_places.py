"""A place does the same whether it is a folder or a bucket."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import lance
import pyarrow as pa
import pytest

from buckets import S3
from spaceport.errors import BusyError, CorruptError, StoreError
from spaceport.storage import datasets
from spaceport.storage.bucket import Bucket
from spaceport.storage.files import Entry
from spaceport.storage.folder import Folder
from spaceport.storage.places import Place
from spaceport.storage.s3 import explanation
from spaceport.storage.store import Record, open_store

Publish = Callable[..., Record]
Rows = Callable[..., pa.RecordBatch]


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return Folder(tmp_path / "store")
    return Bucket.parse(request.getfixturevalue("bucket_uri"))


def bring(place: Place, local: Path, files: dict[str, bytes]) -> list[Entry]:
    staged = place.stage(local)
    for name, data in files.items():
        (staged / name).parent.mkdir(parents=True, exist_ok=True)
        (staged / name).write_bytes(data)
    return place.bring(staged)


def test_what_is_brought_is_there(place: Place, tmp_path: Path) -> None:
    assert (place.listing(), place.folders(), place.size("a")) == ({}, [], None)
    files = {"a": b"x" * 9_000_000, "b/c": b"", "b/d/e": b"y"}
    entries = bring(place / "spaces/words/t", tmp_path / "staged", files)
    assert entries == [
        Entry(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in files.items()
    ]
    there = place / "spaces" / "words/t"
    assert there.listing() == {name: len(data) for name, data in files.items()}
    assert place.folders() == ["spaces"]
    assert (place / "spaces").folders() == ["words"]
    for entry in entries:
        assert there.read(entry.path) == there.read_checked(entry) == files[entry.path]
        assert there.measure(entry.path) == entry
        assert there.size(entry.path) == entry.size
        assert there.fetch(entry, tmp_path / "copies").read_bytes() == files[entry.path]
        there.check(entry)


def test_a_file_that_goes_while_it_is_checked_is_missing(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at its size and that at its bytes another process may replace it."""
    (entry,) = bring(place / "spaces/a", tmp_path / "staged", {"x": b"1"})
    there = place / "spaces/a"
    size = there.size

    def last_seen(name: str) -> int | None:
        found = size(name)
        there.prune([name])
        return found

    monkeypatch.setattr(there, "size", last_seen)
    with pytest.raises(CorruptError, match="is missing"):
        there.check(entry)


def test_removing_what_is_there_and_what_is_not(place: Place, tmp_path: Path) -> None:
    bring(place / "spaces/a", tmp_path / "staged", {"x": b"1", "y/z": b"2"})
    (place / "spaces/a").prune(["x", "never", "y/no"])
    assert place.listing() == {"spaces/a/y/z": 1}
    (place / "spaces/a").prune(["y/z"])
    (place / "spaces/a").tidy()
    (place / "spaces").drop()
    assert place.listing() == {}


def test_a_small_file_is_written_over_whole(place: Place) -> None:
    place.make()
    for data in (b"first", b"second"):
        place.write("store.json", data)
        assert place.read("store.json") == data
    assert place.listing() == {"store.json": 6}
    with pytest.raises(FileNotFoundError):
        place.read("other.json")


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a//b", "a/../b", "a\\b", "a\0", ".hidden", "", "é"]
)
def test_no_name_leads_elsewhere(place: Place, name: str, tmp_path: Path) -> None:
    entry = Entry(name, 1, "a" * 64)
    for attempt in (
        lambda: place / name,
        lambda: place.read(name),
        lambda: place.size(name),
        lambda: place.measure(name),
        lambda: place.write(name, b""),
        lambda: place.fetch(entry, tmp_path / "copies"),
    ):
        with pytest.raises(CorruptError, match="no name of a file"):
            attempt()


def test_a_copy_that_was_spoilt_is_fetched_anew(bucket_uri: str, tmp_path: Path) -> None:
    place = Bucket.parse(bucket_uri)
    (entry,) = bring(place, tmp_path / "staged", {"a": b"whole"})
    copy = place.fetch(entry, tmp_path / "copies")
    copy.write_bytes(b"WHOLE")
    assert place.fetch(entry, tmp_path / "copies").read_bytes() == b"whole"
    place.write("a", b"WHOLE")
    assert place.fetch(entry, tmp_path / "copies").read_bytes() == b"whole", (
        "the copy is what it was"
    )
    copy.unlink()
    with pytest.raises(CorruptError, match="not what the catalog lists"):
        place.fetch(entry, tmp_path / "copies")
    place.prune(["a"])
    with pytest.raises(CorruptError, match="missing"):
        place.fetch(entry, tmp_path / "copies")
    assert list((tmp_path / "copies").iterdir()) == []


def test_what_arrives_otherwise_than_it_was_sent_is_not_published(
    bucket_uri: str, tmp_path: Path, first: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(bucket_uri, f"sqlite:///{tmp_path}/catalog.sqlite")
    first(store)
    honest = Bucket._chunks

    def cut(self: Bucket, name: str) -> Iterator[bytes]:
        for chunk in honest(self, name):
            yield chunk[:-1]

    with monkeypatch.context() as patched:
        patched.setattr(Bucket, "_chunks", cut)
        with pytest.raises(StoreError, match="did not arrive as it was sent"):
            first(store, "other")
    assert store.spaces() == ["words"]
    assert store.gc() == []


def test_two_writers_of_one_dataset_are_noticed(place: Place, rows: Rows) -> None:
    """The locks keep them apart; where a lock was lost, the versions' numbers tell."""
    batch = rows(["a", "b"])
    base = datasets.create(place / "x.lance", batch.schema, [batch], "t1").table

    def meanwhile() -> Iterator[pa.RecordBatch]:
        table = pa.Table.from_batches([rows(["theirs"])])
        lance.write_dataset(
            table, base.place.uri, mode="append", storage_options=base.place.options
        )
        yield rows(["ours"])

    with pytest.raises(BusyError, match="Another process wrote"):
        datasets.extend(base.place, base.version, ["a"], meanwhile(), "t2")
    assert base.ids() == ["a", "b"]


def test_what_was_staged_before_a_crash_is_swept(
    bucket_uri: str, tmp_path: Path, first: Publish
) -> None:
    store = open_store(bucket_uri, f"sqlite:///{tmp_path}/catalog.sqlite")
    first(store)
    left = store.root / "staged" / "words" / "20260101-000000-abcd" / "half"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"12345")
    with store.writing("words"):
        assert store.gc() == []
    assert [(f.path, f.size) for f in store.gc()] == [("staged/words/20260101-000000-abcd/half", 5)]
    assert not (store.root / "staged").exists() or not any((store.root / "staged").iterdir())


def test_no_key_is_passed_on(s3: S3, bucket_uri: str, tmp_path: Path, first: Publish) -> None:
    store = open_store(bucket_uri, f"sqlite:///{tmp_path}/catalog.sqlite")
    first(store)
    assert "not-a-secret" not in repr(store) + str(store.place.options)
    written = (tmp_path / "catalog.sqlite").read_bytes() + b"".join(
        path.read_bytes() for path in store.root.rglob("*") if path.is_file()
    )
    for secret in (b"not-a-secret", b"127.0.0.1"):
        assert secret not in written


@pytest.mark.parametrize(("words", "told"), [
    ("AWS Error NO_SUCH_BUCKET during ListObjectsV2 operation", "no such bucket"),
    ("AWS Error ACCESS_DENIED during PutObject operation", "permission"),
    ("Server returned non-2xx status code: 403 Forbidden: <Code>AccessDenied</Code>", "permission"),
    ("AWS Error NETWORK_CONNECTION during HeadObject operation: curlCode: 7", "reached"),
    ("Generic S3 error: ... - HTTP error: error sending request", "reached"),
    ("AWS Error UNKNOWN (HTTP status 500) during PutObject operation", "answered with an error"),
])  # fmt: skip
def test_the_server_s_words_in_ours(words: str, told: str) -> None:
    error = explanation(OSError(words), "s3://b/x")
    assert error is not None
    assert told in error.what


@pytest.mark.parametrize("words", [
    "LanceError(IO): Generic S3 error: Object at location x not found: NoSuchKey, Not found: x",
    "Encountered corrupt file: bad magic number", "division by zero",
])  # fmt: skip
def test_a_missing_or_broken_object_is_no_fault_of_the_server(words: str) -> None:
    assert explanation(ValueError(words), "s3://b/x") is None
