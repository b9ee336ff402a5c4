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
from spaceport.monitoring.causes import SAMPLED
from spaceport.monitoring.events import Events
from spaceport.monitoring.health import Health
from spaceport.monitoring.outcomes import Outcomes

__all__ = ["Counted", "Gatherer", "Hashes", "Part"]

Hashes = npt.NDArray[np.uint64]
_NO_HASHES: Hashes = np.empty(0, np.uint64)
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
    broken : int
        Left out, because they cannot be tested.
    """

    added: int = 0
    known: int = 0
    elsewhere: int = 0
    broken: int = 0


@dataclass
class Part:
    """What a log adds to one tick.

    Attributes
    ----------
    seen : ndarray of shape (n,), uint64
        Hashes of the ids, sorted; those of broken rows too.
    sketches : dict
        Of the rows that can be tested, by segment; None for all rows.
    healths : dict
        Of all rows, by segment.
    outcomes : dict
        Of the rows that have a prediction, by segment.
    """

    seen: Hashes = field(default_factory=_NO_HASHES.copy)
    sketches: dict[str | None, Sketch] = field(default_factory=dict)
    healths: dict[str | None, Health] = field(default_factory=dict)
    outcomes: dict[str | None, Outcomes] = field(default_factory=dict)

    def add(self, segment: str | None, events: Events, basis: Basis) -> None:
        """Sum up some rows of a segment."""
        health, outcomes = Health.of(events), _outcomes(events, basis)
        if segment in self.healths:
            health, outcomes = self.healths[segment] + health, self.outcomes[segment] + outcomes
        self.healths[segment], self.outcomes[segment] = health, outcomes
        sound = events if events.sound.all() else events.take(events.sound)
        if len(sound):
            sketch = Sketch.of(basis, sound.vectors, sound.ids.to_pylist())
            known = self.sketches.get(segment)
            self.sketches[segment] = sketch if known is None else known + sketch


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
    """

    def __init__(
        self,
        basis: Basis,
        tick_of: Callable[[Events], npt.NDArray[np.str_]],
        seen: Callable[[str], Hashes],
        ticks: Iterable[str],
        segmented: bool = False,
    ) -> None:
        self.parts: dict[str, Part] = {}
        self.counted = Counted()
        self._basis = basis
        self._tick_of = tick_of
        self._seen = seen
        self._before = sorted(ticks)
        self._segmented = segmented
        self._segments: set[str] = set()
        self.contents: dict[str, Events] = {}

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
        if not len(events):
            return
        names = self._tick_of(events)
        hashed = hashes(events.ids)
        for name in np.unique(names):
            self._add(str(name), events, np.flatnonzero(names == name), hashed)

    def refuse(self) -> None:
        """Raise if rows are broken.

        Raises
        ------
        InputError
            Counts and first ids of each kind.
        """
        sum((part.healths[None] for part in self.parts.values()), Health()).refuse("The log")

    def _add(self, name: str, events: Events, inside: npt.NDArray[np.intp], hashed: Hashes) -> None:
        part = self.parts.get(name, Part())
        own = hashed[inside]
        known = _among(own, part.seen) | _among(own, self._seen(name))
        elsewhere = ~known & self._anywhere(own, name)
        self.counted.known += int(known.sum())
        self.counted.elsewhere += int(elsewhere.sum())
        fresh = inside[~known & ~elsewhere]
        if not len(fresh):
            return
        sound = int(events.sound[fresh].sum())
        self.counted.added += sound
        self.counted.broken += len(fresh) - sound
        part.seen = np.union1d(part.seen, hashed[fresh])
        for segment, rows in self._divided(events, fresh):
            part.add(segment, events.take(rows), self._basis)
        self.parts[name] = part
        if events.contents is not None and name not in self.contents:
            chosen = fresh[events.sound[fresh]]
            chosen = chosen[np.argsort(hashed[chosen])[:SAMPLED]]
            self.contents[name] = events.take(chosen)

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


def _outcomes(events: Events, basis: Basis) -> Outcomes:
    """Count predictions by the finest cell; a row without a sound vector is in none."""
    finest = len(basis.cells) - 1
    count = len(basis.cells[finest])
    if events.prediction is None:
        return Outcomes.none(count)
    cell = np.full(len(events), -1)
    sound = events.sound
    if sound.any():
        cell[sound] = basis.assign(basis.ready(events.vectors[sound]), finest)
    return Outcomes.of(events, cell, count)


def _among(wanted: Hashes, ordered: Hashes) -> npt.NDArray[np.bool_]:
    """Which of `wanted` are in a sorted array."""
    if not len(ordered):
        return np.zeros(len(wanted), bool)
    places = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
    same: npt.NDArray[np.bool_] = ordered[places] == wanted
    return same
