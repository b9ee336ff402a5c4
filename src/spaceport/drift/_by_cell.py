"""The statistics of single cells: how far its share changed, and how far the rows inside it moved."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from spaceport.arrays import Matrix
from spaceport.drift._pooled import Double, Pooled
from spaceport.threads import one_thread

__all__ = ["count_statistics", "shift_statistics"]

LEAST_ROWS = 15


def count_statistics(pooled: Pooled, level: int) -> Double:
    """Squared change of each cell's share over its pooled share, (P + 1, c)."""
    shares = pooled.pooled_mean(f"cells{level}")
    changes: Double = np.square(_changes(pooled, f"cells{level}"))
    return changes / np.where(shares > 0, shares, np.inf)


def _changes(pooled: Pooled, name: str) -> Double:
    """Change of each cell's share, (P + 1, c): from counts, so that equal counts give equal numbers."""
    splits = pooled.splits
    if splits.turned is not None:
        return pooled.differences(name)
    sums = pooled.sums(name)
    inside = (splits.inside @ sums).astype(np.float64)  # (P + 1, c)
    outside = sums.sum(axis=0, dtype=np.float64) - inside
    changes: Double = inside / _rows(inside) - outside / _rows(outside)
    return changes


def _rows(counts: Double) -> Double:
    rows: Double = counts.sum(axis=1, keepdims=True)
    return rows


def shift_statistics(pooled: Pooled, level: int, all_cells: bool = False) -> Double:
    """Squared distance of the cells' means, weighted by their rows, (P + 1, cells with enough rows).

    With `all_cells` there is a column for every cell, zero where there are too few rows.
    """
    n, m = pooled.splits.rows
    name = f"cells{level}"
    totals = pooled.pooled_mean(name) * (n + m)
    counts = np.clip(pooled.current_mean(name) * m, 1, np.maximum(totals - 1, 1))  # (P + 1, c)
    found = np.zeros_like(counts)
    for cell, moved in _moved(pooled, level):
        inside = counts[:, cell]
        weight = totals[cell] / (inside * np.maximum(totals[cell] - inside, 1))
        found[:, cell] = moved * weight * (n * m / (n + m)) ** 2
    enough = totals >= LEAST_ROWS
    return np.where(enough, found, 0) if all_cells else found[:, enough]


def _moved(pooled: Pooled, level: int) -> Iterator[tuple[int, Double]]:
    """Give (cell, squared length of its shift under each split); see `Pooled.shifts`."""
    if pooled.rows is None:
        for cell, apart in pooled.shifts(level):
            yield cell, np.square(apart).sum(axis=1)
        return
    cells = pooled.cells(level)
    weights = np.ascontiguousarray(pooled.splits.weights.T)  # (u, P + 1)
    with one_thread():  # the products are small
        for cell in np.unique(cells):
            inside = np.flatnonzero(cells == cell)
            rows = pooled.rows[inside]
            yield int(cell), _squares(rows - rows.mean(axis=0), weights[inside])


def _squares(centered: Matrix, weights: Matrix) -> Double:
    """|w X|^2 for each column w of the weights: by way of X X' where that is smaller than X."""
    n, d = centered.shape
    if n <= d:
        products = (centered @ centered.T) @ weights  # (n, P + 1)
        squares: Double = np.einsum("is,is->s", products, weights, dtype=np.float64)
    else:
        squares = np.square(centered.T @ weights).sum(axis=0, dtype=np.float64)
    return squares
