"""Runs and tails beside loops over all pairs; planted new clusters and single outliers."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from spaceport.drift._pooled import Pooled
from spaceport.drift.novelty import Novelty, _neighbors, runs_and_tails


def theirs(rows: np.ndarray, inside: np.ndarray) -> tuple[float, float]:
    """By definition, over all pairs."""
    far = np.linalg.norm(rows[:, None] - rows[None], axis=2)
    np.fill_diagonal(far, np.inf)
    nearest = np.where(inside, np.inf, far).min(axis=1)
    runs = ((far < nearest[:, None]) & inside).sum(axis=1)
    ranks = nearest.argsort().argsort() + 1
    tails = -np.log(1 - (ranks - 0.5) / len(rows))
    return float(runs[inside].sum()), float(tails[inside].sum())


def test_runs_and_tails_are_what_all_pairs_give() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((70, 3)).astype(np.float32)
    inside = np.stack([rng.permutation(np.arange(70) < 20) for _ in range(12)])
    runs, tails = runs_and_tails(rows, inside)
    wanted = np.array([theirs(rows.astype(float), split) for split in inside])
    assert runs == pytest.approx(wanted[:, 0])
    assert tails == pytest.approx(wanted[:, 1])


def test_the_chunks_of_splits_make_no_difference(monkeypatch) -> None:
    rng = np.random.default_rng(0)
    pooled = Pooled.of_rows(rng.standard_normal((60, 5)), rng.standard_normal((40, 5)), 30)
    whole = Novelty().statistics(pooled)
    monkeypatch.setattr(sys.modules["spaceport.drift.novelty"], "_WALKS", 250)
    assert np.array_equal(Novelty().statistics(pooled), whole)


def test_equally_near_rows_make_no_runs() -> None:
    rows = np.zeros((12, 2), np.float32)
    rows[6:, 0] = 5
    inside = np.array([[True, False] * 6])  # each place holds both kinds
    assert runs_and_tails(rows, inside)[0] == [0]


def test_enough_neighbors_that_one_is_of_the_reference() -> None:
    for share in (0.12, 0.5, 0.9):
        k = _neighbors(np.arange(1000)[None] < 1000 * share)
        assert share**k <= 1e-4 < share ** (k - 1)
    assert _neighbors(np.arange(1000)[None] < 999) == 256


def clustered(rng: np.random.Generator, count: int, centers: np.ndarray) -> np.ndarray:
    return centers[rng.integers(0, len(centers), count)] + rng.standard_normal((count, 64))


def test_power_for_a_new_cluster_of_five_percent_and_for_single_outliers() -> None:
    found = {"cluster": 0, "outliers": 0}
    for run in range(10):
        rng = np.random.default_rng(run)
        centers = rng.standard_normal((10, 64)) * 2
        here, there = clustered(rng, 400, centers), clustered(rng, 200, centers)
        outliers = there.copy()
        there[:10] = 2 * rng.standard_normal(64) + rng.standard_normal((10, 64))
        outliers[:10] *= 1.7
        found["cluster"] += Novelty()(here, there, permutations=99).p <= 0.05
        found["outliers"] += Novelty()(here, outliers, permutations=99).p <= 0.05
    assert found["cluster"] >= 8
    assert found["outliers"] >= 8


def test_items_that_are_new_have_small_p_values_and_others_do_not() -> None:
    rng = np.random.default_rng(0)
    here, there = rng.standard_normal((400, 8)), rng.standard_normal((100, 8))
    there[:10] += 6
    found = Novelty().p_values(Pooled.of_rows(here, there, 1))
    assert found.shape == (100,)
    assert (found[:10] <= 0.01).all()
    assert (found[10:] <= 0.05).mean() <= 0.15
