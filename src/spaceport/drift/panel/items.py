"""Items that show what happened in a cell: what was there, what came, and what nothing was like.

old: nearest to the cell's centroid in the reference; new: nearest to the mean of the current rows in the cell;
novel: current rows with the smallest conformal p-values (`drift._conformal`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spaceport.drift._conformal import conformal
from spaceport.drift.panel.given import Given
from spaceport.drift.panel.localization import CellChange, Item, Localization

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Tables", "shown"]

Tables = tuple["pa.Table | None", "pa.Table | None"]
Places = npt.NDArray[np.intp]

EACH = 3
_NEIGHBORS = 10
_COMPARED = 4_096


def shown(
    where: Localization,
    given: Given,
    metadata: Tables = (None, None),
    each: int = EACH,
    seed: int = 0,
) -> Localization:
    """Give the named cells their items: `each` of every kind, with their metadata."""
    names = {
        id(cell) for level in {cell.level for cell in where.cells} for cell in where.named(level)
    }
    basis = given.pooled.basis
    cells = {
        cell.level: basis.assign(given.rows, cell.level)
        for cell in where.cells
        if id(cell) in names
    }
    reference = np.flatnonzero(~given.current)[:_COMPARED]

    def filled(cell: CellChange) -> CellChange:
        inside = cells[cell.level] == cell.cell
        old, now = (np.flatnonzero(inside & side) for side in (~given.current, given.current))
        novelty = _novelty(given, reference, now, seed)
        middle = basis.cells[cell.level][cell.cell]
        chosen: list[tuple[int, str, float | None]] = [
            (place, "old", None) for place in _nearest(given, old, middle)[:each]
        ]
        near = _nearest(given, now, given.rows[now].mean(axis=0) if len(now) else middle)[:each]
        chosen += [(place, "new", float(novelty[now == place][0])) for place in near]
        order = np.argsort(novelty, kind="stable")[:each]
        chosen += [(now[place], "novel", float(novelty[place])) for place in order]
        return replace(cell, items=tuple(_item(given, metadata, *told) for told in chosen))

    every = tuple(filled(cell) if id(cell) in names else cell for cell in where.cells)
    return replace(where, cells=every)


def _novelty(given: Given, reference: Places, now: Places, seed: int) -> npt.NDArray[np.float64]:
    """Conformal p-values of current rows, by angle in a cosine space."""
    neighbors = min(_NEIGHBORS, len(reference) // 2)
    if neighbors < 1 or not len(now):
        return np.ones(len(now))
    metric = given.pooled.basis.metric
    return conformal(given.rows[reference], given.rows[now], neighbors, metric, seed)


def _nearest(given: Given, places: Places, middle: npt.NDArray[Any]) -> Places:
    """Places by their distance to a point, nearest first."""
    apart = np.linalg.norm(given.rows[places] - middle, axis=1)
    ordered: Places = places[np.argsort(apart, kind="stable")]
    return ordered


def _item(given: Given, metadata: Tables, place: int, why: str, novelty: float | None) -> Item:
    row = int(given.places[place])
    table = metadata[int(given.current[place])]
    told = {} if table is None or row < 0 else table.slice(row, 1).to_pylist()[0]
    return Item(given.ids[place], why, row, novelty, told)
