"""A comparison of two samples laid out for the page and the picture."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from spaceport.maps.page import drifted
from spaceport.maps.page.drifted import Bar, Scatter, Sheet
from spaceport.monitoring.report import check_ending

if TYPE_CHECKING:
    from spaceport.drift.panel.localization import CellChange
    from spaceport.monitoring.drifting import Drift
    from spaceport.spaces.version import Version

__all__ = ["draw"]

_BARS = 16
_ITEMS = 60
_LEAST = 40  # rows of a map


def draw(found: Drift, path: Path | str) -> None:
    """Write a comparison as a page (``.html``) or a picture (``.png``, ``.svg``).

    Raises
    ------
    ParameterError
        Another ending.
    MissingExtra
        The extra ``maps`` is not installed.
    """
    target = check_ending(path)
    writer = drifted.write_page if target.suffix.lower() == ".html" else drifted.write_picture
    writer(target, sheet(found))


def sheet(found: Drift) -> Sheet:
    """Lay out everything that is shown."""
    where = found.verdict.where
    every = () if where is None else where.cells
    named = () if where is None else where.named()
    level = named[0].level if named else max((cell.level for cell in every), default=0)
    cells = [cell for cell in every if cell.level == level]
    return Sheet(
        old=found.reference.name,
        new=found.current.name,
        findings=[(line[:11].strip(), line[11:]) for line in str(found.verdict).splitlines()],
        bars=[_bar(found, cell, cell in named) for cell in cells[:_BARS]],
        cells=[_HEAD, *([str(value) for value in row.values()] for row in found.cells())],
        items=[("item", "cell", "why", "p of being like the reference"), *_items(found)[:_ITEMS]],
        scatter=_scatter(found),
    )


_HEAD = ("cell", "what", "before", "after", "shift", "p", "for example")


def _bar(found: Drift, cell: CellChange, sure: bool) -> Bar:
    return Bar(found.called(cell), cell.before, cell.after, sure)


def _items(found: Drift) -> list[tuple[str, str, str, str]]:
    where = found.verdict.where
    return [
        (
            item.id,
            found.called(cell),
            item.why,
            "" if item.novelty is None else f"{item.novelty:.3f}",
        )
        for cell in (() if where is None else where.named())
        for item in cell.items
    ]


def _scatter(found: Drift) -> Scatter | None:
    """Both samples on the version's map, or on one that is made of the reference alone."""
    if found.reference.version is not None:
        return _on_map(found.reference.version, found)
    if len(found.rows[0]) < _LEAST:
        return None
    from spaceport.spaces.spaceport import open

    with TemporaryDirectory(prefix="spaceport-map-") as folder:
        port = open(folder)
        return _on_map(
            port.publish("reference", found.ids[0], found.rows[0], metric=found.metric), found
        )


def _on_map(version: Version, found: Drift) -> Scatter:
    from spaceport.spaces.mapping import page
    from spaceport.spaces.newcomers import newcomers

    old = page(version).positions
    new = newcomers(version, old, found.rows[1], found.ids[1])
    return Scatter(old, new.positions, new.p)
