"""What a monitor saw, laid out for the page and the picture."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spaceport.errors import ParameterError
from spaceport.maps.page import watch as page
from spaceport.maps.page.watch import Heat, Track, Watch
from spaceport.monitoring import report_tables as tables
from spaceport.monitoring.cells_by_window import LEVEL, CellsByWindow
from spaceport.monitoring.spans import Span

if TYPE_CHECKING:
    from spaceport.monitoring.monitor import Monitor
    from spaceport.storage.monitors import Verdict

__all__ = ["ENDINGS", "check_ending", "sheet", "write"]

ENDINGS = (".html", ".png", ".svg")
RATE = 0.05
"""The rate of false discoveries among the cells that are marked in one window."""

_STATES = ("open", "acknowledged", "resolved")
_NOTES = (
    "An alarm says: if these rows came from where the reference came from, a window as far from it would "
    "be rarer than the share of the budget that this window has. It does not say that anything is wrong.",
    "The effect is what the panel measured; drift within the tolerance, if one was set, does not alarm.",
    f"A dot in the picture of the cells: the change of the share is more than chance, at a rate of "
    f"{RATE:.0%} false discoveries among the cells of one window. The table names cells by the panel's own "
    "tests, which see rows that moved inside a cell, too; its rate is that of false discoveries.",
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
        self._history = monitor.history()
        self._verdicts = {(v.begins, v.segment): v for v in self._history}
        self._alarms = monitor.alarms()

    def watch(self) -> Watch:
        return Watch(
            title=f"{self._monitor.version.reference} · monitor {self._monitor.name}",
            findings=self._findings(),
            windows=[window.name for window in self._windows],
            tracks=[self._track(segment) for segment in self._segments],
            effect=self._measure(),
            tolerance=self._monitor.settings.tolerance,
            heat=self._heat(),
            worst=tables.worst(self._history, self._names, self._texts()),
            tables=[
                *tables.alarms(self._alarms),
                *tables.causes(self._history),
                *tables.performance(self._monitor.performance(), self._names),
                *tables.health(self._history),
            ],
            notes=_NOTES,
        )

    @cached_property
    def _windows(self) -> list[Span]:
        return sorted({Span(v.begins, v.ends, v.window) for v in self._history})

    @cached_property
    def _segments(self) -> list[str | None]:
        """All rows first, then the segments by name."""
        named = {v.segment for v in self._history} - {None}
        return [None, *sorted(named, key=str)] if self._history else []

    @cached_property
    def _cells(self) -> CellsByWindow | None:
        version = self._monitor.version
        watch = version.store.watched.monitor(version.record, self._monitor.name)
        return None if watch is None else CellsByWindow(self._monitor, watch)

    @cached_property
    def _names(self) -> list[list[str]]:
        return [] if self._cells is None else self._cells.names

    def _track(self, segment: str | None) -> Track:
        found = [self._verdicts.get((window.begins, segment)) for window in self._windows]
        return Track(
            segment="" if segment is None else tables.rows_of(segment),
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
        about = (a.state for a in self._alarms if a.segment == segment and window in a.windows)
        return next(about, "")

    def _measure(self) -> str:
        told = {v.evidence["measure"] for v in self._history if "measure" in v.evidence}
        return tables.MEASURES.get(told.pop(), "effect") if len(told) == 1 else "effect"

    def _heat(self) -> Heat | None:
        """Changes of the shares in all windows that were tested."""
        if self._cells is None:
            return None
        whole = [self._verdicts.get((window.begins, None)) for window in self._windows]
        changes = [
            self._cells.changes(window) if verdict and verdict.p is not None else None
            for window, verdict in zip(self._windows, whole, strict=True)
        ]
        if not any(changes):
            return None
        names = self._names[LEVEL]
        none = np.full(len(names), np.nan)
        table = [none if each is None else each.change for each in changes]
        sure = [none < 0 if each is None else each.q <= RATE for each in changes]
        return Heat(names, np.array(table).T, np.array(sure).T)

    def _texts(self) -> dict[str, str]:
        """The texts of the version's own items, where it keeps them."""
        version = self._monitor.version
        return {} if version.texts is None else dict(zip(version.ids, version.texts, strict=True))

    def _findings(self) -> list[str]:
        if not self._windows:
            return ["No window is over yet."]
        settings, count = self._monitor.settings, len(self._alarms)
        budget = f"budget: {settings.budget}" if settings.budget else f"alpha: {settings.alpha:g}"
        span = f"{self._windows[0].name} to {self._windows[-1].name}"
        known = [alarm.state for alarm in self._alarms]
        states = [f"{known.count(state)} {state}" for state in _STATES if state in known]
        told = [
            f"{len(self._windows)} windows of a {settings.every}, {span}; {budget}.",
            f"{count} alarm{'s' * (count != 1)}" + (f": {', '.join(states)}." if count else "."),
        ]
        empty = [w.name for w in self._windows if self._is(w, "empty")]
        if empty:
            more = " …" if len(empty) > 5 else ""
            told.append(f"No rows in {len(empty)} of them: {', '.join(empty[:5])}{more}.")
        return told

    def _is(self, window: Span, state: str) -> bool:
        verdict = self._verdicts.get((window.begins, None))
        return verdict is not None and verdict.state == state


def _end(verdict: Verdict | None, name: str) -> float | None:
    """One end of the effect's interval; None where the evidence has none."""
    told = verdict.evidence.get(name) if verdict else None
    return float(told) if isinstance(told, int | float) else None
