"""A version's cells, window by window: shares, and items that show what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spaceport.drift._conformal import conformal
from spaceport.drift.sketches.sketch import Sketch
from spaceport.monitoring.book import Book
from spaceport.monitoring.cell_shares import ShareChanges, share_changes
from spaceport.monitoring.references import Reference
from spaceport.monitoring.spans import Calendar, Numbers, Span
from spaceport.spaces.mapping import cell_names

if TYPE_CHECKING:
    from spaceport.monitoring.monitor import Monitor
    from spaceport.storage.monitors import Watch

__all__ = ["CellsByWindow", "Shown"]

LEVEL = 0  # the coarse cells, which the map writes large


@dataclass(frozen=True)
class Shown:
    """Ids of items of one cell.

    Attributes
    ----------
    old, new : list of str
        Of the reference and of the window, those nearest to the cell's middle first.
    novel : list of str
        Of the window's items in the cell, the most unusual ones first.
    """

    old: list[str]
    new: list[str]
    novel: list[str]


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
    def names(self) -> list[str]:
        """The cells' labels; ``cell 3`` where there is none."""
        told = cell_names(self._version, LEVEL)
        return [name or f"cell {number}" for number, name in enumerate(told)]

    def changes(self, window: Span) -> ShareChanges | None:
        """How the cells' shares changed; None where the window or its reference has no rows."""
        sides = self._reference(window), self._book.sum(window, None)
        if sides[0] is None or sides[1] is None:
            return None
        return share_changes(_counts(sides[0]), _counts(sides[1]))

    def items(self, window: Span, cell: int, count: int = 3) -> Shown:
        """Items of a cell, out of the samples that the sketches keep."""
        reference, current = self._reference(window), self._book.sum(window, None)
        if reference is None or current is None:
            return Shown([], [], [])
        old, new = (self._inside(sketch, cell) for sketch in (reference, current))
        unusual = new[:0]
        if len(new) and len(reference.rows) >= 20:
            p = conformal(reference.rows, current.rows[new], metric=current.basis.metric)
            unusual = new[np.argsort(p, kind="stable")]
        return Shown(
            *(
                [sketch.ids[row] for row in rows[:count]]
                for sketch, rows in ((reference, old), (current, new), (current, unusual))
            )
        )

    def _inside(self, sketch: Sketch, cell: int) -> npt.NDArray[np.intp]:
        """Rows of the sample that lie in the cell, those nearest to its middle first."""
        rows = np.flatnonzero(sketch.basis.assign(sketch.rows, LEVEL) == cell)
        away = np.linalg.norm(sketch.rows[rows] - sketch.basis.cells[LEVEL][cell], axis=1)
        return rows[np.argsort(away, kind="stable")]

    def _reference(self, window: Span) -> Sketch | None:
        if self._rule.of_version:
            return self._book.reference(0)
        numbered = window.begins.startswith("#")
        timeline = Numbers() if numbered else Calendar(self._settings.windows())
        span = self._rule.span(timeline, window)
        return None if span is None else self._book.sum(span, None)


def _counts(sketch: Sketch) -> Sequence[float]:
    counts: Sequence[float] = sketch.sums[f"cells{LEVEL}"].sum(axis=0).tolist()
    return counts
