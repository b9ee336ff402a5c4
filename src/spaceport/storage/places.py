"""Where a store's files lie: one interface, with a local folder and a bucket behind it.

A place is a folder; ``place / "spaces/words"`` is the place below it. What is put into a place for
good goes through `bring` or a `Sealer`: it is read back where that is the only proof, hashed, and
only then may the catalog list it.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from spaceport.errors import CorruptError, SpaceportError, StoreError
from spaceport.storage.files import Entry, room

__all__ = ["Place"]


class Place(ABC):
    """A folder of files, on this machine or in a bucket; names below it are written with ``/``."""

    @abstractmethod
    def __truediv__(self, inside: str) -> Place:
        """Give the place `inside` below this one.

        Raises
        ------
        CorruptError
            The name leads elsewhere.
        """

    @abstractmethod
    def __str__(self) -> str:
        """Name the place as users do: a path, or ``s3://…``."""

    # Looking

    @abstractmethod
    def listing(self) -> dict[str, int]:
        """Every file below, with its bytes; nothing where there is no such place."""

    @abstractmethod
    def folders(self) -> list[str]:
        """Names of the folders right below, sorted."""

    @abstractmethod
    def size(self, name: str) -> int | None:
        """Bytes of a file; None where it is missing."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Read a small file whole; FileNotFoundError where it is missing."""

    @abstractmethod
    def measure(self, name: str) -> Entry:
        """Size and SHA-256 of a file, read from where it lies."""

    @abstractmethod
    def fetch(self, entry: Entry, local: Path) -> Path:
        """Give a path on this machine to a file that is what `entry` says; copies go below `local`."""

    @property
    @abstractmethod
    def uri(self) -> str:
        """What Lance calls the place when it reads."""

    @property
    @abstractmethod
    def options(self) -> Mapping[str, str] | None:
        """What Lance must know of the server; no secrets, which it takes from the environment."""

    # Changing

    @abstractmethod
    def make(self) -> None:
        """See to it that there is such a place."""

    @abstractmethod
    def write(self, name: str, data: bytes) -> None:
        """Write a small file: whole or not at all, and for good."""

    @abstractmethod
    def stage(self, local: Path) -> Path:
        """Make a fresh folder on this machine for what `bring` puts here; below `local` if not here."""

    @abstractmethod
    def bring(self, staged: Path) -> list[Entry]:
        """Put the files of the folder `staged` here for good; their manifest, sorted by path."""

    @abstractmethod
    def forget(self, staged: Path) -> None:
        """Let go of a folder that `stage` made, where its files have been brought elsewhere."""

    @abstractmethod
    def seal(self, name: str) -> Entry:
        """See that a finished file is here for good, and measure it."""

    @abstractmethod
    def settle(self, names: Iterable[str]) -> None:
        """See that the names of sealed files are here for good."""

    @abstractmethod
    def prune(self, names: Iterable[str]) -> None:
        """Remove files; those that are gone already do not matter."""

    @abstractmethod
    def tidy(self) -> None:
        """Remove folders that have no file, this one too."""

    @abstractmethod
    def drop(self) -> None:
        """Remove this folder if it is empty."""

    @abstractmethod
    def writable(self) -> AbstractContextManager[str]:
        """Give what Lance calls the place when it writes."""

    # What all places share

    @property
    @abstractmethod
    def disk(self) -> Path:
        """A folder of the disk that would be full."""

    @abstractmethod
    def explain(self, error: Exception) -> StoreError | None:
        """Say in our words why the place cannot be used; None for what is no fault of the place."""

    @contextmanager
    def working(self) -> Iterator[None]:
        """Turn a full disk and a place that cannot be used into a StoreError."""
        with room(self.disk):
            try:
                yield
            except SpaceportError:
                raise
            except (OSError, ValueError, RuntimeError) as error:
                told = self.explain(error)
                if told is None:
                    raise
                raise told from error

    def check(self, entry: Entry) -> None:
        """Raise CorruptError unless the file is what `entry` says."""
        try:
            size = self.size(entry.path)
            found = entry if size != entry.size else self.measure(entry.path)
        except FileNotFoundError as error:  # it was replaced while it was looked at
            raise self.corrupt(entry.path, "is missing") from error
        if size is None:
            raise self.corrupt(entry.path, "is missing")
        if size != entry.size:
            raise self.corrupt(entry.path, f"has {size:,} bytes in place of {entry.size:,}")
        if found != entry:
            raise self.corrupt(entry.path, "does not have the SHA-256 that the catalog lists")

    def read_checked(self, entry: Entry) -> bytes:
        """Read a small file whole, and check the very bytes that are given.

        Raises
        ------
        CorruptError
            The file is missing, or its bytes are not those that were published.
        """
        try:
            data = self.read(entry.path)
        except (FileNotFoundError, IsADirectoryError) as error:
            raise self.corrupt(entry.path, "is missing") from error
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            raise self.corrupt(entry.path, "does not have the SHA-256 that the catalog lists")
        return data

    def corrupt(self, name: str, what: str) -> CorruptError:
        """Make the error for a file that is not what was published."""
        return CorruptError(
            f"The file {self}/{name} {what}.",
            "Restore it from a backup; `spaceport verify` lists all that is wrong.",
        )
