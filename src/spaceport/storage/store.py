"""A store: spaces with their versions, read and written; see `foundation` for what lies where."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from spaceport.errors import BusyError, NotFoundError, ParameterError, choices
from spaceport.storage.aliases import ANY, Move, earlier
from spaceport.storage.bucket import Bucket
from spaceport.storage.catalog import Record
from spaceport.storage.database import Database
from spaceport.storage.events import Event, events
from spaceport.storage.files import Entry, room
from spaceport.storage.folder import Folder
from spaceport.storage.foundation import Foundation
from spaceport.storage.index import IdIndex, kept
from spaceport.storage.keeper import Keeper
from spaceport.storage.names import Number, check_alias, check_space, parse
from spaceport.storage.places import Place
from spaceport.storage.registry import Artifact, Consumer
from spaceport.storage.staging import MONITORS, STAGED, VERSIONS, staged
from spaceport.storage.upkeep import Removed, leftovers, sweep, wrong_files, wrong_rows
from spaceport.storage.vectors import VectorTable
from spaceport.storage.watched import Watched
from spaceport.storage.writer import INDEX, UNPUBLISHED, Writer

__all__ = [
    "Artifact",
    "Consumer",
    "Event",
    "Keeper",
    "Move",
    "Record",
    "Removed",
    "Store",
    "Writer",
    "open_store",
]


def open_store(path: str | Path | None = None, catalog: str | None = None) -> Store:
    """Open a store; nothing is made before the first write.

    Parameters
    ----------
    path : str or Path, optional
        Its folder, or ``s3://bucket/prefix``. Default: the environment's SPACEPORT_STORE, else
        ``./spaceport-store``.
    catalog : str, optional
        The catalog's URL, for example ``postgresql://user@host/database``. Default: the
        environment's SPACEPORT_CATALOG, else a SQLite file in the folder; a bucket must have one.

    Raises
    ------
    ParameterError
        A URL that is no bucket's, a bucket without a catalog, or a catalog that is neither SQLite
        nor PostgreSQL.
    """
    told = path if path is not None else os.environ.get("SPACEPORT_STORE") or "spaceport-store"
    url = catalog or os.environ.get("SPACEPORT_CATALOG")
    if _SCHEME.match(str(told)):
        return Store(Bucket.parse(str(told)), _catalog_of_bucket(url))
    root = Path(told).absolute()
    return Store(Folder(root), Database(url) if url else Database.in_file(root / "catalog.sqlite"))


def _catalog_of_bucket(url: str | None) -> Database:
    database = Database(url) if url else None
    if database is None or not (database.on_server or database.file):
        raise ParameterError(
            "A store in a bucket needs a catalog outside of it, and none was named.",
            "Give catalog=, --catalog or SPACEPORT_CATALOG: postgresql://user@host/database, or "
            "sqlite:////folder/catalog.sqlite.",
        )
    return database


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")
FETCHED = "files"
"""The cache's folder with copies of files that lie elsewhere."""


class Store:
    """All spaces with all their versions; see `open_store`.

    Reading never waits for a writer, and sees a version whole or not at all.

    Attributes
    ----------
    watched : Watched
        What is kept of the watching of its spaces.
    """

    writer_class: type[Writer] = Writer

    def __init__(self, place: Place, database: Database) -> None:
        self.place = place
        self._foundation = Foundation(place, database)
        self._tables: dict[tuple[str, int], VectorTable] = {}
        self.watched = Watched(self._foundation, _token)

    def __repr__(self) -> str:
        return f"Store({str(self.place)!r})"

    @property
    def root(self) -> Path:
        """The store's folder; of a store in a bucket, that of its caches on this machine."""
        return self._foundation.local

    def spaces(self) -> list[str]:
        """Names of all spaces, sorted."""
        return self._foundation.catalog.spaces()

    def versions(self, space: str) -> list[Record]:
        """All versions of `space`, sorted by number.

        Raises
        ------
        NotFoundError
            There is no such space; the message lists those that there are.
        """
        found = self._foundation.catalog.versions(check_space(space))
        if not found:
            raise NotFoundError(
                f"There is no space {space} in {self.place}.",
                choices(space, self._foundation.catalog.spaces()),
            )
        return found

    def resolve(self, reference: str) -> Record:
        """Find a version by ``name``, ``name@1``, ``name@1.2.3`` or ``name@alias``.

        Raises
        ------
        NotFoundError
            There is none; the message lists the versions and aliases that there are.
        """
        asked = parse(reference)
        prefix = asked.prefix
        aliases = self._foundation.aliases.of(asked.space)  # first: what they lead to is there then
        versions = self.versions(asked.space)
        if prefix is None:
            number = aliases.get(asked.selector or "")
            found = [record for record in versions if record.number == number]
        else:
            found = [record for record in versions if _starts(record, prefix)]
        if not found:
            known = [*(str(record.number) for record in versions), *aliases]
            raise NotFoundError(f"There is no {reference}.", choices(asked.selector or "", known))
        return found[-1]

    def vectors(self, record: Record) -> VectorTable:
        """Give the rows of a version; the same table each time, so that its id index is kept."""
        key = (record.dataset, record.lance_version)
        if key not in self._tables:
            self._tables[key] = VectorTable(
                self.place / record.dataset,
                record.lance_version,
                record.reference,
                partial(self._index, record),
            )
        return self._tables[key]

    def files(self, owner: Record | Artifact) -> dict[str, Entry]:
        """List the files of a version beside its vectors, or of an artifact, by name."""
        below = f"{owner.folder}/"
        entries = self._entries(owner)
        return {e.path.removeprefix(below): e for e in entries if e.path.startswith(below)}

    def file(self, owner: Record | Artifact, name: str) -> Path:
        """Give the path of a version's or artifact's file, checked against its SHA-256 at each call."""
        entry = self._entry(owner, name)
        with self.place.working():
            return self.place.fetch(entry, self.root / "cache" / FETCHED)

    def read(self, owner: Record | Artifact, name: str) -> bytes:
        """Give the bytes of a version's or artifact's file, checked.

        Raises
        ------
        NotFoundError
            There is no such file; the message lists those that there are.
        CorruptError
            The file is missing, or its bytes are not those that were published.
        """
        entry = self._entry(owner, name)
        return self.place.read_checked(entry)

    def verify(self, record: Record) -> list[str]:
        """Hash every file of a version and its monitors, count its rows and ids; say what is wrong."""
        entries = self._foundation.catalog.files(record)
        wrong = wrong_files(self.place, entries, record.reference) + self.watched.wrong(record)
        return wrong or wrong_rows(self.vectors(record), record)

    def gc(self, dry_run: bool = False) -> list[Removed]:
        """Remove every file that nothing lists, unfinished work too; with `dry_run` only name them.

        A space that is being written to is left alone.
        """
        catalog, local, removed = self._foundation.catalog, Folder(self.root), []
        for place, top, lock in (
            (self.place, VERSIONS, VERSIONS),
            (local, STAGED, VERSIONS),
            (local, UNPUBLISHED, VERSIONS),
            (self.place, MONITORS, MONITORS),
            (local, staged(MONITORS), MONITORS),
        ):
            for space in (place / top).folders():
                try:
                    with self._foundation.lock(check_space(space), 0.0, lock) as held:
                        found = leftovers(place, f"{top}/{space}", catalog.listed(space))
                        held.database.check_held()
                        if not dry_run:
                            sweep(place, f"{top}/{space}", found)
                except (BusyError, ParameterError):
                    continue
                removed += found
        return removed

    def promote(
        self,
        reference: str,
        alias: str,
        note: str = "",
        *,
        evidence: Mapping[str, Any] | None = None,
        expected: Number | object | None = ANY,
        pins: Mapping[str, str] | None = None,
        consumers: Collection[tuple[str, int | None]] | None = None,
    ) -> Record:
        """Let `alias` stand for a version; who did it, when and why is kept.

        `evidence`, `expected`, `pins` and `consumers` as in `Aliases.move`: what the decision was made
        on, what the alias must stand for still, the consumers' pins that move with it, and the
        consumers that there must be still.
        """
        record = self.resolve(reference)
        move = self._foundation.aliases.move
        move(record, check_alias(alias), "promote", note, evidence, expected, pins, consumers)
        return record

    def refuse(self, reference: str, alias: str, note: str, evidence: Mapping[str, Any]) -> None:
        """Write down that `alias` was not moved to a version, and why."""
        record = self.resolve(reference)
        self._foundation.aliases.move(record, check_alias(alias), "refuse", note, evidence)

    def rollback(
        self, space: str, alias: str, note: str = "", pins: Mapping[str, str] | None = None
    ) -> Record:
        """Let `alias` stand for what it stood for before; twice goes two steps back.

        `pins` as in `Aliases.move`: the consumers' pins that move back with it.
        """
        moves = self.history(space, alias)
        number = earlier(moves)
        (record,) = (record for record in self.versions(space) if record.number == number)
        self._foundation.aliases.move(record, alias, "rollback", note, pins=pins, moves=len(moves))
        return record

    def aliases(self, space: str) -> dict[str, Record]:
        """Give what each alias of `space` stands for."""
        standing = self._foundation.aliases.of(space)  # first, as in `resolve`
        known = {record.number: record for record in self.versions(space)}
        return {alias: known[number] for alias, number in standing.items()}

    def history(self, space: str, alias: str | None = None) -> list[Move]:
        """Every move of an alias, or of all aliases of a space, the oldest first.

        Raises
        ------
        NotFoundError
            There is no such alias.
        """
        self.versions(space)
        if alias is None:
            return self._foundation.aliases.history(space)
        moves = self._foundation.aliases.history(space, check_alias(alias))
        if not moves:
            raise NotFoundError(
                f"{space} has no alias {alias}.",
                choices(alias, self._foundation.aliases.of(space)),
            )
        return moves

    def events(self, space: str) -> list[Event]:
        """All that happened to a space, the oldest first: versions, moves, artifacts, consumers."""
        self.versions(space)
        return events(self._foundation.catalog.database, space)

    def artifacts(self, space: str, kind: str | None = None) -> list[Artifact]:
        """Give what holds in the coordinates of a space's versions: adapters, probes, centroids, tasks."""
        self.versions(space)
        return self._foundation.registry.artifacts(space, kind)

    def artifact(self, key: int) -> Artifact:
        """Give an artifact by its number."""
        return self._foundation.registry.artifact(key)

    def consumers(self, space: str) -> list[Consumer]:
        """Give the registered uses of a space, by name."""
        self.versions(space)
        return self._foundation.registry.consumers(space)

    def add_consumer(self, consumer: Consumer) -> None:
        """Register a consumer whose task has no files; one with files comes with `keeping`."""
        self.versions(consumer.space)
        self._foundation.registry.add(consumer)

    def remove_consumer(self, space: str, name: str) -> None:
        """Let a consumer go."""
        self.versions(space)
        self._foundation.registry.remove(space, name)

    @contextmanager
    def keeping(self, space: str, wait: float = 0.0) -> Iterator[Keeper]:
        """Keep an artifact of `space`; waits and fails as `writing`."""
        self.versions(space)
        with room(self.place.disk), self._foundation.lock(space, wait) as catalog:
            keeper = Keeper(self.place, self.root, catalog, space, _token())
            try:
                yield keeper
            finally:
                keeper.leave()

    @contextmanager
    def writing(self, space: str, wait: float = 0.0) -> Iterator[Writer]:
        """Write a version of `space`; one writer at a time.

        What was written is removed again unless it is published inside the block.

        Parameters
        ----------
        space : str
            May be new.
        wait : float
            Seconds to wait for another writer to finish.

        Raises
        ------
        BusyError
            Another process still writes to the space.
        StoreError
            The disk is full.
        """
        check_space(space)
        with room(self.place.disk):
            self._foundation.make()
            with self._foundation.lock(space, wait) as catalog:
                writer = self.writer_class(self.place, self.root, catalog, space, _token())
                try:
                    yield writer
                finally:
                    writer.leave()

    def _index(self, record: Record) -> IdIndex | None:
        entry = self.files(record).get(INDEX)
        if entry is None:
            return None

        def read() -> IdIndex:
            data = self.place.read_checked(entry)
            return IdIndex.from_bytes(data, record.rows, f"{record.reference}/{INDEX}")

        return kept(entry.sha256, read)

    def _entry(self, owner: Record | Artifact, name: str) -> Entry:
        files = self.files(owner)
        if name not in files:
            what = owner.reference if isinstance(owner, Record) else f"{owner.kind} {owner.name}"
            raise NotFoundError(f"{what} has no file {name}.", choices(name, files))
        return files[name]

    def _entries(self, owner: Record | Artifact) -> list[Entry]:
        if isinstance(owner, Artifact):
            return self._foundation.registry.files(owner)
        return self._foundation.catalog.files(owner)


def _starts(record: Record, prefix: tuple[int, ...]) -> bool:
    number = record.number
    return (number.major, number.minor, number.patch)[: len(prefix)] == prefix


def _token() -> str:
    """Make a fresh name; people see when, chance keeps two apart."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
