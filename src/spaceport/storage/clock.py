"""The time, and who it is: what the catalog writes beside each change."""

from __future__ import annotations

import getpass
import os
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from spaceport.errors import CorruptError, StoreError
from spaceport.storage import tables

__all__ = ["PATIENCE", "check_clock", "now", "who"]

PATIENCE = timedelta(minutes=5)
"""How far the clocks of two machines may be apart."""

_TIMES = (
    tables.versions.c.created,
    tables.alias_history.c.at,
    tables.artifacts.c.created,
    tables.consumers.c.created,
    tables.monitors.c.created,
    tables.updates.c.at,
    tables.alarm_events.c.at,
)


def now() -> str:
    """Give the time, ISO 8601 to the second, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def who() -> str:
    """Give the name of the user that this process runs for."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())


def check_clock(connection: sa.Connection, space: str, at: str) -> None:
    """Refuse to write at a time that is before what is written.

    Two clocks may be `PATIENCE` apart. What counts is the order of the rows, so nothing is lost where
    the check is turned off by the environment's ``SPACEPORT_TRUST_CLOCK=1``.

    Raises
    ------
    StoreError
        This machine's clock went back, or another machine's was ahead.
    """
    if os.environ.get("SPACEPORT_TRUST_CLOCK") == "1":
        return
    latest = [
        connection.scalar(sa.select(sa.func.max(time)).where(time.table.c.space == space))
        for time in _TIMES
    ]
    last = max((time for time in latest if time), default="")
    if last and datetime.fromisoformat(at) < _read(last) - PATIENCE:
        raise StoreError(
            f"This machine's clock says {at}, but the last entry of {space} was made at {last}.",
            "Set the clock. If the entry's time is the wrong one, set SPACEPORT_TRUST_CLOCK=1.",
        )


def _read(time: str) -> datetime:
    try:
        return datetime.fromisoformat(time).astimezone(UTC)
    except ValueError as error:
        raise CorruptError(
            f"The catalog has {time[:40]!r} for a time.", "Restore the catalog from a backup."
        ) from error
