"""Moments against NumPy in float64, merged in any split and order, and far from the origin."""

from __future__ import annotations

import hashlib
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spaceport.errors import InputError, ParameterError
from spaceport.geometry.moments import Moments, over

ROWS = arrays(
    np.float64, st.tuples(st.integers(2, 30), st.integers(1, 5)), elements=st.floats(-100, 100)
)


def assert_alike(one: Moments, other: Moments, size: float = 100) -> None:
    assert one.count == other.count
    np.testing.assert_allclose(one.mean, other.mean, atol=1e-13 * size)
    np.testing.assert_allclose(one.scatter, other.scatter, atol=1e-13 * size**2 * one.count)


@given(ROWS)
def test_they_are_numpys(X: np.ndarray) -> None:
    moments = Moments.of(X)
    np.testing.assert_allclose(moments.sum, X.sum(axis=0), atol=1e-10)
    np.testing.assert_allclose(moments.gram, X.T @ X, atol=1e-8)
    np.testing.assert_allclose(moments.covariance(), np.atleast_2d(np.cov(X.T)), atol=1e-9)
    np.testing.assert_allclose(moments.variance(ddof=0), X.var(axis=0), atol=1e-9)


@given(ROWS, st.data())
def test_any_split_in_any_order_is_the_whole(X: np.ndarray, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(X)), max_size=4)))
    parts = data.draw(st.permutations(np.split(X, cuts)))
    merged = reduce(Moments.__add__, map(Moments.of, parts), Moments.none(X.shape[1]))
    assert_alike(merged, Moments.of(X))


@given(ROWS, ROWS)
def test_adding_is_concatenation_and_commutes(X: np.ndarray, Y: np.ndarray) -> None:
    width = min(X.shape[1], Y.shape[1])
    one, other = Moments.of(X[:, :width]), Moments.of(Y[:, :width])
    assert_alike(one + other, Moments.of(np.concatenate([X[:, :width], Y[:, :width]])))
    assert_alike(one + other, other + one)


@pytest.mark.parametrize("far", [0.0, 1e3, 1e5])
def test_a_large_mean_cancels_nothing(far: float) -> None:
    """float32 rows, compared with float64 on the very same numbers."""
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(9000, 6)) * [1, 2, 3, 0.5, 1, 1] + far).astype(np.float32)
    expected = np.cov(X.astype(np.float64).T)
    np.testing.assert_allclose(Moments.of(X).covariance(), expected, atol=5e-6 * expected.max())


def test_saboteur_the_gram_matrix_in_float32_would_fail() -> None:
    X = (np.random.default_rng(0).normal(size=(9000, 2)) + 1e3).astype(np.float32)
    mean = X.mean(axis=0)
    naive = X.T @ X / len(X) - np.outer(mean, mean)
    assert np.abs(naive - np.cov(X.astype(np.float64).T)).max() > 0.01


def test_a_stream_is_the_whole_with_the_same_bytes_from_any_number_of_threads() -> None:
    X = np.random.default_rng(1).normal(size=(20_000, 48)).astype(np.float32)

    def batches():
        return (X[start : start + 3000] for start in range(0, len(X), 3000))

    found = [over(batches(), threads) for threads in (1, 2, 3, 2)]
    assert (
        len({hashlib.sha256(m.scatter.tobytes() + m.mean.tobytes()).digest() for m in found}) == 1
    )
    assert found[0].count == len(X)
    np.testing.assert_allclose(found[0].covariance(), np.cov(X.T.astype(np.float64)), atol=1e-6)
    assert (found[0].scatter == found[0].scatter.T).all()


def test_whitening_makes_rows_uncorrelated() -> None:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(500, 3)) @ rng.normal(size=(3, 5)) + 7  # rank 3
    moments = Moments.of(X)
    white = (X - moments.mean) @ moments.whitening()
    assert white.shape == (500, 3)
    np.testing.assert_allclose(np.cov(white.T), np.eye(3), atol=1e-9)


def test_whitening_of_equal_rows_has_no_directions() -> None:
    assert Moments.of(np.ones((3, 2))).whitening().shape == (2, 0)


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match=r"2 and of 3 dimensions cannot be added\.\n"):
        Moments.of(np.eye(2)) + Moments.of(np.eye(3))
    with pytest.raises(InputError, match="covariance of 1 rows is not defined"):
        Moments.of([[1, 2]]).covariance()
    with pytest.raises(InputError, match="NaN or infinity in 1 of 2 rows"):
        over([[[1.0], [np.nan]]])
    with pytest.raises(InputError, match="no rows"):
        over([])
    with pytest.raises(ParameterError, match="threads"):
        over([[[1.0]]], threads=0)
