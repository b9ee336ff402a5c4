"""What changed between two versions as a page that people read, and as a picture.

The picture has three parts: how many neighbors items keep (a histogram), where they keep least (bars
by label or cell), and how the variance is spread over the axes of either version.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

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

__all__ = ["Sheet", "render", "write_page", "write_picture"]

_INCHES = (13, 4.6)
_NAME = 34  # letters of a region's name
_TEXT = 160
_ALT = "Neighbors that stay, where they stay least, and the spectra of both versions"


@dataclass(frozen=True)
class Sheet:
    """What is shown.

    Parameters
    ----------
    old, new : str
        The versions' names.
    findings : sequence of str
        Sentences.
    items : sequence of (str, str)
        Counts with the first ids.
    sides : sequence of (str, str, str)
        A property, its old and its new value.
    figures : sequence of (str, str, str)
        What was measured, its value, and how.
    moved : sequence of (str, str, float, list of str, list of str)
        Id, text, overlap, old neighbors, new neighbors.
    kept : sequence of float
        Each asked item's share of neighbors that stay.
    k : int
        How many neighbors.
    regions : sequence of (str, int, float)
        Name, number of items, mean overlap.
    by : str
        What the regions are.
    spectra : sequence of two sequences of float
        Shares of the variance along the axes.
    """

    old: str
    new: str
    findings: Sequence[str]
    items: Sequence[tuple[str, str]]
    sides: Sequence[tuple[str, str, str]]
    figures: Sequence[tuple[str, str, str]]
    moved: Sequence[tuple[str, str, float, list[str], list[str]]]
    kept: Sequence[float]
    k: int
    regions: Sequence[tuple[str, int, float]]
    by: str
    spectra: Sequence[Sequence[float]]


def write_page(path: Path, sheet: Sheet) -> None:
    """Write the page; one that is there is replaced."""
    path.write_bytes(render(sheet))


def write_picture(path: Path, sheet: Sheet) -> None:
    """Write the picture alone, as its ending says: ``.png`` or ``.svg``."""
    path.write_bytes(_drawn(sheet, path.suffix.lower().lstrip(".")))


def render(sheet: Sheet) -> bytes:
    """Give the page's bytes: text, tables and the picture; no script, and nothing from elsewhere.

    Ids, texts and names are escaped; the content security policy refuses scripts and requests.
    """
    findings = "".join(f"<li>{safe(text)}</li>" for text in sheet.findings)
    parts = (
        f'<ul class="findings">{findings}</ul>',
        image(_drawn(sheet, "png"), _ALT),
        "<h2>Items</h2>",
        table((), sheet.items),
        "<h2>Side by side</h2>",
        table(("", sheet.old, sheet.new), sheet.sides),
        "<h2>Measured on the shared items</h2>",
        table(("", "", "how"), sheet.figures),
        "<h2>Neighborhoods that changed most</h2>",
        _moved(sheet),
    )
    return document(f"{sheet.old} → {sheet.new}", "\n".join(parts))


def _moved(sheet: Sheet) -> str:
    if not sheet.moved:
        return "<p>No item that was asked has other neighbors.</p>"
    rows = (
        (
            name if not text else f"{name}: {cut(text, _TEXT)}",
            f"{overlap:.0%}",
            "; ".join(before),
            "; ".join(after),
        )
        for name, text, overlap, before, after in sheet.moved
    )
    return table(("item", "stay", "was near", "is near"), rows)


def _drawn(sheet: Sheet, kind: str) -> bytes:
    """Draw the picture and give the file's bytes."""
    figure = canvas(_INCHES)
    axes = figure.subplots(1, 3, width_ratios=(1, 1.2, 1))
    for part, draw in zip(axes, (_histogram, _regions, _spectra), strict=True):
        bare(part)
        draw(part, sheet)
    title = drawable(f"{sheet.old} → {sheet.new}")
    figure.suptitle(title, color=palette().ink, parse_math=False)
    return saved(figure, kind)


def _histogram(axes: Any, sheet: Sheet) -> None:
    """How many of its neighbors an item keeps."""
    titled(axes, f"neighbors that stay, of {sheet.k}")
    if not sheet.kept:
        return
    kept = np.rint(np.asarray(sheet.kept) * sheet.k).astype(int)
    counts = np.bincount(kept, minlength=sheet.k + 1)
    axes.bar(range(sheet.k + 1), counts, color=palette().categories[0], width=0.8)
    mean = float(np.mean(sheet.kept)) * sheet.k
    axes.axvline(mean, color=palette().categories[1], linewidth=1.6)
    axes.annotate(
        f"mean {mean:.1f}", (mean, counts.max()), (4, 2), textcoords="offset points", fontsize=9
    )
    axes.set_ylabel("items")
    axes.margins(y=0.12)


def _regions(axes: Any, sheet: Sheet) -> None:
    """Mean overlap of each region, the least on top."""
    titled(axes, f"share that stays, {sheet.by}" if sheet.regions else "")
    if not sheet.regions:
        axes.set_axis_off()
        return
    shares = [overlap for _, _, overlap in sheet.regions]
    axes.barh(range(len(shares)), shares, color=palette().categories[3])
    for place, share in enumerate(shares):
        axes.annotate(
            f"{share:.2f}", (share, place), (3, 0), textcoords="offset points", va="center"
        )
    names = [f"{drawable(cut(name, _NAME))} ({items:,})" for name, items, _ in sheet.regions]
    axes.set_yticks(range(len(shares)), names, fontsize=8, parse_math=False)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)


def _spectra(axes: Any, sheet: Sheet) -> None:
    """Share of the variance along each axis; a kept shape shows as one line over the other."""
    titled(axes, "share of the variance by axis")
    styles = ((sheet.old, "-"), (sheet.new, "--"))
    for (name, style), shares, color in zip(
        styles, sheet.spectra, palette().categories, strict=False
    ):
        floor = [max(share, 1e-7) for share in shares]
        axes.plot(range(1, len(floor) + 1), floor, style, color=color, label=f" {drawable(name)}")
    axes.set_yscale("log")
    axes.set_xlabel("axis")
    legend = axes.legend(frameon=False, fontsize=9)
    for text in legend.get_texts():
        text.set_parse_math(False)
