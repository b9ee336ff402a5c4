"""The catalog: which spaces, versions and files there are.

A version exists if and only if its row is committed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from spaceport.errors import ParameterError
from spaceport.storage import tables, typed
from spaceport.storage.clock import check_clock, now
from spaceport.storage.database import Database
from spaceport.storage.files import Entry
from spaceport.storage.names import Number

__all__ = ["NUMBER", "Catalog", "Record", "ensure_space", "is_version"]


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
    who : str
        Who published it; empty where an older release did.
    lineage : mapping
        Where it comes from: source, parent, command, libraries; empty where an older release made it.
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
    who: str = ""
    lineage: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """``name@1.0.0``."""
        return f"{self.space}@{self.number}"


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
            tables.files.join(tables.versions)
            .select()
            .where(is_version(record.space, record.number))
        )
        with self.database.reading() as connection:
            rows = connection.execute(of_version).mappings().all()
        return sorted((typed.entry(row) for row in rows), key=_path)

    def listed(self, space: str) -> set[str]:
        """Every path that some version, artifact or monitor of `space` lists."""
        of_versions = (
            sa.select(tables.files.c.path)
            .join(tables.versions)
            .where(tables.versions.c.space == space)
        )
        of_artifacts = (
            sa.select(tables.artifact_files.c.path)
            .join(tables.artifacts)
            .where(tables.artifacts.c.space == space)
        )
        of_monitors = (
            sa.select(tables.monitor_files.c.path)
            .join(tables.monitors)
            .where(tables.monitors.c.space == space)
        )
        with self.database.reading() as connection:
            return set(connection.scalars(sa.union_all(of_versions, of_artifacts, of_monitors)))

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
                ensure_space(connection, record)
                check_clock(connection, record.space, now())
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


NUMBER = (tables.versions.c.major, tables.versions.c.minor, tables.versions.c.patch)


def is_version(space: str, number: Number) -> sa.ColumnElement[bool]:
    """Say in SQL which version is meant."""
    parts = zip(NUMBER, (number.major, number.minor, number.patch), strict=True)
    return sa.and_(tables.versions.c.space == space, *(column == part for column, part in parts))


def ensure_space(connection: sa.Connection, record: Record) -> None:
    """Make the space of `record` known."""
    known = connection.scalar(
        sa.select(tables.spaces.c.name).where(tables.spaces.c.name == record.space)
    )
    if known is None:
        connection.execute(
            tables.spaces.insert(), {"name": record.space, "created": record.created}
        )


_TYPES: Mapping[str, type] = {
    **dict.fromkeys(
        ("space", "created", "kind", "fingerprint", "dataset", "folder", "spec", "who"), str
    ),
    **dict.fromkeys(("rows", "dimension", "lance_version"), int),
    **dict.fromkeys(("contract", "notes", "lineage"), dict),
}


def _record(row: sa.RowMapping) -> Record:
    values: dict[str, Any] = {**row}
    del values["id"]
    parts = typed.checked(values, "a version", major=int, minor=int, patch=int)
    number = Number(*(values.pop(part) for part in parts))
    for name, absent in (("who", ""), ("lineage", {})):  # null in rows of an older schema
        values[name] = absent if values[name] is None else values[name]
    typed.checked(values, f"{values['space']}@{number}", **_TYPES)
    return Record(number=number, **values)


def _path(entry: Entry) -> str:
    return entry.path
