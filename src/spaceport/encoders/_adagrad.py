"""How a training of GloVe is divided among threads: the plan, then its run."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, Vector
from spaceport.encoders._cooccurrence import Bands, Cooccurrences, Counting
from spaceport.progress import task

__all__ = [
    "Factors",
    "Settings",
    "Visit",
    "bands_for",
    "expected_biases",
    "rounds",
    "start",
    "train_entries",
]

_BAND = 1024  # words of a band: the rows of two bands stay in the processor's cache
_PLAN = 1  # which random numbers of a seed the plan takes
_FEWEST, _MOST = 8, 128  # bands: enough for the threads, and not so many that blocks are empty


@dataclass(frozen=True)
class Settings:
    """What a training is told; `ordered` lets no two blocks that share a row run side by side."""

    dimension: int
    epochs: int
    rate: float
    x_max: float
    alpha: float
    threads: int
    ordered: bool
    seed: int


@dataclass(frozen=True)
class Visit:
    """Train on the entries of the words of one band with those of another."""

    epoch: int
    row_band: int
    column_band: int


@dataclass(frozen=True)
class Factors:
    """What is learnt and goes on being learnt, each of shape (n, dimension + 1), float32.

    Attributes
    ----------
    words, contexts : ndarray
        w and w̃; the bias is the last number of a row.
    word_squares, context_squares : ndarray
        AdaGrad's sums.
    """

    words: Matrix
    contexts: Matrix
    word_squares: Matrix
    context_squares: Matrix


def bands_for(words: int) -> Bands:
    """Deal `words` words to bands of about 1,024, at least 8 and at most 128 of them."""
    return Bands(words, max(1, min(max(-(-words // _BAND), _FEWEST), _MOST, words)))


def rounds(bands: int, epochs: int, rng: np.random.Generator) -> Iterator[list[Visit]]:
    """Plan the training: rounds of visits of which no two share a row of either matrix.

    Round r pairs the k-th band of one random order with the (k + r)-th of another, so that an epoch
    visits each block once.

    Examples
    --------
    >>> plan = rounds(2, 1, np.random.default_rng(0))
    >>> [[(visit.row_band, visit.column_band) for visit in visits] for visits in plan]
    [[(0, 0), (1, 1)], [(0, 1), (1, 0)]]
    """
    for epoch in range(epochs):
        first, second = rng.permutation(bands).tolist(), rng.permutation(bands).tolist()
        for shift in rng.permutation(bands).tolist():
            yield [Visit(epoch, first[k], second[(k + shift) % bands]) for k in range(bands)]


def start(biases: Vector, dimension: int, seed: list[int]) -> Factors:
    """Vectors at random in ±1/(2 dimension), sums one; the same `biases` (n,) for both sides."""
    rng = np.random.default_rng(seed)
    shape = (len(biases), dimension + 1)
    first, second = (rng.random(shape, dtype=np.float32) - np.float32(0.5) for _ in range(2))
    for drawn in (first, second):
        drawn /= np.float32(dimension)
        drawn[:, dimension] = biases
    return Factors(first, second, np.ones(shape, np.float32), np.ones(shape, np.float32))


def expected_biases(counts: npt.NDArray[np.int64], told: Counting) -> Vector:
    """Half the logarithm of a word's expected count beside itself, if words stood anywhere.

    Two words that stand c_i and c_j times among N are then expected to have X_ij = r c_i c_j / N, r
    being the weight of a window; so b_i + b̃_j is its logarithm, and the vectors start on what is
    left: pointwise mutual information.
    """
    reach = told.units().sum() / told.units()[0] * (1 + told.symmetric)
    biases: Vector = (np.log(counts) - np.log(counts.sum() / reach) / 2).astype(np.float32)
    return biases


def train_entries(
    counts: Cooccurrences, begin: Factors, told: Settings
) -> tuple[Factors, list[float]]:
    """Go through all entries `told.epochs` times.

    Parameters
    ----------
    counts : Cooccurrences
    begin : Factors
        In the order of the words.
    told : Settings

    Returns
    -------
    Factors
    list of float
        For each epoch Σ f δ² / n over its n entries.
    """
    trainer = _Trainer(counts, begin, told)
    plan = list(rounds(counts.bands.count, told.epochs, np.random.default_rng([told.seed, _PLAN])))
    if not told.ordered:
        plan = [[visit for visits in plan for visit in visits]]
    losses = np.zeros(told.epochs)
    total = int(counts.sizes().sum())
    with (
        task("training", total * told.epochs, "entries") as work,
        ThreadPoolExecutor(told.threads, "training") as pool,
    ):
        for visits in plan:
            for visit, (entries, loss) in zip(visits, pool.map(trainer.visit, visits), strict=True):
                losses[visit.epoch] += loss
                work.advance(entries)
    return trainer.parameters(), (losses / max(total, 1)).tolist()


class _Trainer:
    """The two matrices of a training; `visit` may be called from several threads."""

    def __init__(self, counts: Cooccurrences, begin: Factors, told: Settings) -> None:
        from spaceport.encoders.kernels.lanes import LANES, aligned

        self.counts, self.told = counts, told
        self.places = counts.bands.places
        self.stride = -(-(told.dimension + 2) // LANES) * LANES
        rows = counts.bands.count * counts.bands.size
        self.X, self.Y = aligned(rows * 2 * self.stride), aligned(rows * 2 * self.stride)
        self._fill(self.X, begin.words, begin.word_squares, told.dimension, told.dimension + 1)
        self._fill(
            self.Y, begin.contexts, begin.context_squares, told.dimension + 1, told.dimension
        )

    def parameters(self) -> Factors:
        """What was learnt so far, in the order of the words."""
        words, word_squares = self._taken(self.X, self.told.dimension)
        contexts, context_squares = self._taken(self.Y, self.told.dimension + 1)
        return Factors(words, contexts, word_squares, context_squares)

    def visit(self, visit: Visit) -> tuple[int, float]:
        """Train on one block; gives how many entries it has, and Σ f δ²."""
        from spaceport.encoders.kernels.adagrad import descend

        told = self.told
        entries = self.counts.block(visit.row_band, visit.column_band)
        rows, columns = entries["row"].copy(), entries["column"].copy()
        logarithms = np.log(entries["count"])
        weights = np.exp(
            np.float32(told.alpha) * np.minimum(logarithms - np.float32(np.log(told.x_max)), 0)
        )
        loss = descend(
            rows, columns, logarithms, weights, self.X, self.Y,
            self.stride, told.dimension, np.float32(told.rate), self._seed(visit),
        )  # fmt: skip
        return len(entries), loss

    def _fill(self, matrix: Matrix, values: Matrix, squares: Matrix, bias: int, one: int) -> None:
        """Lay out a matrix as the kernel wants it: numbers, bias, one, zeros; then their sums."""
        rows, d = matrix.reshape(-1, 2, self.stride), self.told.dimension
        rows[:, 1] = 1
        rows[:, 0, one] = 1
        for part, given in ((0, values), (1, squares)):
            rows[self.places, part, :d] = given[:, :d]
            rows[self.places, part, bias] = given[:, d]

    def _taken(self, matrix: Matrix, bias: int) -> tuple[Matrix, Matrix]:
        """Undo `_fill`: values and squares, each (n, d + 1)."""
        rows = matrix.reshape(-1, 2, self.stride)[self.places]
        columns = [*range(self.told.dimension), bias]
        return rows[:, 0][:, columns], rows[:, 1][:, columns]

    def _seed(self, visit: Visit) -> np.uint64:
        place = [self.told.seed, visit.epoch, visit.row_band, visit.column_band]
        return np.uint64(np.random.SeedSequence(place).generate_state(1, np.uint64)[0])
