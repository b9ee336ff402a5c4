"""What a monitor saw over time, as a page that people read and as a picture.

From above: the size of the drift in each window with its interval, the p-values against what the
budget of false alarms leaves to each, and the cells' shares, window by window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spaceport.errors import InputError
from spaceport.maps.page import _heat, _timeline
from spaceport.maps.page._columns import cut
from spaceport.maps.page._sheet import canvas, document, image, safe, saved, table
from spaceport.maps.page._tracks import STATES, Heat, Track

__all__ = ["STATES", "Heat", "Track", "Watch", "Worst", "render", "write_page", "write_picture"]

_WIDTH = 13.0  # inches
_TEXT = 120
_ALT = "Size of the drift, p-values against alpha, and changes of the cells' shares, by window"


@dataclass(frozen=True)
class Worst:
    """A cell that changed, with items that show it.

    Parameters
    ----------
    window, cell : str
    how : str
        What became of it.
    before, after : float
        The cell's share of the reference and of the window.
    rate : float
        The rate of false discoveries at which it is named.
    old, new, novel : sequence of str
        Items of the reference, of the window, and the window's most unusual ones.
    """

    window: str
    cell: str
    how: str
    before: float
    after: float
    rate: float
    old: Sequence[str] = ()
    new: Sequence[str] = ()
    novel: Sequence[str] = ()


@dataclass(frozen=True)
class Watch:
    """What is shown; checked when it is made.

    Parameters
    ----------
    title : str
        Which version, and which monitor.
    findings : sequence of str
        Sentences.
    windows : sequence of n str
        The windows' names, the oldest first.
    tracks : sequence of Track
        One for all rows together, or one for each segment; n windows each.
    effect : str
        What the effect is, for the axis.
    tolerance : float, optional
        The size that the user called practical.
    heat : Heat, optional
        Changes of the cells' shares.
    worst : sequence of Worst
        The largest changes first.
    tables : sequence of (str, sequence of str, sequence of sequences of str)
        Others, each with its title and head: health, performance, alarms.
    notes : sequence of str
        Sentences at the foot: what an alarm means, how the budget is kept.

    Raises
    ------
    InputError
        Another number of values than of windows.
    """

    title: str
    findings: Sequence[str]
    windows: Sequence[str]
    tracks: Sequence[Track]
    effect: str
    tolerance: float | None = None
    heat: Heat | None = None
    worst: Sequence[Worst] = ()
    tables: Sequence[tuple[str, Sequence[str], Sequence[Sequence[str]]]] = ()
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        for track in self.tracks:
            track.check(len(self.windows))
        if self.heat is not None:
            self.heat.check(len(self.windows))


def write_page(path: Path, watch: Watch) -> None:
    """Write the page; one that is there is replaced."""
    path.write_bytes(render(watch))


def write_picture(path: Path, watch: Watch) -> None:
    """Write the picture alone, as its ending says: ``.png`` or ``.svg``."""
    kind = path.suffix.lower().lstrip(".")
    if kind not in ("png", "svg"):
        raise InputError(
            f"A report's picture is written as .png or .svg. Got {path.name!r}.",
            "Let the name end so, or in .html for the page.",
        )
    path.write_bytes(_drawn(watch, kind))


def render(watch: Watch) -> bytes:
    """Give the page's bytes: text, tables and the picture; no script, and nothing from elsewhere.

    Ids, texts and names are escaped; the content security policy refuses scripts and requests.
    """
    findings = "".join(f"<li>{safe(text)}</li>" for text in watch.findings)
    parts = [f'<ul class="findings">{findings}</ul>']
    if watch.windows:
        parts.append(image(_drawn(watch, "png"), _ALT))
    if watch.worst:
        parts += ["<h2>Cells that changed most</h2>", _worst(watch.worst)]
    for title, head, rows in watch.tables:
        parts += [f"<h2>{safe(title)}</h2>", table(head, rows)]
    parts += [f"<p>{safe(note)}</p>" for note in watch.notes]
    return document(watch.title, "\n".join(parts))


def _worst(cells: Sequence[Worst]) -> str:
    head = ("window", "cell", "", "share", "rate", "before", "now", "most unusual now")
    return table(
        head,
        (
            (
                each.window,
                each.cell,
                each.how,
                f"{each.before:.1%} → {each.after:.1%}",
                f"{each.rate:.2g}",
                *(_examples(items) for items in (each.old, each.new, each.novel)),
            )
            for each in cells
        ),
    )


def _examples(items: Sequence[str]) -> str:
    return "; ".join(cut(" ".join(item.split()), _TEXT) for item in items)


def _drawn(watch: Watch, kind: str) -> bytes:
    """Draw the picture and give the file's bytes."""
    segments = len(watch.tracks) > 1
    heights = [2.6, 2.6]
    if segments:
        heights.append(_timeline.height(len(watch.tracks)))
    if watch.heat is not None and watch.heat.cells:
        heights.append(_heat.height(watch.heat))
    figure = canvas((_WIDTH, sum(heights) + 0.6))
    parts = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    _timeline.effects(parts[0], watch.windows, watch.tracks, watch.effect, watch.tolerance)
    _timeline.chances(parts[1], watch.windows, watch.tracks)
    if segments:
        _timeline.strip(parts[2], watch.windows, watch.tracks)
    if watch.heat is not None and watch.heat.cells:
        _heat.draw(parts[-1], watch.windows, watch.heat)
    return saved(figure, kind)
