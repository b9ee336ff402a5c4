"""Alternating least squares over two sides, users and items: the plan of a half-step, then its run."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, Vector, generator

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Settings", "Side", "alternate", "finish", "padded", "side_of"]

_CHUNK = 4096  # rows of one matrix product; decides the order of sums, so never by threads
_BLOCKS = 64  # pieces of a half-step, of about equal work
_SPREAD = 0.1  # length of an item's random start
_EXACT = np.float32(1e-12)  # r·Mr over the sum of weights, at which a row counts as solved
_STEPS = 200
_FLOOR = 1e-10  # keeps a row without entries from dividing by zero


@dataclass(frozen=True)
class Settings:
    """What the objective and its solver are told; see `als.ALS`."""

    dimension: int
    unobserved_weight: float
    regularization: float
    frequency_scaling: float
    shift: float
    solver: str
    steps: int
    block_size: int
    seed: int


@dataclass
class Side:
    """Users or items: the entries by rows, and what is learnt for them.

    Attributes
    ----------
    ends, columns, weights : ndarray
        As in a CSR matrix of shape (n, m); int64, int32, float32.
    mass, ridge : ndarray of shape (n,), float32
        Sum of a row's weights; its share of the regularization, λ f^ν.
    vectors : ndarray of shape (n, stride), float32
        Padded with zeros to a multiple of 16.
    dimension : int
        Of the vectors without the padding.
    """

    ends: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int32]
    weights: Vector
    mass: Vector
    ridge: Vector
    vectors: Matrix
    dimension: int

    def learnt(self) -> Matrix:
        """The vectors without their padding, (n, dimension)."""
        return np.ascontiguousarray(self.vectors[:, : self.dimension])

    def pieces(self) -> list[tuple[int, int]]:
        """Rows divided into `_BLOCKS` parts with about equally many entries."""
        work = self.ends + np.arange(len(self.ends))
        cuts = np.searchsorted(work, np.linspace(0, work[-1], _BLOCKS + 1)).tolist()
        return list(pairwise(cuts))


def padded(vectors: Matrix) -> Matrix:
    """Rows with zeros up to the next multiple of 16, as the kernels want them."""
    missing = -vectors.shape[1] % 16
    wide = np.pad(vectors, ((0, 0), (0, missing))) if missing else vectors
    return np.require(wide, np.float32, ["C", "W"])


def side_of(weights: csr_array, told: Settings) -> Side:
    """Lay the rows of `weights`, (n, m), out as a side whose vectors are zero."""
    n, m = weights.shape
    rows = np.repeat(np.arange(n), np.diff(weights.indptr))
    mass = np.bincount(rows, weights.data, minlength=n)
    frequency = mass + told.unobserved_weight * m
    ridge = told.regularization * frequency**told.frequency_scaling
    return Side(
        weights.indptr.astype(np.int64),
        weights.indices.astype(np.int32),
        np.require(weights.data, np.float32, ["C", "W"]),
        mass.astype(np.float32),
        ridge.astype(np.float32),
        padded(np.zeros((n, told.dimension), dtype=np.float32)),
        told.dimension,
    )


def alternate(users: Side, items: Side, told: Settings, pool: Executor) -> Iterator[float]:
    """Iterate without end: solve the users, then the items.

    Yields
    ------
    float
        The loss between the two halves of an iteration.
    """
    d = told.dimension
    start = generator(told.seed).standard_normal((len(items.vectors), d), dtype=np.float32)
    items.vectors[:, :d] = start * np.float32(_SPREAD / np.sqrt(d))
    while True:
        _half_step(users, items, *_turn(items, users, pool), told, pool)
        values, squares = _turn(users, items, pool)
        common = _common_loss(users, items, values, told)
        yield common + _half_step(items, users, values, squares, told, pool)


def finish(users: Side, items: Side, told: Settings, pool: Executor) -> None:
    """Solve the users exactly, after the coordinates' order and signs are settled.

    The Gram matrix of the items is diagonal then, its largest entry first; the largest entry in
    magnitude of each coordinate over the items is positive.
    """
    _turn(items, users, pool)
    top = np.abs(items.vectors).argmax(axis=0)
    sign = np.where(items.vectors[top, np.arange(len(top))] < 0, -1, 1).astype(np.float32)
    items.vectors *= sign
    users.vectors *= sign
    solve_exactly(users, items.vectors, items.mass, told, pool)


def solve_exactly(
    side: Side, Y: Matrix, popularity: Vector, told: Settings, pool: Executor
) -> None:
    """Solve each row of `side`, from where it is, until nothing but rounding is left.

    Parameters
    ----------
    side : Side
        n rows.
    Y : ndarray of shape (m, stride), float32
        The other side's vectors, their Gram matrix diagonal.
    popularity : ndarray of shape (m,), float32
        Sum of the weights of each row of Y in training; steers the solver, not the solution.
    told : Settings
    pool : Executor
    """
    values = np.einsum("ij,ij->j", Y, Y, dtype=np.float64)[: told.dimension]
    squares = popularity @ (Y * Y)
    exact = replace(told, solver="cg", steps=_STEPS)
    _run(side, Y, values, squares, popularity.sum(), exact, _EXACT, pool)


def _turn(first: Side, second: Side, pool: Executor) -> tuple[Vector, Vector]:
    """Turn both sides' vectors so that the Gram matrix of `first` is diagonal.

    Scores and lengths stay as they are.

    Returns
    -------
    values : ndarray of shape (d,), float64
        The diagonal, descending.
    squares : ndarray of shape (stride,), float32
        Σ_j q_j y_j² over the rows of `first`, q their masses.
    """
    X, Y = first.vectors, second.vectors
    grams = pool.map(lambda part: X[part].T @ X[part], _chunks(X))
    gram = reduce(np.add, grams).astype(np.float64)  # (stride, stride)
    d = first.dimension
    values, V = np.linalg.eigh(gram[:d, :d])
    turn = np.zeros(gram.shape, dtype=np.float32)
    turn[:d, :d] = V[:, ::-1]

    def rotate(task: tuple[Matrix, slice]) -> None:
        rows, part = task
        rows[part] = rows[part] @ turn

    list(pool.map(rotate, [(rows, part) for rows in (X, Y) for part in _chunks(rows)]))
    squares = pool.map(lambda part: first.mass[part] @ X[part] ** 2, _chunks(X))
    return values[::-1], reduce(np.add, squares)


def _half_step(
    side: Side, other: Side, values: Vector, squares: Vector, told: Settings, pool: Executor
) -> float:
    """Improve `side` while `other` stays; gives the loss of the entries before."""
    total = other.mass.sum()
    return _run(side, other.vectors, values, squares, total, told, np.float32(0), pool)


def _run(
    side: Side,
    Y: Matrix,
    values: Vector,
    squares: Vector,
    total: np.float32,
    told: Settings,
    tolerance: np.float32,
    pool: Executor,
) -> float:
    """Run the kernel over the pieces of `side`; gives the loss of the entries before."""
    from spaceport.encoders.kernels.als import conjugate_gradient
    from spaceport.encoders.kernels.subspaces import subspaces

    stride = Y.shape[1]
    shared = np.ones(stride, dtype=np.float32)
    shared[: len(values)] = np.maximum(told.unobserved_weight * values, _FLOOR)
    mean = (squares / np.maximum(total, _FLOOR)).astype(np.float32)
    losses = np.zeros(len(side.vectors), dtype=np.float32)
    entries = (side.ends, side.columns, side.weights, np.float32(told.shift))
    given = (*entries, Y.reshape(-1), side.vectors.reshape(-1), stride, shared)

    def solve(piece: tuple[int, int]) -> None:
        if told.solver == "cg":
            conjugate_gradient(
                *given, mean, side.ridge, side.mass, losses, told.steps, tolerance, *piece
            )
        else:
            subspaces(*given, side.ridge, losses, told.block_size, *piece)

    list(pool.map(solve, side.pieces()))
    return float(losses.sum(dtype=np.float64))


def _common_loss(users: Side, items: Side, values: Vector, told: Settings) -> float:
    """The loss but for the entries: w Σ_ui (x_u·y_i)² and the regularization."""
    of_items = np.einsum("ij,ij->j", items.vectors, items.vectors)
    loss = told.unobserved_weight * float(values @ of_items[: len(values)])
    for side in (users, items):
        loss += float(side.ridge @ np.einsum("ij,ij->i", side.vectors, side.vectors))
    return loss


def _chunks(rows: Matrix) -> list[slice]:
    return [slice(start, start + _CHUNK) for start in range(0, len(rows), _CHUNK)]
