"""What a monitor saw, laid out for the page and the picture."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spaceport.errors import ParameterError
from spaceport.maps.page import watch as page
from spaceport.maps.page.watch import Heat, Track, Watch, Worst
from spaceport.monitoring.cells_by_window import CellsByWindow
from spaceport.monitoring.spans import Span

if TYPE_CHECKING:
    from spaceport.monitoring.cell_shares import ShareChanges
    from spaceport.monitoring.monitor import Monitor
    from spaceport.storage.alarms import Alarm
    from spaceport.storage.monitors import Verdict

__all__ = ["ENDINGS", "check_ending", "sheet", "write"]

ENDINGS = (".html", ".png", ".svg")
RATE = 0.05
"""The rate of false discoveries among the cells that are marked in one window."""

_CELLS = 12  # in the table
_NOTES = (
    "An alarm says: if these rows came from where the reference came from, a window as far from it would "
    "be rarer than the share of the budget that this window has. It does not say that anything is wrong.",
    f"A dot in the cells' table: the change of the share is more than chance, at a rate of {RATE:.0%} "
    "false discoveries among the cells of one window.",
)


def write(monitor: Monitor, path: Path | str) -> None:
    """Write the report of a monitor as a page (``.html``) or a picture (``.png``, ``.svg``).

    Raises
    ------
    ParameterError
        Another ending.
    MissingExtra
        matplotlib is not installed.
    """
    target = check_ending(path)
    laid_out = sheet(monitor)
    if target.suffix.lower() == ".html":
        page.write_page(target, laid_out)
    else:
        page.write_picture(target, laid_out)


def check_ending(path: Path | str) -> Path:
    """Refuse a name that a report cannot be written under."""
    target = Path(path)
    if target.suffix.lower() not in ENDINGS:
        raise ParameterError(
            f"A report is written as {', '.join(ENDINGS)}. Got {target.name!r}.",
            "Let the name end in .html for the page, in .png for the picture alone.",
        )
    return target


def sheet(monitor: Monitor) -> Watch:
    """Lay out everything that the report shows."""
    return _Sheet(monitor).watch()


class _Sheet:
    """One report under way."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self._verdicts = {(v.begins, v.segment): v for v in monitor.history()}
        self._alarms = monitor.alarms()

    def watch(self) -> Watch:
        changes = self._changes
        return Watch(
            title=f"{self._monitor.version.reference} · monitor {self._monitor.name}",
            findings=self._findings(),
            windows=[window.name for window in self._windows],
            tracks=[self._track(segment) for segment in self._segments],
            effect="effect",
            tolerance=self._monitor.settings.tolerance,
            heat=self._heat(changes),
            worst=self._worst(changes),
            tables=[self._alarm_table()] if self._alarms else [],
            notes=_NOTES,
        )

    @cached_property
    def _windows(self) -> list[Span]:
        return sorted({Span(v.begins, v.ends, v.window) for v in self._verdicts.values()})

    @cached_property
    def _segments(self) -> list[str | None]:
        """All rows first, then the segments by name."""
        named = {v.segment for v in self._verdicts.values()} - {None}
        return [None, *sorted(named, key=str)] if self._verdicts else []

    @cached_property
    def _changes(self) -> list[ShareChanges | None]:
        version = self._monitor.version
        watch = version.store.watched.monitor(version.record, self._monitor.name)
        if watch is None or not self._windows:
            return []
        self._cells = CellsByWindow(self._monitor, watch)
        return [self._cells.changes(window) for window in self._windows]

    def _track(self, segment: str | None) -> Track:
        found = [self._verdicts.get((window.begins, segment)) for window in self._windows]
        return Track(
            segment="" if segment is None else segment or "(none)",
            rows=[v.rows if v else 0 for v in found],
            p=[v.p if v else None for v in found],
            alpha=[v.alpha if v and v.p is not None else None for v in found],
            effect=[v.effect if v else None for v in found],
            low=[_end(v, "low") for v in found],
            high=[_end(v, "high") for v in found],
            alarms=[self._state(window.name, segment) for window in self._windows],
            again=[bool(v and v.revised) for v in found],
        )

    def _state(self, window: str, segment: str | None) -> str:
        """The state of the alarm that a window is part of; empty where it alarms not."""
        about = [a for a in self._alarms if a.segment == segment and window in a.windows]
        return about[-1].state if about else ""

    def _heat(self, changes: Sequence[ShareChanges | None]) -> Heat | None:
        if not any(changes):
            return None
        names = self._cells.names
        none = np.full(len(names), np.nan)
        table = [none if each is None else each.change for each in changes]
        sure = [none < 0 if each is None else each.q <= RATE for each in changes]
        return Heat(names, np.array(table).T, np.array(sure).T)

    def _worst(self, changes: Sequence[ShareChanges | None]) -> list[Worst]:
        """Cells of the last window that alarmed; without an alarm none is shown."""
        alarmed = [
            place
            for place, window in enumerate(self._windows)
            if any(self._state(window.name, segment) for segment in self._segments)
        ]
        found = changes[alarmed[-1]] if alarmed else None
        if found is None:
            return []
        window = self._windows[alarmed[-1]]
        order = np.argsort(-np.abs(found.change), kind="stable")
        return [
            self._cell(window, int(cell), found) for cell in order[:_CELLS] if found.q[cell] <= RATE
        ]

    def _cell(self, window: Span, cell: int, found: ShareChanges) -> Worst:
        items = self._cells.items(window, cell)
        return Worst(
            window=window.name,
            cell=self._cells.names[cell],
            before=float(found.before[cell]),
            after=float(found.after[cell]),
            q=float(found.q[cell]),
            old=self._texts(items.old),
            new=items.new,
            novel=items.novel,
        )

    def _texts(self, ids: Sequence[str]) -> list[str]:
        """The texts of the version's own items, where it keeps them; of others the ids."""
        version = self._monitor.version
        if version.texts is None or self._monitor.settings.reference != "version":
            return list(ids)
        places = {name: place for place, name in enumerate(version.ids)}
        return [version.texts[places[name]] if name in places else name for name in ids]

    def _findings(self) -> list[str]:
        if not self._windows:
            return ["No window is over yet."]
        told = [
            f"{len(self._windows)} windows of a {self._monitor.settings.every}, "
            f"{self._windows[0].name} to {self._windows[-1].name}; "
            f"{_budget(self._monitor.settings)}."
        ]
        count = len(self._alarms)
        states = [f"{n} {state}" for state in _STATES if (n := self._in_state(state))]
        told.append(
            f"{count} alarm{'s' * (count != 1)}" + (f": {', '.join(states)}." if count else ".")
        )
        empty = [w.name for w in self._windows if self._is(w, "empty")]
        if empty:
            told.append(f"No rows in {len(empty)} of them: {', '.join(empty[:5])}{_more(empty)}.")
        return told

    def _in_state(self, state: str) -> int:
        return sum(alarm.state == state for alarm in self._alarms)

    def _is(self, window: Span, state: str) -> bool:
        verdict = self._verdicts.get((window.begins, None))
        return verdict is not None and verdict.state == state

    def _alarm_table(self) -> tuple[str, Sequence[str], list[Sequence[str]]]:
        head = ("alarm", "segment", "state", "windows", "last said")
        return "Alarms", head, [_alarm_row(alarm) for alarm in reversed(self._alarms)]


_STATES = ("open", "acknowledged", "resolved")


def _alarm_row(alarm: Alarm) -> Sequence[str]:
    noted = [event for event in alarm.events if event.note]
    said = f"{noted[-1].note} ({noted[-1].who}, {noted[-1].at})" if noted else ""
    rows = "all rows" if alarm.segment is None else alarm.segment
    return (str(alarm.id), rows, alarm.state, ", ".join(alarm.windows), said)


def _budget(settings: Any) -> str:
    return f"budget: {settings.budget}" if settings.budget else f"alpha: {settings.alpha:g}"


def _end(verdict: Verdict | None, name: str) -> float | None:
    """One end of the effect's interval; None where the evidence has none."""
    told = verdict.evidence.get(name) if verdict else None
    return float(told) if isinstance(told, int | float) else None


def _more(names: Sequence[str]) -> str:
    return " …" if len(names) > 5 else ""
