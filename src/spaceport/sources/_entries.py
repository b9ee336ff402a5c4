"""Entries of users' histories: the events of one user and item merged, and the histories' batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.errors import InputError
from spaceport.sources._events import Events
from spaceport.sources.base import HISTORY, ROWS

__all__ = ["BATCH_ENTRIES", "Entries", "Mask", "histories", "latest_in", "merged"]

BATCH_ENTRIES = 1 << 20
"""The entries at which a batch of histories is full, before it has `ROWS` of them."""

Mask: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Entries:
    """One entry a user and item, sorted by user, then by item, both by their first event.

    Attributes
    ----------
    users, items : pyarrow.Array of string
    user, item : ndarray of shape (n,), int32
        Positions in `users` and `items`.
    values : ndarray of shape (n,), float32
    events : ndarray of shape (n,), int64
        How many events were merged into each.
    times : ndarray of shape (n,), float64, or None
        The latest event's.
    last : ndarray of shape (n,), int64
        The latest event's place in the file, among the events kept.
    """

    users: pa.Array
    items: pa.Array
    user: npt.NDArray[np.int32]
    item: npt.NDArray[np.int32]
    values: npt.NDArray[np.float32]
    events: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64] | None
    last: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.values)

    def where(self, keep: Mask) -> Entries:
        """The entries that are kept; `users` and `items` stay whole."""
        return replace(
            self,
            user=self.user[keep],
            item=self.item[keep],
            values=self.values[keep],
            events=self.events[keep],
            times=None if self.times is None else self.times[keep],
            last=self.last[keep],
        )


def merged(events: Events, duplicates: str, path: str) -> Entries:
    """Merge the events of one user and item as `duplicates` says: ``sum``, ``last`` or ``error``."""
    key = events.user.astype(np.int64) * max(len(events.items), 1) + events.item
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.diff(key[order], prepend=-1))
    counts = np.diff(starts, append=len(order))
    if duplicates == "error" and len(starts) < len(order):
        _refuse_duplicates(events, order, starts, counts, path)
    last = order[latest_in(starts, counts, None if events.times is None else events.times[order])]
    values = events.values[last]
    if duplicates == "sum":
        values = np.add.reduceat(events.values[order], starts)
    return Entries(
        users=events.users,
        items=events.items,
        user=events.user[last],
        item=events.item[last],
        values=_single(values, path),
        events=counts,
        times=None if events.times is None else events.times[last],
        last=last,
    )


def latest_in(
    starts: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    times: npt.NDArray[np.float64] | None,
) -> npt.NDArray[np.int64]:
    """The place of the latest row in each group of rows; of equal times, the last."""
    if times is None:
        return starts + counts - 1
    latest = np.repeat(np.maximum.reduceat(times, starts), counts) == times
    places: npt.NDArray[np.int64] = np.where(latest, np.arange(len(times)), -1)
    return np.maximum.reduceat(places, starts)


def histories(entries: Entries) -> Iterator[pa.RecordBatch]:
    """Yield the users' histories, each with the number of its events."""
    ends = np.flatnonzero(np.diff(entries.user, append=-1)) + 1  # of each history
    start = 0
    while start < len(ends):
        before = int(ends[start - 1]) if start else 0
        full = int(np.searchsorted(ends, before + BATCH_ENTRIES))
        stop = min(start + ROWS, max(full, start + 1))
        yield _batch(entries, np.concatenate([[before], ends[start:stop]]))
        start = stop


def _batch(entries: Entries, ends: npt.NDArray[np.int64]) -> pa.RecordBatch:
    """The histories of the entries between consecutive `ends`."""
    span = slice(int(ends[0]), int(ends[-1]))
    flat = pa.StructArray.from_arrays(
        [entries.items.take(pa.array(entries.item[span])), pa.array(entries.values[span])],
        fields=[HISTORY.value_type.field(name) for name in ("item", "value")],
    )
    offsets = pa.array((ends - ends[0]).astype(np.int32))
    events = np.add.reduceat(entries.events[span], ends[:-1] - ends[0])
    return pa.RecordBatch.from_pydict(
        {
            "id": entries.users.take(pa.array(entries.user[ends[:-1]])),
            "content": pa.ListArray.from_arrays(offsets, flat).cast(HISTORY),
            "events": pa.array(events, pa.int64()),
        }
    )


def _single(values: npt.NDArray[np.float64], path: str) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    if not np.isfinite(single).all():
        raise InputError(f"{path} has values whose sum overflows float32.", "Scale the values.")
    return single


def _refuse_duplicates(
    events: Events,
    order: npt.NDArray[np.intp],
    starts: npt.NDArray[np.intp],
    counts: npt.NDArray[np.int64],
    path: str,
) -> None:
    group = int((counts > 1).argmax())
    first = int(order[starts[group]])
    user, item = events.users[int(events.user[first])], events.items[int(events.item[first])]
    surplus = len(order) - len(starts)
    raise InputError(
        f"{path} has {surplus:,} repeated event{'s' * (surplus > 1)} of a user and an item; "
        f"user {user.as_py()!r} has item {item.as_py()!r} {counts[group]} times.",
        'Say duplicates="sum" to add their values, or "last" to keep the last one.',
    )
