"""Conformal p-values: counted by brute force, valid without drift, small for what is new."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binom, kstest

from spaceport.drift import _conformal
from spaceport.drift._conformal import conformal
from spaceport.errors import InputError

Array = npt.NDArray[np.float64]


def clusters(rows: int, rng: np.random.Generator, kinds: int = 5, d: int = 12) -> Array:
    centers = np.random.default_rng(99).normal(size=(kinds, d)) * 4
    return centers[rng.integers(kinds, size=rows)] + rng.normal(size=(rows, d))


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclidean"])
def test_it_counts_as_brute_force_counts(metric: str) -> None:
    rng = np.random.default_rng(1)
    X, Y = clusters(61, rng), clusters(7, rng)
    order = np.random.default_rng(5).permutation(61)
    first, second = X[order[:31]], X[order[31:]]
    if metric == "cosine":
        first, second, Y = (a / np.linalg.norm(a, axis=1)[:, None] for a in (first, second, Y))

    def score(row: Array) -> float:
        return float(np.sort(np.linalg.norm(first - row, axis=1))[3])

    known = [score(row) for row in second]
    wanted = [(sum(s >= score(row) for s in known) + 1) / 31 for row in Y]
    assert conformal(X, Y, neighbors=4, metric=metric, seed=5) == pytest.approx(wanted)


def alarms(test=conformal, runs: int = 150, rows: int = 40) -> tuple[int, int]:  # type: ignore[no-untyped-def]
    """How many of all rows have p <= .05 where nothing drifts; one row of each run, as they share a reference."""
    rng = np.random.default_rng(3)
    hits = [
        test(clusters(rows, rng), clusters(1, rng), neighbors=3, seed=run)[0] <= 0.05
        for run in range(runs)
    ]
    return sum(hits), runs


def test_false_alarms_are_at_most_as_many_as_stated() -> None:
    found, runs = alarms(runs=400)
    assert found <= binom.ppf(0.999, runs, 0.05)


def test_the_p_values_are_uniform_where_nothing_drifts() -> None:
    rng = np.random.default_rng(4)
    found = [
        conformal(clusters(200, rng), clusters(1, rng), neighbors=5, seed=run)[0]
        for run in range(300)
    ]
    assert kstest(found, "uniform").pvalue > 0.001


def test_saboteur_calibration_on_the_rows_that_were_searched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rows that find themselves are nearer than new ones ever are: far too many alarms."""
    honest = _conformal._scores

    def cheating(first: Array, rows: Array, k: int, metric: str) -> Array:
        return (
            honest(np.vstack([first, rows]), rows, k, metric)
            if len(rows) > 1
            else honest(first, rows, k, metric)
        )

    monkeypatch.setattr(_conformal, "_scores", cheating)
    found, runs = alarms(runs=400)
    assert found > binom.ppf(0.999, runs, 0.05)


def test_a_new_cluster_gets_small_p_values() -> None:
    rng = np.random.default_rng(6)
    new = np.full(12, 9.0) + rng.normal(size=(30, 12))
    found = conformal(clusters(1000, rng), np.vstack([clusters(200, rng), new]), metric="euclidean")
    assert found[200:].max() == pytest.approx(1 / 501)
    assert np.median(found[:200]) > 0.3


def test_equal_scores_are_ties_against_the_row() -> None:
    assert conformal(np.ones((20, 3)), np.ones((4, 3)), neighbors=2).tolist() == [1.0] * 4


def test_lengths_do_not_count_in_a_cosine_space() -> None:
    rng = np.random.default_rng(8)
    X, Y = clusters(80, rng), clusters(9, rng)
    assert (conformal(X, Y) == conformal(X * rng.uniform(0.1, 9, (80, 1)), Y * 50)).all()
    assert (conformal(X, Y, metric="dot") != conformal(X, Y * 50, metric="dot")).any()


def test_the_seed_decides_the_halves() -> None:
    rng = np.random.default_rng(9)
    X, Y = clusters(60, rng), clusters(20, rng)
    assert (conformal(X, Y, seed=1) == conformal(X, Y, seed=1)).all()
    assert (conformal(X, Y, seed=1) != conformal(X, Y, seed=2)).any()


def test_no_rows_and_too_few() -> None:
    assert conformal(np.eye(20), np.empty((0, 20)), neighbors=2).shape == (0,)
    with pytest.raises(InputError, match="half of the reference, which has 19 rows"):
        conformal(np.ones((19, 2)), np.ones((1, 2)))
    with pytest.raises(InputError, match="`current` must have dimension 3"):
        conformal(np.ones((40, 3)), np.ones((1, 2)))
