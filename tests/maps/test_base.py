from __future__ import annotations

import numpy as np
import pytest

from spaceport.errors import InputError
from spaceport.maps.base import Projection


class Flat(Projection):
    """The first two coordinates, moved far away; remembers what it was given."""

    def project(self, vectors, indices, distances):
        self.given = (vectors, indices, distances)
        return vectors[:, :2] + 100


GRAPH = np.array([[1, 2], [0, 2], [1, 0]])
FAR = np.array([[1.0, 2.0], [1.0, 1.0], [1.0, 2.0]])
X = np.array([[0, 0, 5], [1, 0, 5], [5, 3, 5]])


def test_the_middle_of_the_map_is_the_origin_and_its_shape_is_kept():
    plane = Flat().positions(X, GRAPH, FAR)
    assert plane.dtype == np.float32
    np.testing.assert_allclose(plane, [[-2, -1], [-1, -1], [3, 2]], atol=1e-5)


def test_the_method_gets_clean_arrays():
    method = Flat()
    method.positions(X.tolist(), GRAPH.tolist(), (FAR - 1.0001).tolist())
    vectors, indices, distances = method.given
    assert (vectors.dtype, indices.dtype, distances.dtype) == (np.float32, np.int32, np.float32)
    assert distances.min() == 0  # rounding below zero is mended


def test_one_item_lies_at_the_origin():
    assert Flat().positions(np.ones((1, 3)), np.zeros((1, 0)), np.zeros((1, 0))).tolist() == [
        [0, 0]
    ]


@pytest.mark.parametrize(
    ("vectors", "indices", "distances", "message"),
    [
        (np.zeros((0, 3)), GRAPH, FAR, "holds no items"),
        (X, GRAPH[:2], FAR[:2], "must both have shape"),
        (X, GRAPH, FAR[:, :1], "must both have shape"),
        (X, np.tile(GRAPH, 2), np.tile(FAR, 2), "with k < 3"),
        (X, GRAPH + 1, FAR, r"integers in \[0, 3\)"),
        (X, -GRAPH, FAR, r"integers in \[0, 3\)"),
        (X, GRAPH.astype(float), FAR, r"integers in \[0, 3\)"),
        (
            X,
            np.array([[1, 2], [1, 2], [1, 0]]),
            FAR,
            "1 items are their own neighbor; the first is row 1",
        ),
        (X, GRAPH, -FAR, "must be 0 or more. Got -2"),
        (X, GRAPH, FAR * np.nan, "`distances` has NaN"),
        (np.where(X == 5, np.inf, X), GRAPH, FAR, "`vectors` has NaN"),
    ],
)
def test_a_graph_that_cannot_be_is_refused(vectors, indices, distances, message):
    with pytest.raises(InputError, match=message):
        Flat().positions(vectors, indices, distances)


class Infinite(Projection):
    def project(self, vectors, indices, distances):
        return np.full((len(vectors), 2), np.inf)


class Short(Projection):
    def project(self, vectors, indices, distances):
        return np.zeros((2, 2))


class Deep(Projection):
    def project(self, vectors, indices, distances):
        return np.zeros((len(vectors), 3))


@pytest.mark.parametrize(
    ("broken", "message"),
    [(Infinite, "NaN or infinity"), (Short, "placed 2 of 3"), (Deep, "dimension 2")],
)
def test_a_broken_method_is_caught(broken, message):
    with pytest.raises(InputError, match=message):
        broken().positions(X, GRAPH, FAR)
