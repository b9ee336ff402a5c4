"""The contract of a projection: what lays the items of a space out on a plane."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, matrix
from spaceport.errors import InputError
from spaceport.methods import Method
from spaceport.progress import task

__all__ = ["Indices", "Projection"]

Indices = npt.NDArray[np.int32]
_ROUNDING = 1e-3  # 1 - similarity of equal unit vectors may come out a little under zero


class Projection(Method, ABC):
    """Lays items out on a plane so that neighbors stay neighbors.

    A method writes `project`. Users call `positions`, which checks what goes in and what comes out.

    Attributes
    ----------
    modality : str
        Always ``"vectors"``: a projection reads vectors and their neighbor graph.
    libraries : tuple of str
        Distributions whose version changes the map.
    """

    modality: ClassVar[str] = "vectors"
    libraries: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def project(self, vectors: Matrix, indices: Indices, distances: Matrix) -> Matrix:
        """Lay out at least two items; the one required method. Parameters as in `positions`."""

    def positions(
        self, vectors: npt.ArrayLike, indices: npt.ArrayLike, distances: npt.ArrayLike
    ) -> Matrix:
        """Check the input, project it, and move the middle of the map to the origin.

        Parameters
        ----------
        vectors : array-like of shape (n, d)
            One row per item; unit length is not needed.
        indices : array-like of shape (n, k), integers in [0, n)
            The neighbor graph: the k nearest other items of each item, the nearest first.
        distances : array-like of shape (n, k)
            How far those are, 0 or more, in the space's own metric (cosine: 1 - similarity).

        Returns
        -------
        ndarray of shape (n, 2), float32, finite, each column's mean 0

        Raises
        ------
        InputError
            No items, shapes that disagree, an index out of range, an item that is its own
            neighbor, NaN, infinity or a negative distance, or a method that gave no finite plane.
        """
        X = matrix(vectors, "vectors")
        graph, lengths = _graph(indices, distances, len(X))
        if len(X) == 1:
            return np.zeros((1, 2), np.float32)
        with task("projecting", len(X)) as work:
            plane = matrix(self.project(X, graph, lengths), f"the map of {self.spec}", 2)
            work.advance(len(X))
        if len(plane) != len(X):
            raise InputError(
                f"{self.spec} placed {len(plane)} of {len(X)} items.",
                "Mend the projection's `project`.",
            )
        middle = plane.mean(axis=0, dtype=np.float64)
        return matrix(plane - middle)


def _graph(indices: npt.ArrayLike, distances: npt.ArrayLike, n: int) -> tuple[Indices, Matrix]:
    """Check a neighbor graph of n items; a graph of one item has no columns."""
    if n == 0:
        raise InputError("`vectors` holds no items.", "Give at least one item to map.")
    ends, lengths = np.asarray(indices), np.asarray(distances)
    if ends.shape != lengths.shape or ends.ndim != 2 or len(ends) != n or ends.shape[1] >= n:
        raise InputError(
            f"`indices` {ends.shape} and `distances` {lengths.shape} must both have shape ({n}, k) "
            f"with k < {n}.",
            "Give the k nearest other items of each item.",
        )
    if n == 1:
        return np.zeros((1, 0), np.int32), np.zeros((1, 0), np.float32)
    return _ends(ends, n), _lengths(lengths)


def _ends(ends: npt.NDArray[np.generic], n: int) -> Indices:
    if ends.dtype.kind not in "iu" or (ends.size and (ends.min() < 0 or ends.max() >= n)):
        raise InputError(
            f"`indices` must hold integers in [0, {n}).", "Give row numbers of `vectors`."
        )
    itself = (ends == np.arange(n)[:, None]).any(axis=1)  # (n,)
    if itself.any():
        raise InputError(
            f"{int(itself.sum())} items are their own neighbor; the first is row {int(itself.argmax())}.",
            "Leave each item out of its own neighbors.",
        )
    return np.ascontiguousarray(ends, dtype=np.int32)


def _lengths(lengths: npt.NDArray[np.generic]) -> Matrix:
    single = matrix(lengths, "distances")
    if single.min() < -_ROUNDING:
        raise InputError(
            f"`distances` must be 0 or more. Got {single.min():.3g}.",
            "Give distances, not similarities; for cosine that is 1 - similarity.",
        )
    return np.maximum(single, 0)
