"""What a window is compared with.

::

    version                 the version's own vectors, those that its encoder never learnt from (`unseen`)
    in-sample               all of the version's own vectors
    first:2                 the first two windows that were recorded, which are not judged themselves
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
_FIRST = re.compile(r"first:([1-9][0-9]{0,2})")
_OF_VERSION = ("version", "in-sample")


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
            It is none of these.

        Examples
        --------
        >>> Reference.parse("rolling:3").fixed
        False
        """
        told = str(text).strip().lower()
        rule = _ROLLING.fullmatch(told) or _FIRST.fullmatch(told)
        if rule or told in (*_OF_VERSION, "season"):
            return cls(told)
        try:
            Window.parse(told)
        except ParameterError as error:
            raise ParameterError(
                f"`reference` must say what windows are compared with. Got {text!r}.",
                "Say version, first:1, season, rolling:3, or a span of days: 2025-01-01..2025-12-31.",
            ) from error
        return cls(told)

    @property
    def fixed(self) -> bool:
        """It is the same for all windows."""
        return self.text != "season" and not _ROLLING.fullmatch(self.text)

    @property
    def of_version(self) -> bool:
        """It is the version's own vectors."""
        return self.text in _OF_VERSION

    @property
    def in_sample(self) -> bool:
        """It has rows that the encoder learnt from, too."""
        return self.text == "in-sample"

    def span(self, timeline: Timeline, window: Span, begun: str) -> Span | None:
        """The span that a window is compared with; None where there is none, or it is the version.

        Parameters
        ----------
        timeline : Timeline
        window : Span
        begun : str
            The first tick that was recorded.
        """
        if self.of_version:
            return None
        if self.text == "season":
            return timeline.season(window)
        first = _FIRST.fullmatch(self.text)
        if first:
            return timeline.first(begun, int(first[1]))
        rolling = _ROLLING.fullmatch(self.text)
        if rolling:
            return timeline.before(window, int(rolling[1]))
        told = Window.parse(self.text)
        return Span(written(told.start), written(told.end), self.text)
