"""Distances along single axes beside SciPy's, in every split, ties included."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from spaceport.drift._pooled import Pooled
from spaceport.drift.ks import KS
from spaceport.drift.wasserstein import Wasserstein


@pytest.fixture(params=["smooth", "tied"])
def pooled(request) -> Pooled:
    rng = np.random.default_rng(0)
    here, there = rng.standard_normal((70, 3)), rng.standard_normal((41, 3)) * 1.2
    if request.param == "tied":
        here, there = np.round(here), np.round(there)
    return Pooled.of_rows(here, there, 12, seed=1)


def test_ks_is_scipys_along_every_component_in_every_split(pooled: Pooled) -> None:
    found = KS().by_component(pooled)
    z = pooled.basis.projected(pooled.rows)
    for split, inside in enumerate(pooled.splits.inside):
        for axis in range(3):
            theirs = scipy.stats.ks_2samp(z[inside, axis], z[~inside, axis], method="asymp")
            assert found[split, axis] == pytest.approx(theirs.statistic, abs=1e-12)
    assert KS().statistics(pooled) == pytest.approx(found.max(axis=1))


def test_wasserstein_is_scipys_along_every_direction_in_every_split(pooled: Pooled) -> None:
    test = Wasserstein(directions=5, seed=3)
    found, x = test.by_direction(pooled), pooled.rows @ test.drawn(3)
    for split, inside in enumerate(pooled.splits.inside):
        for axis in range(5):
            theirs = scipy.stats.wasserstein_distance(x[inside, axis], x[~inside, axis])
            assert found[split, axis] == pytest.approx(theirs, rel=1e-5, abs=1e-9)
    assert test.statistics(pooled) == pytest.approx(found.mean(axis=1))


def test_what_is_moved_by_v_is_carried_by_its_projections() -> None:
    rng = np.random.default_rng(0)
    here, moved = rng.standard_normal((80, 4)), np.array([0.5, 0, -2, 1])
    test = Wasserstein()
    found = test(here, here + moved, permutations=9).statistic
    assert found == pytest.approx(np.abs(moved @ test.drawn(4)).mean(), rel=1e-5)


def test_directions_have_unit_length_and_follow_the_seed() -> None:
    first = Wasserstein(seed=1).drawn(9)
    assert np.linalg.norm(first, axis=0) == pytest.approx(np.ones(64), rel=1e-6)
    assert np.array_equal(first, Wasserstein(seed=1).drawn(9))
    assert not np.array_equal(first, Wasserstein(seed=2).drawn(9))


def test_fewer_components_are_the_leading_ones(pooled: Pooled) -> None:
    assert np.array_equal(KS(2).by_component(pooled), KS().by_component(pooled)[:, :2])


def test_ks_finds_a_change_that_leaves_mean_and_variance_alone() -> None:
    rng = np.random.default_rng(0)
    here = rng.standard_normal((400, 6))
    there = rng.standard_normal((400, 6))
    here[:, 0] *= 4
    there[:, 0] = 4 * np.sign(there[:, 0])  # two points, the same mean and variance
    assert KS()(here, there, permutations=99).p == 0.01
