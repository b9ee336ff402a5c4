"""What the pictures of a monitor are drawn from: one track of windows, one table of cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spaceport.errors import InputError, choices

__all__ = ["STATES", "Heat", "Track"]

STATES = ("", "open", "acknowledged", "resolved")
"""What a window's alarm is in; the first is no alarm."""

Number = float | None


@dataclass(frozen=True)
class Track:
    """The windows of all rows together, or of one segment; a value each, None where there is none.

    Parameters
    ----------
    segment : str
        Empty for all rows.
    rows : sequence of n int
        0 is drawn as a window in which nothing came.
    p, alpha : sequence of n float or None
        None where the window was not tested.
    effect, low, high : sequence of n float or None
        The size with its interval.
    alarms : sequence of n str
        One of `STATES` each.
    again : sequence of n bool
        The window was judged again since rows came late.
    """

    segment: str
    rows: Sequence[int]
    p: Sequence[Number]
    alpha: Sequence[Number]
    effect: Sequence[Number]
    low: Sequence[Number]
    high: Sequence[Number]
    alarms: Sequence[str]
    again: Sequence[bool]

    def check(self, windows: int) -> None:
        """Raise an InputError where there are not `windows` values each, or an alarm in no state."""
        for name, values in vars(self).items():
            if name != "segment" and len(values) != windows:
                raise InputError(
                    f"`{name}` must hold {windows} values. Got {len(values)}.",
                    "Give one per window.",
                )
        for state in self.alarms:
            if state not in STATES:
                raise InputError(
                    f"An alarm cannot be {state!r}.", choices(state, filter(None, STATES))
                )


@dataclass(frozen=True)
class Heat:
    """How the cells' shares changed, window by window.

    Parameters
    ----------
    cells : sequence of c str
        The cells' names.
    changes : array of shape (c, n), float
        Share in the window less share of the reference; NaN where nothing is known.
    significant : array of shape (c, n), bool
        Told apart from chance at the stated rate of false discoveries.
    """

    cells: Sequence[str]
    changes: npt.NDArray[np.float64]
    significant: npt.NDArray[np.bool_]

    def check(self, windows: int) -> None:
        """Raise an InputError where a table has another shape than cells by windows."""
        wanted = (len(self.cells), windows)
        for name in ("changes", "significant"):
            if np.shape(getattr(self, name)) != wanted:
                raise InputError(
                    f"`{name}` must have shape {wanted}. Got {np.shape(getattr(self, name))}.",
                    "Give one row per cell, one column per window.",
                )
