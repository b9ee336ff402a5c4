"""A disk that is really full: a small tmpfs, filled to the last page."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from spaceport.errors import StoreError
from spaceport.storage.names import Number
from spaceport.storage.store import Record, Store, open_store

Publish = Callable[..., Record]
Rows = Callable[..., pa.RecordBatch]
FIELDS = {"contract": {"metric": "cosine"}, "fingerprint": "a" * 64}
PAGE = 4096


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("mounting a small file system needs Linux and root")
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"mounting a small file system is not permitted: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path, leave: int = 0) -> Path:
    """Take all of the disk but `leave` bytes."""
    filler = disk / "filler"
    free = shutil.disk_usage(disk).free - leave
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(free, 1))
    return filler


def assert_full(attempt: Callable[[], object]) -> None:
    with pytest.raises(StoreError) as caught:
        attempt()
    first_line, second_line = str(caught.value).split("\n")
    assert first_line.startswith("The disk is full: ")
    assert "MB free" in first_line
    assert "Free some space" in second_line


def whole(store: Store) -> bool:
    fresh = open_store(store.root)
    return not any(fresh.verify(record) for record in fresh.versions("words"))


def test_vectors_that_do_not_fit(disk: Path, first: Publish, minor: Publish, rows: Rows) -> None:
    store = open_store(disk / "store")
    record = first(store)
    batch = rows([f"item-{k}" for k in range(2000)], 64)

    def major() -> None:
        with store.writing("words") as writer:
            writer.create_vectors(batch.schema, (batch for _ in range(100)))

    free = shutil.disk_usage(disk).free
    assert_full(major)
    assert shutil.disk_usage(disk).free > free - 4 * PAGE, "what did not fit was left behind"
    assert_full(lambda: minor(store, "words", ["cat"], [f"item-{k}" for k in range(100_000)]))
    assert store.versions("words") == [record]
    assert store.gc(dry_run=True) == []
    assert whole(store)
    assert minor(store, "words", ["cat"], ["king"]).rows == 3
    assert whole(store)


def test_a_file_of_the_version_that_does_not_fit(disk: Path, first: Publish) -> None:
    store = open_store(disk / "store")
    record = first(store)

    def patch() -> None:
        with store.writing("words") as writer:
            writer.keep_vectors(record)
            (writer.folder / "cells.bin").write_bytes(bytes(10_000_000))

    assert_full(patch)
    assert store.versions("words") == [record]
    assert store.gc(dry_run=True) == []
    assert whole(store)


def test_a_store_that_cannot_even_begin(disk: Path, first: Publish) -> None:
    store = open_store(disk / "store")
    for leave in (0, PAGE, 4 * PAGE, 16 * PAGE):
        filler = fill(disk, leave)
        assert_full(lambda: first(store))
        filler.unlink()
    record = first(store)
    assert store.versions("words") == [record]
    assert whole(store)


def attempt(store: Store, minor: Publish, pages: int) -> str:
    before = store.versions("words")
    try:
        minor(store, "words", [], [f"new-{pages}"], seed=pages)
    except StoreError as error:
        told = str(error)
    else:
        assert len(store.versions("words")) == len(before) + 1
        return "published"
    assert told.startswith("The disk is full")
    assert store.versions("words") == before
    return "full"


def test_wherever_the_space_ends_nothing_is_lost(
    disk: Path, first: Publish, minor: Publish
) -> None:
    """Leave one page more each time, so that another file is the one that does not fit."""
    store = open_store(disk / "store")
    first(store)
    outcomes = []
    for pages in range(24):
        filler = fill(disk, pages * PAGE)
        outcomes.append(attempt(store, minor, pages))
        assert whole(store)
        filler.unlink()
        assert store.gc() == []
    assert outcomes[0] == "full"
    assert outcomes[-1] == "published"
    assert 5 < outcomes.count("full") < 24
    last = minor(store, "words", [], ["last"])
    assert whole(store)
    assert last.rows == 3 + outcomes.count("published") + 1


def test_the_numbers_that_fit_are_taken_up_again(disk: Path, first: Publish) -> None:
    """A failed attempt burns no number."""
    store = open_store(disk / "store")
    record = first(store)
    filler = fill(disk)

    def patch() -> Record:
        with store.writing("words") as writer:
            writer.keep_vectors(record)
            return writer.publish(Number(1, 0, 1), **FIELDS)

    assert_full(patch)
    filler.unlink()
    assert patch().reference == "words@1.0.1"


def test_a_store_on_a_disk_that_may_only_be_read(
    disk: Path, first: Publish, minor: Publish
) -> None:
    record = first(open_store(disk / "store"))
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    store = open_store(disk / "store")
    assert store.resolve("words") == record
    assert store.vectors(record).take(["dog"]).num_rows == 1
    assert whole(store)
    for attempt in (
        lambda: minor(store, "words", [], ["x"]),
        lambda: first(open_store(disk / "new")),
    ):
        with pytest.raises(StoreError, match="cannot be used"):
            attempt()
    with pytest.raises(StoreError):
        store.promote("words", "live")
