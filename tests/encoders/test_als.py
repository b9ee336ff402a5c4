"""ALS against dense normal equations, implicit's factors, and a planted answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from scipy.sparse import csr_array, csr_matrix

from encoders.planted import Histories, tastes
from spaceport.encoders._alternating import alternate, side_of
from spaceport.encoders.als import ALS
from spaceport.errors import ParameterError
from spaceport.threads import one_thread

SOLVERS = {
    "cg": {"solver": "cg"},
    "block": {"solver": "block", "block_size": 16},
    "whole": {"solver": "block", "block_size": 64},
}


def weights_of(encoder, V):
    """The weights of a dense matrix of values, as the class says."""
    if encoder.weighting == "log":
        return encoder.alpha * np.log(1 + V)
    return encoder.alpha * (V if encoder.weighting == "value" else (V > 0).astype(float))


def objective(encoder, X, Y, V):
    """The formula in the docstring, on dense float64."""
    C, w = weights_of(encoder, V), encoder.unobserved_weight
    S = X @ Y.T
    seen = V > 0
    if encoder.zeros == "all":
        loss = (C * (1 - S) ** 2)[seen].sum() + w * (S**2).sum()
    else:
        loss = ((C + w) * (1 - S) ** 2)[seen].sum() + w * (S**2)[~seen].sum()
    for vectors, f in ((X, C.sum(1) + w * V.shape[1]), (Y, C.sum(0) + w * V.shape[0])):
        scaled = f**encoder.frequency_scaling
        loss += encoder.regularization * (scaled * (vectors**2).sum(axis=1)).sum()
    return loss


def solved(encoder, Y, V):
    """Each user's row by the dense normal equations."""
    C, w = weights_of(encoder, V), encoder.unobserved_weight
    shift = w if encoder.zeros == "unobserved" else 0
    rows = []
    for c in C:
        ridge = encoder.regularization * (c.sum() + w * len(c)) ** encoder.frequency_scaling
        A = w * Y.T @ Y + (Y.T * c) @ Y + ridge * np.eye(Y.shape[1])
        rows.append(np.linalg.solve(A, Y.T @ (c + shift * (c > 0))))
    return np.array(rows)


@pytest.mark.parametrize("weighting", ["log", "value", "binary"])
@pytest.mark.parametrize("zeros", ["all", "unobserved"])
def test_users_solve_the_normal_equations(weighting, zeros):
    matrix = tastes()
    told = {"weighting": weighting, "zeros": zeros, "alpha": 2.0, "frequency_scaling": 0.5}
    encoder = ALS(20, 4, **told).fit(Histories(matrix))
    order = [int(item[1:]) for item in encoder.items_]
    V = matrix.toarray().astype(float)[:, order]
    wanted = solved(encoder, encoder.item_vectors_.astype(float), V)
    np.testing.assert_allclose(encoder.user_vectors_, wanted, atol=3e-4)


@pytest.mark.parametrize("zeros", ["all", "unobserved"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_the_objective_is_the_one_that_is_told_and_falls(solver, zeros):
    matrix = tastes()
    told = {"regularization": 0.02, "unobserved_weight": 0.2, "zeros": zeros}
    encoder = ALS(20, 8, **told, **SOLVERS[solver]).fit(Histories(matrix))
    losses = encoder.facts()["losses"]
    assert len(losses) == 8
    assert all(now < before for before, now in pairwise(losses))
    order = [int(item[1:]) for item in encoder.items_]
    V = matrix.toarray().astype(float)[:, order]
    final = objective(encoder, encoder.user_vectors_, encoder.item_vectors_, V)
    assert final < losses[-1]
    again = ALS(20, 9, **told, **SOLVERS[solver]).fit(Histories(matrix)).facts()["losses"]
    assert again[:8] == losses
    assert again[8] == pytest.approx(final, rel=3e-3)  # between the halves, users not quite exact
    assert again[8] >= final * (1 - 1e-5)


def test_one_block_of_all_coordinates_is_an_exact_half_step():
    matrix, encoder = tastes(), ALS(20, solver="block", block_size=32, weighting="value")
    told = encoder.settings()
    users, items = side_of(matrix, told), side_of(matrix.T.tocsr(), told)
    with ThreadPoolExecutor(1) as pool:
        next(alternate(users, items, told, pool))
    V = matrix.toarray().astype(float)
    wanted = solved(encoder, users.learnt().astype(float), V.T)
    np.testing.assert_allclose(items.learnt(), wanted, atol=1e-3)


def test_it_is_implicits_objective_with_a_confidence_of_one_more():
    peers = pytest.importorskip("implicit.als", reason="the peer is of the extra `bench`")
    matrix = tastes()
    told = {"regularization": 0.5, "frequency_scaling": 0.0, "unobserved_weight": 1.0}
    ours = ALS(16, 60, weighting="value", zeros="unobserved", **told)
    X, Y, _ = ours.learn(matrix)
    confidence = csr_matrix((1 + matrix.data, matrix.indices, matrix.indptr), shape=matrix.shape)
    with one_thread():  # else implicit warns
        theirs = peers.AlternatingLeastSquares(
            factors=16, regularization=0.5, iterations=60, random_state=0, num_threads=1
        )
        theirs.fit(confidence, show_progress=False)
    V = matrix.toarray().astype(float)
    peer = objective(ours, theirs.user_factors, theirs.item_factors, V)
    assert objective(ours, X, Y, V) == pytest.approx(peer, rel=0.02)
    users = solved(ours, theirs.item_factors.astype(float), V)
    with one_thread():
        wanted = theirs.recalculate_user(np.arange(len(V)), confidence)
    np.testing.assert_allclose(users, wanted, atol=2e-4)


@pytest.mark.parametrize("solver", SOLVERS)
def test_the_same_bytes_from_any_number_of_threads(solver):
    rng = np.random.default_rng(0)
    matrix = csr_array((rng.random((5000, 90)) < 0.1) * rng.integers(1, 9, (5000, 90)))
    matrix = csr_array(matrix.astype(np.float32))

    def learnt(threads, seed=0):
        users, items, facts = ALS(24, 3, threads=threads, seed=seed, **SOLVERS[solver]).learn(
            matrix
        )
        return users.tobytes(), items.tobytes(), facts["losses"]

    assert learnt(1) == learnt(2) == learnt(5) != learnt(1, seed=1)


def test_a_history_of_the_training_is_folded_in_where_it_was():
    source = Histories(tastes())
    encoder = ALS(20, 5).fit(source)
    np.testing.assert_allclose(encoder.encode(source), encoder.user_vectors_, atol=1e-4)
    alone = np.concatenate([encoder.fold_in(encoder.seen_[[row]]) for row in range(5)])
    assert (alone == encoder.fold_in(encoder.seen_)[:5]).all()


@pytest.mark.parametrize("zeros", ["all", "unobserved"])
def test_shares_add_up_to_the_score(zeros):
    encoder = ALS(20, 5, zeros=zeros).fit(Histories(tastes()))
    for user, item in (("u3", "i5"), ("u4", "i5"), ("u3", "i8")):
        shares = encoder.explain(user, item, k=100)
        row = encoder.users_.index(user)
        score = encoder.user_vectors_[row] @ encoder.item_vectors_[encoder.items_.index(item)]
        assert sum(share for _, share in shares) == pytest.approx(float(score), abs=1e-4)
        assert len(shares) == len(encoder.seen_[[row]].data)


def test_coordinates_are_in_the_order_of_the_items_gram_matrix():
    vectors = ALS(20, 5).fit(Histories(tastes())).item_vectors_.astype(float)
    gram = vectors.T @ vectors
    np.testing.assert_allclose(gram - np.diag(gram.diagonal()), 0, atol=1e-3 * gram.max())
    assert (np.diff(gram.diagonal()) <= 1e-6).all()
    assert (vectors[np.abs(vectors).argmax(axis=0), range(20)] > 0).all()


def test_two_tastes_are_told_apart():
    encoder = ALS(8, 10, frequency_scaling=0.5, regularization=0.1).fit(Histories(tastes()))
    for user in range(20):
        items, scores = encoder.recommend(f"u{user}", k=5)
        assert {int(item[1:]) % 2 for item in items} == {user % 2}
        assert (np.diff(scores) <= 0).all()


def test_more_dimensions_than_items():
    encoder = ALS(40, 3).fit(Histories(tastes(items=20)))
    assert np.isfinite(encoder.user_vectors_).all()
    assert encoder.recommend("u0", 3)[0]


def test_a_user_without_interactions_is_zero_and_changes_no_other():
    matrix = tastes()
    longer = csr_array((matrix.data, matrix.indices, [*matrix.indptr, matrix.nnz]), shape=(121, 60))
    encoder = ALS(8, 3).fit(Histories(longer))
    assert not encoder.user_vectors_[-1].any()
    assert np.isfinite(encoder.user_vectors_).all()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"regularization": 0.0}, "`regularization` must be a number above 0. Got 0.0."),
        ({"alpha": -1.0}, "`alpha` must be a number above 0. Got -1.0."),
        ({"unobserved_weight": float("nan")}, "`unobserved_weight` must be a number above 0."),
        ({"frequency_scaling": 2.0}, r"`frequency_scaling` must be in \[0, 1\]. Got 2.0."),
        ({"weighting": "bm25"}, "There is no weighting `bm25`."),
        ({"solver": "gc"}, "`solver` must be cg or block. Got 'gc'.\nThere are: block, cg."),
        ({"zeros": "none"}, "`zeros` must be all or unobserved. Got 'none'."),
        ({"block_size": 20}, "`block_size` must be a multiple of 16. Got 20.\nChoose 32."),
        ({"steps": 0}, "`steps` must be an int in"),
        ({"threads": 0}, "`threads` must be an int in"),
    ],
)
def test_parameters_out_of_range(params, message):
    with pytest.raises(ParameterError, match=message):
        ALS(**params)
