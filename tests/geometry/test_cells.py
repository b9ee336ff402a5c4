"""Cells against planted groups and scikit-learn's k-means."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from spaceport.errors import InputError, ParameterError
from spaceport.geometry.cells import assign, fit
from spaceport.geometry.similarity import METRICS, normalize

RNG = np.random.default_rng(0)
CENTERS = RNG.standard_normal((6, 20)) * 3
TRUTH = RNG.integers(6, size=1200)
X = (CENTERS[TRUTH] + RNG.standard_normal((1200, 20)) * 0.4).astype(np.float32)


@pytest.mark.parametrize("metric", METRICS)
def test_planted_groups_are_found(metric):
    (centroids,) = fit(X, counts=[6], metric=metric)
    assert centroids.shape == (6, 20)
    assert centroids.dtype == np.float32
    assert adjusted_rand_score(TRUTH, assign(X, centroids, metric)) > 0.95


def test_as_good_as_scikit_learn():
    rows = RNG.standard_normal((3000, 8)).astype(np.float32)
    (centroids,) = fit(rows, counts=[16], metric="euclidean")
    ours = ((rows - centroids[assign(rows, centroids, "euclidean")]) ** 2).sum()
    theirs = KMeans(16, n_init=3, random_state=0).fit(rows).inertia_
    assert ours < 1.02 * theirs


def test_the_same_seed_gives_the_same_cells_and_another_gives_others():
    one, again, other = fit(X, [7], seed=3), fit(X, [7], seed=3), fit(X, [7], seed=4)
    assert (one[0] == again[0]).all()
    assert not np.array_equal(one[0], other[0])


def test_cosine_cells_go_by_angle():
    rows = normalize(X) * RNG.uniform(0.1, 100, (1200, 1)).astype(np.float32)
    (centroids,) = fit(rows, counts=[6])
    np.testing.assert_allclose(np.linalg.norm(centroids, axis=1), 1, rtol=1e-5)
    assert adjusted_rand_score(TRUTH, assign(rows, centroids)) > 0.95


def test_assign_is_the_nearest_centroid():
    (centroids,) = fit(X, counts=[9], metric="euclidean")
    wanted = ((X[:, None] - centroids[None]) ** 2).sum(-1).argmin(1)
    got = assign(X, centroids, "euclidean")
    assert (got == wanted).all()
    assert got.dtype == np.int32


def test_few_rows_make_few_cells():
    assert [len(c) for c in fit(X[:20], counts=(8, 64))] == [5, 5]
    assert [len(c) for c in fit(X[:1], counts=(8, 64))] == [1, 1]


@pytest.mark.parametrize("metric", METRICS)
def test_equal_rows_and_zero_rows(metric):
    for rows in (np.ones((50, 3)), np.zeros((50, 3))):
        for centroids in fit(rows, counts=(2, 8), metric=metric):
            assert np.isfinite(centroids).all()
            assert assign(rows, centroids, metric).shape == (50,)


def test_errors():
    with pytest.raises(InputError, match="no rows"):
        fit(np.empty((0, 4)))
    with pytest.raises(ParameterError, match="`count` must be an int"):
        fit(X, counts=[0])
    with pytest.raises(ParameterError, match="no metric"):
        assign(X, X[:3], "l2")
