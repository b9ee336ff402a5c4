"""Ids of events: taken from the log or made of the events, and found where they stand twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.errors import InputError
from spaceport.hashes import hashes
from spaceport.monitoring.events import Events
from spaceport.sources.base import content_bytes

__all__ = ["Identities", "Seen"]

Mask = npt.NDArray[np.bool_]


class Seen:
    """Remembers 64-bit numbers in sorted runs, each at least twice as long as the next: eight bytes each."""

    def __init__(self) -> None:
        self._runs: list[npt.NDArray[np.uint64]] = []

    def fresh(self, numbers: npt.NDArray[np.uint64]) -> Mask:
        """Which of the numbers come up for the first time; from now on they are known.

        Examples
        --------
        >>> seen = Seen()
        >>> seen.fresh(np.array([3, 5, 3], np.uint64)), seen.fresh(np.array([5, 6], np.uint64))
        (array([ True,  True, False]), array([False,  True]))
        """
        values, first = np.unique(numbers, return_index=True)
        new = np.ones(len(values), bool)
        for run in self._runs:
            places = np.minimum(np.searchsorted(run, values), len(run) - 1)
            new &= run[places] != values
        self._add(values[new])
        fresh = np.zeros(len(numbers), bool)
        fresh[first[new]] = True
        return fresh

    def _add(self, run: npt.NDArray[np.uint64]) -> None:
        while self._runs and len(self._runs[-1]) < 2 * len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]))
        if len(run):
            self._runs.append(run)


class Identities:
    """The ids of one log.

    Parameters
    ----------
    path : str
        For messages.
    column : str or None
        Where the ids stand; None where they are made.
    """

    def __init__(self, path: str, column: str | None) -> None:
        self._path = path
        self._column = column
        self._seen = Seen()
        self._times: Counter[str] = Counter()
        self._first = ""
        self.repeated = 0

    def refuse_empty(self, ids: pa.Array, places: Sequence[str]) -> None:
        """Raise where an event of the log has no id.

        Raises
        ------
        InputError
        """
        empty = np.array([not text for text in ids.to_pylist()], bool)
        if empty.any():
            raise InputError(
                f"The column `{self._column}` of {self._path} has no id in {places[int(empty.argmax())]} "
                f"({int(empty.sum()):,} of {len(ids):,} rows read with it).",
                "Fill them in, or name no id column to have ids made from the events.",
            )

    def of(
        self, events: Events, places: Sequence[str], given: pa.Array | None
    ) -> tuple[Events, Mask]:
        """Give events their ids; tells which of them are not there yet."""
        if given is None:
            ids = self._made(events)
            return replace(events, ids=ids), np.ones(len(events), bool)
        fresh = self._seen.fresh(hashes(given))
        if not fresh.all():
            first = int((~fresh).argmax())
            self._first = (
                self._first or f"{given[first].as_py()!r}, stands again in {places[first]}"
            )
            self.repeated += int((~fresh).sum())
        return replace(events, ids=given), fresh

    def refuse(self) -> None:
        """Raise if an id stood twice.

        Raises
        ------
        InputError
        """
        if self.repeated:
            raise InputError(
                f"The column `{self._column}` of {self._path} has {self.repeated:,} repeated "
                f"id{'s' * (self.repeated > 1)}; the first, {self._first}.",
                "Mend the ids, or count each event once: --duplicates first (duplicates='first').",
            )

    def _made(self, events: Events) -> pa.Array:
        keys = [
            blake2b(time + what, digest_size=10).hexdigest()
            for time, what in zip(_times(events), _whats(events), strict=True)
        ]
        again = ~self._seen.fresh(hashes(pa.array(keys, pa.string())))
        for row in np.flatnonzero(again):
            key = keys[row]
            self._times[key] += 1
            keys[row] = f"{key}-{self._times[key] + 1}"
        return pa.array(keys, pa.string())


def _times(events: Events) -> list[bytes]:
    return [int(t).to_bytes(8, "little", signed=True) for t in events.at.astype(np.int64)]


def _whats(events: Events) -> list[bytes]:
    """What each event is: its content where there is one, else its vector."""
    if events.contents is None:
        rows = np.ascontiguousarray(events.vectors, "<f4")
        return [
            bytes([fault]) + row.tobytes() for fault, row in zip(events.faults, rows, strict=True)
        ]
    known = events.contents.is_null().to_numpy(zero_copy_only=False)
    filled = iter(content_bytes(events.contents.drop_null()))
    return [b"" if missing else b"\1" + next(filled) for missing in known]
