"""The catalog: which spaces, versions, files and aliases there are.

A version exists if and only if its row is committed.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from spaceport.errors import NotFoundError, ParameterError
from spaceport.spaces import tables
from spaceport.spaces.database import Database
from spaceport.spaces.files import Entry
from spaceport.spaces.names import Number

__all__ = ["Catalog", "Move", "Record", "now"]


@dataclass(frozen=True)
class Record:
    """All that the catalog says of one version; none of it ever changes.

    Attributes
    ----------
    space, number : str, Number
        Which version it is.
    created : str
        When, ISO 8601, UTC.
    kind : str
        What kind of change it was: major, minor or patch.
    contract : mapping
        What the space promises.
    fingerprint : str
        Of the encoder.
    rows, dimension : int
        The vectors' n and d.
    dataset, lance_version : str, int
        Where the vectors lie, from the store's folder, and which version of them.
    folder : str
        Where the other files lie, from the store's folder.
    spec : str
        What built it, as one line.
    notes : mapping
        Whatever else the publisher wrote down.
    """

    space: str
    number: Number
    created: str
    kind: str
    contract: Mapping[str, Any]
    fingerprint: str
    rows: int
    dimension: int
    dataset: str
    lance_version: int
    folder: str
    spec: str = ""
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """``name@1.0.0``."""
        return f"{self.space}@{self.number}"


@dataclass(frozen=True)
class Move:
    """One move of an alias: who, when (ISO 8601, UTC), from which number to which, and why."""

    alias: str
    action: str
    who: str
    at: str
    before: Number | None
    after: Number
    note: str


class Catalog:
    """Questions and changes, each one transaction.

    Parameters
    ----------
    database : Database
        Where the tables are.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def identity(self) -> str | None:
        """Give the id of the store that this catalog belongs to; None while it belongs to none."""
        with self.database.reading() as connection:
            found: str | None = connection.scalar(sa.select(tables.store.c.id))
            return found

    def adopt(self, identity: str) -> None:
        """Say which store this catalog belongs to."""
        with self.database.writing() as connection:
            connection.execute(tables.store.insert(), {"id": identity})

    def spaces(self) -> list[str]:
        """Names of all spaces, sorted."""
        with self.database.reading() as connection:
            return sorted(connection.scalars(sa.select(tables.spaces.c.name)))

    def versions(self, space: str) -> list[Record]:
        """All versions of `space`, sorted by number; none where there is no such space."""
        query = tables.versions.select().where(tables.versions.c.space == space)
        with self.database.reading() as connection:
            found = [_record(row) for row in connection.execute(query).mappings()]
        return sorted(found, key=lambda record: record.number)

    def files(self, record: Record) -> list[Entry]:
        """Give the manifest of a version, sorted by path from the store's folder."""
        of_version = (
            tables.files.join(tables.versions).select().where(_is(record.space, record.number))
        )
        with self.database.reading() as connection:
            rows = connection.execute(of_version).mappings().all()
        return sorted((Entry(row["path"], row["size"], row["sha256"]) for row in rows), key=_path)

    def listed(self, space: str) -> set[str]:
        """Every path that some version of `space` lists."""
        query = (
            sa.select(tables.files.c.path)
            .join(tables.versions)
            .where(tables.versions.c.space == space)
        )
        with self.database.reading() as connection:
            return set(connection.scalars(query))

    def commit(self, record: Record, entries: Sequence[Entry]) -> None:
        """Make the version exist: its row and its manifest, in one transaction.

        Raises
        ------
        ParameterError
            The number is taken.
        """
        values = {**vars(record), **vars(record.number)}
        del values["number"]
        try:
            with self.database.writing() as connection:
                _ensure_space(connection, record)
                insert = tables.versions.insert().values(values).returning(tables.versions.c.id)
                version_id = connection.execute(insert).scalar_one()
                listed = [{"version_id": version_id, **vars(entry)} for entry in entries]
                if listed:
                    connection.execute(tables.files.insert(), listed)
        except IntegrityError as error:
            raise ParameterError(
                f"There is a version {record.reference} already.",
                "Versions never change; take the next number.",
            ) from error

    def aliases(self, space: str) -> dict[str, Number]:
        """Give the number that each alias of `space` stands for."""
        query = (
            sa.select(tables.aliases.c.alias, *_NUMBER)
            .join(tables.versions)
            .where(tables.aliases.c.space == space)
            .order_by(tables.aliases.c.alias)
        )
        with self.database.reading() as connection:
            return {alias: Number(*number) for alias, *number in connection.execute(query)}

    def move(self, record: Record, alias: str, action: str, note: str) -> None:
        """Let `alias` stand for `record`, and write down who moved it."""
        with self.database.writing() as connection:
            lock = (
                sa.select(tables.spaces)
                .where(tables.spaces.c.name == record.space)
                .with_for_update()
            )
            connection.execute(lock)
            here = (tables.aliases.c.space == record.space) & (tables.aliases.c.alias == alias)
            before = connection.scalar(sa.select(tables.aliases.c.version_id).where(here))
            after = connection.scalar(
                sa.select(tables.versions.c.id).where(_is(record.space, record.number))
            )
            if before == after:
                return
            row = {"space": record.space, "alias": alias}
            connection.execute(tables.aliases.delete().where(here))
            connection.execute(tables.aliases.insert(), {**row, "version_id": after})
            told = {"action": action, "who": _who(), "at": now(), "note": note}
            connection.execute(
                tables.alias_history.insert(), {**row, **told, "before": before, "after": after}
            )

    def history(self, space: str, alias: str) -> list[Move]:
        """All moves of an alias, the oldest first."""
        query = (
            tables.alias_history.select()
            .where(tables.alias_history.c.space == space, tables.alias_history.c.alias == alias)
            .order_by(tables.alias_history.c.id)
        )
        numbers = sa.select(tables.versions.c.id, *_NUMBER).where(tables.versions.c.space == space)
        with self.database.reading() as connection:
            known = {key: Number(*number) for key, *number in connection.execute(numbers)}
            rows = connection.execute(query).mappings().all()
        return [_move(row, known) for row in rows]


_NUMBER = (tables.versions.c.major, tables.versions.c.minor, tables.versions.c.patch)


def now() -> str:
    """Give the time, ISO 8601 to the second, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def earlier(moves: Sequence[Move]) -> Number:
    """Find the number that an alias stood for before its last promotion that still holds.

    Promotions are a stack, a rollback takes the topmost off: two rollbacks go back two steps.
    """
    standing: list[Number] = []
    for move in moves:
        if move.action == "rollback":
            standing.pop()
        else:
            standing.append(move.after)
    if len(standing) < 2:
        raise NotFoundError(
            "The alias has stood for no other version.", "Promote the version that you want."
        )
    return standing[-2]


def _is(space: str, number: Number) -> sa.ColumnElement[bool]:
    parts = zip(_NUMBER, (number.major, number.minor, number.patch), strict=True)
    return sa.and_(tables.versions.c.space == space, *(column == part for column, part in parts))


def _ensure_space(connection: sa.Connection, record: Record) -> None:
    known = connection.scalar(
        sa.select(tables.spaces.c.name).where(tables.spaces.c.name == record.space)
    )
    if known is None:
        connection.execute(
            tables.spaces.insert(), {"name": record.space, "created": record.created}
        )


def _record(row: sa.RowMapping) -> Record:
    values: dict[str, Any] = {**row}
    del values["id"]
    number = Number(*(values.pop(part) for part in ("major", "minor", "patch")))
    return Record(number=number, **values)


def _move(row: sa.RowMapping, known: Mapping[int, Number]) -> Move:
    told = {name: row[name] for name in ("alias", "action", "who", "at", "note")}
    return Move(before=known.get(row["before"]), after=known[row["after"]], **told)


def _path(entry: Entry) -> str:
    return entry.path


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())
