"""Is the planted place named first, and how many of the named cells are false; both are measured.

    python -m benchmarks.drift.localization [--runs 100] [--permutations 999]

Forty clusters on a sphere of 384 dimensions, reference 1,000, window 500; forty fine cells of the pool.
``none``: nothing happens, and `named` is how often any cell is. ``one moves``: the rows of one cluster move by
.9; a named cell is true where it holds rows of that cluster, of before or after, and `first` counts where the
first is one that holds most of either. ``two swap``: one cluster is no more, and another is twice as common.
Of the cells that are named, `false` is the mean share that hold nothing planted: at most the rate that is
allowed. `false, by` is the same with the factor of Benjamini & Yekutieli.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np

from benchmarks.tables import table
from spaceport.drift._pooled import Pooled
from spaceport.drift.panel.comparing import judge
from spaceport.drift.panel.localization import RATE, CellChange, localize

Row = dict[str, Any]

D, CLUSTERS, N, M = 384, 40, 1000, 500
SCALES = np.arange(1, D + 1) ** -0.5


def run(runs: int = 100, permutations: int = 999) -> list[Row]:
    """A row for each change."""
    rows = []
    for change in ("none", "one moves", "two swap"):
        rows.append({"change": change, "runs": runs, **measured(change, runs, permutations)})
        print(json.dumps(rows[-1]), flush=True)
    return rows


def measured(change: str, runs: int, permutations: int) -> Row:
    """Counts over the runs."""
    alarms, named, first, false, strict = [], [], [], [], []
    factor = np.log(CLUSTERS) + np.euler_gamma
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        rows, planted = drawn(change, rng)
        pooled = Pooled.of_rows(rows[:N], rows[N:], permutations, seed)
        cells = pooled.cells(len(pooled.basis.cells) - 1)
        there = held(cells, planted)
        found = localize(pooled).named()
        alarms.append(judge(pooled).drift)
        named.append(bool(found))
        if found and alarms[-1]:
            first.append(found[0].cell in most(cells, planted))
        false.append(share(found, there))
        strict.append(share([c for c in found if c.rate * factor <= RATE], there))
    return {
        "alarms": float(np.mean(alarms)),
        "named": float(np.mean(named)),
        "first": float(np.mean(first)) if first and change != "none" else None,
        "false": float(np.mean(false)),
        "false, by": float(np.mean(strict)),
    }


def drawn(change: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rows of both, and which are planted: of clusters to which something happens, on either side."""
    centers = 0.6 * rng.standard_normal((CLUSTERS, D)) * SCALES
    whose = rng.integers(0, CLUSTERS, N + M)
    current = np.arange(N + M) >= N
    touched = [3, 7] if change == "two swap" else [3] if change == "one moves" else []
    if change == "two swap":
        weights = np.ones(CLUSTERS)
        weights[3], weights[7] = 0, 2
        whose[N:] = rng.choice(CLUSTERS, M, p=weights / CLUSTERS)
    rows = centers[whose] + 0.5 * rng.standard_normal((N + M, D)) * SCALES
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    if change == "one moves":
        way = rng.standard_normal(D)
        rows[current & (whose == 3)] += 0.9 * way / np.linalg.norm(way)
    return rows, np.isin(whose, touched)


def held(cells: np.ndarray, planted: np.ndarray) -> set[int]:
    """Cells that hold planted rows."""
    return set(cells[planted].tolist())


def most(cells: np.ndarray, planted: np.ndarray) -> set[int]:
    """The cell that holds most of them, before and after."""
    current = np.arange(len(cells)) >= N
    sides = (cells[planted & side] for side in (~current, current))
    return {int(np.bincount(side).argmax()) for side in sides if len(side)}


def share(found: list[CellChange] | tuple[CellChange, ...], there: set[int]) -> float:
    """Of the named cells, those that hold nothing planted."""
    return sum(cell.cell not in there for cell in found) / max(len(found), 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--permutations", type=int, default=999)
    asked = parser.parse_args()
    print(table(run(asked.runs, asked.permutations)))
