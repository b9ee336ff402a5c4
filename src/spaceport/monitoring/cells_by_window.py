"""A version's cells, window by window: how their shares changed, and what the cells are called."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spaceport.drift.sketches.sketch import Sketch
from spaceport.monitoring.book import Book
from spaceport.monitoring.cell_shares import ShareChanges, share_changes
from spaceport.monitoring.references import Reference
from spaceport.monitoring.spans import Calendar, Numbers, Span
from spaceport.spaces.mapping import cell_names

if TYPE_CHECKING:
    from spaceport.monitoring.monitor import Monitor
    from spaceport.spaces.version import Version
    from spaceport.storage.monitors import Watch

__all__ = ["LEVEL", "CellsByWindow", "named_cells"]

LEVEL = 0
"""The level whose shares are shown: the coarse cells, which the map writes large."""


class CellsByWindow:
    """Reads a monitor's sketches; all rows together, no segments.

    Parameters
    ----------
    monitor : Monitor
    watch : Watch
        The same, as the catalog has it.
    """

    def __init__(self, monitor: Monitor, watch: Watch) -> None:
        self._version = monitor.version
        self._settings = monitor.settings
        self._book = Book(monitor.version.store.watched, watch)
        self._rule = Reference.parse(monitor.settings.reference)

    @cached_property
    def names(self) -> list[list[str]]:
        """The cells' labels by level."""
        return named_cells(self._version)

    def changes(self, window: Span) -> ShareChanges | None:
        """How the cells' shares changed; None where the window or its reference has no rows."""
        reference, current = self._reference(window), self._book.sum(window, None)
        if reference is None or current is None:
            return None
        return share_changes(_counts(reference), _counts(current))

    @cached_property
    def _own(self) -> Sketch:
        return self._book.reference(0)

    def _reference(self, window: Span) -> Sketch | None:
        if self._rule.of_version:
            return self._own
        numbered = window.begins.startswith("#")
        timeline = Numbers() if numbered else Calendar(self._settings.windows())
        span = self._rule.span(timeline, window, self._book.begins[0])
        return None if span is None else self._book.sum(span, None)


def named_cells(version: Version) -> list[list[str]]:
    """The cells' labels by level, coarse first; ``cell 3`` where there is none."""
    return [
        [name or f"cell {number}" for number, name in enumerate(level)]
        for level in cell_names(version)
    ]


def _counts(sketch: Sketch) -> npt.NDArray[np.float64]:
    counts: npt.NDArray[np.float64] = sketch.sums[f"cells{LEVEL}"].sum(axis=0)
    return counts
