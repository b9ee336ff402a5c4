"""PureSVD: the leading singular vectors of the matrix of users and items, gaps taken as zeros."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spaceport.arrays import Matrix, Vector, integer
from spaceport.encoders import _histories
from spaceport.encoders._decomposition import decompose
from spaceport.encoders._interactions import InteractionEncoder
from spaceport.errors import InputError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["PureSVD"]


class PureSVD(InteractionEncoder):
    """Users and items by a truncated singular value decomposition.

    ::

        R ≈ U S Vᵀ        r_ui the weight of an interaction, 0 where there was none
        y_i = V_i         an item's vector
        x_u = r_u V       a user's, or a new history's; for the users of the training, U S

    so that the score x_u·y_i is the entry of R Vᵀ V, the nearest matrix of rank d to R where R is the
    training's.

    Parameters
    ----------
    dimension : int
        At most the number of users and that of items.
    weighting : {"log", "value", "binary"}
        r = ln(1 + v), v, or 1, for an interaction of the value v. Explicit ratings as they are:
        ``"value"``.
    seed : int
        For the random start of the decomposition.

    Attributes
    ----------
    singular_values_ : ndarray of shape (d,), float32
        Descending.

    References
    ----------
    Cremonesi, Koren, Turrin 2010, "Performance of Recommender Algorithms on Top-N Recommendation
    Tasks", section 3.2.

    Examples
    --------
    >>> PureSVD(dimension=10, weighting="value").spec
    "pure_svd(dimension=10, weighting='value')"
    """

    def __init__(self, dimension: int = 64, weighting: str = "log", seed: int = 0) -> None:
        super().__init__(dimension)
        self.weighting = weighting
        self.seed = integer(seed, "seed", 0)
        _histories.check_weighting(weighting)

    def learn(self, matrix: csr_array) -> tuple[Matrix, Matrix, dict[str, Any]]:
        """Decompose; gives both sides, and the share of R's squares that S explains.

        Raises
        ------
        InputError
            `dimension` is larger than the number of users or of items.
        """
        n, m = matrix.shape
        if self.dimension > min(n, m):
            raise InputError(
                f"`dimension` is {self.dimension}, but there are {n} users and {m} items.",
                "Choose a smaller dimension, or give more interactions.",
            )
        weights = _histories.weigh(matrix, self.weighting)
        values, items = decompose(weights, self.dimension, self.seed)
        squares = float((weights.data.astype(np.float64) ** 2).sum())
        explained = float((values.astype(np.float64) ** 2).sum()) / squares
        return np.asarray(weights @ items), items, {"explained": explained}

    def fold_in(self, matrix: csr_array) -> Matrix:
        """Project histories on the items' directions: r V."""
        vectors: Matrix = _histories.weigh(matrix, self.weighting) @ self.item_vectors_
        return vectors

    def shares(self, history: csr_array, item: int) -> Vector:
        """The terms of the score, which is a sum over the history: r_j V_j·V_i."""
        weights = _histories.weigh(history, self.weighting)
        shares: Vector = weights.data * (
            self.item_vectors_[weights.indices] @ self.item_vectors_[item]
        )
        return shares

    @property
    def singular_values_(self) -> Vector:
        """The lengths of the columns of U S, (d,)."""
        lengths: Vector = np.linalg.norm(self.user_vectors_, axis=0)
        return lengths
