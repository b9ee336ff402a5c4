"""A place that is a folder on this machine."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from spaceport.errors import StoreError
from spaceport.safe import inside
from spaceport.storage.files import Entry, flush, listing, measure, prune, write
from spaceport.storage.places import Place
from spaceport.storage.sealing import sealed

__all__ = ["Folder"]

_NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR)


class Folder(Place):
    """Files of this machine's disk; they are where they are for good after fsync.

    Parameters
    ----------
    path : Path
        Need not exist.
    root : Path, optional
        The store's folder, up to which names are brought to the disk. Default: `path`.
    """

    options = None

    def __init__(self, path: Path, root: Path | None = None) -> None:
        self.path = path
        self._root = path if root is None else root

    def __truediv__(self, inside_: str) -> Folder:
        return Folder(inside(self.path, inside_), self._root)

    def __str__(self) -> str:
        return str(self.path)

    @property
    def uri(self) -> str:
        """The path."""
        return str(self.path)

    @property
    def disk(self) -> Path:
        """The folder itself."""
        return self.path

    def listing(self) -> dict[str, int]:
        """Every file and link below, with its bytes."""
        return {name: (self.path / name).lstat().st_size for name in listing(self.path)}

    def folders(self) -> list[str]:
        """Names of the folders right below; a link leads elsewhere and is none."""
        return sorted(path.name for path in self.path.glob("*/") if not path.is_symlink())

    def size(self, name: str) -> int | None:
        """Bytes of a file."""
        path = inside(self.path, name)
        return path.stat().st_size if path.is_file() else None

    def read(self, name: str) -> bytes:
        """Read a small file whole."""
        return inside(self.path, name).read_bytes()

    def measure(self, name: str) -> Entry:
        """Size and SHA-256 of a file."""
        return measure(inside(self.path, name), name)

    def fetch(self, entry: Entry, local: Path) -> Path:
        """Check the file where it lies."""
        self.check(entry)
        return self.path / entry.path

    def make(self) -> None:
        """Make the folder."""
        self.path.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, data: bytes) -> None:
        """Write beside it, then rename."""
        path = inside(self.path, name)
        fresh = path.with_name(f"{path.name}.new")
        write(fresh, data)
        os.replace(fresh, path)
        flush(path.parent)

    def stage(self, local: Path) -> Path:
        """Make this folder: what is put here is where it belongs."""
        self.path.mkdir(parents=True)
        return self.path

    def bring(self, staged: Path) -> list[Entry]:
        """Bring to the disk what lies here already."""
        entries = sealed(self, listing(self.path))
        for folder in (self.path, *self.path.parents):
            flush(folder)
            if folder == self._root:
                break
        return entries

    def forget(self, staged: Path) -> None:
        """Leave it: it is this folder."""

    def seal(self, name: str) -> Entry:
        """Bring a file's bytes to the disk and measure them."""
        flush(self.path / name)
        return measure(self.path / name, name)

    def settle(self, names: Iterable[str]) -> None:
        """Bring the names of files and folders to the disk, up to the folder that this one lies in."""
        parents = {parent for name in names for parent in (self.path / name).parents}
        for folder in parents:
            if folder == self.path.parent or folder.is_relative_to(self.path):
                flush(folder)

    def prune(self, names: Iterable[str]) -> None:
        """Remove files, and the folders that this leaves empty."""
        prune(self.path, names)

    def tidy(self) -> None:
        """Remove the empty folders below, and this one."""
        for path in sorted(self.path.rglob("*"), reverse=True):
            _drop(path)
        _drop(self.path)

    def drop(self) -> None:
        """Remove this folder if it is empty."""
        _drop(self.path)

    @contextmanager
    def writable(self) -> Iterator[str]:
        """Give a path that Lance takes as it is.

        Where a path has other characters, Lance makes an empty folder beside it, named by the
        percent-encoded path, or fails where it may not; so it gets a passing link.
        """
        if re.fullmatch(r"[A-Za-z0-9/ ._-]+", str(self.path)):
            yield str(self.path)
            return
        with TemporaryDirectory(prefix="spaceport-") as place:
            link = Path(place) / "link"
            link.symlink_to(self.path.parent, target_is_directory=True)
            yield str(link / self.path.name)

    def explain(self, error: Exception) -> StoreError | None:
        """Tell a folder that may not be used."""
        if not isinstance(error, OSError) or error.errno not in _NOT_OURS:
            return None
        return StoreError(
            f"The store {self._root} cannot be used: {error.strerror}.",
            "Give a folder that you may read and write.",
        )


def _drop(path: Path) -> None:
    if path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
        path.rmdir()
