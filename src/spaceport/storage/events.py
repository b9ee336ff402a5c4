"""All that happened to a space, as one list: versions, moves of aliases, artifacts, consumers."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from spaceport.storage import tables
from spaceport.storage.catalog import NUMBER
from spaceport.storage.database import Database
from spaceport.storage.names import Number

__all__ = ["Event", "events"]


@dataclass(frozen=True)
class Event:
    """Something that happened to a space.

    Attributes
    ----------
    at, who : str
        When (ISO 8601, UTC) and by whom; empty where an older release did not write it down.
    action : str
        ``"publish"``; ``"promote"``, ``"rollback"`` or ``"refuse"``; ``"keep"`` (an artifact);
        ``"add"`` or ``"remove"`` (a consumer).
    subject : str
        What it happened to: a version ``1.0.0``, an alias, ``adapter procrustes``, ``consumer spam``.
    detail : str
        From what to what, of which kind, on which version.
    note : str
        Why.
    alias : str or None
        Which alias moved or stayed.
    evidence : mapping
        What it was decided on.
    """

    at: str
    who: str
    action: str
    subject: str
    detail: str
    note: str = ""
    alias: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


def events(database: Database, space: str) -> list[Event]:
    """Give all that happened to a space, the oldest first.

    Each of the catalog's tables is in its own order for sure, whatever the clocks said. They are merged
    by time, and of equal times (a second holds much) what is needed comes first: a version before what
    is made in its coordinates, a consumer before a move that asked it. A clock that went back moves
    nothing before what stands in front of it in its own table, or before the version or consumer that
    it is about.
    """
    with database.reading() as connection:
        numbers = sa.select(tables.versions.c.id, *NUMBER).where(tables.versions.c.space == space)
        known = {key: Number(*number) for key, *number in connection.execute(numbers)}

        def rows(table: sa.Table) -> Sequence[sa.RowMapping]:
            query = table.select().where(table.c.space == space).order_by(table.c.id)
            return connection.execute(query).mappings().all()

        versions, consumers = rows(tables.versions), rows(tables.consumers)
        gone = sorted((row for row in consumers if row["removed"]), key=lambda row: row["removed"])
        published = _times([(row["id"], row["created"], "") for row in versions])
        begun = min(published.values(), default="")
        added = _times([(row["id"], row["created"], begun) for row in consumers])
        artifacts, moves = rows(tables.artifacts), rows(tables.alias_history)
    kept = _times([(r["id"], r["created"], published[r["version_id"]]) for r in artifacts])
    moved = _times([(row["id"], row["at"], published[row["after"]]) for row in moves])
    removed = _times([(row["id"], row["removed"], added[row["id"]]) for row in gone])
    streams = [
        [((published[row["id"]], 0), _published(row)) for row in versions],
        [((kept[row["id"]], 1), _kept(row, known)) for row in artifacts],
        [((added[row["id"]], 2), _added(row)) for row in consumers],
        [((moved[row["id"]], 3), _moved(row, known)) for row in moves],
        [((removed[row["id"]], 4), _removed(row)) for row in gone],
    ]
    return [event for _, event in heapq.merge(*streams, key=_key)]


def _times(rows: Iterable[tuple[int, str, str]]) -> dict[int, str]:
    """When each row (id, time, time of what it needs) counts as having happened: never before those."""
    latest, found = "", {}
    for key, at, needed in rows:
        latest = found[key] = max(latest, at, needed)
    return found


def _key(keyed: tuple[tuple[str, int], Event]) -> tuple[str, int]:
    return keyed[0]


def _published(row: sa.RowMapping) -> Event:
    number = Number(*(row[column.name] for column in NUMBER))
    notes = row["notes"] or {}
    return Event(
        at=row["created"],
        who=row["who"] or "",
        action="publish",
        subject=str(number),
        detail=f"{row['kind']}, {row['rows']:,} × {row['dimension']:,}, {row['spec'] or 'imported'}",
        note=str(notes.get("reason", "")),
    )


def _kept(row: sa.RowMapping, known: Mapping[int, Number]) -> Event:
    onto = f" onto {known[row['target_id']]}" if row["target_id"] in known else ""
    return Event(
        at=row["created"],
        who=row["who"],
        action="keep",
        subject=f"{row['kind']} {row['name']}",
        detail=f"of {known[row['version_id']]}{onto}",
    )


def _added(row: sa.RowMapping) -> Event:
    return Event(
        at=row["created"],
        who=row["who"],
        action="add",
        subject=f"consumer {row['name']}",
        detail=f"of {row['owner']}, tolerance {row['tolerance']:g}",
    )


def _removed(row: sa.RowMapping) -> Event:
    return Event(
        at=row["removed"],
        who=row["removed_by"] or "",
        action="remove",
        subject=f"consumer {row['name']}",
        detail=f"of {row['owner']}",
    )


def _moved(row: sa.RowMapping, known: Mapping[int, Number]) -> Event:
    before = known.get(row["before"])
    if row["action"] == "refuse":
        detail = f"stays at {before or 'nothing'}, not {known[row['after']]}"
    else:
        detail = f"{before or 'nothing'} to {known[row['after']]}"
    return Event(
        at=row["at"],
        who=row["who"],
        action=row["action"],
        subject=row["alias"],
        detail=detail,
        note=row["note"],
        alias=row["alias"],
        evidence=row["evidence"] or {},
    )
