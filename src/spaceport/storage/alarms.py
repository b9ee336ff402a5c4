"""Alarms: opened by verdicts, acknowledged and resolved by people; nothing of it is forgotten.

An alarm is *open*, *acknowledged* or *resolved*. Of one segment of a monitor only one is not resolved: a
window that alarms while there is one continues it. Where a window is judged again, because rows came
late, its alarm says so; an open alarm of which no window alarms any more is resolved by that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from spaceport.errors import NotFoundError, ParameterError
from spaceport.storage import tables, typed
from spaceport.storage.clock import check_clock, now, who
from spaceport.storage.database import Database

__all__ = [
    "STATES",
    "Alarm",
    "AlarmEvent",
    "Alarms",
    "Judged",
    "follow",
    "key_of",
    "segment_of",
]

STATES = ("open", "acknowledged", "resolved")
_RAISING = ("open", "continue", "revise")


@dataclass(frozen=True)
class AlarmEvent:
    """Something that happened to an alarm.

    Attributes
    ----------
    at, who : str
        When (ISO 8601, UTC) and by whom; of what the monitor did: who ran it.
    action : {"open", "continue", "revise", "withdraw", "acknowledge", "resolve"}
    window : str
        Which window it was about; empty where a person did it.
    note : str
        Why.
    """

    at: str
    who: str
    action: str
    window: str
    note: str


@dataclass(frozen=True)
class Alarm:
    """An alarm with all that happened to it.

    Attributes
    ----------
    id : int
        Its number, by which people name it.
    space, monitor : str
        Whose it is.
    segment : str or None
        None: of all rows.
    state : {"open", "acknowledged", "resolved"}
    opened : str
        When (ISO 8601, UTC).
    events : tuple of AlarmEvent
        The oldest first.
    """

    id: int
    space: str
    monitor: str
    segment: str | None
    state: str
    opened: str
    events: tuple[AlarmEvent, ...] = field(default=())

    @property
    def windows(self) -> list[str]:
        """Names of the windows that alarm, in the order in which they first did."""
        return [window for window, raised in _standing(self.events).items() if raised]

    @property
    def revised(self) -> bool:
        """A window of it was judged again, because rows came late."""
        return any(event.action in ("revise", "withdraw") for event in self.events)


@dataclass(frozen=True)
class Judged:
    """A verdict, as far as alarms need it; `key` is its number in the catalog."""

    key: int
    window: str
    segment: str | None
    state: str
    revised: bool


class Alarms:
    """The alarms of all spaces.

    Parameters
    ----------
    database : Database
        Where the tables are.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def find(self, space: str, monitor: int | None = None) -> list[Alarm]:
        """Give the alarms of a space, or of one of its monitors, the oldest first."""
        wanted = tables.alarms.c.space == space
        if monitor is not None:
            wanted &= tables.alarms.c.monitor_id == monitor
        with self.database.reading() as connection:
            return _alarms(connection, wanted)

    def acknowledge(self, space: str, number: int, note: str = "") -> Alarm:
        """Say that somebody looks after an open alarm.

        Raises
        ------
        NotFoundError
            The space has no alarm of this number.
        ParameterError
            It is not open.
        """
        return self._move(space, number, "acknowledge", ("open",), "acknowledged", note)

    def resolve(self, space: str, number: int, note: str) -> Alarm:
        """Say that an alarm is over, and why; the next window that alarms opens another.

        Raises
        ------
        NotFoundError
            The space has no alarm of this number.
        ParameterError
            It is resolved already, or `note` does not say why.
        """
        if not note.strip():
            raise ParameterError(
                "An alarm is resolved with a reason, and none was given.",
                "Say in `note` what it was: a new source, a broken sensor, nothing.",
            )
        return self._move(space, number, "resolve", STATES[:2], "resolved", note)

    def _move(
        self, space: str, number: int, action: str, before: Sequence[str], after: str, note: str
    ) -> Alarm:
        with self.database.writing() as connection:
            at = now()
            check_clock(connection, space, at)
            table = tables.alarms
            chosen = (table.c.id == number) & (table.c.space == space)
            connection.execute(sa.select(table.c.id).where(chosen).with_for_update())
            found = _alarms(connection, chosen)
            if not found:
                known = sorted(
                    connection.scalars(sa.select(table.c.id).where(table.c.space == space))
                )
                told = f"There are: {', '.join(map(str, known))}." if known else "There is none."
                raise NotFoundError(f"{space} has no alarm {number}.", told)
            if found[0].state not in before:
                raise ParameterError(
                    f"Alarm {number} of {space} is {found[0].state}.",
                    f"To {action} it, it must be {' or '.join(before)}.",
                )
            connection.execute(table.update().where(chosen).values(state=after))
            _note(connection, number, space, at, action, note=note)
            return _alarms(connection, chosen)[0]


def follow(
    connection: sa.Connection, monitor: int, space: str, at: str, judged: Judged, notify: bool
) -> None:
    """Open, continue, revise or withdraw an alarm, as a verdict asks for."""
    alarming = judged.state == "alarm"
    if not alarming and not judged.revised:
        return
    table = tables.alarms
    of_segment = (table.c.monitor_id == monitor) & (table.c.segment == key_of(judged.segment))
    connection.execute(sa.select(table.c.id).where(of_segment).with_for_update())
    known = _alarms(connection, of_segment)
    about = [alarm for alarm in known if judged.window in _standing(alarm.events)]
    active = [alarm for alarm in known if alarm.state != "resolved"]
    if not alarming:
        for alarm in about:
            if _standing(alarm.events)[judged.window]:
                _withdraw(connection, alarm, at, judged)
    elif about or active:
        alarm = (about or active)[-1]
        action = "revise" if about else "continue"
        _note(connection, alarm.id, space, at, action, judged)
    else:
        row = {
            "monitor_id": monitor,
            "space": space,
            "segment": key_of(judged.segment),
            "opened": at,
            "state": "open",
        }
        insert = table.insert().values(row).returning(table.c.id)
        alarm_id = connection.execute(insert).scalar_one()
        event = _note(connection, alarm_id, space, at, "open", judged)
        if notify:
            _post(connection, monitor, space, alarm_id, event, at, judged)


def _withdraw(connection: sa.Connection, alarm: Alarm, at: str, judged: Judged) -> None:
    note = "rows came late, and with them the window does not alarm"
    _note(connection, alarm.id, alarm.space, at, "withdraw", judged, note)
    left = [window for window in alarm.windows if window != judged.window]
    if alarm.state == "open" and not left:
        table = tables.alarms
        connection.execute(table.update().where(table.c.id == alarm.id).values(state="resolved"))
        _note(connection, alarm.id, alarm.space, at, "resolve", note="no window of it alarms")


def _note(
    connection: sa.Connection,
    alarm: int,
    space: str,
    at: str,
    action: str,
    judged: Judged | None = None,
    note: str = "",
) -> int:
    row = {
        "alarm_id": alarm,
        "space": space,
        "at": at,
        "who": who(),
        "action": action,
        "window": judged.window if judged else "",
        "note": note,
        "verdict_id": judged.key if judged else None,
    }
    insert = tables.alarm_events.insert().values(row).returning(tables.alarm_events.c.id)
    return int(connection.execute(insert).scalar_one())


def _post(
    connection: sa.Connection,
    monitor: int,
    space: str,
    alarm: int,
    event: int,
    at: str,
    judged: Judged,
) -> None:
    """Put a message into the outbox; its key is the same however often it is sent."""
    store = connection.scalar(sa.select(tables.store.c.id))
    verdict = tables.verdicts.c
    found = (
        connection.execute(
            sa.select(verdict.p, verdict.alpha, verdict.effect, verdict.rows).where(
                verdict.id == judged.key
            )
        )
        .mappings()
        .one()
    )
    body = {
        "event": "alarm",
        "space": space,
        "alarm": alarm,
        "segment": judged.segment,
        "window": judged.window,
        "at": at,
        **found,
    }
    row = {
        "event_id": event,
        "monitor_id": monitor,
        "key": hashlib.sha256(f"{store} alarm event {event}".encode()).hexdigest(),
        "body": body,
        "created": at,
        "state": "pending",
        "tries": 0,
        "said": "",
    }
    connection.execute(tables.deliveries.insert(), row)


def _alarms(connection: sa.Connection, wanted: sa.ColumnElement[bool]) -> list[Alarm]:
    table, log = tables.alarms, tables.alarm_events
    query = (
        sa.select(table, tables.monitors.c.name.label("monitor"))
        .join(tables.monitors, table.c.monitor_id == tables.monitors.c.id)
        .where(wanted)
        .order_by(table.c.id)
    )
    rows = connection.execute(query).mappings().all()
    listed = sa.select(log).join(table).where(wanted).order_by(log.c.id)
    events: dict[int, list[AlarmEvent]] = {}
    for row in connection.execute(listed).mappings():
        texts = dict.fromkeys(("at", "who", "action", "window", "note"), str)
        told = typed.checked(row, "an alarm", **texts)
        events.setdefault(row["alarm_id"], []).append(AlarmEvent(**told))
    return [_alarm(row, events.get(row["id"], [])) for row in rows]


def _alarm(row: sa.RowMapping, events: Sequence[AlarmEvent]) -> Alarm:
    texts = dict.fromkeys(("space", "monitor", "segment", "state", "opened"), str)
    told: dict[str, Any] = typed.checked(row, "an alarm", id=int, **texts)
    return Alarm(events=tuple(events), **told | {"segment": segment_of(told["segment"])})


def _standing(events: Sequence[AlarmEvent]) -> dict[str, bool]:
    """Whether each window that an alarm was about alarms, by its last event."""
    return {event.window: event.action in _RAISING for event in events if event.window}


def key_of(segment: str | None) -> str:
    """Write a segment so that no name is mistaken for "all rows"."""
    return "" if segment is None else f"={segment}"


def segment_of(key: str) -> str | None:
    """Read what `key_of` wrote."""
    return key[1:] if key else None
