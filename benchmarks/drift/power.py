"""How often the panel finds what was planted, beside the kernel test that others run.

    python -m benchmarks.drift.power [--runs 100] [--permutations 199] [--only "new cluster, 5 %" ...]

The mixture of MMD-FUSE (two dimensions, n = 500, one of four deviations is 1.4 or 2; published: FUSE .905 and
MMDAgg .945 at 2), and clusters on a sphere of 384 dimensions (reference 1,000, window 500). `median` is the
exact MMD with one Gaussian kernel of the median distance, under the same number of splits. `with frechet`
is the panel with a fourth member.
"""

from __future__ import annotations

import argparse
import json
from functools import partial
from typing import Any

import numpy as np

from benchmarks.drift.worlds import World, mixture, sphere
from benchmarks.tables import table
from spaceport.drift._pooled import Pooled
from spaceport.drift.panel.comparing import PANEL, judge

Row = dict[str, Any]

RUNS, PERMUTATIONS = 100, 199
WIDER = (*PANEL, "frechet")

CASES: dict[str, World] = {
    "mixture, no drift": partial(mixture, spread=1.0),
    "mixture, deviation 1.4": partial(mixture, spread=1.4),
    "mixture, deviation 2": partial(mixture, spread=2.0),
    "no drift": sphere,
    "one of 40 clusters moves": partial(sphere, change="moved 40"),
    "new cluster, 5 %": partial(sphere, change="new"),
    "mean by .15": partial(sphere, change="mean"),
    "mix of the clusters": partial(sphere, change="mix"),
    "spread by 10 %": partial(sphere, change="spread"),
}


def run(
    runs: int = RUNS, permutations: int = PERMUTATIONS, only: tuple[str, ...] = ()
) -> list[Row]:
    """A row for each change."""
    rows = []
    for name, world in CASES.items():
        if not only or name in only:
            rows.append({"change": name, "runs": runs, **powers(world, runs, permutations)})
            print(json.dumps(rows[-1]), flush=True)
    return rows


def powers(world: World, runs: int, permutations: int) -> Row:
    """Shares of the runs in which there is an alarm at .05."""
    found: dict[str, list[float]] = {}
    for seed in range(runs):
        reference, current = world(np.random.default_rng(seed))
        pooled = Pooled.of_rows(reference, current, permutations, seed)
        verdict, wider = judge(pooled), judge(pooled, tests=WIDER)
        told = {each.test.removesuffix("()"): each.p <= 0.05 for each in wider.evidence}
        told |= {"panel": verdict.drift, "with frechet": wider.drift, "median": median(pooled)}
        for way, alarm in told.items():
            found.setdefault(way, []).append(float(alarm))
    return {way: float(np.mean(alarms)) for way, alarms in found.items()}


def median(pooled: Pooled) -> bool:
    """The exact MMD with the median distance as the one bandwidth."""
    rows = np.asarray(pooled.rows, np.float64)
    lengths = np.square(rows).sum(axis=1)
    squares = np.maximum(lengths[:, None] + lengths - 2 * rows @ rows.T, 0)
    kernel = np.exp(-squares / (2 * np.median(squares[np.triu_indices(len(rows), 1)])))
    weights = pooled.splits.weights.astype(np.float64)
    statistics = np.einsum("pu,pu->p", weights @ kernel, weights)
    return float(np.mean(statistics >= statistics[0])) <= 0.05


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--permutations", type=int, default=PERMUTATIONS)
    parser.add_argument("--only", nargs="*", default=())
    asked = parser.parse_args()
    print(table(run(asked.runs, asked.permutations, tuple(asked.only))))
