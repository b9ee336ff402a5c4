from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

import spaceport.maps as maps
from spaceport.errors import ParameterError
from spaceport.methods import parse

# Measured on the planted clusters: map .965, shuffled map .505.
TRUSTWORTHY = 0.93


@pytest.fixture(scope="module")
def plane(planted):
    return maps.umap(epochs=200).positions(planted.vectors, planted.indices, planted.distances)


def purity(plane, clusters):
    """Share of the 10 nearest on the map that are of the same cluster."""
    nearest = NearestNeighbors(n_neighbors=10).fit(plane).kneighbors(return_distance=False)
    return (clusters[nearest] == clusters[:, None]).mean()


def test_neighbors_of_the_space_are_neighbors_on_the_map(planted, plane):
    assert trustworthiness(planted.vectors, plane, n_neighbors=10) > TRUSTWORTHY
    assert purity(plane, planted.clusters) > 0.99


def test_a_shuffled_map_would_be_noticed(planted, plane):
    shuffled = np.random.default_rng(0).permutation(plane)
    assert trustworthiness(planted.vectors, shuffled, n_neighbors=10) < 0.6
    assert purity(shuffled, planted.clusters) < 0.3


def test_the_graph_that_is_given_is_the_one_that_is_drawn(planted):
    """Items are wired to other clusters than their vectors': the map must follow the wires."""
    mixed = np.random.default_rng(1).permutation(len(planted.vectors))
    plane = maps.umap(epochs=200).positions(
        planted.vectors[mixed], planted.indices, planted.distances
    )
    assert purity(plane, planted.clusters) > 0.95
    assert purity(plane, planted.clusters[mixed]) < 0.3


def test_no_neighbor_is_searched_for_a_second_time(planted, monkeypatch):
    import umap.umap_ as library

    def searched(*_, **__):
        raise AssertionError("umap-learn searched neighbors again")

    monkeypatch.setattr(library, "nearest_neighbors", searched)
    monkeypatch.setattr(library, "pairwise_distances", searched)
    maps.umap(epochs=1).positions(planted.vectors, planted.indices, planted.distances)
    with pytest.raises(AssertionError, match="searched neighbors again"):
        library.UMAP(n_epochs=1, force_approximation_algorithm=True).fit(planted.vectors)


def test_only_as_many_neighbors_as_asked_for_are_used(planted):
    few = maps.umap(neighbors=6, epochs=20)
    far_away = planted.indices.copy()
    far_away[:, 5:] = np.random.default_rng(0).permuted(far_away[:, 5:], axis=0)
    far_away[:, 5:] = np.where(
        far_away[:, 5:] == np.arange(300)[:, None], (far_away[:, 5:] + 1) % 300, far_away[:, 5:]
    )
    planes = [
        few.positions(planted.vectors, graph, planted.distances)
        for graph in (planted.indices, far_away)
    ]
    np.testing.assert_array_equal(*planes)


def test_a_seed_makes_the_map_and_another_seed_another(planted, plane):
    again = maps.umap(epochs=200).positions(planted.vectors, planted.indices, planted.distances)
    other = maps.umap(epochs=200, seed=1).positions(
        planted.vectors, planted.indices, planted.distances
    )
    np.testing.assert_array_equal(again, plane)
    assert np.abs(other - plane).max() > 0.01


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 10, 17])
def test_few_items_are_mapped_and_none_hides_another(n):
    vectors = np.random.default_rng(n).normal(size=(n, 8))
    distances = np.linalg.norm(vectors[:, None] - vectors, axis=2)
    np.fill_diagonal(distances, np.inf)
    indices = distances.argsort(axis=1)[:, : min(15, n - 1)]
    plane = maps.umap(epochs=20).positions(
        vectors, indices, np.take_along_axis(distances, indices, 1)
    )
    assert plane.shape == (n, 2)
    assert len(np.unique(plane, axis=0)) == n


def test_equal_vectors_are_mapped_apart(planted):
    same = np.ones_like(planted.vectors)
    plane = maps.umap(epochs=20).positions(same, planted.indices, np.zeros_like(planted.distances))
    assert len(np.unique(plane, axis=0)) == len(same)


def test_a_space_of_one_dimension_is_mapped(planted):
    plane = maps.umap(epochs=20).positions(
        planted.vectors[:, :1], planted.indices, planted.distances
    )
    assert np.isfinite(plane).all()


def test_it_is_a_method_with_a_one_line_form():
    assert parse("maps", "umap(neighbors=30, seed=4)").params() == {
        "neighbors": 30, "min_distance": 0.1, "epochs": None, "seed": 4,
    }  # fmt: skip
    assert maps.umap(neighbors=30).spec == "umap(neighbors=30)"


@pytest.mark.parametrize(
    "wrong",
    [{"neighbors": 1}, {"min_distance": 1.0}, {"min_distance": -0.1}, {"epochs": 0}, {"seed": -1}],
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        maps.umap(**wrong)


BARE = """
import sys
sys.modules["umap"] = None  # as if it were not installed
import numpy as np, spaceport.maps as maps
from spaceport.errors import MissingExtra
try:
    maps.umap().positions(np.eye(5), [[1], [2], [3], [4], [0]], np.ones((5, 1)))
except MissingExtra as error:
    print(error)
"""


def test_without_the_library_the_remedy_is_one_line_to_paste():
    ran = subprocess.run([sys.executable, "-c", BARE], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[1] == "Run: pip install 'spaceport[maps]'"
