"""Cells beside loops; the place that moved stands out."""

from __future__ import annotations

import numpy as np
import pytest

from spaceport.drift._by_cell import _moved, count_statistics, shift_statistics
from spaceport.drift._joint import standardized
from spaceport.drift._pooled import Pooled
from spaceport.drift.cells import Cells


def sampled(seed: int = 0, d: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    centers = 6 * rng.standard_normal((4, d))
    here, there = (centers[rng.integers(0, 4, n)] + rng.standard_normal((n, d)) for n in (300, 200))
    return here, there


@pytest.mark.parametrize("d", [6, 200])
def test_shifts_are_distances_of_the_means_in_every_split(d: int) -> None:
    pooled = Pooled.of_rows(*sampled(d=d), 8, seed=1)
    n, m = pooled.splits.rows
    for level in (0, 1):
        cells, rows = pooled.cells(level), pooled.rows.astype(float)
        found = shift_statistics(pooled, level, all_cells=True)
        counts = count_statistics(pooled, level)
        for cell in np.unique(cells):
            here = cells == cell
            centered = rows[here] - rows[here].mean(axis=0)
            for split, inside in enumerate(pooled.splits.inside):
                a = int((inside & here).sum())
                b = int(here.sum()) - a
                shares = a / m - b / n
                assert counts[split, cell] == pytest.approx(
                    shares**2 / here.mean(), rel=1e-3, abs=1e-7
                )
                if here.sum() < 15 or min(a, b) < 1:
                    continue
                weights = np.where(inside[here], 1 / m, -1 / n)
                moved = weights @ centered * n * m / (n + m)
                wanted = moved @ moved * (a + b) / (a * b)
                assert found[split, cell] == pytest.approx(wanted, rel=2e-3, abs=1e-6)


def test_shifts_of_rows_are_those_that_the_pool_gives() -> None:
    pooled = Pooled.of_rows(*sampled(), 8, seed=1)
    found = dict(_moved(pooled, 0))
    for cell, apart in pooled.shifts(0):
        assert found[cell] == pytest.approx(np.square(apart).sum(axis=1), rel=1e-3)


def test_the_cell_that_moved_comes_first() -> None:
    first = 0
    for seed in range(10):
        here, there = sampled(seed)
        near = np.linalg.norm(there - there[0], axis=1) < 6
        there[near] += 0.6
        pooled = Pooled.of_rows(here, there, 999, seed=1)
        assert Cells().evidence(pooled).p <= 0.05
        moved = shift_statistics(pooled, 0, all_cells=True)
        first += standardized(moved)[0].argmax() in pooled.cells(0)[300:][near]
    assert first >= 9
