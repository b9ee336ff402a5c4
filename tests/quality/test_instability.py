"""Eigenspace instability against its definition in float64 with n x n projectors."""

from __future__ import annotations

import numpy as np
import pytest

from spaceport.errors import InputError
from spaceport.quality.instability import eigenspace_instability


def definition(X: np.ndarray, Y: np.ndarray, alpha: float = 3, two: float = 2) -> float:
    """Leszczynski et al. 2020, definition 2, with the embeddings as their own anchors."""
    projectors = []
    for side in (X, Y):
        U, s, _ = np.linalg.svd(side, full_matrices=False)
        U = U[:, s > 1e-10 * s[0]]
        projectors.append(U @ U.T)
    sigma = sum(np.linalg.matrix_power(side @ side.T, int(alpha)) for side in (X, Y))
    P, Q = projectors
    return float(np.trace((P + Q - two * Q @ P) @ sigma) / np.trace(sigma))


@pytest.fixture
def sides() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 6)) * [4, 3, 2, 1, 1, 0.5] + 0.3
    return X, X @ rng.normal(size=(6, 9)) + 2 * rng.normal(size=(80, 9))


@pytest.mark.parametrize("alpha", [1, 2, 3])
def test_it_is_its_definition(sides, alpha: int) -> None:
    X, Y = sides
    assert eigenspace_instability(X, Y, alpha) == pytest.approx(definition(X, Y, alpha), abs=1e-9)
    assert eigenspace_instability(Y, X, alpha) == pytest.approx(definition(Y, X, alpha), abs=1e-9)


def test_float32_is_near_it(sides) -> None:
    X, Y = (side.astype(np.float32) for side in sides)
    expected = definition(X.astype(float), Y.astype(float))
    assert eigenspace_instability(X, Y) == pytest.approx(expected, abs=1e-5)


def test_rows_of_low_rank(sides) -> None:
    X = sides[0] @ np.ones((6, 6)) + sides[0][:, :1] * np.arange(6)
    assert eigenspace_instability(X, sides[1]) == pytest.approx(definition(X, sides[1]), abs=1e-7)


def test_any_invertible_map_leaves_what_linear_models_can_read(sides) -> None:
    X = sides[0]
    mixed = X @ np.random.default_rng(1).normal(size=(6, 6))
    assert eigenspace_instability(X, mixed) == pytest.approx(0, abs=1e-9)


def test_nothing_in_common_is_1() -> None:
    X, Y = np.eye(10)[:, :4], np.eye(10)[:, 4:8]
    assert eigenspace_instability(X, Y) == pytest.approx(1)


def test_saboteurs_permuted_rows_and_a_forgotten_factor(sides) -> None:
    X, Y = sides
    turned = X[np.random.default_rng(2).permutation(80)]
    assert eigenspace_instability(X, turned) > 0.6
    assert definition(X, Y, two=1) > definition(X, Y) + 0.1


def test_bad_input_is_two_lines() -> None:
    with pytest.raises(InputError, match="zero"):
        eigenspace_instability(np.zeros((3, 2)), np.eye(3))
