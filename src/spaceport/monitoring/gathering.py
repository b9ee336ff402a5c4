"""Events into ticks: what is new of a log, summed up by day and segment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
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
from spaceport.monitoring.known import Hashes, Known, among
from spaceport.monitoring.outcomes import Outcomes
from spaceport.monitoring.predictions import Predictions

__all__ = ["Counted", "Gatherer", "Part"]

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
    labeled : int
        Of these, those whose label is new.
    elsewhere : int
        Their ids were seen on another day; they are left out.
    broken : int
        Left out, because they cannot be tested.
    """

    added: int = 0
    known: int = 0
    labeled: int = 0
    elsewhere: int = 0
    broken: int = 0


@dataclass
class Part:
    """What a log adds to one tick.

    Attributes
    ----------
    known : Known
        The ids, those of broken rows too.
    sketches : dict
        Of the new rows that can be tested, by segment; None for all rows.
    healths : dict
        Of all new rows, by segment.
    outcomes : dict
        Of the new rows, and of those known before whose prediction or label is new, by segment.
    """

    known: Known = field(default_factory=Known)
    sketches: dict[str | None, Sketch] = field(default_factory=dict)
    healths: dict[str | None, Health] = field(default_factory=dict)
    outcomes: dict[str | None, Outcomes] = field(default_factory=dict)

    def add(self, segment: str | None, events: Events, basis: Basis) -> None:
        """Sum up some new rows of a segment."""
        health = Health.of(events)
        before = self.healths.get(segment)
        self.healths[segment] = health if before is None else before + health
        sound = events if events.sound.all() else events.take(events.sound)
        if len(sound):
            sketch = Sketch.of(basis, sound.vectors, sound.ids.to_pylist())
            known = self.sketches.get(segment)
            self.sketches[segment] = sketch if known is None else known + sketch

    def count(self, segment: str | None, outcomes: Outcomes) -> None:
        """Add what came of some rows of a segment."""
        before = self.outcomes.get(segment)
        self.outcomes[segment] = outcomes if before is None else before + outcomes


class Gatherer:
    """Sums up the rows of a log that are new.

    Parameters
    ----------
    basis : Basis
    tick_of : callable
        Gives the name of each event's tick, from its time.
    known : callable
        Gives what a tick knew before.
    ticks : iterable of str
        The ticks that there were before.
    segmented : bool
        Sum up by segment, too.
    """

    def __init__(
        self,
        basis: Basis,
        tick_of: Callable[[Events], npt.NDArray[np.str_]],
        known: Callable[[str], Known],
        ticks: Iterable[str],
        segmented: bool = False,
    ) -> None:
        self.parts: dict[str, Part] = {}
        self.counted = Counted()
        self._basis = basis
        self._tick_of = tick_of
        self._known = known
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
        healths = (part.healths.get(None, Health()) for part in self.parts.values())
        sum(healths, Health()).refuse("The log")

    def _add(self, name: str, events: Events, inside: npt.NDArray[np.intp], hashed: Hashes) -> None:
        part = self.parts.get(name, Part())
        before = (self._known(name), part.known)
        own = hashed[inside]
        known = among(own, *(each.ids for each in before))
        elsewhere = ~known & self._anywhere(own, name)
        self.counted.known += int(known.sum())
        self.counted.elsewhere += int(elsewhere.sum())
        fresh = inside[~known & ~elsewhere]
        changed = self._count(part, events, inside[~elsewhere], hashed, before)
        if len(fresh):
            self._sum_up(part, events, fresh, hashed)
        if len(fresh) or changed:
            self.parts[name] = part
        if events.contents is not None and len(fresh) and name not in self.contents:
            chosen = fresh[events.sound[fresh]]
            chosen = chosen[np.argsort(hashed[chosen])[:SAMPLED]]
            self.contents[name] = events.take(chosen)

    def _sum_up(
        self, part: Part, events: Events, fresh: npt.NDArray[np.intp], hashed: Hashes
    ) -> None:
        sound = int(events.sound[fresh].sum())
        self.counted.added += sound
        self.counted.broken += len(fresh) - sound
        part.known |= Known(np.unique(hashed[fresh]))
        for segment, rows in self._divided(events, fresh):
            part.add(segment, events.take(rows), self._basis)

    def _count(
        self,
        part: Part,
        events: Events,
        rows: npt.NDArray[np.intp],
        hashed: Hashes,
        before: Sequence[Known],
    ) -> bool:
        """Count predictions and labels that were not counted before; whether there are any."""
        predicted = among(hashed[rows], *(each.predicted for each in before))
        labeled = among(hashed[rows], *(each.labeled for each in before))
        wanted = ~predicted if events.label is None else ~labeled
        if events.prediction is None or not wanted.any():
            return False
        rows = rows[wanted]
        read = self._read(events.take(rows)).but(predicted[wanted])
        if not (read.told.any() or read.known.any()):
            return False
        own = hashed[rows]
        late = among(own, *(each.ids for each in before))
        self.counted.labeled += int((read.known & late).sum())
        part.known |= Known(predicted=np.unique(own[read.told]), labeled=np.unique(own[read.known]))
        for segment, places in self._divided(events, rows):
            chosen = read.take(np.searchsorted(rows, places))
            part.count(segment, Outcomes.counted(chosen, len(self._basis.cells[-1])))
        return True

    def _read(self, events: Events) -> Predictions:
        """Read predictions in the finest cells; a row without a sound vector is in none."""
        finest, sound = len(self._basis.cells) - 1, events.sound
        cell = np.full(len(events), -1)
        if sound.any():
            ready = self._basis.ready(events.vectors[sound])
            cell[sound] = self._basis.assign(ready, finest)
        return Predictions.of(events, cell)

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
                found |= among(wanted, part.known.ids)
        for name in self._before:
            if name != but:
                found |= among(wanted, self._known(name).ids)
        return found
