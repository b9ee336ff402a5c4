"""A monitor: watches one version over time, and keeps what it saw as a sum of days.

An update reads a log, adds what is new to the days it is of, and judges each window once, when it is over.
Where rows come late, their window is judged again, and verdict and alarm say so. All of an update is
written in one transaction, or nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.errors import InputError, ParameterError
from spaceport.monitoring.book import Book, put_ticks
from spaceport.monitoring.causes import Causes
from spaceport.monitoring.events import Events, faults_of
from spaceport.monitoring.founding import Founded, found
from spaceport.monitoring.gathering import Gatherer
from spaceport.monitoring.performing import Told, performances
from spaceport.monitoring.references import Reference
from spaceport.monitoring.round import Round
from spaceport.monitoring.settings import Settings
from spaceport.monitoring.spans import Calendar, Numbers, Timeline, written
from spaceport.monitoring.unseen import enough, unseen
from spaceport.storage import clock
from spaceport.storage.alarms import Alarm
from spaceport.storage.monitors import Changes, Tick, Update, Verdict, Watch
from spaceport.storage.outbox import Outbox
from spaceport.storage.recorder import Recorder
from spaceport.storage.watched import Watched

if TYPE_CHECKING:
    from spaceport.spaces.version import Version

__all__ = ["FIRST", "Monitor", "monitor"]

FIRST = "first:1"
"""What windows are compared with where the version's own rows are none to compare with."""


def monitor(version: Version, name: str, told: Mapping[str, Any]) -> Monitor:
    """Open the monitor `name` of a version, or prepare one that the first update makes.

    Raises
    ------
    ParameterError
        There is one with other settings.
    """
    given = {key: value for key, value in told.items() if value is not None}
    if "alpha" in given:
        given.setdefault("budget", None)
    watch = version.store.watched.monitor(version.record, name)
    if watch is None:
        if "reference" not in given and not _is_reference(version, given.get("segment")):
            given["reference"] = FIRST
        return Monitor(version, name, Settings(**given), None)
    settings = Settings.read(watch.settings["told"], f"the monitor {name} of {watch.of}")
    others = settings.differing(given)
    if others:
        key = others[0]
        raise ParameterError(
            f"The monitor {name} of {watch.of} was made with {key}={getattr(settings, key)!r}, not {given[key]!r}.",
            "Leave it out, or make another monitor: name='other'.",
        )
    return Monitor(version, name, settings, watch)


def _is_reference(version: Version, segment: str | None) -> bool:
    """Whether windows, and their segments, can be compared with the version's own rows."""
    return (segment is None or segment in version.columns) and enough(unseen(version))


class Monitor:
    """Watches one version; made by `Version.monitor`.

    Attributes
    ----------
    version : Version
    name : str
    settings : Settings
    """

    def __init__(
        self, version: Version, name: str, settings: Settings, watch: Watch | None
    ) -> None:
        self.version = version
        self.name = name
        self.settings = settings
        self._watch = watch

    def __repr__(self) -> str:
        told = self.settings.budget or f"alpha {self.settings.alpha:g}"
        return f"Monitor({self.version.reference!r}, {self.name!r}, every {self.settings.every}, {told})"

    def update(
        self,
        events: Events | Iterable[Events] | npt.ArrayLike,
        *,
        ids: Sequence[str] | None = None,
        drop_broken: bool = False,
        canaries: Path | None = None,
        notify: bool = False,
        wait: float = 0.0,
    ) -> list[Verdict]:
        """Add what is new, judge what is over.

        Parameters
        ----------
        events : Events, iterable of Events, or array-like of shape (n, d)
            A log, in any order; or vectors that are a window by themselves.
        ids : sequence of str, optional
            Of an array's rows; those that were in a window before are left out. Without it rows are taken
            as new.
        drop_broken : bool
            Leave rows out that cannot be tested (NaN, another dimension); they are counted.
        canaries : Path, optional
            What production gave for the version's canaries; see `canary_files.production_report`.
        notify : bool
            Put alarms that open into the outbox.
        wait : float
            Seconds to wait for another update of the space's monitors.

        Returns
        -------
        list of Verdict
            Of the windows that were judged, by time; empty where nothing was new.

        Raises
        ------
        InputError
            Broken rows, unless they are to be left out.
        BusyError
            Another process updates a monitor of the space.
        """
        watch = self._founded(wait)
        with self._watched.recording(self.version.record.space, wait) as recorder:
            book = Book(self._watched, watch)
            batches, timeline = self._batches(events, ids, book)
            gatherer = Gatherer(
                book.basis,
                self._tick_of(timeline),
                book.known,
                book.begins,
                self.settings.segment is not None,
            )
            for batch in batches:
                gatherer.add(batch)
            if not drop_broken:
                gatherer.refuse()
            for begins, part in gatherer.parts.items():
                book.add(begins, part)
            current = Round(
                self.settings,
                timeline,
                book,
                self._watched.verdicts(watch),
                self._watched.updates(watch),
                Founded.read(watch.settings["founded"], watch.of),
                gatherer.parts,
                Causes(self.version, gatherer.contents, canaries),
                clock.now(),
            )
            verdicts = current.verdicts()
            if not verdicts and not gatherer.parts:
                return []
            facts = vars(gatherer.counted) | {"segments": current.new_segments}
            ticks = put_ticks(recorder, book, gatherer.parts)
            recorder.commit(watch, Changes(facts, ticks, verdicts, notify))
        judged = {(verdict.begins, verdict.segment) for verdict in verdicts}
        return [v for v in self.history() if (v.begins, v.segment) in judged]

    def history(self, every_edition: bool = False) -> list[Verdict]:
        """All verdicts by time: of each window and segment the last edition, or all of them."""
        watch = self._known()
        return [] if watch is None else self._watched.verdicts(watch, every_edition)

    def performance(self) -> Told:
        """How well was predicted, by window and segment, as far as labels are known by now.

        Returns
        -------
        dict of (str, str or None) to dict
            By the name of the window and the segment, in the order of `history`; as `performing.performance`
            tells it, and ``beside``, the name of what it is compared with. Empty without predictions.
        """
        watch = self._known()
        if watch is None:
            return {}
        book, verdicts = Book(self._watched, watch), self.history()
        if not verdicts:
            return {}
        reference = Reference.parse(self.settings.reference)
        return performances(book, reference, self._timeline(book.begins), verdicts)

    def alarms(self) -> list[Alarm]:
        """All alarms, the oldest first."""
        watch = self._known()
        return [] if watch is None else self._watched.alarms(watch.space, watch)

    def acknowledge(self, number: int, note: str = "") -> Alarm:
        """Say that somebody looks after an alarm; as `storage.alarms.Alarms.acknowledge`."""
        return self._watched.acknowledge(self.version.record.space, number, note)

    def resolve(self, number: int, note: str) -> Alarm:
        """Say that an alarm is over, and why; as `storage.alarms.Alarms.resolve`."""
        return self._watched.resolve(self.version.record.space, number, note)

    def updates(self) -> list[Update]:
        """What each update added and left out, the oldest first."""
        watch = self._known()
        return [] if watch is None else self._watched.updates(watch)

    def ticks(self) -> list[Tick]:
        """What is kept, by day (or hour) and segment."""
        watch = self._known()
        return [] if watch is None else self._watched.ticks(watch)

    def outbox(self) -> Outbox | None:
        """The messages that wait to be sent; None before the first update."""
        watch = self._known()
        return None if watch is None else self._watched.outbox(watch)

    @property
    def _watched(self) -> Watched:
        return self.version.store.watched

    def _known(self) -> Watch | None:
        if self._watch is None:
            self._watch = self._watched.monitor(self.version.record, self.name)
        return self._watch

    def _founded(self, wait: float) -> Watch:
        if self._known() is None:
            with self._watched.recording(self.version.record.space, wait) as recorder:
                if self._known() is None:
                    self._watch = self._create(recorder)
        watch = self._known()
        assert watch is not None, "it was just made"
        return watch

    def _create(self, recorder: Recorder) -> Watch:
        founded = found(self.version, self.settings, recorder)
        told = {"told": self.settings.written(), "founded": founded.written()}
        return recorder.create(self.version.record, self.name, told)

    def _batches(
        self,
        events: Events | Iterable[Events] | npt.ArrayLike,
        ids: Sequence[str] | None,
        book: Book,
    ) -> tuple[Iterable[Events], Timeline]:
        timeline: Timeline = Calendar(self.settings.windows())
        batches: Iterable[Events]
        if isinstance(events, Events):
            batches = [events]
        elif _is_rows(events):
            batches = [_alone(np.asarray(events, np.float32), ids, len(book.begins))]
            timeline = Numbers()
        else:
            batches = cast("Iterable[Events]", events)
        numbered = any(begins.startswith("#") for begins in book.begins)
        if book.begins and numbered != isinstance(timeline, Numbers):
            raise InputError(
                f"The monitor {self.name} was given windows {'without' if numbered else 'with'} times so far.",
                "Go on as it began, or make another monitor: name='other'.",
            )
        return batches, timeline

    def _timeline(self, begins: Sequence[str]) -> Timeline:
        """Windows as they were given so far."""
        numbered = begins[0].startswith("#")
        return Numbers() if numbered else Calendar(self.settings.windows())

    def _tick_of(self, timeline: Timeline) -> Any:
        tick = self.settings.windows().tick

        def of(events: Events) -> npt.NDArray[np.str_]:
            if isinstance(timeline, Numbers):
                return np.full(len(events), f"#{events.at.astype(np.int64)[0]:06d}")
            index, inverse = np.unique(tick.index(events.at), return_inverse=True)
            return np.array([written(tick.start(int(each))) for each in index])[inverse]

        return of


def _is_rows(events: Any) -> bool:
    """Whether it is an array, or lists of numbers, and no log."""
    if isinstance(events, np.ndarray) or not isinstance(events, Iterable):
        return True
    return isinstance(events, list | tuple) and bool(events) and not isinstance(events[0], Events)


def _alone(vectors: npt.NDArray[np.float32], ids: Sequence[str] | None, before: int) -> Events:
    """Vectors without a time, as the next window; its number stands in the place of the time."""
    if vectors.ndim != 2:
        raise InputError(
            f"A window is an array of shape (n, d). Got {vectors.shape}.", "Give one row an item."
        )
    number = before + 1
    names = [f"{number}-{row}" for row in range(len(vectors))] if ids is None else list(ids)
    at = np.full(len(vectors), number).astype("datetime64[us]")
    return Events(pa.array(names, pa.string()), at, vectors, faults_of(vectors))
