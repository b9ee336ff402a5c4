"""BPR: the step against its formula, the ranking against a planted answer."""

from __future__ import annotations

import numpy as np
import pytest

from encoders.planted import Histories, tastes
from spaceport.encoders.bpr import BPR
from spaceport.errors import ParameterError


def order(X, Y, seen, allowed):
    """Share of pairs (allowed item, other item), both unseen, that each user's scores put in order."""
    S = X.astype(float) @ Y.astype(float).T
    shares = []
    for row, scores in enumerate(S):
        good, bad = scores[allowed[row] & ~seen[row]], scores[~allowed[row] & ~seen[row]]
        shares.append((good[:, None] > bad).mean())
    return float(np.mean(shares))


def own_taste(users=120, items=60):
    return (np.arange(users)[:, None] - np.arange(items)) % 2 == 0


@pytest.mark.parametrize("frozen", [False, True])
def test_one_step_is_the_formula(frozen):
    from spaceport.encoders.kernels.bpr import train

    rng = np.random.default_rng(0)
    d, rate, penalty = 5, 0.3, 0.2
    X, Y = np.zeros((1, 16), np.float32), np.zeros((2, 16), np.float32)
    X[:, :d], Y[:, :d] = rng.normal(size=(1, d)), rng.normal(size=(2, d))
    X[0, d - 1] = 1
    x, good, bad = X[0].astype(float), Y[1].astype(float), Y[0].astype(float)
    z = 1 / (1 + np.exp(x @ (good - bad)))
    wanted = x + rate * (z * (good - bad) - penalty * x)
    wanted[d - 1] = 1
    ups = [bad + rate * (-z * x - penalty * bad), good + rate * (z * x - penalty * good)]
    ends, columns, drawn = np.array([0, 1]), np.array([1], np.int32), np.zeros(1, np.int32)
    right, made = train(
        ends, columns, np.zeros(1, np.int32), np.zeros(1, np.uint64), drawn,
        X.reshape(-1), Y.reshape(-1), 16, d - 1, np.float32(rate), np.float32(penalty),
        np.uint64(7), frozen, False, 0, 0,
    )  # fmt: skip
    np.testing.assert_allclose(X[0], wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(Y, [bad, good] if frozen else ups, rtol=1e-5, atol=1e-6)
    assert (right, made) == (int(x @ (good - bad) > 0), 1)


def test_negatives_are_what_a_user_lacks():
    """One that has all items but item 0 is the only source of steps: no other item may fall."""
    matrix = tastes(users=2, items=40)
    dense = np.ones((1, 40), np.float32)
    dense[0, 0] = 0
    matrix = type(matrix)(dense)
    _, Y, _ = BPR(2, 30, learning_rate=0.1, negatives="uniform", threads=1).learn(matrix)
    bias = Y[:, 1]
    assert bias[0] < -0.5
    assert (bias[1:] >= 0).all()


@pytest.mark.parametrize("negatives", ["popular", "uniform"])
@pytest.mark.parametrize("reproducible", [False, True])
def test_it_ranks_the_own_taste_first(negatives, reproducible):
    matrix = tastes()
    encoder = BPR(
        8, 150, learning_rate=0.05, negatives=negatives, reproducible=reproducible, threads=2
    )
    X, Y, facts = encoder.learn(matrix)
    seen, allowed = matrix.toarray() > 0, own_taste()
    assert order(X, Y, seen, allowed) > 0.9
    assert order(X, np.random.default_rng(0).permutation(Y), seen, allowed) < 0.65  # a saboteur
    assert facts["in_order"] > 0.9


def test_reproducible_gives_the_same_bytes_from_any_number_of_threads():
    matrix = tastes(users=400, items=90)

    def learnt(threads, seed=0):
        X, Y, _ = BPR(20, 5, threads=threads, reproducible=True, seed=seed).learn(matrix)
        return X.tobytes() + Y.tobytes()

    assert learnt(1) == learnt(2) == learnt(4) != learnt(2, seed=1)


def test_one_thread_repeats_without_reproducible():
    matrix = tastes()
    first, second = (BPR(8, 5, threads=1).learn(matrix)[0] for _ in range(2))
    assert (first == second).all()


def test_the_bias_is_the_last_coordinate():
    source = Histories(tastes())
    encoder = BPR(8, 5, threads=1).fit(source)
    assert (encoder.user_vectors_[:, -1] == 1).all()
    assert (encoder.encode(source)[:, -1] == 1).all()
    bare = BPR(8, 5, threads=1, bias=False).fit(source)
    assert not (bare.user_vectors_[:, -1] == 1).any()


def test_popular_items_have_a_larger_bias_with_uniform_negatives():
    rng = np.random.default_rng(0)
    chance = np.linspace(0.05, 0.6, 50)
    matrix = type(tastes())((rng.random((300, 50)) < chance).astype(np.float32))
    _, Y, _ = BPR(2, 30, learning_rate=0.05, negatives="uniform", threads=1).learn(matrix)
    assert np.corrcoef(Y[:, 1], chance)[0, 1] > 0.9


def test_a_history_folded_in_scores_as_the_trained_user():
    source = Histories(tastes())
    encoder = BPR(8, 150, learning_rate=0.05, reproducible=True).fit(source)
    folded = encoder.encode(source)
    assert (encoder.fold_in(encoder.seen_[[7]])[0] == folded[7]).all()
    Y = encoder.item_vectors_
    correlations = [
        np.corrcoef(Y @ a, Y @ b)[0, 1] for a, b in zip(folded, encoder.user_vectors_, strict=True)
    ]
    assert np.mean(correlations) > 0.9


def test_a_user_with_every_item_is_left_alone():
    matrix = type(tastes())(np.ones((3, 5), np.float32))
    X, Y, facts = BPR(4, 3, threads=1).learn(matrix)
    assert np.isfinite(X).all()
    assert np.isfinite(Y).all()
    assert facts["in_order"] == 0


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"dimension": 1}, "`dimension` must be an int in .2"),
        ({"learning_rate": 0.0}, "`learning_rate` must be a number above 0"),
        ({"regularization": -0.1}, "`regularization` must be a number above 0"),
        ({"negatives": "hard"}, "There are no `hard` negatives.\nThere are: popular, uniform."),
        ({"threads": 0}, "`threads` must be an int in"),
    ],
)
def test_parameters_out_of_range(params, message):
    with pytest.raises(ParameterError, match=message):
        BPR(**params)
