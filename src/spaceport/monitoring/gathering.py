"""Events into ticks: what is new of a log, summed up by day and segment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from spaceport.drift.sketches.basis import Basis
from spaceport.drift.sketches.sketch import Sketch
from spaceport.errors import InputError
from spaceport.hashes import hashes
from spaceport.monitoring.events import FAULTS, Events

__all__ = ["Counted", "Gatherer", "Hashes", "Part"]

Hashes = npt.NDArray[np.uint64]
_NO_HASHES: Hashes = np.empty(0, np.uint64)
_SHOWN = 5
SEGMENTS = 1000
"""How many there may be."""


@dataclass
class Counted:
    """What became of a log's rows.

    Attributes
    ----------
    added : int
        New, and summed up.
    known : int
        Their ids were seen on that day before.
    elsewhere : int
        Their ids were seen on another day; they are left out.
    broken : dict of str to int
        Left out, by what is wrong with them.
    """

    added: int = 0
    known: int = 0
    elsewhere: int = 0
    broken: dict[str, int] = field(default_factory=dict)


@dataclass
class Part:
    """What a log adds to one tick.

    Attributes
    ----------
    seen : ndarray of shape (n,), uint64
        Hashes of the ids, sorted.
    sketches : dict
        By segment; None for all rows.
    """

    seen: Hashes = field(default_factory=_NO_HASHES.copy)
    sketches: dict[str | None, Sketch] = field(default_factory=dict)


class Gatherer:
    """Sums up the rows of a log that are new.

    Parameters
    ----------
    basis : Basis
    tick_of : callable
        Gives the name of each event's tick, from its time.
    seen : callable
        Gives the sorted hashes of the ids that a tick had before.
    ticks : iterable of str
        The ticks that there were before.
    segmented : bool
        Sum up by segment, too.
    drop : bool
        Leave rows out that cannot be tested; otherwise they are an error.
    """

    def __init__(
        self,
        basis: Basis,
        tick_of: Callable[[Events], npt.NDArray[np.str_]],
        seen: Callable[[str], Hashes],
        ticks: Iterable[str],
        segmented: bool = False,
        drop: bool = False,
    ) -> None:
        self.parts: dict[str, Part] = {}
        self.counted = Counted()
        self._basis = basis
        self._tick_of = tick_of
        self._seen = seen
        self._before = sorted(ticks)
        self._segmented = segmented
        self._drop = drop
        self._broken_ids: list[str] = []
        self._segments: set[str] = set()

    def add(self, events: Events) -> None:
        """Sum up some rows.

        Raises
        ------
        InputError
            They have no segments, where there must be some; or too many.
        """
        if self._segmented and events.segment is None:
            raise InputError(
                "The monitor watches segments, and these events have none.",
                "Name the column that divides them, or make another monitor: name='other'.",
            )
        sound = self._sound(events)
        if not len(sound):
            return
        names = self._tick_of(sound)
        hashed = hashes(sound.ids)
        for name in np.unique(names):
            inside = np.flatnonzero(names == name)
            self._add(str(name), sound, inside, hashed)

    def finish(self) -> None:
        """Refuse broken rows, unless they are to be left out.

        Raises
        ------
        InputError
        """
        broken = sum(self.counted.broken.values())
        if broken and not self._drop:
            kinds = ", ".join(f"{n:,} {kind}" for kind, n in sorted(self.counted.broken.items()))
            raise InputError(
                f"{broken:,} rows cannot be tested ({kinds}): {', '.join(self._broken_ids)}.",
                "Mend what makes the vectors, or leave those rows out: drop_broken (--drop-broken).",
            )

    def _sound(self, events: Events) -> Events:
        if events.sound.all():
            return events
        broken = np.flatnonzero(~events.sound)
        for fault in events.faults[broken]:
            kind = FAULTS[fault - 1]
            self.counted.broken[kind] = self.counted.broken.get(kind, 0) + 1
        room = _SHOWN - len(self._broken_ids)
        self._broken_ids += [str(events.ids[int(row)]) for row in broken[:room]]
        return events.take(events.sound)

    def _add(self, name: str, events: Events, inside: npt.NDArray[np.intp], hashed: Hashes) -> None:
        part = self.parts.setdefault(name, Part())
        own = hashed[inside]
        known = _among(own, part.seen) | _among(own, self._seen(name))
        elsewhere = ~known & self._anywhere(own, name)
        self.counted.known += int(known.sum())
        self.counted.elsewhere += int(elsewhere.sum())
        fresh = inside[~known & ~elsewhere]
        if not len(fresh):
            return
        self.counted.added += len(fresh)
        part.seen = np.union1d(part.seen, hashed[fresh])
        for segment, rows in self._divided(events, fresh):
            chosen = events.take(rows)
            sketch = Sketch.of(self._basis, chosen.vectors, chosen.ids.to_pylist())
            before = part.sketches.get(segment)
            part.sketches[segment] = sketch if before is None else before + sketch

    def _divided(
        self, events: Events, rows: npt.NDArray[np.intp]
    ) -> Iterator[tuple[str | None, npt.NDArray[np.intp]]]:
        """All rows, then those of each segment."""
        yield None, rows
        if not self._segmented:
            return
        segments: pa.Array = events.segment.take(pa.array(rows))  # type: ignore[union-attr]
        names = pc.unique(segments).to_pylist()
        self._segments |= set(names)
        if len(self._segments) > SEGMENTS or any("\x00" in name for name in names):
            raise InputError(
                f"The column of segments has over {SEGMENTS:,} values, or one with a NUL in it.",
                "Name a column that divides the traffic into a few parts.",
            )
        for name in sorted(names):
            mask = pc.equal(segments, name).to_numpy(zero_copy_only=False)
            yield name, rows[mask]

    def _anywhere(self, wanted: Hashes, but: str) -> npt.NDArray[np.bool_]:
        """Which ids another tick has, of the log or from before."""
        found = np.zeros(len(wanted), bool)
        for name, part in self.parts.items():
            if name != but:
                found |= _among(wanted, part.seen)
        for name in self._before:
            if name != but:
                found |= _among(wanted, self._seen(name))
        return found


def _among(wanted: Hashes, ordered: Hashes) -> npt.NDArray[np.bool_]:
    """Which of `wanted` are in a sorted array."""
    if not len(ordered):
        return np.zeros(len(wanted), bool)
    places = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    same: npt.NDArray[np.bool_] = ordered[places] == wanted
    return same
