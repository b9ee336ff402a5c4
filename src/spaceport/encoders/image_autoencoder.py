"""Pictures by a small convolutional network that learnt without labels: its bottleneck.

::

    φ(x) = network(x)                                   networks/convolutional.py

    objective="reconstruction"
    loss = mean (decoder(φ(x')) - e(x'))²               x': x augmented, e: its numbers evened out

    objective="contrastive"
    z = g(φ(x')), z' = g(φ(y'))                         x', y': augmented; y is x itself or, where
                                                        there are groups, any picture of x's group
    loss = -log exp(cos(z_i, z_j) / τ) / Σ_k exp(cos(z_i, z_k) / τ)
                                                        mean over the 2 n of a batch; j: the other one
                                                        of i's pair, k: j and all of other groups;
                                                        g: two linear layers, ReLU between, thrown
                                                        away after training

Hinton & Salakhutdinov (2006). Reducing the Dimensionality of Data with Neural Networks. Science 313;
Chen, T. et al. (2020). A Simple Framework for Contrastive Learning of Visual Representations (SimCLR).
ICML, eq. 1 and section 4.2. The augmentation is that of `_augmentation.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from spaceport.arrays import positive
from spaceport.encoders._augmentation import Augmentation
from spaceport.encoders._convolutional import Convolutional, Pictures
from spaceport.encoders._gallery import Gallery
from spaceport.encoders._pictures import check_choice
from spaceport.errors import InputError
from spaceport.networks.convolutional import decoder
from spaceport.networks.training import seeded

__all__ = ["ImageAutoencoder", "contrastive_loss"]

OBJECTIVES = ("contrastive", "reconstruction")

_HIDDEN = 128


class ImageAutoencoder(Convolutional):
    """The bottleneck of a network that learnt from pictures alone.

    Parameters
    ----------
    dimension : int
        Of the bottleneck.
    objective : {"contrastive", "reconstruction"}
        Find a picture's other view among those of other pictures, so that what the augmentation changes,
        and what differs within a group, does not count; or paint the picture again from the bottleneck,
        so that all that can be seen in it counts, by its area.
    temperature : float
        τ, of the contrastive objective only.
    size : int or (int, int)
        Width and height to which every picture is stretched (antialiased bilinear), 8 or more; one
        number is both.
    channels : int
        Maps of the first layer; the last one has four times as many.
    contrast : {"standardize", "none"}
        Give each picture mean 0 and variance 1 over all its numbers, so that neither brightness nor
        contrast counts; or nothing.
    augment : float
        How strongly the training pictures are changed, anew in every epoch: 0 not at all, 1 as
        `_augmentation.py` says.
    flip : bool
        Mirror every other training picture; where left and right differ, they are then alike.
    group : str, optional
        Which pictures are of one thing, as frames of one video are: the name of a metadata column, or a
        regular expression that is matched from an id's start and whose first group counts, as
        ``"(.*)_"``. They are on one side of the split, and the contrastive objective pairs them. Left
        out: every picture by itself.
    epochs, batch_size, learning_rate
        The most passes over the training part; the pictures of a step, which are also what each is
        told apart from; AdamW's learning rate at its height.
    patience : int
        Epochs without a lower held-out loss after which training stops; the best one's weights are kept.
    validation : float
        The share of the groups held out: those of the least hash of (seed, group).
    seed : int
        Of every random choice. The same seed gives the same bytes on one machine with one number of
        threads.

    Notes
    -----
    The pictures stay in memory while training, at 3 · width · height bytes each (20 MB for 6,630 of
    32 x 32), and decoding is as in `pixels`. Two fits with two seeds are two coordinate systems.
    """

    def __init__(
        self,
        dimension: int = 64,
        objective: str = "contrastive",
        temperature: float = 0.2,
        size: int | Sequence[int] = 32,
        channels: int = 24,
        contrast: str = "standardize",
        augment: float = 1.0,
        flip: bool = False,
        group: str | None = None,
        epochs: int = 15,
        batch_size: int = 128,
        learning_rate: float = 0.003,
        patience: int = 5,
        validation: float = 0.1,
        seed: int = 0,
    ) -> None:
        super().__init__(
            dimension, size, channels, contrast, augment, flip, group, epochs, batch_size,
            learning_rate, patience, validation, seed,
        )  # fmt: skip
        self.objective = check_choice(objective, "objective", OBJECTIVES)
        self.temperature = positive(temperature, "temperature")

    def _training(self, gallery: Gallery, held: npt.NDArray[np.bool_]) -> Pictures:
        augmentation = Augmentation(self.augment, self.flip)
        parts = {"body": self._new_body()}
        told = (gallery.pictures, held, self.batch_size, augmentation)
        if self.objective == "reconstruction":
            parts["decoder"] = decoder(self.dimension, self.channels, self._sides)
            return _Reconstruction(nn.ModuleDict(parts), *told)
        _refuse_one_group(gallery, held)
        parts["projection"] = nn.Sequential(
            nn.Linear(self.dimension, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, _HIDDEN)
        )
        training = _Contrast(nn.ModuleDict(parts), *told)
        training.mates = _Mates.of(gallery.groups)
        training.temperature, training.seed = self.temperature, self.seed
        return training


class _Reconstruction(Pictures):
    """Squared error of the pictures painted again."""

    def loss(self, batch: npt.NDArray[np.int64]) -> Tensor:
        return self._missed(self.changed(batch)).mean()

    def held_out(self) -> dict[str, float]:
        missed = torch.cat([self._missed(self.plain(rows)) for rows in self.held_parts()])
        return {"loss": missed.mean().item()}

    def _missed(self, pictures: Tensor) -> Tensor:
        """Each picture's mean squared error, (n,)."""
        entrance, *others = self.network["body"]
        wanted = entrance(pictures)
        vectors = nn.Sequential(*others)(wanted)
        return ((self.network["decoder"](vectors) - wanted) ** 2).mean(dim=(1, 2, 3))


class _Contrast(Pictures):
    """Pairs of augmented pictures found again among the others of their batch."""

    mates: _Mates
    temperature: float
    seed: int

    def loss(self, batch: npt.NDArray[np.int64]) -> Tensor:
        network = self.network
        views = torch.cat([self.changed(batch), self.changed(self.mates.drawn(batch))])
        projections = network["projection"](network["body"](views))
        groups = torch.from_numpy(self.mates.codes[batch])
        return contrastive_loss(projections, groups, self.temperature)

    def held_out(self) -> dict[str, float]:
        with seeded(self.seed):  # the same views in every epoch
            parts = [self.loss(rows).item() * len(rows) for rows in self.held_parts()]
        return {"loss": sum(parts) / len(self.held)}


@dataclass(frozen=True)
class _Mates:
    """Who is in whose group: the rows in the order of their groups, and where each group lies there."""

    codes: npt.NDArray[np.int64]
    order: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, groups: Sequence[str]) -> _Mates:
        _, codes, counts = np.unique(groups, return_inverse=True, return_counts=True)
        starts = np.cumsum(counts) - counts
        return cls(codes, np.argsort(codes, kind="stable"), starts, counts)

    def drawn(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """A row of each one's group, by torch's random numbers; it may be the same."""
        codes = self.codes[rows]
        drawn = torch.rand(len(rows), dtype=torch.float64).numpy() * self.counts[codes]
        mates: npt.NDArray[np.int64] = self.order[self.starts[codes] + drawn.astype(np.int64)]
        return mates


def _refuse_one_group(gallery: Gallery, held: npt.NDArray[np.bool_]) -> None:
    groups = {gallery.groups[row] for row in np.flatnonzero(held)}
    if len(groups) < 2:
        raise InputError(
            f"Of {len({*gallery.groups})} groups of pictures one is held out, which is to be told apart "
            "from nothing.",
            "Give more pictures, or raise `validation`.",
        )


def contrastive_loss(projections: Tensor, groups: Tensor, temperature: float) -> Tensor:
    """NT-Xent (Chen et al. 2020, eq. 1) less the pictures of the same group, the mean over all rows.

    Parameters
    ----------
    projections : Tensor of shape (2 n, d)
        Rows i and n + i are a pair.
    groups : Tensor of shape (n,), int64
        Each pair's group; all different in the paper.
    temperature : float

    Returns
    -------
    Tensor of shape ()

    Examples
    --------
    >>> far = torch.eye(2).repeat(2, 1)
    >>> round(contrastive_loss(far, torch.arange(2), 0.5).item(), 4)
    0.2395
    >>> round(float(np.log(1 + 2 / np.exp(2))), 4)
    0.2395
    """
    units = functional.normalize(projections)
    scores = units @ units.T / temperature  # (2 n, 2 n)
    pairs = torch.arange(len(scores)).roll(len(groups))
    known = torch.cat([groups, groups])
    left_out = known[:, None] == known
    left_out[torch.arange(len(scores)), pairs] = False
    return functional.cross_entropy(scores.masked_fill(left_out, float("-inf")), pairs)
