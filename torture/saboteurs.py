"""Stores that are broken on purpose; whoever looks for faults must find these."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from spaceport.storage import tables
from spaceport.storage.aliases import Aliases
from spaceport.storage.catalog import Catalog, Record
from spaceport.storage.files import Entry
from spaceport.storage.locks import Locks
from spaceport.storage.monitors import Changes, Monitors, Watch
from spaceport.storage.store import Store, Writer

__all__ = ["SABOTEURS"]

PAUSE = 0.05  # as long as a slow disk may take


class RowFirst(Writer):
    """Commits the row, and puts the files in place after it."""

    def _commit(self, record: Record, entries: Sequence[Entry]) -> None:
        away = self.folder.with_name(f"{self.folder.name}.away")
        self.folder.rename(away)
        super()._commit(record, entries)
        time.sleep(10 * PAUSE)
        away.rename(self.folder)


def row_first() -> None:
    """Publish in the wrong order."""
    Store.writer_class = RowFirst


def two_transactions() -> None:
    """Move an alias in one transaction, write that down in another."""
    whole = Aliases.move

    def move(
        self: Aliases, record: Record, alias: str, action: str, *rest: Any, **more: Any
    ) -> None:
        with self.database.writing() as connection:
            version = sa.select(tables.versions.c.id).where(
                tables.versions.c.space == record.space,
                tables.versions.c.major == record.number.major,
                tables.versions.c.minor == record.number.minor,
                tables.versions.c.patch == record.number.patch,
            )
            key = connection.scalar(version)
            here = (tables.aliases.c.space == record.space) & (tables.aliases.c.alias == alias)
            moved = connection.execute(tables.aliases.update().where(here).values(version_id=key))
            known = moved.rowcount
        if not known:
            whole(self, record, alias, action, *rest, **more)
            return
        time.sleep(PAUSE)
        _write_down(self, record, alias, action, rest[0], key)

    Aliases.move = move  # type: ignore[method-assign]


def _write_down(
    aliases: Aliases, record: Record, alias: str, action: str, note: str, key: int | None
) -> None:
    with aliases.database.writing() as connection:
        history = tables.alias_history
        mine = (history.c.space == record.space) & (history.c.alias == alias)
        last = sa.select(history.c.after).where(mine).order_by(history.c.id.desc()).limit(1)
        row = {"space": record.space, "alias": alias, "action": action, "who": "", "note": note}
        row |= {"at": record.created, "before": connection.scalar(last), "after": key}
        connection.execute(history.insert(), row)


def forgets_artifacts() -> None:
    """Ask only the versions which files are still needed."""

    def listed(self: Catalog, space: str) -> set[str]:
        query = sa.select(tables.files.c.path).join(tables.versions)
        with self.database.reading() as connection:
            return set(connection.scalars(query.where(tables.versions.c.space == space)))

    Catalog.listed = listed  # type: ignore[method-assign]


def verdicts_later() -> None:
    """Write a monitor's ticks in one transaction, its verdicts in another."""
    whole = Monitors.commit

    def commit(self: Monitors, watch: Watch, changes: Changes, files: Sequence[Entry]) -> list[str]:
        gone = whole(self, watch, replace(changes, verdicts=()), files)
        time.sleep(10 * PAUSE)
        later = replace(changes, ticks=(), facts={"added": 0})
        return gone + whole(self, watch, later, [])

    Monitors.commit = commit  # type: ignore[method-assign]


def no_lock() -> None:
    """Let everyone write and clean up at once."""

    def hold(self: Locks, name: str, wait: float, what: str) -> Any:
        from contextlib import nullcontext

        return nullcontext(self._database)

    Locks.hold = hold  # type: ignore[method-assign]


SABOTEURS: dict[str, Callable[[], None]] = {
    "row first": row_first,
    "two transactions": two_transactions,
    "gc forgets artifacts": forgets_artifacts,
    "no lock": no_lock,
    "verdicts later": verdicts_later,
}
"""What breaks the store, by its name."""
