"""What anybody who looks at the store at any moment must find; knows nothing of the journals."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

import numpy as np

from spaceport.errors import NotFoundError
from spaceport.storage.names import Number
from spaceport.storage.store import Move, Record, Store

__all__ = ["gaps", "halves", "look", "unlikely_moves"]


def look(
    store: Store, rng: random.Random, newest: int = 2, others: int = 2
) -> tuple[int, list[str]]:
    """Read some versions of each space whole; how many, and what was wrong."""
    reads, found = 0, []
    try:
        spaces = store.spaces()
    except NotFoundError:  # nobody has made it yet
        return 0, []
    for space in spaces:
        aliases = store.aliases(space)
        records = store.versions(space)
        found += gaps(space, [record.number for record in records])
        numbers = {record.number for record in records}
        found += [
            f"{space}@{alias} stands for {record.number}, which is not there"
            for alias, record in aliases.items()
            if record.number not in numbers
        ]
        chosen = {record.reference: record for record in records[-newest:]}
        chosen |= {r.reference: r for r in rng.sample(records, min(others, len(records)))}
        for record in chosen.values():
            found += halves(store, record)
            reads += 1
    return reads, found


def halves(store: Store, record: Record) -> list[str]:
    """What of a version is not there, or is not what the catalog says."""
    try:
        wrong = store.verify(record)
        if not wrong:
            shape = store.vectors(record).matrix().shape
            wrong = [f"has shape {shape}"] * (shape != (record.rows, record.dimension))
        for name in store.files(record):
            store.read(record, name)
    except Exception as error:
        wrong = [f"{type(error).__name__}: {error}"]
    return [f"{record.reference}: {line}" for line in wrong]


def gaps(space: str, numbers: Sequence[Number]) -> list[str]:
    """Numbers that stand twice, or that no step leads to."""
    known, found = set(numbers), []
    if len(known) < len(numbers):
        found.append(f"{space} has {len(numbers) - len(known)} numbers twice")
    for number in known:
        if number == Number(1):
            continue
        before = (
            Number(number.major, number.minor, number.patch - 1)
            if number.patch
            else Number(number.major, number.minor - 1)
            if number.minor
            else Number(number.major - 1)
        )
        if before not in known:
            found.append(f"{space} has {number}, but no {before}")
    return found


def unlikely_moves(space: str, moves: Iterable[Move], now: dict[str, Number]) -> list[str]:
    """Moves that do not follow from those before, and aliases that the moves do not lead to."""
    standing: dict[str, list[Number]] = {}
    found = []
    for move in moves:
        stack = standing.setdefault(move.alias, [])
        if move.before != (stack[-1] if stack else None):
            found.append(
                f"{space}@{move.alias} moved from {move.before}, but stood for {stack[-1:]}"
            )
        if move.action == "rollback":
            if len(stack) < 2 or move.after != stack[-2]:
                found.append(f"{space}@{move.alias} rolled back to {move.after}: {stack[-3:]}")
            stack[-1:] = []
            if stack:
                stack[-1] = move.after
        elif move.action == "promote":
            stack.append(move.after)
    led = {alias: stack[-1] for alias, stack in standing.items() if stack}
    if led != now:
        shown = {k: (str(led.get(k)), str(now.get(k))) for k in led.keys() | now.keys()
                 if led.get(k) != now.get(k)}  # fmt: skip
        found.append(f"{space}: the history leads elsewhere than the aliases stand: {shown}")
    return found


def same(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> bool:
    """Whether two sets of rows are equal."""
    return found.keys() == wanted.keys() and all(
        np.array_equal(found[name], wanted[name]) for name in wanted
    )
