"""ALS: implicit feedback by weighted alternating least squares."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from spaceport.arrays import Matrix, Vector, integer, positive
from spaceport.encoders import _histories
from spaceport.encoders._alternating import (
    Settings,
    alternate,
    finish,
    padded,
    side_of,
    solve_exactly,
)
from spaceport.encoders._interactions import InteractionEncoder
from spaceport.errors import ParameterError, choices
from spaceport.progress import track
from spaceport.threads import one_thread, workers

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["ALS"]

_SOLVERS = ("cg", "block")
_ZEROS = ("all", "unobserved")
_LANES = 16


class ALS(InteractionEncoder):
    """Users and items whose dot products are near 1 where there was an interaction, and small elsewhere.

    It lowers, by turns over the users' x_u and the items' y_i,

        Σ_{ui observed} c_ui (1 − x_u·y_i)² + w Σ_{all ui} (x_u·y_i)² + λ Σ_u f_u^ν |x_u|² + λ Σ_i f_i^ν |y_i|²

    where f_u = Σ_i c_ui + w m is the weight of all m pairs of a user, and f_i = Σ_u c_ui + w n that of
    an item. With ``zeros="unobserved"`` the observed pairs are not drawn to zero as well, so that
    their confidence is c_ui + w: with w = 1 and ν = 0 this is the objective of Hu, Koren and Volinsky,
    and of the library implicit, whose matrix of confidences is 1 + c.

    Explicit ratings become weights by `weighting`: a high rating is a stronger reason for 1, and a low
    one a weaker reason, never a reason against. Leave out what was disliked before (the source's
    `minimum`).

    Parameters
    ----------
    dimension : int
    iterations : int
        Each solves all users, then all items. After the last one the users are solved exactly.
    regularization : float
        λ, above 0.
    frequency_scaling : float
        ν, in [0, 1]. 1 regularizes each vector by how much it stands for; 0 all alike.
    unobserved_weight : float
        w, above 0.
    weighting : {"log", "value", "binary"}
        c = α ln(1 + v), α v, or α, for an interaction of the value v.
    alpha : float
        α, above 0.
    zeros : {"all", "unobserved"}
    solver : {"cg", "block"}
        Of a half-step: `steps` steps of the conjugate gradient method, or one sweep over blocks of
        `block_size` coordinates, each solved exactly (iALS++). Both start from the last iteration. The
        former is several times as fast here, for about the same loss after each iteration.
    steps : int
        For ``"cg"``.
    block_size : int
        For ``"block"``, a multiple of 16. From `dimension` upward each half-step is exact.
    threads : int, optional
        None: one per core. Any number gives the same bytes.
    seed : int

    Notes
    -----
    Before a half-step both sides are turned so that the Gram matrix of the side that stays is
    diagonal. Scores and lengths do not change, and the term over all pairs costs no more than the
    regularization. The coordinates given are those in which the items' Gram matrix is diagonal, its
    largest entry first, so that the first coordinates of a vector say most.

    Rows are solved independently, and sums over rows are taken over fixed chunks in a fixed order.

    References
    ----------
    Hu, Koren, Volinsky 2008, "Collaborative Filtering for Implicit Feedback Datasets", sections 4 and 5.
    Rendle, Krichene, Zhang, Koren 2022, "Revisiting the Performance of iALS on Item Recommendation
    Benchmarks", equations 3 to 5. Rendle, Krichene, Zhang, Koren 2021, "iALS++: Speeding up Matrix
    Factorization with Subspace Optimization", section 4.

    Examples
    --------
    >>> ALS(dimension=32, solver="block").spec
    "als(dimension=32, solver='block')"
    """

    neutral = frozenset({"threads"})

    def __init__(
        self,
        dimension: int = 64,
        iterations: int = 15,
        regularization: float = 0.003,
        frequency_scaling: float = 1.0,
        unobserved_weight: float = 0.3,
        weighting: str = "log",
        alpha: float = 1.0,
        zeros: str = "all",
        solver: str = "cg",
        steps: int = 2,
        block_size: int = 16,
        threads: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(dimension)
        self.iterations = integer(iterations, "iterations", 1)
        self.regularization = regularization
        self.frequency_scaling = frequency_scaling
        self.unobserved_weight = unobserved_weight
        self.weighting = weighting
        self.alpha = alpha
        self.zeros = zeros
        self.solver = solver
        self.steps = integer(steps, "steps", 1)
        self.block_size = integer(block_size, "block_size", _LANES)
        self.threads = threads
        self.seed = integer(seed, "seed", 0)
        self._check()

    def learn(self, matrix: csr_array) -> tuple[Matrix, Matrix, dict[str, Any]]:
        """Alternate; gives both sides, and the loss in the middle of each iteration."""
        import spaceport.encoders.kernels.als
        import spaceport.encoders.kernels.subspaces  # noqa: F401 - compiled here, once per machine

        start = time.perf_counter()
        told, weights = self.settings(), self._weights(matrix)
        users, items = side_of(weights, told), side_of(weights.T.tocsr(), told)
        with self._pool() as pool:
            steps = islice(alternate(users, items, told, pool), self.iterations)
            losses = list(track(steps, "solving", self.iterations))
            seconds = time.perf_counter() - start
            finish(users, items, told, pool)
        facts = {"iterations": self.iterations, "seconds_per_iteration": seconds / self.iterations}
        facts |= {"entries_per_second": 2 * weights.nnz * self.iterations / seconds}
        return users.learnt(), items.learnt(), facts | {"losses": losses}

    def fold_in(self, matrix: csr_array) -> Matrix:
        """Solve the users' half-step exactly for new histories, the items as they are.

        A user of the training comes out as it was learnt, but for rounding.
        """
        told = self.settings()
        side = side_of(self._weights(matrix), told)
        popularity = np.bincount(
            self.seen_.indices, self._weights(self.seen_).data, len(self.item_vectors_)
        )
        with self._pool() as pool:
            solve_exactly(
                side, padded(self.item_vectors_), popularity.astype(np.float32), told, pool
            )
        return side.learnt()

    def shares(self, history: csr_array, item: int) -> Vector:
        """The terms of the score, which is a sum over the history.

        With A the matrix of the user's normal equations, entry j adds (c_j + s) y_iᵀ A⁻¹ y_j; s is 0,
        or w with ``zeros="unobserved"`` (Hu, Koren and Volinsky, section 5).
        """
        told = self.settings()
        side = side_of(self._weights(history), told)
        Y = self.item_vectors_.astype(np.float64)
        known = Y[side.columns]  # (e, d)
        shared = told.unobserved_weight * (Y * Y).sum(axis=0) + side.ridge[0]
        A = np.diag(shared) + (known.T * side.weights) @ known
        shares = (side.weights + told.shift) * (known @ np.linalg.solve(A, Y[item]))
        return shares.astype(np.float32)

    def settings(self) -> Settings:
        """The parameters as the solver takes them."""
        return Settings(
            dimension=self.dimension,
            unobserved_weight=self.unobserved_weight,
            regularization=self.regularization,
            frequency_scaling=self.frequency_scaling,
            shift=self.unobserved_weight if self.zeros == "unobserved" else 0.0,
            solver=self.solver,
            steps=self.steps,
            block_size=self.block_size,
            seed=self.seed,
        )

    def _weights(self, matrix: csr_array) -> csr_array:
        return _histories.weigh(matrix, self.weighting, self.alpha)

    @contextmanager
    def _pool(self) -> Iterator[ThreadPoolExecutor]:
        """Threads of our own, beside which the linear algebra library has one each."""
        with one_thread(), ThreadPoolExecutor(workers(self.threads), "solving") as pool:
            yield pool

    def _check(self) -> None:
        _histories.check_weighting(self.weighting)
        for name in ("regularization", "unobserved_weight", "alpha"):
            positive(getattr(self, name), name)
        if not 0 <= self.frequency_scaling <= 1:
            raise ParameterError(
                f"`frequency_scaling` must be in [0, 1]. Got {self.frequency_scaling!r}.",
                "Use 1 to scale the regularization by frequency, 0 not to.",
            )
        for name, known in (("solver", _SOLVERS), ("zeros", _ZEROS)):
            if getattr(self, name) not in known:
                raise ParameterError(
                    f"`{name}` must be {' or '.join(known)}. Got {getattr(self, name)!r}.",
                    choices(str(getattr(self, name)), known),
                )
        if self.block_size % _LANES:
            raise ParameterError(
                f"`block_size` must be a multiple of {_LANES}. Got {self.block_size}.",
                f"Choose {-(-self.block_size // _LANES) * _LANES}.",
            )
        if self.threads is not None:
            integer(self.threads, "threads", 1)
