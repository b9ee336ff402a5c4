"""What a window is compared with.

::

    version                 the version's own vectors; never changes
    2012-01-01..2012-12-31  the windows of a fixed span, of the calendar
    rolling:3               the three windows before the one that is judged
    season                  the same window a year before
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from spaceport.errors import ParameterError
from spaceport.monitoring.spans import Span, Timeline, written
from spaceport.monitoring.windows import Window

__all__ = ["Reference"]

_ROLLING = re.compile(r"rolling:([1-9][0-9]{0,2})")


@dataclass(frozen=True)
class Reference:
    """A rule that gives each window its reference.

    Attributes
    ----------
    text : str
        As above.
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read it.

        Raises
        ------
        ParameterError
            It is none of the four.

        Examples
        --------
        >>> Reference.parse("rolling:3").fixed
        False
        """
        told = str(text).strip().lower()
        if told in ("version", "season") or _ROLLING.fullmatch(told):
            return cls(told)
        try:
            Window.parse(told)
        except ParameterError as error:
            raise ParameterError(
                f"`reference` must say what windows are compared with. Got {text!r}.",
                "Say version, season, rolling:3, or a span of days: 2025-01-01..2025-12-31.",
            ) from error
        return cls(told)

    @property
    def fixed(self) -> bool:
        """It is the same for all windows."""
        return self.text != "season" and not _ROLLING.fullmatch(self.text)

    @property
    def of_version(self) -> bool:
        """It is the version's own vectors."""
        return self.text == "version"

    def span(self, timeline: Timeline, window: Span) -> Span | None:
        """The span that a window is compared with; None where there is none, or it is the version."""
        if self.of_version:
            return None
        if self.text == "season":
            return timeline.season(window)
        rolling = _ROLLING.fullmatch(self.text)
        if rolling:
            return timeline.before(window, int(rolling[1]))
        told = Window.parse(self.text)
        return Span(written(told.start), written(told.end), self.text)
