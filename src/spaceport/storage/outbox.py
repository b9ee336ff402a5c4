"""The outbox: messages about alarms that were written down with them, until they are delivered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spaceport.storage import tables, typed
from spaceport.storage.clock import now
from spaceport.storage.database import Database

__all__ = ["Message", "Outbox"]


@dataclass(frozen=True)
class Message:
    """Something to be delivered at least once.

    Attributes
    ----------
    key : str
        The same however often it is sent, so that whoever gets it twice can tell.
    body : mapping
        What to send.
    tries : int
        How often it was tried.
    """

    key: str
    body: Mapping[str, Any]
    tries: int = 0


class Outbox:
    """The messages of one monitor.

    Parameters
    ----------
    database : Database
        Where the tables are.
    monitor : int
        The monitor's number.
    """

    def __init__(self, database: Database, monitor: int) -> None:
        self._database = database
        self._of_monitor = tables.deliveries.c.monitor_id == monitor

    def pending(self) -> list[Message]:
        """Give what is not delivered, the oldest first."""
        table = tables.deliveries
        query = table.select().where(self._of_monitor, table.c.state == "pending")
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(table.c.id)).mappings().all()
        wanted: dict[str, type] = {"key": str, "body": dict, "tries": int}
        return [Message(**typed.checked(row, "a message", **wanted)) for row in rows]

    def delivered(self, key: str) -> None:
        """Note that a message has arrived."""
        self._set(key, state="delivered", at=now(), said="")

    def failed(self, key: str, said: str) -> None:
        """Note that a message has not arrived, and why; it stays."""
        self._set(key, said=said[:500])

    def _set(self, key: str, **values: Any) -> None:
        table = tables.deliveries
        change = table.update().where(self._of_monitor, table.c.key == key)
        with self._database.writing() as connection:
            connection.execute(change.values(tries=table.c.tries + 1, **values))
