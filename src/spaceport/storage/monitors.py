"""What monitors keep: their settings and files, the ticks they summed up, their verdicts.

Nothing here changes but by `Monitors.commit`, which is one transaction for each update.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from spaceport.errors import ParameterError
from spaceport.storage import alarms, tables, typed
from spaceport.storage.alarms import Judged, key_of, segment_of
from spaceport.storage.catalog import NUMBER, Record, is_version
from spaceport.storage.clock import check_clock, now, who
from spaceport.storage.database import Database
from spaceport.storage.files import Entry
from spaceport.storage.names import Number

__all__ = ["Changes", "Monitors", "Tick", "Update", "Verdict", "Watch"]


@dataclass(frozen=True)
class Watch:
    """A monitor, as the catalog has it.

    Attributes
    ----------
    id : int
        Its number in the catalog.
    space, name : str
        Whose it is, and what it is called.
    of : str
        The version that it watches: ``news@2.0.0``.
    settings : mapping
        What it was made with; never changes.
    folder : str
        Where its own files lie, from the store's folder.
    created, who : str
        When (ISO 8601, UTC) and by whom.
    """

    id: int
    space: str
    name: str
    of: str
    settings: Mapping[str, Any]
    folder: str
    created: str
    who: str


@dataclass(frozen=True)
class Tick:
    """What is kept of a day, or an hour, of one segment.

    Attributes
    ----------
    begins : str
        Which: ``2026-03-01T00:00:00Z``, or ``#000001`` of a window that has no time.
    segment : str or None
        None: of all rows.
    edition : int
        How often it was written.
    rows : int
        How many are summed up.
    sketch, seen : str
        Its files, from the store's folder: the sketch (empty where no row could be tested); the hashes
        of the ids (empty of a segment).
    health, outcomes : mapping
        As they were counted; empty where they were not.
    """

    begins: str
    segment: str | None
    edition: int
    rows: int
    sketch: str
    seen: str = ""
    health: Mapping[str, Any] = field(default_factory=dict)
    outcomes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What was said of one window of one segment; a later edition has the last word.

    Attributes
    ----------
    window : str
        Its name, ``2026-03``.
    begins, ends : str
        ISO 8601, UTC; the end is not in it.
    segment : str or None
        None: of all rows.
    edition : int
        1, or more where rows came late.
    state : {"alarm", "drift", "none", "empty", "small", "reference", "waiting", "untested"}
        An alarm; significant, but within what is tolerated; nothing found; no rows; too few rows; part
        of the reference; no reference yet; no share of the budget.
    rows : int
    p, alpha, effect : float or None
        The panel's p-value, what it was held against, and how large the shift is.
    evidence : mapping
        What it was decided on.
    at : str
        When it was judged.
    """

    window: str
    begins: str
    ends: str
    segment: str | None
    edition: int
    state: str
    rows: int
    p: float | None = None
    alpha: float | None = None
    effect: float | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    at: str = ""

    @property
    def revised(self) -> bool:
        """Rows came after it was judged first."""
        return self.edition > 1


@dataclass(frozen=True)
class Update:
    """One update of a monitor: when, by whom, and what was counted."""

    at: str
    who: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Changes:
    """All that one update changes.

    Attributes
    ----------
    facts : mapping
        What was counted: rows added, known already, left out.
    ticks : sequence of Tick
        New ones and new editions.
    verdicts : sequence of Verdict
    notify : bool
        Alarms that open are put into the outbox.
    """

    facts: Mapping[str, Any]
    ticks: Sequence[Tick] = ()
    verdicts: Sequence[Verdict] = ()
    notify: bool = False


class Monitors:
    """Questions and changes, each one transaction.

    Parameters
    ----------
    database : Database
        Where the tables are.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def create(
        self,
        record: Record,
        name: str,
        settings: Mapping[str, Any],
        folder: str,
        files: Sequence[Entry],
    ) -> Watch:
        """Make a monitor exist, with its files.

        Raises
        ------
        ParameterError
            The version has a monitor of this name.
        """
        with self.database.writing() as connection:
            at = now()
            check_clock(connection, record.space, at)
            version = sa.select(tables.versions.c.id).where(is_version(record.space, record.number))
            row = {
                "space": record.space,
                "name": name,
                "version_id": connection.execute(version).scalar_one(),
                "settings": dict(settings),
                "folder": folder,
                "created": at,
                "who": who(),
            }
            known = sa.select(tables.monitors.c.id).where(
                tables.monitors.c.version_id == row["version_id"], tables.monitors.c.name == name
            )
            if connection.scalar(known) is not None:
                raise ParameterError(
                    f"{record.reference} has a monitor {name} already.", "Open that one."
                )
            insert = tables.monitors.insert().values(row).returning(tables.monitors.c.id)
            key = connection.execute(insert).scalar_one()
            _list(connection, key, files)
        return Watch(
            key, record.space, name, record.reference, dict(settings), folder, at, row["who"]
        )

    def find(self, space: str) -> list[Watch]:
        """Give the monitors of a space, the oldest first."""
        monitors = tables.monitors
        query = (
            sa.select(monitors, *NUMBER)
            .join(tables.versions)
            .where(monitors.c.space == space)
            .order_by(monitors.c.id)
        )
        with self.database.reading() as connection:
            return [_watch(row) for row in connection.execute(query).mappings()]

    def files(self, watch: Watch) -> dict[str, Entry]:
        """List all files of a monitor, by their path from the store's folder."""
        query = tables.monitor_files.select().where(tables.monitor_files.c.monitor_id == watch.id)
        with self.database.reading() as connection:
            entries = [typed.entry(row) for row in connection.execute(query).mappings()]
        return {entry.path: entry for entry in sorted(entries, key=lambda entry: entry.path)}

    def ticks(self, watch: Watch) -> list[Tick]:
        """Give the ticks of a monitor, by time; that of all rows before those of segments."""
        query = tables.ticks.select().where(tables.ticks.c.monitor_id == watch.id)
        with self.database.reading() as connection:
            rows = connection.execute(query).mappings().all()
        return sorted(map(_tick, rows), key=lambda tick: (tick.begins, key_of(tick.segment)))

    def verdicts(self, watch: Watch, every_edition: bool = False) -> list[Verdict]:
        """Give the verdicts of a monitor by time, of each window the last edition, or all of them."""
        query = tables.verdicts.select().where(tables.verdicts.c.monitor_id == watch.id)
        with self.database.reading() as connection:
            rows = connection.execute(query).mappings().all()
        found = sorted(map(_verdict, rows), key=lambda v: (v.begins, key_of(v.segment), v.edition))
        if every_edition:
            return found
        return list({(verdict.begins, verdict.segment): verdict for verdict in found}.values())

    def updates(self, watch: Watch) -> list[Update]:
        """Give what each update did, the oldest first."""
        query = tables.updates.select().where(tables.updates.c.monitor_id == watch.id)
        with self.database.reading() as connection:
            rows = connection.execute(query.order_by(tables.updates.c.id)).mappings().all()
        return [
            Update(**typed.checked(row, "an update", at=str, who=str, facts=dict)) for row in rows
        ]

    def commit(self, watch: Watch, changes: Changes, files: Sequence[Entry]) -> list[str]:
        """Write all of an update down, or nothing; gives the paths that are no longer listed."""
        with self.database.writing() as connection:
            at = now()
            check_clock(connection, watch.space, at)
            row = {"monitor_id": watch.id, "space": watch.space, "at": at, "who": who()}
            update = connection.execute(
                tables.updates.insert()
                .values(row | {"facts": dict(changes.facts)})
                .returning(tables.updates.c.id)
            ).scalar_one()
            replaced = _put(connection, watch, changes.ticks, files)
            for verdict in changes.verdicts:
                key = _say(connection, watch, update, replace(verdict, at=at))
                judged = Judged(
                    key, verdict.window, verdict.segment, verdict.state, verdict.revised
                )
                alarms.follow(connection, watch.id, watch.space, at, judged, changes.notify)
        return replaced


def _list(connection: sa.Connection, monitor: int, files: Sequence[Entry]) -> None:
    listed = [{"monitor_id": monitor, **vars(entry)} for entry in files]
    if listed:
        connection.execute(tables.monitor_files.insert(), listed)


def _put(
    connection: sa.Connection, watch: Watch, ticks: Sequence[Tick], files: Sequence[Entry]
) -> list[str]:
    """Replace ticks by their new editions, and the files that these no longer name."""
    replaced: list[str] = []
    kept = {path for tick in ticks for path in (tick.sketch, tick.seen)} | {""}
    table = tables.ticks
    for tick in ticks:
        old = (
            table.delete()
            .where(
                table.c.monitor_id == watch.id,
                table.c.begins == tick.begins,
                table.c.segment == key_of(tick.segment),
            )
            .returning(table.c.sketch, table.c.seen)
        )
        replaced += [path for row in connection.execute(old) for path in row if path not in kept]
    listed = tables.monitor_files
    for path in replaced:
        connection.execute(
            listed.delete().where(listed.c.monitor_id == watch.id, listed.c.path == path)
        )
    rows = [
        vars(tick) | {"monitor_id": watch.id, "segment": key_of(tick.segment)} for tick in ticks
    ]
    if rows:
        connection.execute(table.insert(), rows)
    _list(connection, watch.id, files)
    return replaced


def _say(connection: sa.Connection, watch: Watch, update: int, verdict: Verdict) -> int:
    row = vars(verdict) | {
        "monitor_id": watch.id,
        "update_id": update,
        "segment": key_of(verdict.segment),
        "evidence": dict(verdict.evidence),
    }
    insert = tables.verdicts.insert().values(row).returning(tables.verdicts.c.id)
    return int(connection.execute(insert).scalar_one())


def _watch(row: sa.RowMapping) -> Watch:
    texts = dict.fromkeys(("space", "name", "folder", "created", "who"), str)
    told = typed.checked(row, "a monitor", id=int, settings=dict, **texts)
    number = Number(*(row[column.name] for column in NUMBER))
    return Watch(of=f"{told['space']}@{number}", **told)


def _tick(row: sa.RowMapping) -> Tick:
    texts = dict.fromkeys(("begins", "segment", "sketch", "seen"), str)
    told = typed.checked(row, "a tick", edition=int, rows=int, health=dict, outcomes=dict, **texts)
    return Tick(**told | {"segment": segment_of(told["segment"])})


def _verdict(row: sa.RowMapping) -> Verdict:
    texts = dict.fromkeys(("window", "begins", "ends", "segment", "state", "at"), str)
    told = typed.checked(row, "a verdict", edition=int, rows=int, evidence=dict, **texts)
    numbers = {name: row[name] for name in ("p", "alpha", "effect")}
    known = {name: value for name, value in numbers.items() if value is not None}
    typed.checked(known, "a verdict", **dict.fromkeys(known, (float, int)))
    return Verdict(**told | numbers | {"segment": segment_of(told["segment"])})
