"""What two samples differ in, as a page that people read, and as a picture.

The picture has two parts: the shares of the cells before and after, with their intervals, and the map of
the reference with the current items on it, colored by how unusual they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.maps.page._columns import cut
from spaceport.maps.page._sheet import (
    bare,
    canvas,
    document,
    drawable,
    image,
    safe,
    saved,
    table,
    titled,
)
from spaceport.maps.page.base import palette

__all__ = ["Bar", "Scatter", "Sheet", "write_page", "write_picture"]

_INCHES = (13, 5.6)
_NAME = 34  # letters of a cell's name
_ALT = "Shares of the cells before and after, and a map of both samples"
_NOVEL = 0.05


@dataclass(frozen=True)
class Bar:
    """A cell's share before and after, each with the ends of its interval.

    Parameters
    ----------
    name : str
    before, after : (float, float, float)
    sure : bool
        It changed by more than chance.
    """

    name: str
    before: tuple[float, float, float]
    after: tuple[float, float, float]
    sure: bool


@dataclass(frozen=True, eq=False)
class Scatter:
    """Where the items stand.

    Parameters
    ----------
    old : ndarray of shape (n, 2)
    new : ndarray of shape (m, 2)
    p : ndarray of shape (m,)
        How unusual the new ones are, as p-values.
    """

    old: npt.NDArray[np.float32]
    new: npt.NDArray[np.float32]
    p: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sheet:
    """What is shown.

    Parameters
    ----------
    old, new : str
        What the samples are called.
    findings : sequence of (str, str)
        What was found, in words.
    bars : sequence of Bar
        Those to draw.
    cells : sequence of sequence of str
        The table of the cells that changed, its head first.
    items : sequence of sequence of str
        The table of their items, its head first.
    scatter : Scatter or None
        None where no map could be drawn.
    """

    old: str
    new: str
    findings: Sequence[tuple[str, str]]
    bars: Sequence[Bar]
    cells: Sequence[Sequence[str]]
    items: Sequence[Sequence[str]]
    scatter: Scatter | None


def write_page(path: Path, sheet: Sheet) -> None:
    """Write the page; one that is there is replaced."""
    nothing = "<p>No cell is surely another.</p>"
    parts = (
        table((), sheet.findings),
        image(_drawn(sheet, "png"), _ALT),
        "<h2>Cells that changed</h2>",
        table(sheet.cells[0], sheet.cells[1:]) if len(sheet.cells) > 1 else nothing,
        "<h2>Items that show it</h2>",
        table(sheet.items[0], sheet.items[1:]) if len(sheet.items) > 1 else nothing,
        f"<p>{safe(_NOTE)}</p>",
    )
    path.write_bytes(document(f"{sheet.old} → {sheet.new}", "\n".join(parts)))


def write_picture(path: Path, sheet: Sheet) -> None:
    """Write the picture alone, as its ending says: ``.png`` or ``.svg``."""
    path.write_bytes(_drawn(sheet, path.suffix.lower().lstrip(".")))


_NOTE = (
    "Drift says that the two samples hardly come from one source, not that anything is wrong. New items "
    "stand among the reference's items that are nearest to them, so even what is unlike all of them stands "
    "on some of them: the color tells."
)


def _drawn(sheet: Sheet, kind: str) -> bytes:
    figure = canvas(_INCHES)
    parts = 1 if sheet.scatter is None else 2
    panels = figure.subplots(1, parts, squeeze=False)[0]
    _bars(panels[0], sheet.bars)
    if sheet.scatter is not None:
        _scatter(panels[1], sheet.scatter)
    return saved(figure, kind)


def _bars(axes: Any, bars: Sequence[Bar]) -> None:
    colors = palette()
    titled(axes, "share of each cell, before (grey) and after, with 95 % intervals")
    bare(axes)
    for place, bar in enumerate(reversed(bars)):
        after = colors.categories[1] if bar.sure else colors.ink
        for (value, low, high), color, offset in (
            (bar.before, colors.other, 0.12),
            (bar.after, after, -0.12),
        ):
            axes.plot([low * 100, high * 100], [place + offset] * 2, color=color, linewidth=1.5)
            axes.plot([value * 100], [place + offset], "o", color=color, markersize=5)
    names = [cut(drawable(bar.name), _NAME) for bar in reversed(bars)]
    axes.set_yticks(range(len(bars)), names, fontsize=8)
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    axes.set_xlabel("% of the items; a red one changed by more than chance", fontsize=8)
    axes.tick_params(labelsize=8)


def _scatter(axes: Any, shown: Scatter) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    colors = palette()
    novel = int((shown.p <= _NOVEL).sum())
    titled(
        axes,
        f"{len(shown.new):,} current items by how unusual they are; {novel:,} with p ≤ {_NOVEL:g} "
        f"({novel / max(len(shown.new), 1):.0%})",
    )
    axes.scatter(*shown.old.T, s=3, c=colors.missing, linewidths=0)
    order = np.argsort(-shown.p)  # the unusual ones on top
    stops = LinearSegmentedColormap.from_list("spaceport", colors.scale)
    drawn = axes.scatter(
        *shown.new[order].T, s=9, c=shown.p[order], cmap=stops, vmin=0, vmax=1, linewidths=0
    )
    axes.set_facecolor(colors.paper)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    bar = axes.figure.colorbar(drawn, ax=axes, pad=0.01, fraction=0.03)
    bar.set_label("p-value of being like the reference", fontsize=8)
    bar.ax.tick_params(labelsize=8)
