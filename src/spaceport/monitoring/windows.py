"""Spans of time, in UTC: which window an event falls in, the windows between two times, their ticks.

A window is half-open, [start, end). Windows lie side by side without a gap, so that the ones in which
nothing happened can be told from those that nobody looked at. What is kept is kept by *tick*, a day (an
hour where windows are hours), and a window is the sum of its ticks.

::

    month, quarter, year   of the calendar; several months are counted from January 1970
    week                   from Monday, named as ISO 8601 does: 2026-W07
    day, hour              several of them are counted from 1970-01-01T00:00
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.errors import InputError, ParameterError

__all__ = ["DAY", "HOUR", "Every", "Instants", "Window", "instants"]

Instants: TypeAlias = npt.NDArray[np.datetime64]
"""Times as datetime64[us], UTC."""

_HOURS = {"hour": 1, "day": 24, "week": 168}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_UNITS = (*_HOURS, *_MONTHS)
_TEXT = re.compile(rf"(?:([1-9][0-9]{{0,3}})\s+)?({'|'.join(_UNITS)})s?")
_MONDAY = np.datetime64("1970-01-05T00:00", "us")
_ORIGIN = np.datetime64("1970-01-01T00:00", "us")
_AN_HOUR = np.timedelta64(1, "h").astype("timedelta64[us]")
_YEAR_HOURS = 365.2425 * 24
_MOST = 1_000_000


@dataclass(frozen=True, order=True)
class Window:
    """A span of time, its end not in it.

    Attributes
    ----------
    start, end : datetime64[us]
        UTC.
    name : str
        As people call it: ``2026-03``, ``2026-W07``.
    """

    start: np.datetime64
    end: np.datetime64
    name: str

    def __str__(self) -> str:
        return self.name

    def holds(self, at: Instants) -> npt.NDArray[np.bool_]:
        """Which of the times fall into it.

        Parameters
        ----------
        at : ndarray of shape (n,), datetime64
        """
        inside: npt.NDArray[np.bool_] = (at >= self.start) & (at < self.end)
        return inside

    @classmethod
    def parse(cls, text: str) -> Window:
        """Read a span of days as people write it: both ends are in it.

        Parameters
        ----------
        text : str
            ``2012``, ``2012-03``, ``2012-03-31``, or two of these with ``..`` between them.

        Raises
        ------
        ParameterError
            It is none, or ends before it starts.

        Examples
        --------
        >>> str(Window.parse("2012..2013-06").end), Window.parse("2012-02").days
        ('2013-07-01T00:00:00.000000', 29)
        """
        first, dots, last = text.strip().partition("..")
        start, end = _ends(first, text), _ends(last if dots else first, text)
        if end[1] <= start[0]:
            raise ParameterError(f"The span {text!r} ends before it starts.", "Turn it around.")
        return cls(start[0], end[1], text.strip())

    @property
    def days(self) -> int:
        """How many days it has, the last one counted even if it is not whole."""
        return int(-(-(self.end - self.start) // (24 * _AN_HOUR)))


@dataclass(frozen=True)
class Every:
    """How often a new window begins.

    Attributes
    ----------
    unit : {"hour", "day", "week", "month", "quarter", "year"}
    count : int
        How many of the unit a window has.
    """

    unit: str
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Every:
        """Read ``"month"``, ``"week"``, ``"7 days"`` and the like.

        Raises
        ------
        ParameterError

        Examples
        --------
        >>> Every.parse("7 days"), Every.parse("Quarter")
        (Every(unit='day', count=7), Every(unit='quarter', count=1))
        """
        found = _TEXT.fullmatch(str(text).strip().lower())
        if not found:
            raise ParameterError(
                f"`every` must be a span of time. Got {text!r}.",
                f"Say one of {', '.join(_UNITS)}, or several: 7 days.",
            )
        return cls(found[2], int(found[1] or 1))

    def __str__(self) -> str:
        return self.unit if self.count == 1 else f"{self.count} {self.unit}s"

    @property
    def per_year(self) -> float:
        """How many windows a year has, 365.2425 days being a year.

        Examples
        --------
        >>> Every("month").per_year, round(Every("week").per_year, 3)
        (12.0, 52.177)
        """
        if self.unit in _MONTHS:
            return 12 / (_MONTHS[self.unit] * self.count)
        return _YEAR_HOURS / (_HOURS[self.unit] * self.count)

    @property
    def tick(self) -> Every:
        """What sketches are kept by: a day, or an hour where windows are hours."""
        return HOUR if self.unit == "hour" else DAY

    def index(self, at: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Number of the window that each time falls in; windows that follow one another differ by 1.

        Parameters
        ----------
        at : array-like of shape (n,), datetime64

        Returns
        -------
        ndarray of shape (n,), int64
        """
        times = instants(at)
        if self.unit in _MONTHS:
            months = times.astype("datetime64[M]").astype(np.int64)
            return np.floor_divide(months, _MONTHS[self.unit] * self.count)
        passed = (times - self._origin).astype(np.int64)
        return np.floor_divide(passed, self._width.astype(np.int64))

    def start(self, index: int) -> np.datetime64:
        """When the window of this number begins."""
        if self.unit in _MONTHS:
            months = np.datetime64(int(index) * _MONTHS[self.unit] * self.count, "M")
            first: np.datetime64 = months.astype("datetime64[us]")
            return first
        start: np.datetime64 = self._origin + int(index) * self._width
        return start

    def window(self, index: int) -> Window:
        """The window of this number."""
        start, end = self.start(index), self.start(index + 1)
        return Window(start, end, self._name(start, end))

    def of(self, at: np.datetime64) -> Window:
        """The window that a time falls in.

        Examples
        --------
        >>> [Every.parse(e).of(np.datetime64("2026-02-11T10:30")).name
        ...  for e in ("hour", "day", "week", "month", "quarter", "year", "2 days")]
        ['2026-02-11T10', '2026-02-11', '2026-W07', '2026-02', '2026-Q1', '2026', '2026-02-10..2026-02-11']
        """
        return self.window(int(self.index(at)))

    def between(self, first: np.datetime64, last: np.datetime64) -> list[Window]:
        """Every window from that of `first` to that of `last`, the ones without rows too.

        Raises
        ------
        InputError
            There would be more than a million.

        Examples
        --------
        >>> days = np.datetime64("2025-12-30"), np.datetime64("2026-01-01")
        >>> [window.name for window in DAY.between(*days)]
        ['2025-12-30', '2025-12-31', '2026-01-01']
        """
        low, high = (int(i) for i in self.index(np.array([first, last], "datetime64[us]")))
        if high - low >= _MOST:
            raise InputError(
                f"There are {high - low + 1:,} windows of a {self} from {first} to {last}.",
                "Choose longer windows, or mend the times.",
            )
        return [self.window(index) for index in range(low, high + 1)]

    def ticks(self, window: Window) -> list[Window]:
        """The ticks of which a window is the sum."""
        return self.tick.between(window.start, window.end - np.timedelta64(1, "us"))

    def season_before(self, window: Window) -> Window:
        """The same season of the year before: of a month that month; of days, the same 52 weeks ago.

        Examples
        --------
        >>> week = Every("week")
        >>> week.season_before(week.of(np.datetime64("2026-02-11"))).name
        '2025-W07'
        """
        if self.unit in _MONTHS:
            back = np.timedelta64(12, "M")
            start, end = (
                (each.astype("datetime64[M]") - back).astype("datetime64[us]")
                for each in (window.start, window.end)
            )
        else:
            weeks = 52 * _HOURS["week"] * _AN_HOUR
            start, end = window.start - weeks, window.end - weeks
        return Window(start, end, self._name(start, end))

    @property
    def _width(self) -> np.timedelta64:
        width: np.timedelta64 = _HOURS[self.unit] * self.count * _AN_HOUR
        return width

    @property
    def _origin(self) -> np.datetime64:
        return _MONDAY if self.unit == "week" else _ORIGIN

    def _name(self, start: np.datetime64, end: np.datetime64) -> str:
        if self.count == 1:
            return _named(self.unit, start)
        if self.unit == "week":
            return f"{_named('day', start)}..{_named('day', end - np.timedelta64(1, 'us'))}"
        unit = "month" if self.unit == "quarter" else self.unit
        return f"{_named(unit, start)}..{_named(unit, end - np.timedelta64(1, 'us'))}"


HOUR = Every("hour")
DAY = Every("day")


def instants(at: npt.ArrayLike) -> Instants:
    """Times as datetime64[us]; refuses what is no time at all.

    Raises
    ------
    InputError
        Another dtype, or times that are missing (NaT).
    """
    given = np.asarray(at)
    if given.dtype.kind != "M":
        raise InputError(f"Times must be datetime64. Got {given.dtype}.", "Give them as UTC.")
    if np.isnat(given).any():
        raise InputError(
            f"{int(np.isnat(given).sum())} of {given.size} times are missing.", "Fill them in."
        )
    return given.astype("datetime64[us]")


def _named(unit: str, start: np.datetime64) -> str:
    text = str(start.astype("datetime64[h]"))
    if unit == "week":
        year, week, _ = date.fromisoformat(text[:10]).isocalendar()
        return f"{year}-W{week:02d}"
    if unit == "quarter":
        return f"{text[:4]}-Q{(int(text[5:7]) + 2) // 3}"
    return text[: {"year": 4, "month": 7, "day": 10, "hour": 13}[unit]]


def _ends(text: str, whole: str) -> tuple[np.datetime64, np.datetime64]:
    """Where a year, a month or a day begins and ends."""
    unit = {4: "Y", 7: "M", 10: "D"}.get(len(text.strip()))
    try:
        if unit is None:
            raise ValueError(text)
        moment = np.array(text.strip(), dtype=f"datetime64[{unit}]")
        span = np.stack([moment, moment + 1]).astype("datetime64[us]")
        return span[0], span[1]
    except ValueError as error:
        raise ParameterError(
            f"{whole!r} is no span of days.",
            "Write it like 2012, 2012-03 or 2012-01-01..2012-12-31.",
        ) from error
