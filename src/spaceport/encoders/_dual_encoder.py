r"""Two texts that mean the same drawn together, all others of the batch pushed away.

A text's vector is the unit vector of Σ n_w a_w v_w, n_w times the word w with the weight a_w. Of a
batch of pairs (x_i, y_i) the loss is the mean over i and both directions of::

    -ln( e^(s (x_i·y_i - m)) / (e^(s (x_i·y_i - m)) + Σ_{j≠i} e^(s x_i·y_j)) )

with scale s and margin m, where j goes over the pairs of the batch neither of whose texts is the same
as i's (they would be right answers).

Yang, Y. et al. (2019). Improving Multilingual Sentence Embedding using Bi-directional Dual Encoder
with Additive Margin Softmax. IJCAI, equations 4 and 5. Their encoder is a Transformer; ours sums
words, and its words are dropped at random while it learns (Iyyer et al. 2015, section 3).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from spaceport.arrays import Matrix, Vector
from spaceport.encoders._two_languages import Corpus, Side
from spaceport.networks.training import Curve, Schedule, Training, arrays_of, seeded, train

__all__ = ["DualTraining", "Loss", "contrasted", "dual_encoder"]


@dataclass(frozen=True)
class Loss:
    """The scale and the margin of the loss, and the share of words that are dropped in training."""

    scale: float
    margin: float
    dropout: float


def dual_encoder(count: int, dimension: int, seed: int) -> Any:
    """A vector for each of `count` words of two languages, those of the first one first.

    An EmbeddingBag that sums; its ``weight`` (count, dimension) starts as N(0, 1/dimension).
    """
    with seeded(seed):
        words = torch.nn.EmbeddingBag(count, dimension, mode="sum")
        torch.nn.init.normal_(words.weight, std=dimension**-0.5)
    return words


class DualTraining(Training):
    """A dual encoder on pairs of texts.

    Parameters
    ----------
    network : torch.nn.EmbeddingBag
    train, held_out : Corpus
        With the same words, in the network's order; no empty texts.
    weights : ndarray of shape (n,), float32
        Of all the words.
    loss : Loss
    batch_size : int
    """

    def __init__(
        self,
        network: Any,
        train: Corpus,
        held_out: Corpus,
        weights: Vector,
        loss: Loss,
        batch_size: int,
    ) -> None:
        self.network = network
        self.steps = -(-len(train) // batch_size)
        self._train = train
        self._held_out = held_out
        self._weights = weights
        self._loss = loss
        self._batch_size = batch_size

    def batches(self, rng: np.random.Generator) -> Iterator[Corpus]:
        """Yield all pairs in a drawn order, as equal batches as can be."""
        for chosen in np.array_split(rng.permutation(len(self._train)), self.steps):
            yield self._train.rows(chosen)

    def loss(self, batch: Corpus) -> torch.Tensor:
        """The loss of the module's first lines."""
        return self._contrast(*self._encoded(batch, self._loss.dropout), batch)

    def held_out(self) -> dict[str, float]:
        """The loss over the held-out pairs, and the share whose translation is first of its batch."""
        total, found, count = 0.0, 0, len(self._held_out)
        for start in range(0, count, self._batch_size):
            rows = np.arange(start, min(start + self._batch_size, count))
            batch = self._held_out.rows(rows)
            x, y = self._encoded(batch, 0.0)
            total += float(self._contrast(x, y, batch)) * len(rows)
            best = (x @ y.T).argmax(dim=1)
            found += int(_same(batch)[torch.arange(len(rows)), best].sum())
        return {"loss": total / count, "held_out_found": found / count}

    def optimizer(self, learning_rate: float) -> torch.optim.Optimizer:
        """Adam without decay: most words are in few batches, and would only shrink in the others."""
        return torch.optim.Adam(self.network.parameters(), lr=learning_rate, foreach=False)

    def _encoded(self, batch: Corpus, dropout: float) -> tuple[torch.Tensor, torch.Tensor]:
        first = len(batch.left.words)
        return self._side(batch.left, 0, dropout), self._side(batch.right, first, dropout)

    def _side(self, side: Side, first: int, dropout: float) -> torch.Tensor:
        words = torch.from_numpy(side.counts.indices.astype(np.int64) + first)
        starts = torch.from_numpy(side.counts.indptr[:-1].astype(np.int64))
        weights = torch.from_numpy(side.counts.data * self._weights[words.numpy()])
        if dropout:
            weights = weights * (torch.rand(len(weights)) >= dropout)
        encoded: torch.Tensor = functional.normalize(
            self.network(words, starts, per_sample_weights=weights), dim=1
        )
        return encoded

    def _contrast(self, x: torch.Tensor, y: torch.Tensor, batch: Corpus) -> torch.Tensor:
        own = torch.eye(len(x), dtype=torch.bool)
        scores = self._loss.scale * (x @ y.T - self._loss.margin * own)  # (pairs, pairs)
        scores = scores.masked_fill(_same(batch) & ~own, -torch.inf)
        right = torch.arange(len(x))
        there = functional.cross_entropy(scores, right)
        return (there + functional.cross_entropy(scores.T, right)) / 2


def contrasted(
    learnt: Corpus,
    held_out: Corpus,
    weights: Vector,
    dimension: int,
    loss: Loss,
    batch_size: int,
    schedule: Schedule,
    checkpoints: Path | None = None,
    identity: str = "",
) -> tuple[Matrix, Curve]:
    """Train; gives the words' vectors (n, dimension), not of unit length, and the curve."""
    count = len(learnt.left.words) + len(learnt.right.words)
    network = dual_encoder(count, dimension, schedule.seed)
    training = DualTraining(network, learnt, held_out, weights, loss, batch_size)
    curve = train(training, schedule, checkpoints=checkpoints, identity=identity)
    return arrays_of(network)["weight"], curve


def _same(batch: Corpus) -> torch.Tensor:
    """Which pairs share a text, (pairs, pairs)."""
    equal: list[npt.NDArray[Any]] = [side.texts[:, None] == side.texts for side in batch]
    return torch.from_numpy(equal[0] | equal[1])
