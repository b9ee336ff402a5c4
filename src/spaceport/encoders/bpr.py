"""BPR: users and items by pairwise ranking."""

from __future__ import annotations

import time
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, generator, integer, positive
from spaceport.encoders._alternating import padded
from spaceport.encoders._interactions import InteractionEncoder
from spaceport.errors import ParameterError, choices
from spaceport.progress import track
from spaceport.threads import workers

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["BPR"]

_NEGATIVES = ("popular", "uniform")
_PIECES = 64  # of the users of a pass
_FOLDING = np.uint64(0x9E3779B97F4A7C15)  # the key of every history that is folded in


class BPR(InteractionEncoder):
    """Users and items whose dot products rank what a user has before what the user does not have.

    It raises, over draws of a user u, an item i of the user's and an item j that the user lacks,

        ln σ(x_u·(y_i − y_j)) − ρ/2 (|x_u|² + |y_i|² + |y_j|²)

    by gradient steps of the learning rate α. In a pass each user has as many draws as items; i is drawn
    from them alike, and j in proportion to its number of users, or from all items alike. Values are
    not used: an interaction is there or not. The last of the `dimension` coordinates is the items'
    bias, where a user has 1.

    Parameters
    ----------
    dimension : int
        With the bias; at least 2 with it.
    iterations : int
        Passes.
    learning_rate : float
        α.
    regularization : float
        ρ.
    negatives : {"popular", "uniform"}
        Drawn as often as they are liked, or all alike. A draw that hits what the user has is left out.
    bias : bool
    threads : int, optional
        None: one per core.
    reproducible : bool
        The same bytes from any number of threads, run after run, on one kind of processor.
    seed : int

    Notes
    -----
    By default the threads take users in turn and write to the items' rows without locks (Hogwild), so
    that two runs differ a little, as two seeds do; with ``threads=1`` they do not.

    ``reproducible=True`` draws two halves of the users and two of the items anew for each pass, and
    makes each pass in two rounds: (first users, first items) beside (second, second), then
    (first, second) beside (second, first); j is of i's half. The two parts of a round share no row.
    It uses at most two threads.

    A history that was not in training gets a vector by the same passes, from zero, with the items as
    they are and random numbers of its own, which are the same for equal histories.

    `threads` is part of the fingerprint unless `reproducible` is set.

    References
    ----------
    Rendle, Freudenthaler, Gantner, Schmidt-Thieme 2009, "BPR: Bayesian Personalized Ranking from
    Implicit Feedback", sections 4 and 4.3.1. Recht, Ré, Wright, Niu 2011, "Hogwild!". Gemulla, Nijkamp,
    Haas, Sismanis 2011, "Large-Scale Matrix Factorization with Distributed Stochastic Gradient
    Descent", section 4 (strata).

    Examples
    --------
    >>> BPR(dimension=32, negatives="uniform").spec
    "bpr(dimension=32, negatives='uniform')"
    """

    def __init__(
        self,
        dimension: int = 64,
        iterations: int = 100,
        learning_rate: float = 0.01,
        regularization: float = 0.01,
        negatives: str = "popular",
        bias: bool = True,
        threads: int | None = None,
        reproducible: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__(dimension)
        self.iterations = integer(iterations, "iterations", 1)
        self.learning_rate = learning_rate
        self.regularization = regularization
        self.negatives = negatives
        self.bias = bias
        self.threads = threads
        self.reproducible = reproducible
        self.seed = integer(seed, "seed", 0)
        self._check()
        if reproducible:
            self.neutral = frozenset({"threads"})

    def learn(self, matrix: csr_array) -> tuple[Matrix, Matrix, dict[str, Any]]:
        """Make the passes; gives both sides, and the share of draws that were in order in the last."""
        import spaceport.encoders.kernels.bpr  # noqa: F401 - compiled here, once per machine

        start = time.perf_counter()
        rng = generator(self.seed)
        users, items = (self._start(rng, rows) for rows in matrix.shape)
        if self.bias:
            users[:, self.dimension - 1] = 1
        users[np.diff(matrix.indptr) == 0] = 0
        walk = self._walk(matrix, users, items, matrix, np.arange(len(users), dtype=np.uint64))
        threads = workers(self.threads)
        with ThreadPoolExecutor(min(threads, 2) if self.reproducible else threads) as pool:
            for number in track(range(self.iterations), "training"):
                order = rng.permutation(len(users)).astype(np.int32)
                right, made = walk.all(number, order, self.reproducible, pool)
        seconds = time.perf_counter() - start
        facts = {"iterations": self.iterations, "in_order": right / max(made, 1)}
        facts |= {"draws_per_second": matrix.nnz * self.iterations / seconds}
        return self._bare(users), self._bare(items), facts

    def fold_in(self, matrix: csr_array) -> Matrix:
        """Make the users' part of the passes for new histories, the items as they are."""
        users = padded(np.zeros((matrix.shape[0], self.dimension), dtype=np.float32))
        if self.bias:
            users[np.diff(matrix.indptr) > 0, self.dimension - 1] = 1
        keys = np.full(len(users), _FOLDING)
        walk = self._walk(matrix, users, padded(self.item_vectors_), self.seen_, keys)
        for number in range(self.iterations):
            walk.users_only(number)
        return self._bare(users)

    def _start(self, rng: np.random.Generator, rows: int) -> Matrix:
        """Small random vectors, (rows, stride); an item's bias is 0."""
        start = (
            rng.random((rows, self.dimension), dtype=np.float32) - np.float32(0.5)
        ) / np.float32(self.dimension)
        if self.bias:
            start[:, -1] = 0
        return padded(start)

    def _bare(self, rows: Matrix) -> Matrix:
        return np.ascontiguousarray(rows[:, : self.dimension])

    def _walk(
        self,
        matrix: csr_array,
        users: Matrix,
        items: Matrix,
        popular: csr_array,
        keys: npt.NDArray[np.uint64],
    ) -> _Walk:
        """What the kernel is told; negatives are drawn from the entries of `popular`, if at all."""
        drawn = popular.indices if self.negatives == "popular" else np.empty(0)
        return _Walk(
            matrix.indptr.astype(np.int64),
            matrix.indices.astype(np.int32),
            keys,
            drawn.astype(np.int32),
            users,
            items,
            self.dimension - 1 if self.bias else -1,
            np.float32(self.learning_rate),
            np.float32(self.regularization),
            self.seed,
        )

    def _check(self) -> None:
        integer(self.dimension, "dimension", 2 if self.bias else 1)
        positive(self.learning_rate, "learning_rate")
        if self.regularization != 0:
            positive(self.regularization, "regularization")
        if self.negatives not in _NEGATIVES:
            raise ParameterError(
                f"There are no `{self.negatives}` negatives.",
                choices(str(self.negatives), _NEGATIVES),
            )
        if self.threads is not None:
            integer(self.threads, "threads", 1)


@dataclass(frozen=True)
class _Walk:
    """Users, items and what the kernel needs beside them."""

    ends: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int32]
    keys: npt.NDArray[np.uint64]
    drawn: npt.NDArray[np.int32]
    users: Matrix
    items: Matrix
    bias: int
    rate: np.float32
    penalty: np.float32
    seed: int

    def all(
        self, number: int, order: npt.NDArray[np.int32], reproducible: bool, pool: Executor
    ) -> tuple[int, int]:
        """One pass over all users; gives how many draws were in order, of how many."""
        done: list[tuple[int, int]] = []
        if reproducible:
            for shift in (0, 1):
                visits = [(half, half ^ shift) for half in (0, 1)]
                done += pool.map(lambda halves: self._run(number, order, False, halves), visits)
        else:
            done += pool.map(lambda piece: self._run(number, piece), np.array_split(order, _PIECES))
        return sum(right for right, _ in done), sum(made for _, made in done)

    def users_only(self, number: int) -> None:
        """One pass that leaves the items as they are."""
        self._run(number, np.arange(len(self.users), dtype=np.int32), frozen=True)

    def _run(
        self,
        number: int,
        order: npt.NDArray[np.int32],
        frozen: bool = False,
        halves: tuple[int, int] | None = None,
    ) -> tuple[int, int]:
        from spaceport.encoders.kernels.bpr import train

        seed = np.random.SeedSequence([self.seed, number]).generate_state(1, np.uint64)[0]
        done: tuple[int, int] = train(
            self.ends, self.columns, order, self.keys, self.drawn,
            self.users.reshape(-1), self.items.reshape(-1), self.users.shape[1], self.bias,
            self.rate, self.penalty, seed, frozen, halves is not None, *(halves or (0, 0)),
        )  # fmt: skip
        return done
