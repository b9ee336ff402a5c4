"""Planted clusters and their neighbor graph, for the tests of projections."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.neighbors import NearestNeighbors


@dataclass(frozen=True)
class Planted:
    vectors: npt.NDArray[np.float32]
    clusters: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int32]
    distances: npt.NDArray[np.float32]


def neighbor_graph(
    vectors: npt.NDArray[np.float32], k: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Exact neighbors by scikit-learn, the item itself left out."""
    distances, indices = NearestNeighbors(n_neighbors=k).fit(vectors).kneighbors()
    return indices.astype(np.int32), distances.astype(np.float32)


@pytest.fixture(scope="session")
def planted() -> Planted:
    """Six balls of 50 points in 20 dimensions, well apart."""
    generator = np.random.default_rng(7)
    clusters = np.repeat(np.arange(6), 50)
    vectors = (generator.normal(size=(6, 20)) * 4)[clusters] + generator.normal(size=(300, 20))
    vectors = vectors.astype(np.float32)
    return Planted(vectors, clusters, *neighbor_graph(vectors, 15))
