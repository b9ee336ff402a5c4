"""Algebra against planted answers and the papers' formulas in their plainest form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spaceport.errors import InputError, ParameterError
from spaceport.geometry.algebra import add, analogy, mean, projection, subtract, weighted_mean

numbers = st.floats(-1000, 1000, width=32)
vectors = arrays(np.float32, 5, elements=numbers)


def test_mean_and_weighted_mean_agree_with_numpy():
    X = np.random.default_rng(0).standard_normal((50, 6))
    w = np.random.default_rng(1).random(50)
    np.testing.assert_allclose(mean(X), X.mean(axis=0), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(
        weighted_mean(X, w), np.average(X, axis=0, weights=w), rtol=1e-5, atol=1e-7
    )


def test_mean_does_not_lose_small_numbers_in_large_sums():
    X = np.full((200_000, 1), 1.1, dtype=np.float32)
    X[0] = 2**24
    assert mean(X)[0] == np.float32(X.astype(np.float64).mean())


@given(vectors, vectors, vectors)
def test_what_was_added_can_be_subtracted(a, b, c):
    np.testing.assert_allclose(subtract(add(a, b, c), b, c), a, atol=1e-3)
    assert (add(a) == a).all()
    assert (subtract(a) == a).all()


@given(vectors, vectors)
def test_a_projection_lies_along_and_the_rest_at_right_angles(x, onto):
    assume(np.linalg.norm(onto) > 1e-2)
    along = projection(x, onto).astype(float)
    rest = x - along
    assert abs(rest @ onto) <= 1e-4 * (np.linalg.norm(x) + 1) * np.linalg.norm(onto)
    length = np.linalg.norm(onto.astype(float))
    assert abs(abs(along @ onto) - np.linalg.norm(along) * length) <= 1e-3 * length * (1 + length)


def test_projection_of_a_known_vector():
    assert projection([1, 2, 3], [0, 0, -4]).tolist() == [0, 0, 3]


def slow(X, positive, negative, method):
    U = X / np.linalg.norm(X, axis=1, keepdims=True)
    scores = np.full(len(X), -np.inf)
    for i in range(len(X)):
        if i in positive or i in negative:
            continue
        cos = {j: U[i] @ U[j] for j in [*positive, *negative]}
        if method == "3cosadd":
            scores[i] = sum(cos[j] for j in positive) - sum(cos[j] for j in negative)
        else:
            above = np.prod([(cos[j] + 1) / 2 for j in positive])
            scores[i] = above / np.prod([(cos[j] + 1) / 2 + 0.001 for j in negative])
    return np.argsort(-scores)[:5], np.sort(scores)[::-1][:5]


@pytest.mark.parametrize("method", ["3cosadd", "3cosmul"])
@pytest.mark.parametrize(("positive", "negative"), [([3, 8], [5]), ([1], []), ([2, 4, 6], [1, 9])])
def test_analogies_agree_with_the_papers_formula(method, positive, negative):
    X = np.random.default_rng(4).standard_normal((80, 7))
    indices, scores = analogy(X, positive, negative, k=5, method=method)
    wanted, values = slow(X, positive, negative, method)
    assert indices.tolist() == wanted.tolist()
    if method == "3cosadd":
        U = X / np.linalg.norm(X, axis=1, keepdims=True)
        values = values / np.linalg.norm(U[positive].sum(0) - U[negative].sum(0))
    np.testing.assert_allclose(scores, values, rtol=1e-4)


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclidean"])
def test_a_planted_parallelogram_is_found(metric):
    rng = np.random.default_rng(7)
    X = rng.standard_normal((300, 40))
    X[3] = X[0] - X[1] + X[2] + 0.01 * rng.standard_normal(40)
    X[3:] *= 2 if metric == "dot" else 1
    assert analogy(X, [0, 2], [1], k=1, metric=metric)[0].tolist() == [3]


def test_rows_of_the_question_are_no_answers():
    X = np.eye(3)
    assert set(analogy(X, [0], [1], k=9)[0].tolist()) == {2}


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: mean(np.empty((0, 3))), InputError, "no mean of no vectors"),
        (lambda: weighted_mean([[1, 2]], [1, 2]), InputError, "2 weights for 1 vectors"),
        (lambda: weighted_mean([[1, 2], [3, 4]], [0, 0]), InputError, "not all 0"),
        (lambda: weighted_mean([[1, 2], [3, 4]], [2, -1]), InputError, "must be 0 or more"),
        (lambda: projection([1, 2], [0, 0]), InputError, "zero vector, which has no direction"),
        (lambda: projection([1, 2, 3], [1, 0]), InputError, "dimension 2. Got 3"),
        (lambda: add(), InputError, "nothing to add"),
        (lambda: add([1, 2], [1]), InputError, "dimension 2. Got 1"),
        (lambda: analogy(np.eye(3), [], [0]), ParameterError, "`positive` is empty"),
        (
            lambda: analogy(np.eye(3), [7], [0]),
            ParameterError,
            r"`row` must be an int in \[0, 2\]. Got 7",
        ),
        (
            lambda: analogy(np.eye(3), [1], [0], method="add"),
            ParameterError,
            "no analogy method `add`",
        ),
        (lambda: analogy(np.eye(3), [1], [0], metric="l1"), ParameterError, "no metric `l1`"),
        (
            lambda: analogy(np.eye(3), [1], [0], method="3cosmul", metric="dot"),
            ParameterError,
            "defined for cosine",
        ),
    ],
)
def test_errors_have_two_lines(call, error, says):
    with pytest.raises(error, match=says) as caught:
        call()
    assert len(str(caught.value).splitlines()) == 2
