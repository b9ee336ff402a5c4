"""The tables of a monitor's report, out of its verdicts and alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from spaceport.maps.page.watch import Worst
from spaceport.monitoring.health import Finding

if TYPE_CHECKING:
    from spaceport.monitoring.performing import Told
    from spaceport.storage.alarms import Alarm
    from spaceport.storage.monitors import Verdict

__all__ = ["MEASURES", "Table", "alarms", "causes", "health", "performance", "worst"]

Table: TypeAlias = tuple[str, Sequence[str], Sequence[Sequence[str]]]
Names: TypeAlias = Sequence[Sequence[str]]

MEASURES = {
    "moved": "share of the items that moved",
    "changed": "share of the items that changed cells",
}
"""What the effect of a verdict is, by its name in the evidence."""

_SHOWN = 3  # items of a cell
_CELLS = 5  # of a window
_CLASSES = 2


def alarms(found: Sequence[Alarm]) -> list[Table]:
    """All alarms, the newest first; no table where there is none."""
    head = ("alarm", "segment", "state", "windows", "last said")
    rows = [
        (str(a.id), rows_of(a.segment), a.state, ", ".join(a.windows), _said(a))
        for a in reversed(found)
    ]
    return [("Alarms", head, rows)] if rows else []


def causes(verdicts: Sequence[Verdict]) -> list[Table]:
    """Whether the data moved or the model, of the windows of which it was asked."""
    rows = [
        (v.window, str(cause["verdict"]), str(cause["reason"]))
        for v in verdicts
        if (cause := v.evidence.get("cause"))
    ]
    return [("Data or model", ("window", "moved", "why"), rows)] if rows else []


def health(verdicts: Sequence[Verdict]) -> list[Table]:
    """What is wrong with rows, beside those of the reference."""
    rows = [
        (v.window, rows_of(v.segment), str(Finding(**told)))
        for v in verdicts
        for told in v.evidence.get("health", [])
    ]
    return [("Broken vectors", ("window", "segment", "found"), rows)] if rows else []


def performance(found: Told, names: Names) -> list[Table]:
    """How well was predicted by window and segment, the worst cells of the last window, what was predicted."""
    head = (
        "window",
        "segment",
        "labeled",
        "score",
        "beside",
        "change",
        "of it mix",
        "of it within cells",
    )
    scored = [(*_key(key), *_performance(told)) for key, told in found.items()
              if told.get("whole") or told.get("expected")]  # fmt: skip
    tables: list[Table] = [("Performance", head, scored)] if scored else []
    whole = [(window, told) for (window, segment), told in found.items()
             if segment is None and told.get("worst")]  # fmt: skip
    if whole:
        window, last = whole[-1]
        rows = [_cell_score(each, names[-1]) for each in last["worst"]]
        title = f"Cells with the worst {last['measure']} in {window}"
        tables.append((title, ("cell", "labeled", last["measure"]), rows))
    mixed = [(*_key(key), str(told.get("beside", "")), *_predicted(told["classes"])) for key, told in found.items()
             if told.get("classes")]  # fmt: skip
    if mixed:
        columns = ("window", "segment", "beside", "changed", "p", "the most")
        tables.append(("Predicted classes", columns, mixed))
    return tables


def worst(verdicts: Sequence[Verdict], names: Names, texts: Mapping[str, str]) -> list[Worst]:
    """Cells that changed, of the last window that alarmed: those that its verdict names."""
    alarmed = [v for v in verdicts if v.state == "alarm"]
    last = [v for v in alarmed if v.begins == alarmed[-1].begins] if alarmed else []
    found: list[Worst] = []
    for verdict in last[:1]:
        where = verdict.evidence.get("where") or {"cells": [], "rate": 0.0}
        named = [cell for cell in where["cells"] if cell["rate"] <= where["rate"]]
        found += [_worst(verdict.window, cell, names, texts) for cell in named[:_CELLS]]
    return found


def rows_of(segment: str | None) -> str:
    """A segment as people read it."""
    return "all rows" if segment is None else segment or "(none)"


def _said(alarm: Alarm) -> str:
    noted = [event for event in alarm.events if event.note]
    return f"{noted[-1].note} ({noted[-1].who}, {noted[-1].at})" if noted else ""


def _key(key: tuple[str, str | None]) -> Sequence[str]:
    window, segment = key
    return window, rows_of(segment)


def _performance(told: Mapping[str, Any]) -> Sequence[str]:
    labeled = f"{told['labeled']:,} of {told['rows']:,}"
    score, parts = "", ("", "", "")
    if whole := told.get("whole"):
        score = f"{told['measure']} {_interval(whole)}"
    elif guess := told.get("expected"):
        score = f"expected {_interval(guess)}"
    if divided := told.get("split"):
        first, second, third = (
            _interval(divided[name], "+") for name in ("change", "mix", "within")
        )
        parts = (first, second, third)
    return (labeled, score, str(told.get("beside", "")), *parts)


def _predicted(told: Mapping[str, Any]) -> Sequence[str]:
    moves = [
        f"{name[:24]} {then:.1%} → {now:.1%}" for name, then, now in told["classes"][:_CLASSES]
    ]
    return (f"{told['moved']:.1%}", f"{told['p']:.2g}", ", ".join(moves))


def _cell_score(told: Mapping[str, Any], names: Sequence[str]) -> Sequence[str]:
    return (names[int(told["name"])], f"{told['rows']:,}", _interval(told))


def _interval(told: Mapping[str, Any], sign: str = "") -> str:
    """A value with its ends, as far as it has any."""
    value, low, high = (told.get(name) for name in ("value", "low", "high"))
    if value is None:
        return ""
    if low is None and high is None:
        return f"{value:{sign}.3f}"
    ends = [f"{end:{sign}.3f}" if end is not None else "∞" for end in (low, high)]
    return f"{value:{sign}.3f} ({' to '.join(ends)})"


def _worst(window: str, cell: Mapping[str, Any], names: Names, texts: Mapping[str, str]) -> Worst:
    items: dict[str, list[str]] = {"old": [], "new": [], "novel": []}
    for item in cell["items"]:
        items[item["why"]].append(texts.get(item["id"], item["id"]))
    moved = f"moved by {cell['shift'][0]:.2f} of its spread"
    return Worst(
        window=window,
        cell=names[cell["level"]][cell["cell"]],
        how=cell["kind"].replace("moved", moved),
        before=cell["before"][0],
        after=cell["after"][0],
        rate=cell["rate"],
        old=items["old"][:_SHOWN],
        new=items["new"][:_SHOWN],
        novel=items["novel"][:_SHOWN],
    )
