"""The registry: artifacts that depend on a version's coordinates, and the consumers of a space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from spaceport.errors import NotFoundError, ParameterError, choices
from spaceport.storage import tables, typed
from spaceport.storage.catalog import NUMBER, Record, is_version
from spaceport.storage.clock import check_clock, now, who
from spaceport.storage.database import Database
from spaceport.storage.files import Entry
from spaceport.storage.names import Number

__all__ = ["Artifact", "Consumer", "Registry"]


@dataclass(frozen=True)
class Artifact:
    """Something that holds in the coordinates of one version; none of it ever changes.

    Attributes
    ----------
    id : int
        Its number in the catalog; later ones are higher.
    space, kind, name : str
        Which space it belongs to; ``"adapter"``, ``"probe"``, ``"centroids"``, ``"thresholds"``,
        ``"task"``; what it is called.
    of : str
        The version whose coordinates it was made in: ``news@2.0.0``.
    onto : str or None
        Of an adapter: the version whose coordinates it leads to.
    fingerprint : str
        Of the version `of`.
    created, who : str
        When (ISO 8601, UTC) and by whom.
    folder : str
        Where its files lie, from the store's folder.
    facts : mapping
        What was measured of it.
    """

    id: int
    space: str
    kind: str
    name: str
    of: str
    onto: str | None
    fingerprint: str
    created: str
    who: str
    folder: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Consumer:
    """A registered use of a space.

    Attributes
    ----------
    space, name, owner : str
        Which space; what the use is called; who answers for it.
    pin : str
        The versions it can live with: ``1``, ``1.2`` or ``1.2.0``.
    task : mapping
        What is replayed before an alias moves: its kind and parameters.
    tolerance : float
        How much of the task's score may be lost.
    artifact : int or None
        The `Artifact.id` with the task's files.
    created, who : str
        When (ISO 8601, UTC) and by whom it was registered.
    """

    space: str
    name: str
    owner: str
    pin: str
    task: Mapping[str, Any]
    tolerance: float
    artifact: int | None = None
    created: str = ""
    who: str = ""


class Registry:
    """Questions and changes, each one transaction.

    Parameters
    ----------
    database : Database
        Where the tables are.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def keep(
        self,
        record: Record,
        kind: str,
        name: str,
        folder: str,
        entries: Sequence[Entry],
        onto: Record | None = None,
        facts: Mapping[str, Any] | None = None,
        consumer: Consumer | None = None,
    ) -> Artifact:
        """Make an artifact exist: its row, its files, and the consumer it comes with, at once."""
        with self.database.writing() as connection:
            at = now()
            check_clock(connection, record.space, at)
            row = {
                "space": record.space,
                "kind": kind,
                "name": name,
                "version_id": _id_of(connection, record),
                "target_id": None if onto is None else _id_of(connection, onto),
                "fingerprint": record.fingerprint,
                "created": at,
                "who": who(),
                "folder": folder,
                "facts": dict(facts or {}),
            }
            insert = tables.artifacts.insert().values(row).returning(tables.artifacts.c.id)
            key = connection.execute(insert).scalar_one()
            if entries:
                listed = [{"artifact_id": key, **vars(entry)} for entry in entries]
                connection.execute(tables.artifact_files.insert(), listed)
            if consumer is not None:
                _add(connection, consumer, at, key)
        return self.artifact(key)

    def artifact(self, key: int) -> Artifact:
        """Give an artifact by its number."""
        (found,) = self._artifacts(tables.artifacts.c.id == key)
        return found

    def artifacts(self, space: str, kind: str | None = None) -> list[Artifact]:
        """Give the artifacts of a space, of one kind or of all, the oldest first."""
        wanted = tables.artifacts.c.space == space
        if kind is not None:
            wanted &= tables.artifacts.c.kind == kind
        return self._artifacts(wanted)

    def files(self, artifact: Artifact) -> list[Entry]:
        """Give the manifest of an artifact, sorted by path from the store's folder."""
        query = tables.artifact_files.select().where(
            tables.artifact_files.c.artifact_id == artifact.id
        )
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(tables.artifact_files.c.path)).mappings()
            return [typed.entry(row) for row in rows]

    def add(self, consumer: Consumer) -> None:
        """Register a consumer whose task has no files.

        Raises
        ------
        ParameterError
            The space has a consumer of this name.
        """
        with self.database.writing() as connection:
            at = now()
            check_clock(connection, consumer.space, at)
            _add(connection, consumer, at, None)

    def consumers(self, space: str) -> list[Consumer]:
        """Give the consumers of a space, sorted by name."""
        query = tables.consumers.select().where(
            tables.consumers.c.space == space, tables.consumers.c.removed.is_(None)
        )
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(tables.consumers.c.name)).mappings().all()
        return [_consumer(row) for row in rows]

    def remove(self, space: str, name: str) -> None:
        """Let a consumer go; that it was there stays in the catalog.

        Raises
        ------
        NotFoundError
            The space has no consumer of this name.
        """
        known = [consumer.name for consumer in self.consumers(space)]
        with self.database.writing() as connection:
            gone = (
                tables.consumers.update()
                .where(_active(space, name))
                .values(removed=now(), removed_by=who())
            )
            if not connection.execute(gone).rowcount:
                raise NotFoundError(f"{space} has no consumer {name}.", choices(name, known))

    def _artifacts(self, wanted: sa.ColumnElement[bool]) -> list[Artifact]:
        of, onto = tables.versions.alias("of"), tables.versions.alias("onto")
        query = (
            sa.select(tables.artifacts, *_reference(of, "of"), *_reference(onto, "onto"))
            .join(of, tables.artifacts.c.version_id == of.c.id)
            .outerjoin(onto, tables.artifacts.c.target_id == onto.c.id)
            .where(wanted)
            .order_by(tables.artifacts.c.id)
        )
        with self.database.reading() as connection:
            return [_artifact(row) for row in connection.execute(query).mappings()]


def _id_of(connection: sa.Connection, record: Record) -> int:
    query = sa.select(tables.versions.c.id).where(is_version(record.space, record.number))
    return int(connection.execute(query).scalar_one())


def _active(space: str, name: str) -> sa.ColumnElement[bool]:
    consumer = tables.consumers.c
    return (consumer.space == space) & (consumer.name == name) & consumer.removed.is_(None)


def _add(connection: sa.Connection, consumer: Consumer, at: str, artifact: int | None) -> None:
    lock = sa.select(tables.spaces).where(tables.spaces.c.name == consumer.space)
    connection.execute(lock.with_for_update())
    known = sa.select(tables.consumers.c.id).where(_active(consumer.space, consumer.name))
    if connection.scalar(known) is not None:
        raise ParameterError(
            f"{consumer.space} has a consumer {consumer.name} already.",
            f"Choose another name, or: spaceport consumers remove {consumer.space} {consumer.name}",
        )
    row = vars(consumer) | {"created": at, "who": who(), "task": dict(consumer.task)}
    del row["artifact"]
    connection.execute(tables.consumers.insert(), row | {"artifact_id": artifact})


def _reference(version: Any, prefix: str) -> list[sa.ColumnElement[Any]]:
    names = ("space", *(column.name for column in NUMBER))
    return [version.c[name].label(f"{prefix}_{name}") for name in names]


def _named(row: sa.RowMapping, prefix: str) -> str | None:
    space = row[f"{prefix}_space"]
    number = [row[f"{prefix}_{column.name}"] for column in NUMBER]
    return None if space is None else f"{space}@{Number(*number)}"


def _artifact(row: sa.RowMapping) -> Artifact:
    texts = dict.fromkeys(("space", "kind", "name", "fingerprint", "created", "who", "folder"), str)
    values = typed.checked(row, "an artifact", id=int, facts=dict, **texts)
    return Artifact(of=str(_named(row, "of")), onto=_named(row, "onto"), **values)


def _consumer(row: sa.RowMapping) -> Consumer:
    texts = dict.fromkeys(("space", "name", "owner", "pin", "created", "who"), str)
    told = typed.checked(row, "a consumer", task=dict, tolerance=(float, int), **texts)
    return Consumer(artifact=row["artifact_id"], **told)
