"""Aliases: movable names for versions, with every move and why it was made."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from spaceport.errors import BusyError, CorruptError, NotFoundError
from spaceport.storage import tables, typed
from spaceport.storage.catalog import NUMBER, Record, is_version
from spaceport.storage.clock import check_clock, now, who
from spaceport.storage.database import Database
from spaceport.storage.names import Number

__all__ = ["ANY", "Aliases", "Move", "earlier", "last_standing"]

ANY = object()
"""Whatever the alias stands for now."""


@dataclass(frozen=True)
class Move:
    """One move of an alias, or a refusal to move it.

    Attributes
    ----------
    alias : str
    action : {"promote", "rollback", "refuse"}
        After "refuse" the alias stands for what it stood for before.
    who, at : str
        Who did it, and when (ISO 8601, UTC).
    before, after : Number or None
        From which version to which; of a refusal: which version was refused.
    note : str
        Why.
    evidence : mapping
        What the decision was made on: the consumers' scores.
    """

    alias: str
    action: str
    who: str
    at: str
    before: Number | None
    after: Number
    note: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


class Aliases:
    """Questions and changes, each one transaction.

    Parameters
    ----------
    database : Database
        Where the tables are.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def of(self, space: str) -> dict[str, Number]:
        """Give the number that each alias of `space` stands for."""
        query = (
            sa.select(tables.aliases.c.alias, tables.versions.c.space, *NUMBER)
            .join(tables.versions, isouter=True)
            .where(tables.aliases.c.space == space)
            .order_by(tables.aliases.c.alias)
        )
        with self.database.reading() as connection:
            rows = connection.execute(query).all()
        if any(of != space for _, of, *_ in rows):
            raise CorruptError(f"An alias of {space} stands for no version of it.", typed.REMEDY)
        return {alias: Number(*number) for alias, _, *number in rows}

    def move(
        self,
        record: Record,
        alias: str,
        action: str,
        note: str = "",
        evidence: Mapping[str, Any] | None = None,
        expected: Number | object | None = ANY,
        pins: Mapping[str, str] | None = None,
        consumers: Collection[tuple[str, int | None]] | None = None,
        moves: int | None = None,
    ) -> None:
        """Let `alias` stand for `record`, and write down who moved it: one transaction.

        Parameters
        ----------
        record : Record
            The version; where `action` is "refuse", the one that is refused.
        alias, action, note, evidence
            As in `Move`.
        expected : Number or None
            What the alias must stand for still (None: nothing); by default anything.
        pins : mapping of str to str
            Consumers whose pin moves with the alias: name and new pin.
        consumers : collection of (str, int or None)
            Name and task's artifact of every consumer that there must be still, and no other; by
            default any.
        moves : int, optional
            How many moves and refusals of the alias there must be still; by default any number.

        Raises
        ------
        BusyError
            Somebody moved the alias since `expected` was read, or added or removed a consumer.
        StoreError
            The clock went back.
        """
        with self.database.writing() as connection:
            lock = sa.select(tables.spaces).where(tables.spaces.c.name == record.space)
            connection.execute(lock.with_for_update())
            here = (tables.aliases.c.space == record.space) & (tables.aliases.c.alias == alias)
            before = connection.scalar(sa.select(tables.aliases.c.version_id).where(here))
            _check_expected(connection, record.space, alias, before, expected)
            _check_moves(connection, record.space, alias, moves)
            _check_consumers(connection, record.space, consumers)
            version = sa.select(tables.versions.c.id).where(is_version(record.space, record.number))
            after = connection.scalar(version)
            if before == after and action != "refuse":
                return
            at = now()
            check_clock(connection, record.space, at)
            row: dict[str, Any] = {"space": record.space, "alias": alias}
            if action != "refuse":
                connection.execute(tables.aliases.delete().where(here))
                connection.execute(tables.aliases.insert(), row | {"version_id": after})
            for name, pin in (pins or {}).items():
                _repin(connection, record.space, name, pin)
            row |= {"action": action, "who": who(), "at": at, "note": note}
            row |= {"before": before, "after": after, "evidence": dict(evidence or {})}
            connection.execute(tables.alias_history.insert(), row)

    def history(self, space: str, alias: str | None = None) -> list[Move]:
        """All moves of an alias, or of all aliases of a space, the oldest first."""
        query = tables.alias_history.select().where(tables.alias_history.c.space == space)
        if alias is not None:
            query = query.where(tables.alias_history.c.alias == alias)
        numbers = sa.select(tables.versions.c.id, *NUMBER).where(tables.versions.c.space == space)
        with self.database.reading() as connection:
            known = {key: Number(*number) for key, *number in connection.execute(numbers)}
            ordered = query.order_by(tables.alias_history.c.id)
            rows = connection.execute(ordered).mappings().all()
        return [_move(row, known) for row in rows]


def earlier(moves: Sequence[Move]) -> Number:
    """Find the number that an alias stood for before its last promotion that still holds.

    Promotions are a stack, a rollback takes the topmost off: two rollbacks go back two steps.
    """
    return _standing(moves)[-2].after


def last_standing(moves: Sequence[Move]) -> Move:
    """Find the promotion that a rollback undoes; see `earlier`."""
    return _standing(moves)[-1]


def _standing(moves: Sequence[Move]) -> list[Move]:
    """The promotions that still hold, two at least."""
    standing: list[Move] = []
    for move in moves:
        if move.action == "rollback":
            standing.pop()
        elif move.action == "promote":
            standing.append(move)
    if len(standing) < 2:
        raise NotFoundError(
            "The alias has stood for no other version.", "Promote the version that you want."
        )
    return standing


def _check_expected(
    connection: sa.Connection,
    space: str,
    alias: str,
    before: int | None,
    expected: Number | object | None,
) -> None:
    if expected is ANY:
        return
    row = connection.execute(sa.select(*NUMBER).where(tables.versions.c.id == before)).first()
    if (None if row is None else Number(*row)) != expected:
        raise _moved(space, alias)


def _check_moves(connection: sa.Connection, space: str, alias: str, moves: int | None) -> None:
    """What an alias stands for may be the same again, and yet the way back another."""
    history = tables.alias_history.c
    here = (history.space == space) & (history.alias == alias)
    count = sa.select(sa.func.count()).where(here)
    if moves is not None and connection.scalar(count) != moves:
        raise _moved(space, alias)


def _moved(space: str, alias: str) -> BusyError:
    return BusyError(
        f"{space}@{alias} was moved by somebody else in the meantime.",
        "Look at `spaceport history`, then say again what you want.",
    )


def _check_consumers(
    connection: sa.Connection, space: str, expected: Collection[tuple[str, int | None]] | None
) -> None:
    if expected is None:
        return
    consumer = tables.consumers.c
    active = (consumer.space == space) & consumer.removed.is_(None)
    rows = connection.execute(sa.select(consumer.name, consumer.artifact_id).where(active))
    if {tuple(row) for row in rows} != {*expected}:
        raise BusyError(
            f"A consumer of {space} was added or removed in the meantime.",
            "Look at `spaceport consumers list`, then promote again.",
        )


def _repin(connection: sa.Connection, space: str, name: str, pin: str) -> None:
    consumer = tables.consumers.c
    active = (consumer.space == space) & (consumer.name == name) & consumer.removed.is_(None)
    connection.execute(tables.consumers.update().where(active).values(pin=pin))


def _move(row: sa.RowMapping, known: Mapping[int, Number]) -> Move:
    texts = dict.fromkeys(("alias", "action", "who", "at", "note"), str)
    told = typed.checked(row, "a move", **texts)
    if row["after"] not in known:
        raise CorruptError("A move of an alias leads to no version of its space.", typed.REMEDY)
    return Move(
        before=known.get(row["before"]),
        after=known[row["after"]],
        evidence=row["evidence"] or {},
        **told,
    )
