"""The cells of a space by window: where shares grew and where they shrank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.maps.page._columns import cut
from spaceport.maps.page._sheet import drawable, titled
from spaceport.maps.page._timeline import ticks
from spaceport.maps.page._tracks import Heat
from spaceport.maps.page.base import palette

__all__ = ["draw", "height", "shown"]

_MOST = 24  # cells that are drawn
_NAME = 30


def shown(heat: Heat) -> npt.NDArray[np.int64]:
    """Rows that are drawn, those that changed most, in the order in which they were given."""
    largest = np.nan_to_num(np.abs(heat.changes)).max(axis=1, initial=0.0)  # (c,)
    told = np.where(heat.significant.any(axis=1), largest, largest - 2.0)  # significant ones first
    return np.sort(np.argsort(-told, kind="stable")[:_MOST])


def height(heat: Heat) -> float:
    """Inches that the picture takes."""
    return 1.1 + 0.22 * len(shown(heat))


def draw(axes: Any, windows: Sequence[str], heat: Heat) -> None:
    """Draw cells down and windows across; red grew, blue shrank, a dot where it is no chance."""
    rows = shown(heat)
    changes = heat.changes[rows] * 100  # percentage points
    limit = float(np.nanmax(np.abs(changes), initial=0.0)) or 1.0
    left_out = len(heat.cells) - len(rows)
    more = f"; {left_out} cells that changed less are left out" if left_out else ""
    told = "change of each cell's share in percentage points, a dot where it is more than chance"
    titled(axes, told + more)
    axes.set_facecolor(palette().missing)
    grid = axes.imshow(
        np.ma.masked_invalid(changes), cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto",
        interpolation="nearest",
    )  # fmt: skip
    down, across = np.nonzero(heat.significant[rows])
    axes.scatter(across, down, s=9, c=palette().ink, linewidths=0)
    names = [cut(drawable(heat.cells[row]), _NAME) or f"cell {row}" for row in rows]
    axes.set_yticks(range(len(rows)), names, fontsize=8)
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    axes.spines[:].set_visible(False)
    ticks(axes, windows)
    axes.set_xlim(-0.5, len(windows) - 0.5)
    bar = axes.figure.colorbar(grid, ax=axes, pad=0.01, fraction=0.03, ticks=[-limit, 0, limit])
    bar.ax.set_yticklabels([f"{-limit:.2g}", "0", f"+{limit:.2g}"], fontsize=8)
