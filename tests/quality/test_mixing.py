"""Mixing two versions in one index, against brute force written down anew."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.spatial.distance import cdist
from scipy.stats import ortho_group

from spaceport.errors import InputError
from spaceport.quality.mixing import mixing, strangers

DISTANCES = {
    "cosine": lambda Q, X: cdist(Q, X, "cosine"),
    "euclidean": cdist,
    "dot": lambda Q, X: -(Q @ X.T),
}


def brute(Q: Any, X: Any, k: int, metric: str) -> list[set[int]]:
    """The k rows of X nearest to each row of Q, its own left out."""
    distances = DISTANCES[metric](Q.astype(np.float64), X.astype(np.float64))
    np.fill_diagonal(distances, np.inf)
    return [set(np.argsort(row)[:k].tolist()) for row in distances]


def share(one: list[set[int]], other: list[set[int]], k: int) -> float:
    return float(np.mean([len(a & b) / k for a, b in zip(one, other, strict=True)]))


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "dot"])
@pytest.mark.parametrize("k", [1, 10])
def test_overlaps_against_brute_force(metric: str, k: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 6)).astype(np.float32)
    Y = (X * 1.3 + 0.4 * rng.normal(size=X.shape)).astype(np.float32)
    found = mixing(X, Y, metric=metric, k=k)
    xx, xy = brute(X, X, k, metric), brute(X, Y, k, metric)
    yy, yx = brute(Y, Y, k, metric), brute(Y, X, k, metric)
    assert found.before_among_after.mean == pytest.approx(share(xx, xy, k))
    assert found.after_among_before.mean == pytest.approx(share(yy, yx, k))
    assert found.within.mean == pytest.approx(share(xx, yy, k))
    assert found.lower.mean == min(share(xx, xy, k), share(yy, yx, k))
    # the saboteur: neighbors within each are something else than neighbors in a mixed index
    assert found.within.mean != found.before_among_after.mean != found.after_among_before.mean


def test_residuals_against_scipy() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(200, 5)).astype(np.float32)
    Y = (X @ ortho_group.rvs(5, random_state=0) + 0.1 * rng.normal(size=X.shape)).astype(np.float32)
    found = mixing(X, Y)
    size = np.linalg.norm(X.astype(np.float64))
    assert found.residual == pytest.approx(np.linalg.norm(X - Y) / size, rel=1e-5)
    turn, _ = orthogonal_procrustes(X.astype(np.float64), Y.astype(np.float64))
    assert found.turned == pytest.approx(np.linalg.norm(X @ turn - Y) / size, rel=1e-5)
    assert found.turned < 0.2 < 1 < found.residual


def test_a_rotation_keeps_neighbors_within_and_a_scaling_keeps_both() -> None:
    X = np.random.default_rng(2).normal(size=(300, 8)).astype(np.float32)
    turned = mixing(X, X @ ortho_group.rvs(8, random_state=1).astype(np.float32))
    assert turned.within.mean > 0.999
    assert turned.lower.mean < 0.2
    longer = mixing(X, 3 * X)
    assert (longer.within.mean, longer.lower.mean) == (1.0, 1.0)
    assert longer.residual == pytest.approx(2.0)


def test_a_sample_has_an_interval_that_holds_the_whole() -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(400, 6)).astype(np.float32)
    Y = (X + 0.3 * rng.normal(size=X.shape)).astype(np.float32)
    whole = mixing(X, Y, queries=400)
    assert whole.lower.low == whole.lower.mean == whole.lower.high
    held = 0
    for seed in range(100):
        part = mixing(X, Y, queries=80, seed=seed).before_among_after
        held += part.low <= whole.before_among_after.mean <= part.high
    assert 88 <= held <= 100


def test_strangers_are_rows_of_another_item_byte_for_byte() -> None:
    X = np.random.default_rng(4).normal(size=(50, 3)).astype(np.float32)
    order = np.arange(50)
    order[:10] = np.roll(order[:10], 1)
    assert strangers(X, X[order]) == pytest.approx(0.2)
    assert strangers(X, X + np.float32(1e-6)) == 0
    X[1] = X[0]  # two items may have one vector
    assert strangers(X, X) == 0


def test_what_cannot_be_compared() -> None:
    with pytest.raises(InputError, match=r"shape \(3, 2\) and `Y` \(3, 3\)"):
        mixing(np.ones((3, 2)), np.ones((3, 3)))
    with pytest.raises(InputError):
        mixing(np.ones((1, 2)), np.ones((1, 2)))
