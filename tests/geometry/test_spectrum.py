"""Spectrum against scikit-learn, SciPy and planted shapes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import skew
from sklearn.decomposition import PCA

from spaceport.errors import InputError
from spaceport.geometry.spectrum import effective_rank, explained, hubness, isotropy

RNG = np.random.default_rng(0)


def cloud(variances, n=40_000):
    """Rows with these variances along randomly turned axes, far from the origin."""
    d = len(variances)
    turn = np.linalg.qr(RNG.standard_normal((d, d)))[0]
    return (RNG.standard_normal((n, d)) * np.sqrt(variances)) @ turn + 10


def test_explained_agrees_with_pca():
    X = RNG.standard_normal((700, 12)) @ RNG.standard_normal((12, 12))
    np.testing.assert_allclose(explained(X), PCA().fit(X).explained_variance_ratio_, rtol=1e-4)


def test_effective_rank_is_the_entropy_of_the_singular_values():
    X = RNG.standard_normal((300, 9)) * np.arange(1, 10)
    s = np.linalg.svd(X - X.mean(axis=0), compute_uv=False)
    p = s / s.sum()
    assert effective_rank(X) == pytest.approx(np.exp(-(p * np.log(p)).sum()), rel=1e-5)


@pytest.mark.parametrize("used", [1, 2, 5, 10])
def test_planted_dimensions(used):
    X = cloud([1.0] * used + [0.0] * (10 - used))
    assert effective_rank(X) == pytest.approx(used, rel=5e-3)
    assert isotropy(X) == pytest.approx((used - 1) / 9, abs=5e-3)
    assert explained(X)[:used].sum() == pytest.approx(1)


def test_isotropy_falls_as_one_axis_grows_and_ignores_scale_and_place():
    scores = [isotropy(cloud([first] + [1.0] * 9)) for first in (1, 4, 16, 64)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] - scores[-1] > 0.5
    X = cloud([3.0, 2, 1])
    assert isotropy(100 * X - 7) == pytest.approx(isotropy(X), abs=1e-4)


def test_isotropy_is_the_papers_algorithm():
    """IsoScore step by step as in section 3 of the paper, from PCA's variances."""
    X = RNG.standard_normal((500, 6)) * [5, 3, 2, 1, 1, 0.5]
    variances = PCA().fit(X).explained_variance_
    d = 6
    normalized = np.sqrt(d) * variances / np.linalg.norm(variances)
    defect = np.linalg.norm(normalized - 1) / np.sqrt(2 * (d - np.sqrt(d)))
    phi = (d - defect**2 * (d - np.sqrt(d))) ** 2 / d**2
    assert isotropy(X) == pytest.approx((d * phi - 1) / (d - 1), rel=1e-4)


@pytest.mark.parametrize("X", [[[1, 2, 3]], [[1, 2, 3]] * 5])
def test_equal_rows_have_no_spread(X):
    assert effective_rank(X) == 0
    assert isotropy(X) == 0
    assert explained(X).tolist() == [0, 0, 0]


def test_one_dimension():
    assert effective_rank([[1], [2]]) == pytest.approx(1)
    assert isotropy([[1], [2]]) == 0


def test_hubness_of_a_planted_hub():
    indices = np.column_stack([np.zeros(99, int), np.arange(99) // 2 + 1])
    found = hubness(indices, 101)
    degree = np.bincount(indices.ravel(), minlength=101)
    assert (found.largest, found.hub) == (99, 0)
    assert found.orphans == pytest.approx((degree == 0).mean())
    assert found.skewness == pytest.approx(skew(degree))
    assert found.skewness > 5


def test_hubness_of_a_ring_is_none():
    ring = np.column_stack([np.roll(np.arange(50), 1), np.roll(np.arange(50), -1)])
    assert hubness(ring, 50) == (type(hubness(ring, 50)))(0.0, 2, 0, 0.0)


def test_errors():
    with pytest.raises(InputError, match=r"ints in \[0, 3\]"):
        hubness([[4]], 4)
    with pytest.raises(InputError, match="no rows"):
        explained(np.empty((0, 2)))
