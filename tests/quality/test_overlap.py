"""Neighbors' overlap against brute force over sets, planted answers, and its interval as a statistic."""

from __future__ import annotations

import numpy as np
import pytest

from spaceport.errors import InputError, ParameterError
from spaceport.quality.overlap import Overlap, draw, interval, overlap, shares


def neighbors(X: np.ndarray, row: int, k: int, own: bool = False) -> set[int]:
    wide = X.astype(np.float64)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    scores = wide @ wide[row]
    if not own:
        scores[row] = -np.inf
    return set(np.argsort(-scores, kind="stable")[:k].tolist())


def brute(X: np.ndarray, Y: np.ndarray, rows: np.ndarray, k: int, own: bool = False) -> list[float]:
    return [len(neighbors(X, i, k, own) & neighbors(Y, i, k, own)) / k for i in rows]


@pytest.fixture(scope="module")
def noisy() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 16)).astype(np.float32)
    return X, (X + 0.4 * rng.normal(size=X.shape)).astype(np.float32)


def test_it_is_that_of_brute_force_over_sets(noisy) -> None:
    found = overlap(*noisy, queries=1000)
    assert found.each.tolist() == pytest.approx(brute(*noisy, np.arange(400), 10))
    assert found.mean == found.low == found.high == pytest.approx(found.each.mean())
    assert 0.2 < found.mean < 0.8
    assert found.places.tolist() == list(range(400))


def test_saboteur_a_row_that_is_its_own_neighbor_would_show(noisy) -> None:
    honest = brute(*noisy, np.arange(400), 10)
    assert np.mean(brute(*noisy, np.arange(400), 10, own=True)) > np.mean(honest) + 0.02


def test_rotation_scaling_and_new_axes_of_zeros_change_nothing(noisy) -> None:
    X = noisy[0]
    R = np.linalg.qr(np.random.default_rng(1).normal(size=(16, 16)))[0]
    assert overlap(X, 3 * X @ R).mean > 0.999
    assert overlap(X, np.pad(X, ((0, 0), (0, 5)))).mean == 1


def test_permuted_rows_share_what_chance_gives(noisy) -> None:
    X = noisy[0]
    found = overlap(X, X[np.random.default_rng(2).permutation(400)])
    assert found.mean == pytest.approx(10 / 399, abs=0.01)


def test_another_metric_on_the_other_side(noisy) -> None:
    X = noisy[0]
    long = X * np.linspace(1, 30, 400)[:, None].astype(np.float32)
    assert overlap(X, long, metric="cosine").mean == 1
    assert overlap(X, long, metric="cosine", other_metric="dot").mean < 0.5


def test_the_same_seed_asks_the_same_rows(noisy) -> None:
    one, same, other = (overlap(*noisy, queries=50, seed=s) for s in (3, 3, 4))
    assert one.places.tolist() == same.places.tolist() != other.places.tolist()
    assert len(set(one.places.tolist())) == 50
    assert one.mean == same.mean


def test_the_interval_holds_the_whole_mean_95_times_of_100(noisy) -> None:
    whole = overlap(*noisy, queries=400).each
    held = 0
    for seed in range(1000):
        mean, low, high = interval(whole[draw(400, 100, seed)], 400)
        held += low <= whole.mean() <= high
        assert low <= mean <= high
    assert 0.93 < held / 1000 < 0.97


def test_saboteur_an_interval_of_half_the_width_would_be_caught(noisy) -> None:
    whole = overlap(*noisy, queries=400).each
    held = 0
    for seed in range(1000):
        mean, low, high = interval(whole[draw(400, 100, seed)], 400)
        held += abs(mean - whole.mean()) <= (high - low) / 4
    assert held / 1000 < 0.8


def test_two_rows_are_each_others_only_neighbor() -> None:
    assert overlap([[1.0, 0], [0, 1]], [[1.0, 1], [0, 1]]).k == 1
    assert overlap([[1.0, 0], [0, 1]], [[1.0, 1], [0, 1]]).mean == 1


def test_what_is_handed_in_may_come_from_anywhere() -> None:
    found = Overlap.of(np.array([5]), np.array([[1, 2]]), np.array([[2, 3]]), rows=100)
    assert found.each.tolist() == [0.5]
    assert shares(np.array([[7]]), np.array([[8]])).tolist() == [0]


def test_bad_input_is_two_lines() -> None:
    with pytest.raises(InputError, match="1 rows and `Y` has 1"):
        overlap([[1.0]], [[1.0]])
    with pytest.raises(InputError, match="2 rows and `Y` has 3"):
        overlap(np.eye(2), np.eye(3))
    with pytest.raises(ParameterError, match="no metric `cosin`"):
        overlap(np.eye(2), np.eye(2), metric="cosin")
    with pytest.raises(ParameterError, match="`queries`"):
        overlap(np.eye(2), np.eye(2), queries=0)
