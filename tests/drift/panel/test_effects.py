"""Effects: their intervals hold the truth as often as they say, at zero and beyond."""

from __future__ import annotations

import numpy as np
import pytest

from drift.panel.worlds import BASIS, CENTERS, clustered
from spaceport.drift._pooled import Pooled
from spaceport.drift.panel import effects
from spaceport.drift.sketches.sketch import Sketch

RUNS = 200
LEAST = 0.95 - 3 * np.sqrt(0.95 * 0.05 / RUNS)


def pooled(X: np.ndarray, Y: np.ndarray) -> Pooled:
    return Pooled.of_rows(X, Y, permutations=1, basis=BASIS)


def naive(apart: np.ndarray, noise: np.ndarray) -> tuple[float, float]:
    """The saboteur: the length that was seen, with a normal interval about it."""
    seen = np.linalg.norm(apart)
    half = 1.96 * np.sqrt(apart @ noise @ apart) / seen
    return max(0.0, seen - half), seen + half


@pytest.mark.parametrize("truth", [0.0, 0.3, 2.0])
def test_lengths_are_held(truth: float) -> None:
    rng = np.random.default_rng(3)
    scales = np.arange(1, 31) ** -0.5
    noise = np.diag(0.01 * scales**2)
    seen = rng.standard_normal((1000, 30)) * 0.1 * scales
    seen[:, 4] += truth
    ends = np.array([effects.length(row, noise) for row in seen])
    held = np.mean((ends[:, 0] <= truth) & (truth <= ends[:, 2]))
    assert 0.93 <= held <= 0.98
    assert np.sqrt(np.mean(ends[:, 1] ** 2)) == pytest.approx(truth, abs=0.1)
    if truth < 1:
        sabotaged = np.array([naive(row, noise) for row in seen])
        assert np.mean((sabotaged[:, 0] <= truth) & (truth <= sabotaged[:, 1])) < 0.9


@pytest.mark.parametrize("moved", [0.0, 0.1, 0.4])
def test_changed_cells_are_held(moved: float) -> None:
    after = np.full(12, 1 / 12)
    after[0] += moved
    after[1:] -= moved / 11
    held = 0
    for run in range(RUNS):
        rng = np.random.default_rng(run)
        both = pooled(clustered(rng, 600)[0], clustered(rng, 300, after)[0])
        found = effects.changed(both, 1, run)
        held += found.low <= moved <= found.high
        assert found.low <= found.value <= found.high
    assert held / RUNS >= LEAST


@pytest.mark.parametrize("far", [0.0, 0.5])
def test_shifts_of_mean_and_cell_are_held(far: float) -> None:
    mean = within = 0
    for run in range(RUNS):
        rng = np.random.default_rng(run)
        (X, _), (Y, whose) = clustered(rng, 600), clustered(rng, 300)
        Y[whose == 3, 2] += far * 0.5 * np.sqrt(6)
        both = pooled(X, Y)
        spread = np.sqrt(6 * 0.25 + np.square(CENTERS - CENTERS.mean(axis=0)).sum() / 12)
        truth = far * 0.5 * np.sqrt(6) / 12 / spread
        found = effects.mean_shift(both)
        mean += found.low <= truth <= found.high
        inside = effects.within_cells(both, 1)
        assert inside is not None
        within += inside.low <= (far if inside.cell == 3 else 0) <= inside.high
    assert mean / RUNS >= LEAST
    assert within / RUNS >= LEAST


def test_the_cell_that_moved_is_named_in_units_of_its_spread() -> None:
    rng = np.random.default_rng(0)
    (X, _), (Y, whose) = clustered(rng, 2000), clustered(rng, 2000)
    Y[whose == 3, 2] += 0.8 * 0.5 * np.sqrt(6)
    found = effects.within_cells(pooled(X, Y), 1)
    assert found is not None
    assert found.cell == 3
    assert found.value == pytest.approx(0.8, abs=0.12)


def test_blocks_say_what_rows_say() -> None:
    rng = np.random.default_rng(0)
    after = np.full(12, 0.8 / 11)
    after[0] = 0.2
    (X, _), (Y, whose) = clustered(rng, 20000), clustered(rng, 20000, after)
    Y[whose == 3, 2] += 0.5
    rows = pooled(X, Y)
    sketches = [Sketch.of(BASIS, side) for side in (X, Y)]
    blocks = Pooled.of_sketches(*sketches, permutations=1)
    assert blocks.rows is None
    for effect in (lambda p: effects.changed(p, 1), effects.mean_shift):
        a, b = effect(rows), effect(blocks)
        assert b.value == pytest.approx(a.value, rel=0.1)
        assert b.high - b.low == pytest.approx(a.high - a.low, rel=0.5)
    ours, theirs = effects.within_cells(rows, 1), effects.within_cells(blocks, 1)
    assert ours is not None
    assert theirs is not None
    assert ours.cell == theirs.cell == 3
    assert theirs.value == pytest.approx(ours.value, rel=0.15)


def test_equal_samples_have_no_effect() -> None:
    X, _ = clustered(np.random.default_rng(0), 100)
    both = pooled(X, X)
    assert effects.changed(both, 1).high == 0
    assert effects.mean_shift(both).low == 0
