"""The book of a monitor: its sketches, read from and written to the store.

::

    <folder>/basis.safetensors        what is summed up
    <folder>/reference-000.…          the version's own vectors, all and by segment
    <token>/000001.sketch.safetensors a tick of one segment
    <token>/000001.seen.safetensors   hashes of the ids of a tick, of those with a prediction, with a label
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain

from spaceport.drift.sketches.basis import Basis
from spaceport.drift.sketches.files import basis_of, bytes_of, sketch_of
from spaceport.drift.sketches.sketch import Sketch, total
from spaceport.monitoring.gathering import Part
from spaceport.monitoring.health import Health
from spaceport.monitoring.known import Known
from spaceport.monitoring.outcomes import Outcomes
from spaceport.monitoring.spans import Span
from spaceport.safe import read_arrays
from spaceport.storage.files import Entry
from spaceport.storage.monitors import Tick, Watch
from spaceport.storage.recorder import Recorder
from spaceport.storage.watched import Watched
from spaceport.threads import in_order

__all__ = ["BASIS", "Book", "put_basis", "put_reference", "put_ticks"]

BASIS = "basis.safetensors"


class Book:
    """What a monitor has kept so far.

    Parameters
    ----------
    watched : Watched
    watch : Watch
    """

    def __init__(self, watched: Watched, watch: Watch) -> None:
        self._watched = watched
        self._watch = watch
        self._files: dict[str, Entry] = watched.files(watch)
        self.ticks = watched.ticks(watch)
        self._by_key = {(tick.begins, tick.segment): tick for tick in self.ticks}
        self._known: dict[str, Known] = {}
        self._fresh: dict[tuple[str, str | None], Sketch] = {}
        self._healths: dict[tuple[str, str | None], Health] = {}
        self._outcomes: dict[tuple[str, str | None], Outcomes] = {}
        self.basis: Basis = basis_of(
            self._read(f"{watch.folder}/{BASIS}"), f"{watch.folder}/{BASIS}"
        )

    @property
    def begins(self) -> list[str]:
        """The ticks that there are, by time."""
        return sorted({begins for begins, _ in self.kept()})

    def kept(self) -> set[tuple[str, str | None]]:
        """Give all (tick, segment) that there are."""
        return self._by_key.keys() | self._healths.keys()

    def tick(self, begins: str, segment: str | None) -> Tick | None:
        """Give a tick as it was before this update."""
        return self._by_key.get((begins, segment))

    def known(self, begins: str) -> Known:
        """Give what is known of the events of a tick, with what this update adds to it."""
        if begins not in self._known:
            tick = self.tick(begins, None)
            self._known[begins] = Known() if tick is None else self._read_known(tick)
        return self._known[begins]

    def sketch(self, begins: str, segment: str | None) -> Sketch | None:
        """Give the sketch of a tick, with what this update adds to it."""
        if (begins, segment) in self._fresh:
            return self._fresh[begins, segment]
        tick = self.tick(begins, segment)
        there = tick is not None and tick.sketch
        return self._sketch(there) if there else None

    def health(self, begins: str, segment: str | None) -> Health:
        """Give the health of a tick, with what this update adds to it."""
        if (begins, segment) in self._healths:
            return self._healths[begins, segment]
        tick = self.tick(begins, segment)
        return Health() if tick is None else Health.from_dict(tick.health)

    def outcomes(self, begins: str, segment: str | None) -> Outcomes:
        """Give what came of a tick's predictions, with what this update adds."""
        key = (begins, segment)
        if key not in self._outcomes:
            tick = self.tick(begins, segment)
            none = Outcomes.none(len(self.basis.cells[-1]))
            there = tick is not None and tick.outcomes
            self._outcomes[key] = Outcomes.from_dict(there) if there else none
        return self._outcomes[key]

    def fresh(self, begins: str, segment: str | None) -> Sketch | None:
        """Give the sketch of a tick where this update adds rows to it."""
        return self._fresh.get((begins, segment))

    def add(self, begins: str, part: Part) -> None:
        """Add what a log has of a tick."""
        for segment, health in part.healths.items():
            self._healths[begins, segment] = self.health(begins, segment) + health
        for segment, outcomes in part.outcomes.items():
            self._outcomes[begins, segment] = self.outcomes(begins, segment) + outcomes
        for segment, sketch in part.sketches.items():
            before = self.sketch(begins, segment)
            self._fresh[begins, segment] = sketch if before is None else before + sketch
        self._known[begins] = self.known(begins) | part.known

    def sum(self, span: Span, segment: str | None) -> Sketch | None:
        """Give the sketch of a span; None where it has no rows."""
        inside = [name for name in self.begins if span.holds(name)]
        sketches = in_order(lambda name: self.sketch(name, segment), inside)
        there = (sketch for sketch in sketches if sketch is not None)
        first = next(there, None)
        return None if first is None else total(chain([first], there))

    def condition(self, span: Span, segment: str | None) -> Health:
        """Give the health of a span."""
        inside = (self.health(name, segment) for name in self.begins if span.holds(name))
        return sum(inside, Health())

    def outcome(self, span: Span | None, segment: str | None) -> Outcomes:
        """Give what came of a span's predictions."""
        inside = [name for name in self.begins if span is not None and span.holds(name)]
        none = Outcomes.none(len(self.basis.cells[-1]))
        return sum((self.outcomes(name, segment) for name in inside), none)

    def reference(self, place: int) -> Sketch:
        """Give the sketch of the version's own vectors, of all (0) or of a segment."""
        return self._sketch(f"{self._watch.folder}/{_reference(place)}")

    def _sketch(self, path: str) -> Sketch:
        return sketch_of(self._read(path), self.basis, path)

    def _read_known(self, tick: Tick) -> Known:
        arrays, _ = read_arrays(self._read(tick.seen), tick.seen)
        return Known.read(arrays, tick.seen)

    def _read(self, path: str) -> bytes:
        return self._watched.read(self._watch, path, self._files)


def put_basis(recorder: Recorder, basis: Basis) -> None:
    """Write a monitor's basis."""
    recorder.put(BASIS, bytes_of(basis))


def put_reference(recorder: Recorder, place: int, sketch: Sketch) -> None:
    """Write the sketch of the version's own vectors, of all (0) or of a segment."""
    recorder.put(_reference(place), bytes_of(sketch))


def put_ticks(recorder: Recorder, book: Book, parts: Mapping[str, Part]) -> list[Tick]:
    """Write the ticks that a log added to; gives their new editions."""
    return [
        _put_tick(recorder, book, begins, segment, number)
        for number, (begins, segment) in enumerate(_keys(parts))
    ]


def _put_tick(
    recorder: Recorder, book: Book, begins: str, segment: str | None, number: int
) -> Tick:
    """Write one tick; a sketch to which nothing was added stays where it is."""
    sketch, before = book.fresh(begins, segment), book.tick(begins, segment)
    rows, path, seen = (0, "", "") if before is None else (before.rows, before.sketch, "")
    if sketch is not None:
        rows = sketch.count
        path = recorder.put(f"{number:06d}.sketch.safetensors", bytes_of(sketch))
    if segment is None:
        seen = recorder.put(f"{number:06d}.seen.safetensors", _packed(book.known(begins)))
    outcomes = book.outcomes(begins, segment)
    return Tick(
        begins=begins,
        segment=segment,
        edition=1 if before is None else before.edition + 1,
        rows=rows,
        sketch=path,
        seen=seen,
        health=book.health(begins, segment).to_dict(),
        outcomes={} if outcomes.kind is None else outcomes.to_dict(),
    )


def _keys(parts: Mapping[str, Part]) -> Iterable[tuple[str, str | None]]:
    """The ticks that were added to, that of all rows first."""
    for begins, part in parts.items():
        yield from ((begins, segment) for segment in {None: 0, **part.healths, **part.outcomes})


def _packed(known: Known) -> bytes:
    from safetensors.numpy import save

    data: bytes = save(known.arrays())
    return data


def _reference(place: int) -> str:
    return f"reference-{place:03d}.safetensors"
