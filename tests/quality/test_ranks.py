"""Rank correlations of many samples at once against SciPy's, one sample after another."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cosine
from scipy.stats import spearmanr

from spaceport.quality.ranks import cosines, rank_correlations, resampled_correlations


@pytest.mark.parametrize("values", [3, 20, 10**6])
def test_as_scipy_where_pairs_stand_several_times(values: int) -> None:
    rng = np.random.default_rng(values)
    x = rng.integers(0, values, 60)
    y = x + rng.integers(0, values, 60)
    times = rng.multinomial(60, np.full(60, 1 / 60), 8)
    wanted = [spearmanr(np.repeat(x, k), np.repeat(y, k)).statistic for k in times]
    assert rank_correlations(x, y, times) == pytest.approx(wanted, abs=1e-12)
    assert rank_correlations(x, y)[0] == pytest.approx(spearmanr(x, y).statistic, abs=1e-12)


def test_ranks_not_values_count() -> None:
    x = np.random.default_rng(0).normal(size=40)
    assert rank_correlations(x, np.exp(5 * x))[0] == pytest.approx(1)
    assert np.corrcoef(x, np.exp(5 * x))[0, 1] < 0.9


def test_nothing_varies() -> None:
    assert rank_correlations([1, 1, 1], [1, 2, 3]).tolist() == [0]


def test_samples_are_drawn_with_replacement_and_alike_for_all_rows() -> None:
    rng = np.random.default_rng(1)
    y = rng.normal(size=50)
    rows = np.stack([y + rng.normal(size=50), y, y + rng.normal(size=50)])
    drawn = resampled_correlations([*rows, rows[0]], y, draws=250, seed=3)
    assert drawn.shape == (4, 250)
    assert (drawn[0] == drawn[3]).all()
    assert drawn[1] == pytest.approx(1)
    assert len(set(drawn[0].tolist())) > 240
    assert (resampled_correlations(rows, y, draws=250, seed=4) != drawn[:3])[0].all()


def test_their_middle_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    rho = 0.6
    truth = 6 / np.pi * np.arcsin(rho / 2)  # Spearman's of a normal pair, Pearson 1907
    covered = []
    for seed in range(200):
        x = rng.normal(size=150)
        y = rho * x + np.sqrt(1 - rho**2) * rng.normal(size=150)
        low, high = np.percentile(resampled_correlations([x], y, 200, seed), [2.5, 97.5])
        covered.append(low <= truth <= high)
    assert 0.89 < np.mean(covered) < 0.99


def test_cosines_row_by_row() -> None:
    X, Y = np.random.default_rng(0).normal(size=(2, 9, 5))
    assert cosines(3 * X, Y) == pytest.approx(
        [1 - cosine(x, y) for x, y in zip(X, Y, strict=True)], abs=1e-6
    )
    assert cosines(np.zeros((1, 3)), np.ones((1, 3))).tolist() == [0]
