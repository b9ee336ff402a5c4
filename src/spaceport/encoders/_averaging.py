"""A network that averages rows of a table and tells classes from the mean, and its training.

::

    h = 1/|F| Σ_{f ∈ F} z_f          the mean of a text's rows; 0 where it has none
    p = softmax(C h)                 no bias

Minimized is the mean of -log p(the text's class), by Adam's steps on the rows that a batch touches
(Kingma & Ba 2015). While training, each row of a text is left out with chance `dropout`, which is
fresh for each epoch (Iyyer et al. 2015, section 3). Words start at random in ±1/d, n-grams at 0, and
so does C.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import cross_entropy

from spaceport.encoders._bags import Bags
from spaceport.networks.training import Training

__all__ = ["Averages", "Averaging"]

Places = npt.NDArray[np.int64]

_TOGETHER = 4096  # held-out texts that are looked at at a time


class Averages(torch.nn.Module):
    """The table and the classes.

    Parameters
    ----------
    words, rows : int
        Rows of words; rows in all.
    dimension, classes : int
    """

    def __init__(self, words: int, rows: int, dimension: int, classes: int) -> None:
        super().__init__()
        self.table = torch.nn.EmbeddingBag(rows, dimension, mode="mean", sparse=True)
        self.classes = torch.nn.Embedding(classes, dimension, sparse=True)
        with torch.no_grad():
            self.table.weight.uniform_(-1 / dimension, 1 / dimension)
            self.table.weight[words:] = 0
            self.classes.weight.zero_()

    def forward(self, bags: Bags) -> torch.Tensor:
        """The logits of n texts, (n, classes)."""
        rows, starts = torch.from_numpy(bags.rows), torch.from_numpy(bags.ends[:-1])
        hidden = self.table(rows.long(), starts)  # (n, d)
        logits: torch.Tensor = hidden @ self.classes(torch.arange(self.classes.num_embeddings)).T
        return logits


@dataclass
class Averaging(Training):
    """Texts with classes, some of them held out.

    Attributes
    ----------
    network : Averages
    bags : Bags
        Of all texts.
    codes : ndarray of int64
        Their classes.
    learnt, held : ndarray of int64
        The places of the texts to learn from, and of those held out.
    batch_size : int
    dropout : float
    """

    network: Averages
    bags: Bags
    codes: Places
    learnt: Places
    held: Places
    batch_size: int
    dropout: float

    def __post_init__(self) -> None:
        self.steps = -(-len(self.learnt) // self.batch_size)

    def batches(self, rng: np.random.Generator) -> Iterator[tuple[Bags, torch.Tensor]]:
        """Yield bags, thinned, and their classes."""
        order = rng.permutation(self.learnt)
        for start in range(0, len(order), self.batch_size):
            places = order[start : start + self.batch_size]
            thinned = self.bags.take(places).thinned(self.dropout, rng)
            yield thinned, torch.from_numpy(self.codes[places])

    def loss(self, batch: tuple[Bags, torch.Tensor]) -> torch.Tensor:
        """Mean of -log p."""
        bags, codes = batch
        return cross_entropy(self.network(bags), codes)

    def held_out(self) -> dict[str, float]:
        """Loss and accuracy on the texts held out."""
        loss = right = 0.0
        for start in range(0, len(self.held), _TOGETHER):
            places = self.held[start : start + _TOGETHER]
            logits, codes = self.network(self.bags.take(places)), self.codes[places]
            loss += cross_entropy(logits, torch.from_numpy(codes), reduction="sum").item()
            right += int((logits.argmax(1).numpy() == codes).sum())
        return {"loss": loss / len(self.held), "accuracy": right / len(self.held)}

    def optimizer(self, learning_rate: float) -> torch.optim.Optimizer:
        """Adam on the rows that have a gradient."""
        return _RowAdam(list(self.network.parameters()), lr=learning_rate)


class _RowAdam(torch.optim.SparseAdam):
    """`SparseAdam` that goes on after a checkpoint as if there had been none."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back what `state_dict` gave, the steps as plain numbers: tensors round their powers."""
        super().load_state_dict(state_dict)
        for state in self.state.values():
            state["step"] = int(state["step"])
