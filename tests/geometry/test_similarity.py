"""Similarity against SciPy, and where the usual formula loses its digits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist

from spaceport.errors import InputError, ParameterError
from spaceport.geometry.similarity import METRICS, normalize, norms, similarity

RNG = np.random.default_rng(0)
X = RNG.standard_normal((1300, 17)).astype(np.float32)
Y = RNG.standard_normal((40, 17)).astype(np.float32)


def oracle(X, Y, metric):
    X, Y = X.astype(float), Y.astype(float)
    if metric == "dot":
        return X @ Y.T
    return 1 - cdist(X, Y, "cosine") if metric == "cosine" else -cdist(X, Y)


@pytest.mark.parametrize("metric", METRICS)
def test_agrees_with_scipy(metric):
    got = similarity(X, Y, metric)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, oracle(X, Y, metric), rtol=1e-6, atol=1e-6)


def test_euclidean_keeps_its_digits_far_from_the_origin_and_near_to_each_other():
    far = (1000 + RNG.standard_normal((50, 8)) * 1e-2).astype(np.float32)
    np.testing.assert_allclose(
        similarity(far, metric="euclidean"), oracle(far, far, "euclidean"), rtol=1e-5
    )


def test_euclidean_of_two_tight_pairs_far_apart():
    near = np.array([[1000, 0], [1000.001, 0], [-1000, 0], [-1000.001, 0]], dtype=np.float32)
    got = similarity(near, metric="euclidean")
    np.testing.assert_allclose(got, oracle(near, near, "euclidean"), rtol=1e-6)
    assert got[0, 1] < 0
    assert (np.diag(got) == 0).all()


def test_a_zero_vector_is_like_nothing():
    assert similarity([[0, 0]], [[1, 0], [0, 0]]).tolist() == [[0, 0]]


finite = st.floats(-(2.0**60), 2.0**60, width=32)


@given(arrays(np.float32, (5, 3), elements=finite))
def test_normalized_rows_have_length_one_or_zero(X):
    lengths = np.linalg.norm(normalize(X).astype(float), axis=1)
    zero = ~X.any(axis=1)
    assert (lengths[zero] == 0).all()
    np.testing.assert_allclose(lengths[~zero], 1, rtol=1e-6)


@given(arrays(np.float32, (4, 3), elements=st.floats(-1e6, 1e6, width=32)))
def test_euclidean_is_never_above_zero_and_the_diagonal_is_zero(X):
    got = similarity(X, metric="euclidean")
    assert (got <= 0).all()
    assert (np.diag(got) == 0).all()


def test_norms_of_many_rows():
    np.testing.assert_allclose(norms(X), np.linalg.norm(X.astype(float), axis=1), rtol=1e-7)


def test_errors_say_what_was_asked():
    with pytest.raises(ParameterError, match=r"no metric `cosin`.\nDid you mean cosine"):
        similarity(X, metric="cosin")
    with pytest.raises(InputError, match=r"dimension 17. Got 3"):
        similarity(X, Y[:, :3])
