"""One round of judging: which windows are over and not judged, or have new rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from spaceport.drift.sketches.sketch import Sketch
from spaceport.monitoring.book import Book
from spaceport.monitoring.budget import Shares
from spaceport.monitoring.causes import Causes
from spaceport.monitoring.founding import Founded
from spaceport.monitoring.gathering import Part
from spaceport.monitoring.health import Health, compare
from spaceport.monitoring.judging import Found, look, seed_of
from spaceport.monitoring.references import Reference
from spaceport.monitoring.settings import Settings
from spaceport.monitoring.spans import Span, Timeline, overlap
from spaceport.storage.monitors import Update, Verdict

__all__ = ["Round"]


class Round:
    """The judgements of one update.

    Parameters
    ----------
    settings : Settings
    timeline : Timeline
    book : Book
        With what the update adds.
    verdicts : sequence of Verdict
        Of before, the last editions.
    updates : sequence of Update
        Of before, the oldest first.
    of_version : Founded
        What the monitor knows of the version itself.
    parts : mapping of str to Part
        What the update adds, by tick.
    causes : Causes
    now : str
        What time it is: windows that end later are not judged.
    """

    def __init__(
        self,
        settings: Settings,
        timeline: Timeline,
        book: Book,
        verdicts: Sequence[Verdict],
        updates: Sequence[Update],
        of_version: Founded,
        parts: Mapping[str, Part],
        causes: Causes,
        now: str,
    ) -> None:
        self._settings = settings
        self._timeline = timeline
        self._book = book
        self._before = {(verdict.begins, verdict.segment): verdict for verdict in verdicts}
        self._updates = updates
        self._of_version = of_version
        self._parts = parts
        self._causes = causes
        self._now = now
        self._reference = Reference.parse(settings.reference)
        self._fixed: dict[str | None, Sketch | None] = {}

    @cached_property
    def _known_segments(self) -> list[list[str]]:
        """The segments that each update before brought."""
        return [list(update.facts.get("segments", [])) for update in self._updates]

    @cached_property
    def new_segments(self) -> list[str]:
        """Segments that this update brings, by name."""
        known = {name for names in self._known_segments for name in names}
        named = {name for part in self._parts.values() for name in part.healths if name is not None}
        return sorted(named - known)

    @cached_property
    def segments(self) -> list[str]:
        """All segments in the order in which they appeared."""
        return [name for names in (*self._known_segments, self.new_segments) for name in names]

    @cached_property
    def _shares(self) -> Shares | float:
        brought = (len(names) for names in (*self._known_segments, self.new_segments) if names)
        return self._settings.shares(next(brought, 0))

    def verdicts(self) -> list[Verdict]:
        """Judge what is to be judged, by time; the whole before its segments."""
        begins = self._book.begins
        if not begins:
            return []
        windows = self._timeline.between(begins[0], begins[-1])
        over = [window for window in windows if not self._dated or window.ends <= self._now]
        return [
            self._verdict(window, segment)
            for window in over
            for segment in (None, *self.segments)
            if self._wanted(window, segment)
        ]

    @property
    def _dated(self) -> bool:
        return not self._book.begins[0].startswith("#")

    def _wanted(self, window: Span, segment: str | None) -> bool:
        if (window.begins, segment) not in self._before:
            return segment is None or self._first[segment] < window.ends
        return any(
            window.holds(begins) and segment in part.healths for begins, part in self._parts.items()
        )

    @cached_property
    def _first(self) -> dict[str | None, str]:
        """The first tick of each segment."""
        found: dict[str | None, str] = {}
        for begins, segment in self._book.kept():
            found[segment] = min(begins, found.get(segment, begins))
        return found

    def _verdict(self, window: Span, segment: str | None) -> Verdict:
        before = self._before.get((window.begins, segment))
        edition = 1 if before is None else before.edition + 1
        alpha = self._alpha(segment, edition)
        found = self._found(window, segment, edition, alpha)
        state = found.state
        if before is not None and before.state == "alarm" and state == "none":
            first = self._alpha(segment, 1)
            if found.p is not None and first is not None and found.p <= first:
                state = "alarm"  # it stands: late rows did not take away what the first look found
        return Verdict(
            window=window.name,
            begins=window.begins,
            ends=window.ends,
            segment=segment,
            edition=edition,
            state=state,
            rows=found.rows,
            p=found.p,
            alpha=alpha,
            effect=found.effect,
            evidence=found.evidence,
        )

    def _found(self, window: Span, segment: str | None, edition: int, alpha: float | None) -> Found:
        span = self._reference.span(self._timeline, window, self._book.begins[0])
        current = self._book.sum(window, segment)
        if span is not None and self._reference.fixed and overlap(span, window):
            return Found("reference", 0 if current is None else current.count)
        reference = self._reference_of(span, segment)
        found = look(
            reference,
            current,
            alpha,
            least=self._settings.least,
            tolerance=self._settings.tolerance,
            seed=seed_of(self._settings.seed, window.begins, segment, edition),
        )
        told = {
            "reference": "version" if self._reference.of_version else span.name if span else "",
            "health": self._findings(span, window, segment),
            "cause": {}
            if segment is not None
            else self._causes.told(window, reference, found, alpha),
        }
        return replace(
            found, evidence=found.evidence | {name: each for name, each in told.items() if each}
        )

    def _findings(
        self, span: Span | None, window: Span, segment: str | None
    ) -> list[dict[str, Any]]:
        """What is wrong with a window's rows beside its reference's."""
        if self._reference.of_version:
            reference = self._of_version.health(segment)
        else:
            reference = Health() if span is None else self._book.condition(span, segment)
        current = self._book.condition(window, segment)
        if not reference.rows or not current.rows:
            return []
        return [finding.to_dict() for finding in compare(reference, current) if finding.found]

    def _reference_of(self, span: Span | None, segment: str | None) -> Sketch | None:
        if not self._reference.of_version:
            whole = span is not None and self._begun <= span.begins
            return self._book.sum(span, segment) if span is not None and whole else None
        if segment not in self._fixed:
            place = self._of_version.place(segment)
            self._fixed[segment] = None if place is None else self._book.reference(place)
        return self._fixed[segment]

    @cached_property
    def _begun(self) -> str:
        """Where the first window begins: nobody looked before."""
        return self._timeline.of(self._book.begins[0]).begins

    def _alpha(self, segment: str | None, edition: int) -> float | None:
        if isinstance(self._shares, float):
            return self._shares
        place = 0 if segment is None else self.segments.index(segment) + 1
        return self._shares.alpha(place, edition)
