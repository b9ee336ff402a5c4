"""How a training of word vectors is divided among threads: the plan, then its run."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, generator
from spaceport.progress import task
from spaceport.vocabulary import TokenFile

__all__ = ["CHUNK", "Settings", "Visit", "negative_tables", "rate_at", "rounds", "train_words"]

CHUNK = 100_000  # tokens of a visit; decides where random choices start anew, so never by threads
_SLOWEST = 1e-4  # the last learning rate, as a share of the first
_SMOOTHING = 0.75  # negatives are drawn in proportion to count to this power


@dataclass(frozen=True)
class Settings:
    """What a training is told; `strata` is 1 for lock-free threads, 2 for reproducible ones."""

    dimension: int
    window: int
    negatives: int
    sample: float
    epochs: int
    rate: float
    average: bool
    threads: int
    strata: int
    seed: int


@dataclass(frozen=True)
class Visit:
    """Train on the chunk at `start`, on pairs of context words of one block with middle words of one."""

    epoch: int
    start: int
    input_block: int = 0
    output_block: int = 0


def rounds(length: int, epochs: int, strata: int) -> Iterator[list[Visit]]:
    """Plan the training: rounds in order, each of visits that may run at the same time.

    With one stratum a round is an epoch. With more, round r of a chunk pairs context block b with
    middle block b + r (modulo `strata`), so that no two of its visits share a row.

    Examples
    --------
    >>> [[(v.input_block, v.output_block) for v in visits] for visits in rounds(10, 1, strata=2)]
    [[(0, 0), (1, 1)], [(0, 1), (1, 0)]]
    """
    starts = range(0, length, CHUNK)
    for epoch in range(epochs):
        if strata == 1:
            yield [Visit(epoch, start) for start in starts]
            continue
        for start in starts:
            for shift in range(strata):
                yield [Visit(epoch, start, b, (b + shift) % strata) for b in range(strata)]


def negative_tables(
    counts: npt.NDArray[np.int64], strata: int
) -> list[tuple[npt.NDArray[np.uint32], npt.NDArray[np.int32]]]:
    """For each block, the table that draws its words in proportion to count^0.75."""
    from spaceport.encoders.kernels.sampling import alias_table

    weights = counts.astype(np.float64) ** _SMOOTHING
    return [alias_table(weights[block::strata]) for block in range(strata)]


def rate_at(share: float, rate: float) -> float:
    """The learning rate when `share` of the training is done: linear, and never quite zero."""
    return rate * max(1 - share, _SLOWEST)


def train_words(
    corpus: TokenFile,
    counts: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int32],
    settings: Settings,
) -> Matrix:
    """Train vectors for n words.

    Parameters
    ----------
    corpus : TokenFile
    counts : ndarray of shape (n,), int64
        The most frequent first.
    rows : ndarray of int32
        The row of each provisional id, or a negative number.
    settings : Settings

    Returns
    -------
    ndarray of shape (n, d), float32
        The input vectors.
    """
    trainer = _Trainer(corpus, counts, rows, settings)
    total = corpus.length * settings.epochs * settings.strata**2
    with (
        task("training", total, "words") as work,
        ThreadPoolExecutor(settings.threads, "training") as pool,
    ):
        for visits in rounds(corpus.length, settings.epochs, settings.strata):
            for tokens in pool.map(trainer.visit, visits):
                work.advance(tokens)
    return trainer.vectors()


class _Trainer:
    """The matrices and tables of a training; `visit` may be called from several threads."""

    def __init__(
        self,
        corpus: TokenFile,
        counts: npt.NDArray[np.int64],
        rows: npt.NDArray[np.int32],
        settings: Settings,
    ) -> None:
        from spaceport.encoders.kernels.lanes import LANES, aligned
        from spaceport.encoders.kernels.sampling import keep_thresholds

        self.corpus, self.rows, self.settings = corpus, rows, settings
        self.stride = -(-settings.dimension // LANES) * LANES
        self.X = aligned(len(counts) * self.stride)  # flat (n, stride), zeros beyond the dimension
        self.Y = aligned(len(counts) * self.stride)
        start = generator(settings.seed).random((len(counts), settings.dimension), dtype=np.float32)
        self.vectors()[:] = (start - np.float32(0.5)) / np.float32(settings.dimension)
        self.keep = keep_thresholds(counts, settings.sample)
        self.negatives = negative_tables(counts, settings.strata)

    def vectors(self) -> Matrix:
        """The input rows without their padding, (n, d); a view."""
        return self.X.reshape(-1, self.stride)[:, : self.settings.dimension]

    def visit(self, visit: Visit) -> int:
        """Train on one chunk; gives how many tokens it has."""
        from spaceport.encoders.kernels.walk import train

        told = self.settings
        tokens = self.corpus.tokens(visit.start, CHUNK)
        accept, other = self.negatives[visit.output_block]
        train(
            tokens, self.rows, self.X, self.Y, self.stride, self.keep, accept, other,
            told.window, told.negatives, told.average, self._seed(visit),
            self._rate(visit, 0), self._rate(visit, len(tokens)),
            told.strata, visit.input_block, visit.output_block,
        )  # fmt: skip
        return len(tokens)

    def _rate(self, visit: Visit, ahead: int) -> np.float32:
        """The learning rate, `ahead` tokens into the chunk."""
        length = self.corpus.length
        done = (visit.epoch * length + visit.start + ahead) / (length * self.settings.epochs)
        return np.float32(rate_at(done, self.settings.rate))

    def _seed(self, visit: Visit) -> np.uint64:
        """Of the chunk in this epoch; the same for all its strata."""
        place = [self.settings.seed, visit.epoch, visit.start]
        return np.uint64(np.random.SeedSequence(place).generate_state(1, np.uint64)[0])
