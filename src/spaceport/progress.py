"""One seam for progress: a bar on a terminal, silence elsewhere, a callback for programs.

Long work calls `track` or opens a `task`; what is shown is decided once, by `using`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["Report", "Task", "task", "track", "using"]


@dataclass(frozen=True)
class Report:
    """How far a piece of work is: `done` of `total` (None: unknown) in `unit`."""

    name: str
    done: float
    total: float | None
    unit: str


T = TypeVar("T")
Listener = Callable[[Report], None]
_listener: ContextVar[Listener | None] = ContextVar("spaceport_progress", default=None)
_display: ContextVar[Progress | None] = ContextVar("spaceport_display", default=None)


class Task:
    """A piece of work in progress; `advance` says that more of it is done."""

    def __init__(self, report: Report, listener: Listener) -> None:
        self._report = report
        self._listener = listener

    def advance(self, amount: float = 1) -> None:
        """Say that `amount` more is done."""
        self._report = replace(self._report, done=self._report.done + amount)
        self._listener(self._report)


@contextmanager
def using(listener: Listener | None) -> Iterator[None]:
    """Send every report made inside the block to `listener` (None: the default again).

    Examples
    --------
    >>> seen = []
    >>> with using(seen.append):
    ...     total = sum(track([1, 2, 3], "adding"))
    >>> [int(report.done) for report in seen]
    [0, 1, 2, 3]
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextmanager
def task(name: str, total: float | None = None, unit: str = "items") -> Iterator[Task]:
    """Open a piece of work called `name`, of `total` `unit` (None: unknown)."""
    listener = _listener.get()
    report = Report(name, 0, total, unit)
    if listener is not None:
        listener(report)
        yield Task(report, listener)
    elif sys.stderr.isatty():
        with _bar(report) as drawn:
            yield drawn
    else:
        yield Task(report, lambda _: None)


def track(items: Iterable[T], name: str, total: float | None = None) -> Iterator[T]:
    """Yield from `items`, reporting each as done."""
    if total is None and isinstance(items, Sized):
        total = len(items)
    with task(name, total) as work:
        for item in items:
            yield item
            work.advance()


@contextmanager
def _bar(report: Report) -> Iterator[Task]:
    """Draw `report` as a row; work within work gets a row of the same display."""
    outer = _display.get()
    progress = outer or _new_display()
    row = progress.add_task(report.name, total=report.total, unit=report.unit)
    token = _display.set(progress)
    try:
        with nullcontext() if outer else progress:
            yield Task(report, lambda now: progress.update(row, completed=now.done))
    finally:
        _display.reset(token)
        progress.remove_task(row)


def _new_display() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} {task.fields[unit]}"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)
