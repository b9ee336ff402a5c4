"""Debiased CKA against HSIC₁ written out over n x n in float64, and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from spaceport.errors import InputError
from spaceport.quality.cka import cka


def hsic1(K: np.ndarray, L: np.ndarray) -> float:
    """Song et al. 2012, equation 5, with loops over what it sums."""
    n = len(K)
    K, L = K - np.diag(np.diag(K)), L - np.diag(np.diag(L))
    one = np.ones(n)
    first = np.trace(K @ L)
    second = (one @ K @ one) * (one @ L @ one) / ((n - 1) * (n - 2))
    third = 2 / (n - 2) * (one @ K @ L @ one)
    return float((first + second - third) / (n * (n - 3)))


def brute(X: np.ndarray, Y: np.ndarray) -> float:
    K, L = X @ X.T, Y @ Y.T
    return hsic1(K, L) / np.sqrt(hsic1(K, K) * hsic1(L, L))


def biased(X: np.ndarray, Y: np.ndarray) -> float:
    n = len(X)
    H = np.eye(n) - 1 / n
    K, L = H @ X @ X.T @ H, H @ Y @ Y.T @ H
    return float((K * L).sum() / np.sqrt((K * K).sum() * (L * L).sum()))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("rows", [5, 40, 300])
@pytest.mark.parametrize("width", [3, 12])
def test_it_is_hsic1_over_n_by_n(rng, rows: int, width: int) -> None:
    X = rng.normal(size=(rows, 8)) + 3
    Y = X[:, :width] @ rng.normal(size=(min(width, 8), width)) + rng.normal(size=(rows, width))
    if rows == 5:
        X, Y = X[:, :2], np.concatenate([X[:, :1], Y[:, :1]], axis=1)
    assert cka(X, Y) == pytest.approx(min(1, brute(X, Y)), abs=1e-9)
    assert cka(X, Y, debiased=False) == pytest.approx(biased(X, Y), abs=1e-9)


def test_turned_moved_and_scaled_rows_are_the_same(rng) -> None:
    X = rng.normal(size=(60, 5))
    turn = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    assert cka(X, 3 * X @ turn + 100) == pytest.approx(1, abs=1e-9)


def test_rows_that_have_nothing_in_common_are_about_0_on_average(rng) -> None:
    found = [cka(rng.normal(size=(50, 40)), rng.normal(size=(50, 40))) for _ in range(200)]
    error = np.std(found) / np.sqrt(200)
    assert abs(np.mean(found)) < 4 * error
    assert error < 0.01


def test_saboteur_the_biased_estimator_sees_much_in_common_there(rng) -> None:
    X, Y = rng.normal(size=(50, 40)), rng.normal(size=(50, 40))
    assert cka(X, Y, debiased=False) > 0.4


def test_saboteur_forgotten_centering_would_show(rng) -> None:
    X, Y = rng.normal(size=(50, 4)) + 10, rng.normal(size=(50, 4)) + 10
    raw = (X.T @ Y**1).ravel() @ (X.T @ Y).ravel()
    raw /= np.linalg.norm(X.T @ X) * np.linalg.norm(Y.T @ Y)
    assert raw > 0.95
    assert abs(cka(X, Y)) < 0.2


def test_permuted_rows_lose_it(rng) -> None:
    X = rng.normal(size=(200, 5))
    assert abs(cka(X, X[rng.permutation(200)])) < 0.1


def test_a_part_of_equal_axes_has_a_closed_form(rng) -> None:
    """d axes alike and k of them: |S|² = k, own d and k, so √(k / d)."""
    X = rng.normal(size=(20_000, 8))
    assert cka(X, X[:, :2]) == pytest.approx(np.sqrt(2 / 8), abs=0.01)


def test_bad_input_is_two_lines() -> None:
    with pytest.raises(InputError, match="CKA of 3 rows"):
        cka(np.eye(3), np.eye(3))
    with pytest.raises(InputError, match="are the same"):
        cka(np.ones((5, 2)), np.arange(10.0).reshape(5, 2))
    with pytest.raises(InputError, match="too few"):
        cka(np.eye(5), np.eye(5))
