"""PureSVD against SciPy's exact decomposition."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.planted import Histories, tastes
from spaceport.encoders.pure_svd import PureSVD
from spaceport.errors import InputError, ParameterError


@pytest.mark.parametrize("weighting", ["value", "log", "binary"])
def test_scores_are_those_of_the_nearest_matrix_of_that_rank(weighting):
    matrix = tastes()
    encoder = PureSVD(6, weighting)
    X, Y, facts = encoder.learn(matrix)
    V = matrix.toarray().astype(float)
    R = {"value": V, "log": np.log(1 + V), "binary": (V > 0).astype(float)}[weighting]
    U, S, _ = np.linalg.svd(R, full_matrices=False)
    error = np.linalg.norm(R - X @ Y.T)
    assert error == pytest.approx(np.linalg.norm(S[6:]), rel=1e-3)  # Eckart and Young's bound
    np.testing.assert_allclose(np.linalg.norm(X, axis=0), S[:6], rtol=5e-3)
    np.testing.assert_allclose(Y.T @ Y, np.eye(6), atol=1e-5)
    assert facts["explained"] == pytest.approx((S[:6] ** 2).sum() / (S**2).sum(), rel=1e-3)
    np.testing.assert_allclose(
        abs((X[:, :2] / S[:2] * U[:, :2]).sum(axis=0)), 1, atol=1e-3
    )  # the first two, well apart


def test_users_are_folded_in_where_they_were_and_singular_values_descend():
    source = Histories(tastes())
    encoder = PureSVD(5).fit(source)
    np.testing.assert_allclose(encoder.encode(source), encoder.user_vectors_, atol=1e-5)
    assert (np.diff(encoder.singular_values_) <= 0).all()
    assert PureSVD(5).fit(source).fingerprint == encoder.fingerprint


def test_shares_add_up_to_the_score():
    encoder = PureSVD(5).fit(Histories(tastes()))
    shares = encoder.explain("u3", "i5", k=100)
    score = encoder.user_vectors_[3] @ encoder.item_vectors_[encoder.items_.index("i5")]
    assert sum(share for _, share in shares) == pytest.approx(float(score), abs=1e-5)


def test_too_many_dimensions_and_an_unknown_weighting():
    with pytest.raises(InputError, match="`dimension` is 70, but there are 120 users and 60 items"):
        PureSVD(70).fit(Histories(tastes()))
    with pytest.raises(ParameterError, match="There is no weighting `idf`"):
        PureSVD(weighting="idf")
