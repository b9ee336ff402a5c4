"""What a store stands on: its folder with its mark, its catalog, and its locks.

::

    <store>/store.json                     which store this is; the catalog says the same
    <store>/store.lock                     held while the store is being made
    <store>/catalog.sqlite                 the catalog, unless another URL is given
    <store>/locks/<space>.lock             held by the space's one writer
    <store>/spaces/<space>/<token>/        a version's files
    <store>/spaces/<space>/<token>.lance/  a major's vectors
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from filelock import FileLock, Timeout

from spaceport.errors import BusyError, CorruptError, NotFoundError, StoreError
from spaceport.safe import inside, read_json
from spaceport.storage.aliases import Aliases
from spaceport.storage.catalog import Catalog
from spaceport.storage.database import PATIENCE, Database
from spaceport.storage.files import flush, room, write
from spaceport.storage.registry import Registry

__all__ = ["Foundation"]

_NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR)


class Foundation:
    """A folder and a catalog that belong together.

    Parameters
    ----------
    root : Path
        The store's folder; need not exist.
    database : Database
        Where its catalog is; need not exist.
    """

    def __init__(self, root: Path, database: Database) -> None:
        self.root = root
        self.database = database

    @property
    def spaces(self) -> Path:
        """The folder with a folder for each space."""
        return self.root / "spaces"

    @cached_property
    def catalog(self) -> Catalog:
        """The catalog, checked once.

        Raises
        ------
        NotFoundError
            There is no store.
        NewerStoreError
            A newer release made it.
        StoreError
            The catalog is another store's.
        """
        catalog, ours = Catalog(self.database), self._mark()
        if ours is None or not self.database.exists() or self._unbound(catalog):
            if self.spaces.exists():
                raise CorruptError(
                    f"The store {self.root} has spaces, but no catalog in {self.database}.",
                    "Give the catalog's URL, or restore the catalog from a backup.",
                )
            raise NotFoundError(
                f"There is no store in {self.root}.", "Build a space, or name the store's folder."
            )
        self.database.check()
        if catalog.identity() != ours:
            raise StoreError(
                f"The catalog {self.database} is not that of the store {self.root}.",
                "Give a folder and a catalog that belong together.",
            )
        return catalog

    @property
    def aliases(self) -> Aliases:
        """The aliases of all spaces."""
        return Aliases(self.catalog.database)

    @property
    def registry(self) -> Registry:
        """The artifacts and consumers of all spaces."""
        return Registry(self.catalog.database)

    def make(self) -> None:
        """Make what is missing: the folder, its mark, the tables, and the bond of the two."""
        with room(self.root), self._usable():
            if "catalog" not in vars(self):
                self.root.mkdir(parents=True, exist_ok=True)
                with self._held(self.root / "store.lock", PATIENCE, "this store"):
                    self._found()
            (self.root / "locks").mkdir(exist_ok=True)
        _ = self.catalog

    @contextmanager
    def lock(self, space: str, wait: float) -> Iterator[None]:
        """Be the one writer of `space`; the kernel lets go of the lock when the process dies."""
        path = inside(self.root, f"locks/{space}.lock")
        with self._held(path, wait, space), self.database.lock(space, wait):
            yield

    def _found(self) -> None:
        mark = self._mark()
        if mark is None:
            mark = secrets.token_hex(16)
            write(self.root / "store.json.new", json.dumps({"store": mark}).encode())
            os.replace(self.root / "store.json.new", self.root / "store.json")
            flush(self.root)
        if self.spaces.exists():
            return
        self.database.make()
        catalog = Catalog(self.database)
        if catalog.identity() is None:
            catalog.adopt(mark)

    def _mark(self) -> str | None:
        try:
            with self._usable():
                data = inside(self.root, "store.json").read_bytes()
            mark = read_json(data, "store.json", most=1024)["store"]
            if not re.fullmatch("[0-9a-f]{1,32}", mark):
                raise ValueError(mark)
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, CorruptError) as error:
            raise CorruptError(
                f"The file {self.root / 'store.json'} is not what Spaceport wrote.",
                "Restore it from a backup.",
            ) from error
        return str(mark)

    @contextmanager
    def _usable(self) -> Iterator[None]:
        """Turn a folder that may not be used into a StoreError."""
        try:
            yield
        except OSError as error:
            if error.errno not in _NOT_OURS:
                raise
            raise StoreError(
                f"The store {self.root} cannot be used: {error.strerror}.",
                "Give a folder that you may read and write.",
            ) from error

    def _unbound(self, catalog: Catalog) -> bool:
        """Whether the making of the store was cut short before the catalog was told whose it is."""
        return self.database.is_current() and catalog.identity() is None

    @contextmanager
    def _held(self, path: Path, wait: float, what: str) -> Iterator[None]:
        lock = FileLock(path)
        try:
            with self._usable():
                lock.acquire(timeout=wait)
        except Timeout as error:
            raise BusyError(
                f"Another process writes to {what} at this moment.",
                "Try again when it has finished.",
            ) from error
        try:
            yield
        finally:
            lock.release()
