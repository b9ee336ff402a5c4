"""Neighbors of a stream against exact search in memory and brute force in float64."""

from __future__ import annotations

import numpy as np
import pytest

from spaceport.geometry.neighbors import nearest
from spaceport.geometry.streamed import Search


def streamed(X: np.ndarray, places: np.ndarray, k: int, metric: str, cuts: int = 7) -> tuple:
    search = Search(X[places], places, k, metric)
    first = 0
    for block in np.array_split(X, cuts):
        search.see(block, first)
        first += len(block)
    return search.found(lambda wanted: X[wanted])


def brute(X: np.ndarray, places: np.ndarray, k: int, metric: str) -> np.ndarray:
    wide = X.astype(np.float64)
    if metric == "cosine":
        wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    if metric == "euclidean":
        scores = -np.linalg.norm(wide[places][:, None] - wide[None], axis=2)
    else:
        scores = wide[places] @ wide.T
    scores[np.arange(len(places)), places] = -np.inf
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


@pytest.mark.parametrize(
    ("metric", "far"),
    [("cosine", 0), ("cosine", 2), ("dot", 0), ("dot", 3), ("euclidean", 0), ("euclidean", 100)],
)
def test_they_are_those_of_brute_force(metric: str, far: int) -> None:
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(1500, 12)) * rng.uniform(0.5, 2, (1500, 1)) + far).astype(np.float32)
    places = np.arange(0, 1500, 25)
    indices, similarities = streamed(X, places, 10, metric)
    np.testing.assert_array_equal(indices, brute(X, places, 10, metric))
    exact = nearest(X, X[places], 11, metric)[1][:, 1:] if metric != "dot" else None
    if exact is not None:
        np.testing.assert_allclose(similarities, exact, atol=2e-6)


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclidean"])
@pytest.mark.parametrize("cuts", [1, 2, 40])
def test_any_blocks_give_the_same(metric: str, cuts: int) -> None:
    X = np.random.default_rng(1).normal(size=(5000, 6)).astype(np.float32)
    places = np.arange(40)
    found = streamed(X, places, 5, metric, cuts)[0]
    np.testing.assert_array_equal(found, brute(X, places, 5, metric))


def test_its_own_row_is_left_out_but_not_its_twin() -> None:
    X = np.array([[1, 0], [1, 0], [0, 1], [1, 1]], np.float32)
    indices, similarities = streamed(X, np.array([0, 2]), 2, "cosine", 3)
    assert indices.tolist() == [[1, 3], [3, 0]]
    assert similarities[0].tolist() == pytest.approx([1, 0.5**0.5])


def test_fewer_rows_than_asked_for_and_rows_of_zeros() -> None:
    X = np.array([[1, 0], [0, 0], [-1, 0]], np.float32)
    indices, similarities = streamed(X, np.array([0]), 10, "cosine")
    assert indices.tolist() == [[1, 2]]
    assert similarities.tolist() == [[0, -1]]
    assert streamed(X[:1], np.array([0]), 3, "cosine", 1)[0].shape == (1, 0)


def test_a_query_from_elsewhere_has_no_own_row() -> None:
    X = np.eye(3, dtype=np.float32)
    search = Search(X[:1], np.array([-1]), 1, "cosine")
    search.see(X, 0)
    assert search.found(lambda wanted: X[wanted])[0].tolist() == [[0]]


def test_identical_rows_stay_tied_after_a_rotation_in_float32() -> None:
    rng = np.random.default_rng(2)
    X = np.repeat(rng.normal(size=(20, 32)), 40, axis=0).astype(np.float32)
    R = np.linalg.qr(rng.normal(size=(32, 32)))[0].astype(np.float32)
    turned = X @ R
    turned += (turned * rng.uniform(-1, 1, turned.shape) * 2**-23).astype(np.float32)
    places = np.arange(0, 800, 11)
    one, other = (streamed(side, places, 10, "cosine")[0] for side in (X, turned))
    assert (one == other).mean() > 0.95


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclidean"])
@pytest.mark.parametrize("scale", [1e-4, 1e4])
def test_the_scale_of_the_rows_does_not_matter(metric: str, scale: float) -> None:
    """A rounding to so many decimals would tie all small products."""
    X = np.random.default_rng(3).normal(size=(300, 6)).astype(np.float32)
    places = np.arange(30)
    found = streamed((X * scale).astype(np.float32), places, 10, metric)[0]
    np.testing.assert_array_equal(found, brute(X, places, 10, metric))
