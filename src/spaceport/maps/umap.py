"""UMAP: a map on which the neighbors of the space stay neighbors."""

from __future__ import annotations

import warnings
from typing import ClassVar

import numpy as np

from spaceport.arrays import Matrix, generator, integer
from spaceport.errors import MissingExtra, ParameterError
from spaceport.maps.base import Indices, Projection

__all__ = ["Umap"]

_SIDE = 10.0  # half the width of the starting layout, as in umap-learn
_JITTER = 1e-3  # parts equal vectors, which no force would part


class Umap(Projection):
    """Uniform manifold approximation and projection, on the neighbor graph that the space has.

    What runs, by umap-learn: each item's distances become memberships
    ``exp(-(distance - nearest) / sigma)``, sigma such that they sum to ``log2(neighbors)``; the two
    directions of an edge join as ``a + b - a b``; stochastic gradient descent pulls joined items
    together and pushes five random ones apart per pull, by the cross-entropy of
    ``1 / (1 + alpha r^(2 beta))``. It starts from the first two principal components, signs fixed,
    scaled to [-10, 10]. The graph is the one given: nothing is searched again.

    Parameters
    ----------
    neighbors : int
        Size of a neighborhood, the item itself counted; at most the graph's k + 1 are used.
        More shows the large picture, fewer the detail.
    min_distance : float
        How close items may lie on the map, in [0, 1).
    epochs : int, optional
        Passes of the descent; left out: 500 up to 10,000 items, else 200.
    seed : int
        The same seed gives the same map on one machine. It holds the descent to one thread.

    References
    ----------
    McInnes, Healy & Melville (2018), "UMAP: Uniform Manifold Approximation and Projection for
    Dimension Reduction", arXiv:1802.03426, sections 3 and 4.

    Examples
    --------
    >>> import numpy as np
    >>> triangle = np.eye(3, dtype=np.float32)
    >>> graph = np.array([[1, 2], [0, 2], [0, 1]], dtype=np.int32)
    >>> Umap().positions(triangle, graph, np.ones((3, 2))).shape
    (3, 2)
    """

    libraries: ClassVar[tuple[str, ...]] = ("umap-learn",)

    def __init__(
        self,
        neighbors: int = 15,
        min_distance: float = 0.1,
        epochs: int | None = None,
        seed: int = 0,
    ) -> None:
        self.neighbors = integer(neighbors, "neighbors", 2)
        if not 0 <= min_distance < 1:
            raise ParameterError(
                f"`min_distance` must be in [0, 1). Got {min_distance!r}.",
                "Choose a value in that range.",
            )
        self.min_distance = min_distance
        self.epochs = None if epochs is None else integer(epochs, "epochs", 1)
        self.seed = integer(seed, "seed", 0, 2**32 - 1)

    def project(self, vectors: Matrix, indices: Indices, distances: Matrix) -> Matrix:
        """Lay out two or more items; see `Projection.positions`.

        Raises
        ------
        MissingExtra
            umap-learn is not installed.
        """
        start = _principal_plane(vectors, self.seed)
        if len(vectors) < 4 or not indices.shape[1]:
            return start  # so few items have no neighborhoods to preserve
        neighbors = min(self.neighbors, indices.shape[1] + 1, len(vectors) - 1)
        reducer = _reducer()(
            n_neighbors=neighbors,
            min_dist=self.min_distance,
            n_epochs=self.epochs,
            metric="euclidean",  # read from the graph alone; "cosine" would cut edges of length 2
            init=start,
            random_state=self.seed,
            n_jobs=1,
            precomputed_knn=_with_itself(indices, distances, neighbors),
        )
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", "precomputed_knn.*is not an NNDescent object", UserWarning
            )
            return np.asarray(reducer.fit_transform(vectors), dtype=np.float32)


def _reducer() -> type:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Tensorflow not installed", ImportWarning)
            from umap import UMAP
    except ModuleNotFoundError as error:
        raise MissingExtra.of("maps", "umap-learn") from error
    return UMAP  # type: ignore[no-any-return]


def _with_itself(indices: Indices, distances: Matrix, neighbors: int) -> tuple[Indices, Matrix]:
    """Put each item first among its own neighbors, at distance 0, as umap-learn wants it.

    Cut to `neighbors` columns here: umap-learn 0.5.12 cuts only graphs of 4,096 items and more.
    """
    n = len(indices)
    ends = np.hstack([np.arange(n, dtype=np.int32)[:, None], indices])[:, :neighbors]
    lengths = np.hstack([np.zeros((n, 1), np.float32), distances])[:, :neighbors]
    return np.ascontiguousarray(ends), np.ascontiguousarray(lengths)


def _principal_plane(vectors: Matrix, seed: int) -> Matrix:
    """Give the first two principal components, signs fixed, within [-10, 10], a little jittered."""
    X = vectors - vectors.mean(axis=0, dtype=np.float64)  # (n, d)
    _, axes = np.linalg.eigh(X.T @ X)
    axes = axes[:, ::-1][:, :2]  # (d, 2)
    largest = np.abs(axes).argmax(axis=0)
    plane = X @ (axes * np.sign(axes[largest, np.arange(axes.shape[1])]))  # (n, 2)
    plane = np.pad(plane, ((0, 0), (0, 2 - plane.shape[1])))  # a space of one dimension
    reach = np.abs(plane).max()
    plane = plane * (_SIDE / reach) if reach > 1e-6 * max(1.0, np.abs(vectors).max()) else plane * 0
    return (plane + generator(seed).normal(scale=_JITTER, size=plane.shape)).astype(np.float32)
