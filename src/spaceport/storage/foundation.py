"""What a store stands on: its place with its mark, its catalog, and its locks.

::

    <store>/store.json                     which store this is; the catalog says the same
    <store>/spaces/<space>/<token>/        a version's files
    <store>/spaces/<space>/<token>.lance/  a major's vectors
    <store>/monitors/<space>/<token>/      what a monitor keeps

    <local>/store.lock                     held while the store is being made
    <local>/catalog.sqlite                 the catalog, unless another URL is given
    <local>/locks/<space>.lock             held by the space's one writer
    <local>/locks/monitors/<space>.lock    held by the one that writes what its monitors keep
    <local>/unpublished/<space>/           long work that no version has yet
    <local>/cache/                         what can be computed or fetched again

A store in a folder has all of it there. Of a store in a bucket, ``<local>`` is a folder of each user's
own, and the locks are the catalog's.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path

from spaceport.errors import CorruptError, NotFoundError, StoreError
from spaceport.safe import read_json
from spaceport.storage.alarms import Alarms
from spaceport.storage.aliases import Aliases
from spaceport.storage.catalog import Catalog
from spaceport.storage.database import HEAD, PATIENCE, Database
from spaceport.storage.folder import Folder
from spaceport.storage.locks import Locks
from spaceport.storage.monitors import Monitors
from spaceport.storage.places import Place
from spaceport.storage.registry import Registry
from spaceport.storage.staging import VERSIONS

__all__ = ["Foundation"]

MARK = "store.json"


class Foundation:
    """A place and a catalog that belong together.

    Parameters
    ----------
    place : Place
        Where the store lies; there need not be one.
    database : Database
        Where its catalog is; need not exist.
    """

    def __init__(self, place: Place, database: Database) -> None:
        self.place = place
        self.database = database

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
        revision = None if ours is None else self.database.known_revision()
        whose = catalog.identity() if revision == HEAD else None
        if revision is None or (revision == HEAD and whose is None):  # or its making was cut short
            if self._has_spaces():
                raise CorruptError(
                    f"The store {self.place} has spaces, but no catalog in {self.database}.",
                    "Give the catalog's URL, or restore the catalog from a backup.",
                )
            raise NotFoundError(
                f"There is no store in {self.place}.", "Build a space, or name the store's folder."
            )
        if revision != HEAD:
            self.database.check()
            whose = catalog.identity()
        if whose != ours:
            raise StoreError(
                f"The catalog {self.database} is not that of the store {self.place}.",
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

    @property
    def monitors(self) -> Monitors:
        """The monitors of all spaces."""
        return Monitors(self.catalog.database)

    @property
    def alarms(self) -> Alarms:
        """The alarms of all spaces."""
        return Alarms(self.catalog.database)

    @cached_property
    def local(self) -> Path:
        """The folder on this machine for caches, locks and unpublished work.

        Of a store in a bucket it is named by the store's id, below ``SPACEPORT_CACHE`` or the user's
        cache folder.

        Raises
        ------
        NotFoundError
            There is no store in the bucket.
        """
        if isinstance(self.place, Folder):
            return self.place.path
        mark = self._mark()
        if mark is None:
            raise NotFoundError(f"There is no store in {self.place}.", "Build a space.")
        return _caches() / "stores" / mark

    def make(self) -> None:
        """Make what is missing: the place, its mark, the tables, and the bond of the two."""
        if "catalog" not in vars(self):
            with self.place.working():
                self.place.make()
                with self._locks.hold("store", PATIENCE, "this store"):
                    self._found()
        _ = self.catalog

    @contextmanager
    def lock(self, space: str, wait: float, top: str = VERSIONS) -> Iterator[Catalog]:
        """Be the one writer of `space`, with the catalog as such; the lock dies with the process.

        What its versions list, and what its monitors list, each has a lock of its own: `top`.
        """
        name = f"locks/{space}" if top == VERSIONS else f"locks/{top}/{space}"
        what = space if top == VERSIONS else f"the {top} of {space}"
        with ExitStack() as stack:
            with self.place.working():
                held = stack.enter_context(self._locks.hold(name, wait, what))
            yield Catalog(held)

    @property
    def _locks(self) -> Locks:
        if isinstance(self.place, Folder):
            return Locks(self.place.path, self.database)
        file = self.database.file
        return Locks(file and file.with_name(f"{file.name}.locks"), self.database)

    def _found(self) -> None:
        mark = self._mark()
        if mark is None:
            mark = secrets.token_hex(16)
            self.place.write(MARK, json.dumps({"store": mark}).encode())
        if self._has_spaces():
            return
        self.database.make()
        catalog = Catalog(self.database)
        if catalog.identity() is None:
            catalog.adopt(mark)

    def _has_spaces(self) -> bool:
        return "spaces" in self.place.folders()

    def _mark(self) -> str | None:
        try:
            with self.place.working():
                data = self.place.read(MARK)
            mark = read_json(data, MARK, most=1024)["store"]
            if not re.fullmatch("[0-9a-f]{32}", mark):
                raise ValueError(mark)
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, CorruptError) as error:
            raise CorruptError(
                f"The file {self.place}/{MARK} is not what Spaceport wrote.",
                "Restore it from a backup.",
            ) from error
        return str(mark)


def _caches() -> Path:
    told = os.environ.get("SPACEPORT_CACHE")
    if told:
        return Path(told).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "spaceport"
