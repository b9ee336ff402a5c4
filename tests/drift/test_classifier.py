"""The held-out discriminant beside scikit-learn's parts, learnt anew for each split; its interval's coverage."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.covariance import ledoit_wolf
from sklearn.metrics import roc_auc_score

from spaceport.drift._order import by_content
from spaceport.drift._pooled import Pooled
from spaceport.drift.classifier import Classifier, area_interval
from spaceport.drift.kernels.ranks import areas


def theirs(rows: np.ndarray, inside: np.ndarray, seed: int = 0) -> float:
    """By definition: one solve and one ranking for each half of each split."""
    order = by_content(rows, seed)
    halves = order[::2], order[1::2]
    found = []
    for learnt, judged in (halves, halves[::-1]):
        X, y = rows[learnt].astype(float), inside[learnt]
        shrunk = ledoit_wolf(X)[0]
        direction = np.linalg.solve(shrunk, X[y].mean(axis=0) - X[~y].mean(axis=0))
        found.append(roc_auc_score(inside[judged], rows[judged] @ direction))
    return float(np.mean(found))


@pytest.mark.parametrize(("n", "m", "d"), [(120, 80, 6), (50, 30, 90)])
def test_it_is_learnt_anew_for_every_split(n: int, m: int, d: int) -> None:
    rng = np.random.default_rng(0)
    scales = np.linspace(3, 0.5, d)
    here, there = (rng.standard_normal((count, d)) * scales for count in (n, m))
    pooled = Pooled.of_rows(here, there + 0.2, 9, seed=4)
    wanted = [theirs(pooled.rows, inside) for inside in pooled.splits.inside]
    assert Classifier().statistics(pooled) == pytest.approx(wanted, abs=0.002)
    assert Classifier().area(pooled)[0] == pytest.approx(wanted[0], abs=0.002)


def test_equal_scores_count_half() -> None:
    rng = np.random.default_rng(0)
    here, there = (rng.integers(0, 2, (count, 1)).astype(float) for count in (90, 70))
    pooled = Pooled.of_rows(here, there, 9)
    wanted = [theirs(pooled.rows, inside) for inside in pooled.splits.inside]
    assert Classifier().statistics(pooled) == pytest.approx(wanted, abs=1e-9)


def test_what_rounding_leaves_between_equal_rows_is_no_order() -> None:
    scores = np.float32([[0, 1, 1 + 1e-7, 1 + 2e-7, 3]])  # the middle three are one row's
    assert scores[0, 2] > scores[0, 1]
    inside = np.array([[False, True, False, False, True]])
    found = areas(scores, np.argsort(scores, axis=1), inside)
    assert found == pytest.approx([(1 + 0.5 + 0.5 + 3) / 6])


def test_the_chunks_of_splits_make_no_difference(monkeypatch) -> None:
    rng = np.random.default_rng(0)
    pooled = Pooled.of_rows(rng.standard_normal((60, 5)), rng.standard_normal((40, 5)), 30)
    whole = Classifier().statistics(pooled)
    monkeypatch.setattr(sys.modules["spaceport.drift.classifier"], "_SCORES", 200)
    assert Classifier().statistics(pooled) == pytest.approx(whole, abs=1e-12)


@pytest.mark.parametrize("area", [0.55, 0.75, 0.97])
@pytest.mark.parametrize(("n", "m"), [(60, 40), (300, 30)])
def test_the_interval_covers_the_true_area(area: float, n: int, m: int) -> None:
    rng = np.random.default_rng(0)
    apart, runs, held = np.sqrt(2) * norm.ppf(area), 600, 0
    for _ in range(runs):
        x, y = rng.standard_normal(n), rng.standard_normal(m) + apart
        found = float((y[:, None] > x).mean())
        low, high = area_interval(found, n, m)
        held += low <= area <= high
    assert 0.92 <= held / runs <= 0.995  # nominally .95; three standard errors are .027


@pytest.mark.parametrize("apart", [0.0, 0.7])
def test_the_cross_fitted_area_is_covered(apart: float) -> None:
    """The truth is the mean of what both halves' directions tell of fresh rows; in closed form here.

    Taken for as sure as all rows would make it, 132 of 150 intervals held it.
    """
    rng = np.random.default_rng(1)
    runs, held = 120, 0
    for run in range(runs):
        rows = rng.standard_normal((250, 20))
        rows[150:, 0] += apart
        pooled = Pooled.of_rows(rows[:150], rows[150:], 1, seed=run)
        order, true = by_content(pooled.rows, 0), []
        for half in (order[::2], order[1::2]):
            X, y = pooled.rows[half].astype(float), pooled.splits.current[half]
            w = np.linalg.solve(ledoit_wolf(X)[0], X[y].mean(axis=0) - X[~y].mean(axis=0))
            true.append(norm.cdf(w[0] * apart / np.linalg.norm(w) / np.sqrt(2)))
        _, low, high = Classifier().area(pooled)
        held += low <= np.mean(true) <= high
    assert held / runs >= 0.89  # three standard errors under .95


def test_areas_at_the_ends_have_intervals_too() -> None:
    low, high = area_interval(1.0, 50, 40)
    assert 0.85 < low < 0.97
    assert high == 1
    assert area_interval(0.0, 50, 40) == pytest.approx((1 - high, 1 - low), abs=1e-4)


def test_without_drift_the_area_is_one_half_and_not_more() -> None:
    """Judged on what it learnt from it would be .7 and more: 100 rows, 60 dimensions."""
    rng = np.random.default_rng(0)
    found = [
        Classifier().statistics(
            Pooled.of_rows(rng.standard_normal((60, 60)), rng.standard_normal((40, 60)), 1, seed)
        )[0]
        for seed in range(20)
    ]
    assert np.mean(found) == pytest.approx(0.5, abs=0.05)
