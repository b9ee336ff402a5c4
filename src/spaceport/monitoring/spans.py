"""The windows of a monitor: spans of the calendar, or, without times, one after another.

A window, like a tick, is known by where it begins, as text that sorts by time: ``2026-03-01T00:00:00Z``,
or ``#000001`` for the first window without a time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from spaceport.monitoring.windows import Every, Window

__all__ = ["Calendar", "Numbers", "Span", "Timeline", "overlap", "written"]


@dataclass(frozen=True, order=True)
class Span:
    """Some time; ``begins <= tick < ends`` tells which ticks are in it.

    Attributes
    ----------
    begins, ends : str
    name : str
        As people call it.
    """

    begins: str
    ends: str
    name: str

    def holds(self, begins: str) -> bool:
        """Whether a tick is in it."""
        return self.begins <= begins < self.ends


def overlap(left: Span, right: Span) -> bool:
    """Whether a tick can be in both."""
    return left.begins < right.ends and right.begins < left.ends


class Timeline(ABC):
    """How windows follow each other."""

    @abstractmethod
    def of(self, begins: str) -> Span:
        """The window that a tick is in."""

    @abstractmethod
    def between(self, first: str, last: str) -> list[Span]:
        """All windows from that of one tick to that of another, those without rows too."""

    @abstractmethod
    def before(self, span: Span, count: int) -> Span:
        """The `count` windows before one, as one span."""

    @abstractmethod
    def first(self, begins: str, count: int) -> Span:
        """The window that a tick is in and those that follow it, `count` of them, as one span."""

    @abstractmethod
    def season(self, span: Span) -> Span | None:
        """The same window of the year before; None where there are no years."""


class Calendar(Timeline):
    """Windows of the calendar.

    Parameters
    ----------
    every : Every
    """

    def __init__(self, every: Every) -> None:
        self.every = every

    def of(self, begins: str) -> Span:
        """The window that a tick is in."""
        return _span(self.every.of(_time(begins)))

    def between(self, first: str, last: str) -> list[Span]:
        """All windows from that of one tick to that of another."""
        return [_span(window) for window in self.every.between(_time(first), _time(last))]

    def before(self, span: Span, count: int) -> Span:
        """The `count` windows before one."""
        return self._run(int(self.every.index(_time(span.begins))) - count, count)

    def first(self, begins: str, count: int) -> Span:
        """The window that a tick is in and those that follow it."""
        return self._run(int(self.every.index(_time(begins))), count)

    def _run(self, index: int, count: int) -> Span:
        first, last = self.every.window(index), self.every.window(index + count - 1)
        name = first.name if count == 1 else f"{first.name}..{last.name}"
        return Span(written(first.start), written(last.end), name)

    def season(self, span: Span) -> Span:
        """The same window of the year before."""
        return _span(self.every.season_before(Window(_time(span.begins), _time(span.ends), "")))


class Numbers(Timeline):
    """Windows that were given one by one, and have numbers in place of times."""

    def of(self, begins: str) -> Span:
        """The window of this number."""
        number = int(begins[1:])
        return Span(begins, f"#{number + 1:06d}", f"#{number}")

    def between(self, first: str, last: str) -> list[Span]:
        """All windows from one number to another."""
        return [self.of(f"#{n:06d}") for n in range(int(first[1:]), int(last[1:]) + 1)]

    def before(self, span: Span, count: int) -> Span:
        """The `count` windows before one."""
        number = int(span.begins[1:])
        first = max(number - count, 0)
        return Span(f"#{first:06d}", span.begins, f"#{first}..#{number - 1}")

    def first(self, begins: str, count: int) -> Span:
        """The window of this number and those that follow it."""
        number = int(begins[1:])
        return Span(begins, f"#{number + count:06d}", f"#{number}..#{number + count - 1}")

    def season(self, span: Span) -> None:
        """There are no years."""


def written(at: np.datetime64) -> str:
    """Write a time as the catalog has it.

    Examples
    --------
    >>> written(np.datetime64("2026-03-01T10"))
    '2026-03-01T10:00:00Z'
    """
    return f"{at.astype('datetime64[s]')}Z"


def _time(text: str) -> np.datetime64:
    return np.datetime64(text.removesuffix("Z"), "us")


def _span(window: Window) -> Span:
    return Span(written(window.start), written(window.end), window.name)
