"""Files of this machine: written to the disk for good, hashed, listed, removed."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from spaceport.errors import SpaceportError, StoreError

__all__ = [
    "Entry",
    "flush",
    "listing",
    "measure",
    "prune",
    "room",
    "write",
]


@dataclass(frozen=True)
class Entry:
    """A file as a version's manifest lists it.

    Attributes
    ----------
    path : str
        Where it lies, with ``/``, below the folder that the manifest speaks of.
    size : int
        Bytes.
    sha256 : str
        64 hexadecimal digits.
    """

    path: str
    size: int
    sha256: str

    def under(self, folder: str) -> Entry:
        """Name the same file from the folder that holds `folder`."""
        return replace(self, path=f"{folder}/{self.path}")


def write(path: Path, data: bytes) -> None:
    """Write `data` to `path` and wait until the disk has it."""
    with room(path.parent), path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    flush(path.parent)


def flush(path: Path) -> None:
    """Wait until the disk has a file's bytes, or a folder's names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def measure(path: Path, name: str) -> Entry:
    """Size and SHA-256 of the file at `path`, to be listed as `name`."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Entry(name, file.tell(), digest)


def listing(folder: Path) -> set[str]:
    """Every file and link below `folder`, as a path from it with ``/``; nothing where it does not exist."""
    found = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    return {path.relative_to(folder).as_posix() for path in found}


def prune(folder: Path, names: Iterable[str]) -> None:
    """Remove the files `names` below `folder`, and the folders that this leaves empty."""
    parents: set[Path] = set()
    for name in names:
        path = folder / name
        path.unlink(missing_ok=True)
        parents.update(parent for parent in path.parents if parent.is_relative_to(folder))
    for parent in sorted(parents, key=lambda path: len(path.parts), reverse=True):
        if parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()


@contextmanager
def room(folder: Path) -> Iterator[None]:
    """Turn a full disk, whoever reports it, into a StoreError of two lines."""
    try:
        yield
    except SpaceportError:
        raise
    except Exception as error:
        if not _is_full(error):
            raise
        raise StoreError(
            f"The disk is full: {_free(folder)} free for {folder}. Nothing was published.",
            "Free some space and run it again; all published versions are whole.",
        ) from error


def _is_full(error: BaseException) -> bool:
    """Tell a full disk by its number, or by the words of Lance, SQLite and safetensors."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    words = str(error)
    return any(
        sign in words for sign in ("os error 28)", "No space left on device", "disk is full")
    )


def _free(folder: Path) -> str:
    while not folder.exists():
        folder = folder.parent
    return f"{shutil.disk_usage(folder).free / 1e6:,.1f} MB"
