"""What moved between cells, and what moved within them.

::

    counts:  T = sum_c (share of current in c - share of reference in c)^2 / pooled share of c
    shift:   T = max_c standardized( n_a n_b / (n_a + n_b) ||mean(current in c) - mean(reference in c)||^2 )

at each resolution of the cells, joined under the same splits. The second is a centroid distance made
local: when one cluster of forty moves, the mean of all rows hardly does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from spaceport.arrays import Matrix
from spaceport.drift._joint import joint, standardized
from spaceport.drift._pooled import Double, Pooled
from spaceport.drift.base import DriftTest
from spaceport.threads import one_thread

__all__ = ["Cells", "count_statistics", "shift_statistics"]

LEAST_ROWS = 15


class Cells(DriftTest):
    """Compares the shares of the cells and the means inside them; names the place.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> centers = 9 * rng.standard_normal((6, 5))
    >>> here, there = (centers[rng.integers(0, 6, n)] + rng.standard_normal((n, 5)) for n in (400, 200))
    >>> there[:60] = centers[0] + rng.standard_normal((60, 5))
    >>> Cells()(here, there).p
    0.001
    """

    modality: ClassVar[str] = "vectors"

    def statistics(self, pooled: Pooled) -> Double:
        """Counts and shifts of every level, joined, (P + 1,)."""
        members = []
        for level in range(len(pooled.basis.cells)):
            members.append(count_statistics(pooled, level).sum(axis=1))
            shifts = shift_statistics(pooled, level)
            if shifts.shape[1]:
                members.append(standardized(shifts).max(axis=1))
        return joint(members)


def count_statistics(pooled: Pooled, level: int) -> Double:
    """Squared change of each cell's share over its pooled share, (P + 1, c)."""
    shares = pooled.pooled_mean(f"cells{level}")
    changes: Double = np.square(pooled.differences(f"cells{level}"))
    return changes / np.where(shares > 0, shares, np.inf)


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
        return np.einsum("is,is->s", products, weights, dtype=np.float64)
    return np.square(centered.T @ weights).sum(axis=0, dtype=np.float64)
