"""Where it happened: every cell tested under the same splits, with false discovery rate control.

A cell has two statistics, its change of share and the shift of the rows inside it (`drift.cells`); the two
are joined to one p-value a cell, and the cells of a level are one family of Benjamini & Hochberg. Cells
with fewer than eight rows in both samples together are not tested. A share is one of a whole: where one cell
gains, others lose.

Of equal p-values that cell comes first whose statistic is furthest out by a Gamma tail with the splits' mean and
variance (the cube root of Wilson & Hilferty 1931), since a p-value cannot be below 1 / (P + 1).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from spaceport.drift._by_cell import count_statistics, shift_statistics
from spaceport.drift._joint import joint
from spaceport.drift._pooled import Double, Pooled
from spaceport.drift.base import p_value
from spaceport.drift.panel.discoveries import adjusted
from spaceport.drift.panel.effects import cell_sides, inside_shift
from spaceport.quality.rates import wilson

__all__ = ["CellChange", "Item", "Localization", "localize"]

RATE = 0.1
_LEAST = 8


@dataclass(frozen=True)
class Item:
    """An item that shows what a cell holds.

    Attributes
    ----------
    id : str
    why : str
        ``old``, ``new`` or ``novel``.
    place : int
        Its row among the sample's rows, for metadata.
    novelty : float, optional
        Conformal p-value of a current item: small where nothing in the reference is like it.
    metadata : dict
    """

    id: str
    why: str
    place: int
    novelty: float | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CellChange:
    """What became of a cell.

    Attributes
    ----------
    level, cell : int
    p : float
        Of share and shift together.
    rate : float
        The false discovery rate at which the cell is named among those of its level.
    kind : str
        ``more`` or ``fewer`` where that is the stronger evidence; else ``moved``, or ``moved and more`` or
        ``moved and fewer`` where the intervals of the shares are apart, too.
    rows : (float, float)
        Reference, current.
    before, after : (float, float, float)
        Share of the rows: value, low and high end of its 95 % interval.
    shift : (float, float, float)
        How far its rows moved, by the cell's own spread: value, low, high, for this cell by itself.
    items : tuple of Item
    """

    level: int
    cell: int
    p: float
    rate: float
    kind: str
    rows: tuple[float, float]
    before: tuple[float, float, float]
    after: tuple[float, float, float]
    shift: tuple[float, float, float]
    items: tuple[Item, ...] = ()


@dataclass(frozen=True)
class Localization:
    """All cells that were tested, the strongest evidence first.

    Attributes
    ----------
    cells : tuple of CellChange
    rate : float
        The false discovery rate that is allowed. Each level has an equal part of it, since the finest at
        which anything is found is the one that is named.
    """

    cells: tuple[CellChange, ...]
    rate: float = RATE

    def named(self, level: int | None = None) -> tuple[CellChange, ...]:
        """The cells that changed: of a level, or of the finest level at which any surely did."""
        levels = len({cell.level for cell in self.cells})
        found = [cell for cell in self.cells if cell.rate * levels <= self.rate]
        if level is None:
            level = max((cell.level for cell in found), default=0)
        return tuple(cell for cell in found if cell.level == level)

    def line(self, most: int) -> str:
        """The first few named cells as one line."""
        found = self.named()
        told = [
            f"cell {each.cell} {each.kind} ({each.before[0]:.1%} → {each.after[0]:.1%})"
            for each in found[:most]
        ]
        more = f", {len(found) - most} more" if len(found) > most else ""
        return (", ".join(told) + more) if told else "no cell is surely another"

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        return asdict(self)

    def write_items(self, path: str | Path) -> Path:
        """Write the named cells' current items as Parquet, for relabeling; see `relabeling.write`."""
        from spaceport.drift.panel.relabeling import write

        return write(self.named(), path)


def localize(pooled: Pooled, rate: float = RATE) -> Localization:
    """Test every cell of every level; see the module.

    Parameters
    ----------
    pooled : Pooled
    rate : float
        The false discovery rate that is allowed.
    """
    every: list[CellChange] = []
    for level in range(len(pooled.basis.cells)):
        every += _level(pooled, level)
    return Localization(tuple(every), rate)


def _level(pooled: Pooled, level: int) -> list[CellChange]:
    counts = count_statistics(pooled, level)
    shifts = shift_statistics(pooled, level, all_cells=True)
    n, m = pooled.splits.rows
    totals = pooled.pooled_mean(f"cells{level}") * (n + m)
    tested = np.flatnonzero(totals >= _LEAST)
    together = [joint([counts[:, cell], shifts[:, cell]]) for cell in tested]
    p = np.array([p_value(statistic) for statistic in together])
    far_counts, far_shifts = _far(counts[:, tested]), _far(shifts[:, tested])
    rates = adjusted(p)
    sides = {cell: (here, there) for cell, here, there in cell_sides(pooled, level)}
    found = []
    for place in np.lexsort((-np.maximum(far_counts, far_shifts), p)):
        cell = int(tested[place])
        here, there = sides[cell]
        before, after = _share(here.rows, n), _share(there.rows, m)
        found.append(
            CellChange(
                level,
                cell,
                float(p[place]),
                float(rates[place]),
                _kind(far_counts[place] >= far_shifts[place], before, after),
                (here.rows, there.rows),
                before,
                after,
                inside_shift(here, there),
            )
        )
    return found


def _kind(
    counted: bool, before: tuple[float, float, float], after: tuple[float, float, float]
) -> str:
    """What happened to a cell; `counted` where its share is the stronger evidence."""
    way = "more" if after[0] > before[0] else "fewer"
    if counted:
        return way
    apart = after[1] > before[2] or after[2] < before[1]
    return f"moved and {way}" if apart else "moved"


def _share(rows: float, total: int) -> tuple[float, float, float]:
    low, high = wilson(rows, total)
    return rows / total, float(low), float(high)


def _far(statistics: Double) -> Double:
    """How far out the observed split is, as a normal deviate, (cells,)."""
    mean, variance = statistics.mean(axis=0), statistics.var(axis=0)
    known = (mean > 0) & (variance > 0)
    safe = np.where(known, mean, 1)
    spread = np.where(known, variance, 1) / (9 * safe**2)  # 2 / (9 k), k = 2 mean^2 / variance
    roots = np.cbrt(statistics[0] / safe)
    return np.where(known, (roots - (1 - spread)) / np.sqrt(spread), -np.inf)
