"""The map as a picture: a PNG with the page's colors and labels."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.errors import MissingExtra, NotFoundError, choices
from spaceport.maps.page._columns import Column, cut
from spaceport.maps.page._columns import column as read_column
from spaceport.maps.page.base import Level, Page, Palette, anchors, palette

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["write"]

_INCHES = (16, 12)
_DPI = 100
_LEGEND = 30  # letters of a value in the legend
_FONT_SIZES = (17, 10)  # of the labels, the coarsest level first

Entry: TypeAlias = tuple[str, str]  # a color and its name


def write(path: Path | str, page: Page, column: str | None = None) -> None:
    """Write the map to `path` as a PNG of 1600 x 1200 pixels.

    The coarsest level's labels are written large, the next level's small where they have room.

    Parameters
    ----------
    path : path-like
        The PNG file; one that is there is replaced.
    page : Page
        What to show.
    column : str, optional
        The column to color by; left out: the page's own choice.

    Raises
    ------
    NotFoundError
        There is no such column.
    MissingExtra
        matplotlib is not installed.
    """
    asked = page.color if column is None else column
    if asked and asked not in page.columns:
        raise NotFoundError(f"There is no column `{asked}`.", choices(asked, page.columns))
    colors = palette()
    figure, canvas = _figure(colors)
    axes = figure.add_axes((0.02, 0.02, 0.96, 0.89))
    axes.set_axis_off()
    axes.set_aspect("equal", adjustable="datalim")
    shades, entries = _paint(page, asked, colors)
    size = float(np.clip(90_000 / page.count, 5, 60))  # points squared
    axes.scatter(*page.positions.T, c=shades, s=size, alpha=0.75, linewidths=0)
    plain = {"color": colors.ink, "parse_math": False}
    figure.text(0.03, 0.955, page.title, fontsize=22, fontweight="bold", **plain)
    figure.text(0.03, 0.925, page.subtitle, fontsize=13, alpha=0.7, **plain)
    _legend(axes, entries, colors, asked)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)  # drawn as a box
        canvas.draw()
        _write_labels(figure, axes, page, colors)
        figure.savefig(path, format="png", dpi=_DPI, facecolor=colors.paper)


def _figure(colors: Palette) -> tuple[Any, Any]:
    """Make a figure of its own, which no other part of the program knows of."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise MissingExtra.of("maps", "matplotlib") from error
    figure = Figure(figsize=_INCHES, dpi=_DPI, facecolor=colors.paper)
    return figure, FigureCanvasAgg(figure)


def _paint(page: Page, asked: str, colors: Palette) -> tuple[list[str], list[Entry]]:
    """Give each item's color, and what the legend says of the colors."""
    if asked:
        given = read_column(asked, page.columns[asked])
        paint = _categories if given.kind == "category" else _scale
        return paint(given, colors, page.missing)
    if not page.levels:
        return [colors.categories[0]] * page.count, []
    cells = np.asarray(page.levels[0].assignment)
    return [colors.categories[cell % len(colors.categories)] for cell in cells], []


def _categories(given: Column, colors: Palette, gap: str) -> tuple[list[str], list[Entry]]:
    own = min(len(given.names), len(colors.categories))
    table = [*colors.categories[:own], colors.other, colors.missing]
    codes = given.values.astype(int)
    places = np.where(codes < 0, own + 1, np.minimum(codes, own))
    named = [*given.names[:own], f"other ({len(given.names) - own} values)", gap]
    used = [place for place in range(own + 2) if (places == place).any()]
    return [table[place] for place in places], [(table[p], cut(named[p], _LEGEND)) for p in used]


def _scale(given: Column, colors: Palette, missing: str) -> tuple[list[str], list[Entry]]:
    from matplotlib.colors import LinearSegmentedColormap, to_hex

    stops = LinearSegmentedColormap.from_list("spaceport", colors.scale)
    gaps = np.isnan(given.values)
    part = np.clip((given.values - given.low) / ((given.high - given.low) or 1.0), 0, 1)
    shades = [
        colors.missing if gap else to_hex(stops(float(place)))
        for place, gap in zip(part, gaps, strict=True)
    ]
    steps, span = np.linspace(0, 1, 5), given.high - given.low
    digits = 2 - int(np.floor(np.log10(span))) if span > 0 else 9
    entries = [
        (to_hex(stops(float(step))), given.told(round(given.low + step * span, digits)))
        for step in steps
    ]
    return shades, entries + ([(colors.missing, missing)] if gaps.any() else [])


def _legend(axes: Any, entries: list[Entry], colors: Palette, title: str) -> None:
    from matplotlib.lines import Line2D

    if not entries:
        return
    dots = [
        Line2D([], [], linestyle="", marker="o", markersize=9, color=color, label=name)
        for color, name in entries
    ]
    legend = axes.legend(handles=dots, loc="upper right", frameon=False, fontsize=13)
    legend.set_title(cut(title, _LEGEND), prop={"size": 13})
    for text in (legend.get_title(), *legend.get_texts()):
        text.set_color(colors.ink)
        text.set_parse_math(False)


def _write_labels(figure: Any, axes: Any, page: Page, colors: Palette) -> None:
    """Write the labels of two levels, the largest cells first, but for those that would overlap."""
    from matplotlib.patheffects import withStroke

    style = {
        "ha": "center",
        "va": "center",
        "fontweight": "bold",
        "color": colors.ink,
        "parse_math": False,
    }
    style["path_effects"] = [withStroke(linewidth=3.5, foreground=colors.paper)]
    taken: list[Any] = []
    for level, size in zip(page.levels, _FONT_SIZES, strict=False):
        for name, place in _largest_first(page, level):
            text = axes.text(*place, name, fontsize=size, **style)
            box = text.get_window_extent(figure.canvas.get_renderer()).expanded(1.08, 1.3)
            if any(box.overlaps(other) for other in taken):
                text.remove()
            else:
                taken.append(box)


def _largest_first(page: Page, level: Level) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    cells = np.asarray(level.assignment)
    sizes = np.bincount(cells)
    places = anchors(page.positions, cells)
    for cell in np.argsort(-sizes, kind="stable"):
        if sizes[cell] and level.labels[cell]:
            yield level.labels[cell], places[cell]
