"""A version's plain files: written to the disk for good, hashed, and checked when read."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from spaceport.errors import CorruptError, SpaceportError, StoreError

__all__ = [
    "Entry",
    "Sealer",
    "check",
    "flush",
    "listing",
    "measure",
    "prune",
    "read_checked",
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


def check(path: Path, entry: Entry) -> None:
    """Raise CorruptError unless the file at `path` is what `entry` says."""
    if not path.is_file():
        raise _corrupt(path, "is missing")
    size = path.stat().st_size
    if size != entry.size:
        raise _corrupt(path, f"has {size:,} bytes in place of {entry.size:,}")
    if measure(path, entry.path) != entry:
        raise _corrupt(path, "does not have the SHA-256 that the catalog lists")


def read_checked(path: Path, entry: Entry) -> bytes:
    """Read a small file whole, and check the very bytes that are given.

    Raises
    ------
    CorruptError
        The file is missing, or its bytes are not those that were published.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise _corrupt(path, "is missing") from error
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise _corrupt(path, "does not have the SHA-256 that the catalog lists")
    return data


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


class Sealer:
    """Brings files to the disk and hashes them in threads, while others are still being written.

    Both release the interpreter, so they cost little beside the writing itself.

    Parameters
    ----------
    folder : Path
        The folder that the entries' paths start from.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pool = ThreadPoolExecutor(2, "spaceport-seal")
        self._jobs: dict[str, Future[Entry]] = {}

    def add(self, name: str) -> None:
        """Seal the finished file `name`, once."""
        if name not in self._jobs:
            self._jobs[name] = self._pool.submit(self._seal, name)

    def entries(self, names: Iterable[str]) -> list[Entry]:
        """Seal what of `names` is not sealed yet, and the folders they lie in; sorted by path."""
        wanted = sorted(names)
        for name in wanted:
            self.add(name)
        sealed = [self._jobs[name].result() for name in wanted]
        paths = [self._folder / name for name in wanted]
        for folder in {folder for path in paths for folder in path.parents if self._owns(folder)}:
            flush(folder)
        return sealed

    def close(self) -> None:
        """Forget what has not begun, wait for the rest."""
        self._pool.shutdown(cancel_futures=True)

    def _owns(self, folder: Path) -> bool:
        return folder == self._folder.parent or folder.is_relative_to(self._folder)

    def _seal(self, name: str) -> Entry:
        flush(self._folder / name)
        return measure(self._folder / name, name)


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


def _corrupt(path: Path, what: str) -> CorruptError:
    return CorruptError(
        f"The file {path} {what}.",
        "Restore it from a backup; `spaceport verify` lists all that is wrong.",
    )
