"""Effects and p-values over the windows of a monitor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.maps.page._columns import cut
from spaceport.maps.page._sheet import bare, drawable, titled
from spaceport.maps.page._tracks import Number, Track
from spaceport.maps.page.base import palette

__all__ = ["chances", "effects", "height", "strip", "ticks"]

ALARM = "#c1121f"
_FILLS = {"open": ALARM, "acknowledged": "#f2b5a7", "resolved": "#fbfaf8"}
_NAMED = 8  # segments with a line of their own; more are told by the strip only
_TICKS = 24
_NAME = 28
_FLOOR = 1e-6
_AGAIN: dict[str, Any] = {
    "linestyle": "",
    "marker": "^",
    "markersize": 7,
    "markerfacecolor": "none",
    "markeredgecolor": palette().ink,
}


def effects(
    axes: Any, windows: Sequence[str], tracks: Sequence[Track], told: str, tolerance: Number
) -> None:
    """Draw each track's effect as a line with its interval, and the tolerance."""
    bare(axes)
    whose = f" of {_named(tracks[0])}" if len(tracks) > 1 else ""
    titled(axes, f"{told}, with the 95 % interval{whose}")
    _empty_windows(axes, tracks)
    places = np.arange(len(windows))
    for track, color in _colored(tracks):
        wide = 1.8 if track is tracks[0] else 1.0
        effect = _numbers(track.effect)
        axes.plot(places, effect, "o-", color=color, lw=wide, ms=3.5, label=_named(track))
    for track, color in _colored(tracks)[:1]:  # bands of several tracks would hide each other
        _band(axes, _numbers(track.low), _numbers(track.high), color)
    if tolerance is not None:
        axes.axhline(tolerance, color=palette().ink, linestyle="--", linewidth=1)
        axes.annotate(
            f"tolerance {tolerance:g}", (0, tolerance), (2, 3), textcoords="offset points",
            fontsize=8,
        )  # fmt: skip
    if len(tracks) > 1:
        _legend(axes)
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    ticks(axes, windows)
    axes.tick_params(labelbottom=False)


def _band(
    axes: Any, low: npt.NDArray[np.float64], high: npt.NDArray[np.float64], color: str
) -> None:
    places = np.arange(len(low))
    axes.fill_between(places, low, high, color=color, alpha=0.15, linewidth=0)
    gaps = np.isnan(np.concatenate([[np.nan], low, [np.nan]]))
    lone = gaps[:-2] & gaps[2:]  # between two windows without one a band has no width
    axes.vlines(places[lone], low[lone], high[lone], color=color, alpha=0.3, linewidth=4)


def chances(axes: Any, windows: Sequence[str], tracks: Sequence[Track]) -> None:
    """Draw p-values on a logarithmic axis, the small ones on top, with alpha and alarms."""
    bare(axes)
    titled(axes, "p-value, the small ones on top; dashed: the budget's alpha")
    _empty_windows(axes, tracks)
    places = np.arange(len(windows))
    floor = _floor(tracks)
    for track, color in _colored(tracks):
        p = np.maximum(_numbers(track.p), floor)
        axes.plot(places, p, "o-" if len(tracks) == 1 else "o", color=color, lw=1, ms=3.5)
    for track in tracks:
        _alarms(axes, track, np.maximum(_numbers(track.p), floor))
    _judged_again(axes, tracks)
    for track in tracks[:1] if _same_alpha(tracks) else tracks:
        alpha = np.maximum(_numbers(track.alpha), floor)
        axes.step(places, alpha, where="mid", color=palette().ink, linestyle="--", linewidth=1)
    axes.set_yscale("log")
    axes.set_ylim(1.6, floor / 3)
    _key(axes, tracks)
    ticks(axes, windows)


def strip(axes: Any, windows: Sequence[str], tracks: Sequence[Track]) -> None:
    """Draw a row of dots for each track: large where p is small beside alpha, red where it alarmed."""
    bare(axes)
    titled(axes, "by segment: the larger a dot, the smaller p; alarms in red")
    places = np.arange(len(windows))
    for row, track in enumerate(tracks):
        alarmed = np.array([bool(state) for state in track.alarms], dtype=bool)
        size = _sizes(_numbers(track.p), _numbers(track.alpha))
        known = ~np.isnan(size)
        shades = np.where(alarmed, ALARM, palette().other)
        axes.scatter(places[known], np.full(known.sum(), row), s=size[known], c=shades[known])
        none = np.array(track.rows) == 0
        axes.scatter(places[none], np.full(none.sum(), row), s=14, c=palette().missing, marker="x")
    axes.set_yticks(range(len(tracks)), [_named(track) for track in tracks], fontsize=8)
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    axes.set_ylim(len(tracks) - 0.5, -0.5)
    ticks(axes, windows)


def _sizes(p: npt.NDArray[np.float64], alpha: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Areas of dots: 60 where p is alpha, up to half as much again below, hardly any at 1."""
    small, bar = (np.log10(np.clip(values, _FLOOR, 0.99)) for values in (p, alpha))
    areas: npt.NDArray[np.float64] = np.clip(small / bar, 0.05, 1.5) * 60
    return areas


def height(tracks: int) -> float:
    """Inches that the strip of so many tracks takes."""
    return 1.0 + 0.24 * tracks


def ticks(axes: Any, windows: Sequence[str]) -> None:
    """Write the windows' names below, as many as there is room for."""
    step = -(-len(windows) // _TICKS) or 1
    places = range(0, len(windows), step)
    axes.set_xticks(places, [drawable(windows[place]) for place in places], fontsize=8)
    for label in axes.get_xticklabels():
        label.set_parse_math(False)
        label.set_rotation(45 if len(windows) > 12 else 0)
        label.set_ha("right" if len(windows) > 12 else "center")
    axes.set_xlim(-0.6, max(len(windows), 1) - 0.4)


def _empty_windows(axes: Any, tracks: Sequence[Track]) -> None:
    """Shade the windows in which no row came, and those that were not tested."""
    if not tracks:
        return
    rows = np.array([track.rows for track in tracks]).sum(axis=0)  # (n,)
    tested = np.array([[p is not None for p in track.p] for track in tracks]).any(axis=0)
    for place in np.flatnonzero(~tested):
        axes.axvspan(
            place - 0.5, place + 0.5, facecolor=palette().missing, linewidth=0,
            alpha=0.7 if rows[place] == 0 else 0.3, hatch="//" if rows[place] == 0 else None,
            edgecolor=palette().paper,
        )  # fmt: skip


def _alarms(axes: Any, track: Track, p: npt.NDArray[np.float64]) -> None:
    for place, state in enumerate(track.alarms):
        if state:
            axes.plot(place, p[place], "o", ms=9, mfc=_FILLS[state], mec=ALARM, mew=1.6, zorder=3)


def _judged_again(axes: Any, tracks: Sequence[Track]) -> None:
    """Mark at the foot the windows of which any track was judged again."""
    again = np.array([track.again for track in tracks], dtype=bool).any(axis=0)
    places = np.flatnonzero(again)
    across = axes.get_xaxis_transform()
    axes.plot(places, np.full(len(places), 0.06), transform=across, **_AGAIN)


def _key(axes: Any, tracks: Sequence[Track]) -> None:
    """Say what the marks mean, of those that are there."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    states = {state for track in tracks for state in track.alarms if state}
    dot: dict[str, Any] = {"linestyle": "", "marker": "o"}
    told: list[Any] = [
        Line2D([], [], **dot, ms=8, mfc=fill, mec=ALARM, mew=1.6, label=f"alarm, {state}")
        for state, fill in _FILLS.items()
        if state in states
    ]
    if any(any(track.again) for track in tracks):
        told.append(Line2D([], [], **_AGAIN, label="judged again: rows came late"))
    counted = np.array([track.rows for track in tracks]).sum(axis=0) if tracks else np.ones(0)
    if (counted == 0).any():
        told.append(Patch(fc=palette().missing, ec=palette().paper, hatch="//", label="no rows"))
    if told:
        place = {"loc": "lower right", "bbox_to_anchor": (1, 1), "borderaxespad": 0.1}
        narrow = {"columnspacing": 1.2, "handletextpad": 0.3, "fontsize": 8, "frameon": False}
        axes.legend(handles=told, ncols=len(told), **place, **narrow)


def _legend(axes: Any) -> None:
    legend = axes.legend(frameon=False, fontsize=8, ncols=4, loc="upper left")
    for text in legend.get_texts():
        text.set_parse_math(False)


def _colored(tracks: Sequence[Track]) -> list[tuple[Track, str]]:
    return list(zip(tracks[:_NAMED], palette().categories, strict=False))


def _named(track: Track) -> str:
    return cut(drawable(track.segment), _NAME) or "all rows"


def _numbers(values: Sequence[Number]) -> npt.NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _floor(tracks: Sequence[Track]) -> float:
    """The smallest p or alpha there is, but no less than a millionth."""
    known = [v for track in tracks for v in (*track.p, *track.alpha) if v]
    return max(min(known, default=1e-3), _FLOOR)


def _same_alpha(tracks: Sequence[Track]) -> bool:
    return all(list(track.alpha) == list(tracks[0].alpha) for track in tracks)
