"""Maps between spaces: against SciPy, scikit-learn and planted answers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from sklearn.linear_model import Ridge

from spaceport.errors import InputError, ParameterError
from spaceport.geometry.alignment import affine, procrustes


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def rotation(rng, d):
    return np.linalg.qr(rng.normal(size=(d, d)))[0]


def test_is_scipys(rng):
    X, Y = rng.normal(size=(2, 50, 7)).astype(np.float32)
    wanted, _ = orthogonal_procrustes(X.astype(float), Y.astype(float))
    np.testing.assert_allclose(procrustes(X, Y).matrix, wanted, atol=1e-10)


def test_finds_a_planted_similarity_again(rng):
    Q, X = rotation(rng, 9), rng.normal(size=(40, 9))
    Y = 2.5 * X @ Q + np.arange(9)
    found = procrustes(X, Y, centering=True, scaling=True)
    np.testing.assert_allclose(found.matrix, Q, atol=1e-6)
    assert found.scale == pytest.approx(2.5, abs=1e-6)
    assert found.residual < 1e-10
    np.testing.assert_allclose(found(X), Y, atol=1e-5)
    np.testing.assert_allclose(found.inverse(Y), X, atol=1e-5)


def test_reflections_count(rng):
    X = rng.normal(size=(20, 3))
    assert np.linalg.det(procrustes(X, X * [1, 1, -1]).matrix) == pytest.approx(-1)


def test_distances_stay_without_scaling(rng):
    X, Y = rng.normal(size=(2, 30, 5))
    sent = procrustes(X, Y)(X)
    lengths = np.linalg.norm(sent[:1] - sent, axis=1)
    np.testing.assert_allclose(lengths, np.linalg.norm(X[:1] - X, axis=1), atol=1e-5)


def test_more_dimensions_undo_exactly(rng):
    X = rng.normal(size=(30, 4))
    Y = X @ rotation(rng, 8)[:4]
    found = procrustes(X, Y)
    assert found.matrix.shape == (4, 8)
    assert found.residual < 1e-10
    np.testing.assert_allclose(found.inverse(found(X)), X, atol=1e-5)


def test_fewer_dimensions_agree_best(rng):
    X, Y = rng.normal(size=(30, 8)), rng.normal(size=(30, 4))
    R = procrustes(X, Y).matrix
    np.testing.assert_allclose(R.T @ R, np.eye(4), atol=1e-10)
    best = np.einsum("nq,nq->", X @ R, Y)
    others = [np.einsum("nq,nq->", X @ rotation(rng, 8)[:, :4], Y) for _ in range(200)]
    assert best > max(others)


def test_a_weight_of_two_is_a_row_twice(rng):
    X, Y = rng.normal(size=(2, 12, 3))
    weights = np.ones(12)
    weights[4] = 2
    twice = procrustes(np.vstack([X, X[4:5]]), np.vstack([Y, Y[4:5]]), None, True, True)
    once = procrustes(X, Y, weights, centering=True, scaling=True)
    np.testing.assert_allclose(once.matrix, twice.matrix, atol=1e-6)
    assert once.scale == pytest.approx(twice.scale)
    assert once.residual == pytest.approx(twice.residual)


def test_the_scale_is_least_squares(rng):
    X, Y = rng.normal(size=(2, 25, 4)).astype(np.float32).astype(float)
    found = procrustes(X, Y, scaling=True)
    turned = X @ found.matrix
    near = [((Y - s * turned) ** 2).sum() for s in (0.99 * found.scale, 1.01 * found.scale)]
    assert ((Y - found.scale * turned) ** 2).sum() < min(near)
    assert found.residual == pytest.approx(((Y - found.scale * turned) ** 2).sum() / (Y**2).sum())


def test_affine_is_ridge_regression(rng):
    X = rng.normal(size=(40, 6)).astype(np.float32).astype(float)
    Y = rng.normal(size=(40, 3)).astype(np.float32).astype(float)
    weights = rng.integers(1, 4, 40).astype(float)
    share = weights / weights.mean()
    centered = X - np.average(X, axis=0, weights=weights)
    penalty = 0.3 * np.trace((centered * share[:, None]).T @ centered) / 6
    peer = Ridge(alpha=penalty).fit(X, Y, sample_weight=share)
    found = affine(X, Y, ridge=0.3, weights=weights)
    np.testing.assert_allclose(found(X), peer.predict(X), atol=1e-5)


def test_a_ridge_holds_where_rows_are_few(rng):
    Q = rotation(rng, 50)
    X, new = rng.normal(size=(20, 50)), rng.normal(size=(200, 50))
    wild = affine(X, X @ Q + 0.1 * rng.normal(size=(20, 50)), ridge=1e-9)
    assert procrustes(X, X @ Q).residual < 1e-10
    assert np.abs(wild(new)).max() < 10  # finite and tame, even where it cannot be right


def test_only_rotations_turn_back(rng):
    X, Y = rng.normal(size=(2, 30, 5))
    with pytest.raises(ParameterError, match="Only a rotation"):
        _ = affine(X, Y).inverse


@pytest.mark.parametrize("learn", [procrustes, affine])
def test_refusals(learn):
    with pytest.raises(InputError, match="`X` has 2 rows and `Y` has 1"):
        learn([[1, 0], [0, 1]], [[1, 0]])
    with pytest.raises(InputError, match="weights"):
        learn([[1, 0], [0, 1]], [[1, 0], [0, 1]], weights=[1, -1])
    with pytest.raises(InputError):
        learn([[0, 0], [0, 0]], [[1, 0], [0, 1]])
