"""Files reach the disk, are hashed as hashlib hashes them, and are checked when read."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from spaceport.errors import CorruptError, StoreError
from spaceport.storage.files import Entry, listing, measure, prune, room, write
from spaceport.storage.folder import Folder
from spaceport.storage.sealing import Sealer


def test_an_entry_holds_the_size_and_the_hash(tmp_path: Path) -> None:
    write(tmp_path / "card.json", b"{}" * 99)
    entry = measure(tmp_path / "card.json", "card.json")
    assert entry == Entry("card.json", 198, hashlib.sha256(b"{}" * 99).hexdigest())
    assert entry.under("a/b").path == "a/b/card.json"
    assert Folder(tmp_path).read_checked(entry) == b"{}" * 99


@pytest.mark.parametrize("spoil", [
    lambda path: path.write_bytes(b"abcdefgX"),
    lambda path: path.write_bytes(b"abcdefg"),
    lambda path: path.write_bytes(b""),
    lambda path: path.unlink(),
])  # fmt: skip
def test_a_spoilt_file_is_found(tmp_path: Path, spoil: object) -> None:
    path = tmp_path / "card.json"
    write(path, b"abcdefgh")
    entry = measure(path, "card.json")
    place = Folder(tmp_path)
    place.check(entry)
    spoil(path)
    for look in (place.check, place.read_checked):
        with pytest.raises(CorruptError, match=r"card\.json"):
            look(entry)


def test_the_sealer_hashes_and_flushes_what_was_added_and_what_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed = set()
    real = os.fsync

    def fsync(descriptor: int) -> None:
        flushed.add(os.readlink(f"/proc/self/fd/{descriptor}"))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    (tmp_path / "set" / "data").mkdir(parents=True)
    for name in ("data/a", "b"):
        (tmp_path / "set" / name).write_bytes(name.encode())
    sealer = Sealer(Folder(tmp_path / "set"))
    sealer.add("data/a")
    entries = sealer.entries(["data/a", "b"])
    sealer.close()
    assert entries == [
        Entry(n, len(n), hashlib.sha256(n.encode()).hexdigest()) for n in ("b", "data/a")
    ]
    below = {"set", "set/data", "set/data/a", "set/b", "."}
    assert {str(tmp_path / name) for name in below} <= {os.path.normpath(p) for p in flushed}


@pytest.mark.parametrize("error", [
    OSError(errno.ENOSPC, "No space left on device"),
    OSError(errno.EDQUOT, "Disk quota exceeded"),
    OSError("LanceError(IO): Generic error: No space left on device (os error 28), src/x.rs:1"),
    RuntimeError("database or disk is full"),
])  # fmt: skip
def test_a_full_disk_is_told_in_two_lines(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(StoreError) as caught, room(tmp_path):
        raise error
    first, second = str(caught.value).split("\n")
    assert "full" in first
    assert "MB" in first
    assert "Free" in second


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "no"), KeyError("x"), KeyboardInterrupt()])
def test_another_error_is_left_as_it_is(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)), room(tmp_path):
        raise error


def test_pruning_removes_files_and_the_folders_left_empty(tmp_path: Path) -> None:
    for name in ("a/b/c", "a/d", "e"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    prune(tmp_path, ["a/b/c", "e", "never/there"])
    assert listing(tmp_path) == {"a/d"}
    assert not (tmp_path / "a/b").exists()
