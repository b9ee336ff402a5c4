"""Pictures by a small convolutional network that learnt to tell their classes apart: its last hidden layer.

::

    h(x) = network(x)                                 networks/convolutional.py
    φ(x) = h(x) / |h(x)|                              the embedding: the layer before the classes
    p(class c | x) ∝ exp(s cos(h(x), w_c))            w_c: a learnt vector a class, s = 16
    loss = -log p(the picture's class | augmented x)  mean over a batch

Cosines instead of inner products (Wang, F. et al. 2017, NormFace, eq. 5) make the angle the only thing
that tells classes apart, and the angle is what neighbors are found by. The augmentation is that of
`_augmentation.py`, the network that of He et al. (2016), made small.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from spaceport.encoders._augmentation import Augmentation
from spaceport.encoders._convolutional import Convolutional, Pictures
from spaceport.encoders._gallery import Gallery
from spaceport.encoders.base import State
from spaceport.errors import InputError

__all__ = ["ImageClassifier"]

_SCALE = 16.0


class ImageClassifier(Convolutional):
    """The layer before the classes of a network that was trained on a column of labels.

    Parameters
    ----------
    dimension : int
        Of that layer.
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
        Mirror every other training picture. Not for signs, letters, digits: left and right differ.
    group : str, optional
        Pictures of one group are on one side of the split: the name of a metadata column, or a regular
        expression that is matched from an id's start and whose first group counts. ``"(.*)_"`` takes
        ``00014/00003_00012.ppm`` as the group ``00014/00003``. Left out: every picture by itself, which
        for frames of one video holds nothing out that was not seen.
    epochs, batch_size, learning_rate
        The most passes over the training part; the pictures of a step; AdamW's learning rate at its
        height.
    patience : int
        Epochs without a lower held-out loss after which training stops; the best one's weights are kept.
    validation : float
        The share held out: of each class a share of its groups, those of the least hash of (seed, group).
    seed : int
        Of every random choice. The same seed gives the same bytes on one machine with one number of
        threads.

    Attributes
    ----------
    classes_ : list of c str, int or bool
        Sorted by how they are written.

    Notes
    -----
    The classes are the metadata column that the source's `label` names; pictures without one are left
    out. The pictures stay in memory while training, at 3 · width · height bytes each (20 MB for 6,630 of
    32 x 32), and decoding is as in `pixels`.

    Vectors have unit length. Two fits with two seeds are two coordinate systems.
    """

    labeled: ClassVar[bool] = True

    def __init__(
        self,
        dimension: int = 64,
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

    def predict(self, items: Sequence[bytes]) -> list[Any]:
        """The likeliest class of each of n pictures, given as their files' bytes."""
        vectors = self.encode(items)
        nearest = (vectors @ functional.normalize(self._head).numpy().T).argmax(axis=1)
        return [self.classes_[number] for number in nearest]

    def state(self) -> State:
        """Give the network's weights, the classes' vectors and their names."""
        arrays, _ = super().state()
        if not arrays:
            return {}, {}
        return {**arrays, "classes": self._head.numpy()}, {"classes": self.classes_}

    def restore(self, arrays: dict[str, npt.NDArray[Any]], values: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        if not arrays:
            return
        super().restore({k: v for k, v in arrays.items() if k != "classes"}, values)
        self.classes_ = list(values["classes"])
        self._head = torch.from_numpy(np.array(arrays["classes"]))
        if self._head.shape != (len(self.classes_), self.dimension):
            raise ValueError(
                f"{len(self.classes_)} classes have vectors of {tuple(self._head.shape)}"
            )

    def _training(self, gallery: Gallery, held: npt.NDArray[np.bool_]) -> Pictures:
        classes = _classes(gallery.labels)
        head = nn.Linear(self.dimension, len(classes), bias=False)
        network = nn.ModuleDict({"body": self._new_body(), "head": head})
        augmentation = Augmentation(self.augment, self.flip)
        training = _Classes(network, gallery.pictures, held, self.batch_size, augmentation)
        place = {name: number for number, name in enumerate(classes)}
        training.codes = torch.tensor([place[label] for label in gallery.labels])
        return training

    def _keep(self, training: Pictures, gallery: Gallery) -> None:
        super()._keep(training, gallery)
        self.classes_ = _classes(gallery.labels)
        self._head = training.network["head"].weight.detach()

    def _vectors(self, pictures: Tensor) -> Tensor:
        return functional.normalize(super()._vectors(pictures))


class _Classes(Pictures):
    """Cross entropy of classes by cosine."""

    codes: Tensor

    def loss(self, batch: npt.NDArray[np.int64]) -> Tensor:
        return functional.cross_entropy(self._scores(self.changed(batch)), self.codes[batch])

    def held_out(self) -> dict[str, float]:
        scores = torch.cat([self._scores(self.plain(rows)) for rows in self.held_parts()])
        codes = self.codes[self.held]
        right = scores.argmax(dim=1) == codes
        return {
            "loss": functional.cross_entropy(scores, codes).item(),
            "held_out_accuracy": right.float().mean().item(),
        }

    def _scores(self, pictures: Tensor) -> Tensor:
        vectors = functional.normalize(self.network["body"](pictures))
        classes = functional.normalize(self.network["head"].weight)
        return _SCALE * vectors @ classes.T  # (n, c)


def _classes(labels: Sequence[Any]) -> list[Any]:
    """The distinct labels, sorted by how they are written."""
    classes = sorted(set(labels), key=str)
    if any(isinstance(name, float) for name in classes):
        raise InputError(
            f"The labels are measurements ({len(classes)} different ones), not classes.",
            "Divide them into classes, for example low, middle and high.",
        )
    if len(classes) < 2:
        raise InputError(
            f"There is one class only, {classes[0]!r}.",
            "Name another column, or use image_autoencoder, which needs no classes.",
        )
    return classes
