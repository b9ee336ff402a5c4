"""Second-order cosine against a loop, and what it should and should not see."""

from __future__ import annotations

import numpy as np
import pytest

from spaceport.quality.overlap import overlap
from spaceport.quality.second_order import second_order


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def loop(X: np.ndarray, Y: np.ndarray, k: int) -> list[float]:
    """Hamilton et al. 2016, section 3.2, item by item."""
    found = []
    for i in range(len(X)):
        union: set[int] = set()
        for side in (X, Y):
            near = sorted((-cosine(side[i], side[j]), j) for j in range(len(side)) if j != i)[:k]
            union |= {j for _, j in near}
        s = [np.array([cosine(side[i], side[j]) for j in sorted(union)]) for side in (X, Y)]
        found.append(cosine(*s))
    return found


@pytest.fixture
def sides() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 6))
    return X, np.concatenate([X, rng.normal(size=(60, 3))], axis=1)


def test_it_is_the_loop(sides) -> None:
    assert second_order(*sides, k=7).tolist() == pytest.approx(loop(*sides, 7), abs=1e-5)


def test_a_rotation_changes_nothing(sides) -> None:
    X = sides[0]
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0]
    assert second_order(X, 5 * X @ turn).min() > 0.999999


def test_saboteur_permuted_items_lose_it(sides) -> None:
    X = sides[0]
    assert second_order(X, np.roll(X, 7, axis=0)).mean() < 0.5 < second_order(*sides).mean()


def test_neighbors_that_barely_change_places_are_forgiven() -> None:
    """60 items around one: the overlap is chance, their cosines hardly differ."""
    rng = np.random.default_rng(3)
    X = np.ones(8) + 0.05 * rng.normal(size=(60, 8))
    Y = X + 0.05 * rng.normal(size=(60, 8))
    assert overlap(X, Y).mean < 0.6
    assert second_order(X, Y).min() > 0.99


def test_a_row_of_zeros_is_0_in_one_space_and_1_in_both() -> None:
    X = np.eye(4)
    Y = np.diag([0.0, 1, 1, 1])
    assert second_order(X + 0.1, Y)[0] == 0
    assert second_order(Y, Y)[0] == 1
