"""CSLS against its formula, term by term, and hubs that it takes away."""

from __future__ import annotations

import numpy as np
import pytest

from spaceport.errors import InputError
from spaceport.geometry.base import nearest
from spaceport.geometry.csls import CSLS, crowding, mutual


def brute_force(X, Y, K):
    """2 cos - r_T - r_S for all pairs (Conneau et al. 2018, equation of section 2.3)."""
    X, Y = (A / np.linalg.norm(A, axis=1, keepdims=True) for A in (X, Y))
    cosines = X @ Y.T
    r_T = np.sort(cosines, axis=1)[:, -K:].mean(axis=1)
    r_S = np.sort(cosines, axis=0)[-K:].mean(axis=0)
    return 2 * cosines - r_T[:, None] - r_S


@pytest.fixture
def sides():
    rng = np.random.default_rng(0)
    return rng.normal(size=(60, 9)), rng.normal(size=(45, 9)) * rng.uniform(0.1, 9, (45, 1))


@pytest.mark.parametrize("K", [1, 10])
def test_is_the_formula(sides, K):
    X, Y = sides
    wanted = brute_force(X, Y, K)
    indices, scores = CSLS(X, Y, K).search(X, 7)
    order = np.argsort(-wanted, axis=1)[:, :7]
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_allclose(scores, np.take_along_axis(wanted, order, axis=1), atol=1e-5)


def test_crowding_is_a_mean_of_cosines(sides):
    X, Y = sides
    lengths = np.outer(np.linalg.norm(X, axis=1), np.linalg.norm(Y, axis=1))
    cosines = np.sort(X @ Y.T / lengths, axis=1)
    np.testing.assert_allclose(crowding(X, Y, 5), cosines[:, -5:].mean(axis=1), atol=1e-6)


def test_mutual_pairs_are_best_both_ways(sides):
    X, Y = sides
    scores = brute_force(X, Y, 10)
    wanted = [[i, j] for i in range(60) for j in [scores[i].argmax()] if scores[:, j].argmax() == i]
    assert mutual(X, Y).tolist() == wanted
    assert wanted


def test_a_hub_is_no_longer_the_answer_to_everything():
    """Rows share a direction; one target is nothing but that direction, the nearest of nearly all."""
    rng = np.random.default_rng(1)
    common = 2.0 * np.eye(1, 30)
    true = rng.normal(size=(100, 30)) * 0.25
    X, Y = common + true + 0.35 * rng.normal(size=(2, 100, 30))
    Y = np.vstack([Y, common])
    by_cosine = nearest(Y, X, 1)[0][:, 0]
    by_csls = CSLS(X, Y).search(X, 1)[0][:, 0]
    own = np.arange(100)
    assert (by_cosine == 100).mean() > 0.15
    assert (by_csls == 100).mean() < 0.05
    assert (by_csls == own).mean() > (by_cosine == own).mean()


def test_nothing_to_be_near_to():
    with pytest.raises(InputError, match="no rows to be near to"):
        crowding([[1.0, 0.0]], np.empty((0, 2)))
