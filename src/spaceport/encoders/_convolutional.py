"""What the encoders of pictures that are trained here share: parameters, reading, encoding, state."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from spaceport.arrays import Matrix, integer, positive
from spaceport.encoders._augmentation import Augmentation
from spaceport.encoders._gallery import Gallery, held_out, read
from spaceport.encoders._pictures import arrays, check_choice, sides
from spaceport.encoders.base import Encoder, State
from spaceport.errors import InputError, ParameterError
from spaceport.networks.convolutional import network, standardized
from spaceport.networks.training import Schedule, Training, arrays_of, fill, seeded, train
from spaceport.sources.base import Source

__all__ = ["CONTRASTS", "Convolutional", "Pictures"]

Self = TypeVar("Self", bound="Convolutional")

CONTRASTS = ("none", "standardize")

_TOGETHER = 256  # pictures that go through the network at a time where nothing is learnt
_LEAST = 8


class Pictures(Training):
    """A training on pictures in memory: batches of rows, and the pictures of rows, changed or not.

    Parameters
    ----------
    network : torch.nn.ModuleDict
        With the part ``"body"``, from pictures to vectors, which is what is kept.
    pictures : ndarray of shape (n, height, width, 3), uint8
    held : ndarray of shape (n,), bool
    batch_size : int
        Batches are as equal as can be, and none is smaller, unless there are fewer pictures.
    augmentation : Augmentation
    """

    def __init__(
        self,
        network: nn.ModuleDict,
        pictures: npt.NDArray[np.uint8],
        held: npt.NDArray[np.bool_],
        batch_size: int,
        augmentation: Augmentation,
    ) -> None:
        self.network = network
        self.pictures = torch.from_numpy(pictures).permute(0, 3, 1, 2)
        self.rows = np.flatnonzero(~held)
        # mixed, so that a part of it is not all of one group
        self.held = np.random.default_rng(0).permutation(np.flatnonzero(held))
        self.steps = max(1, len(self.rows) // batch_size)
        self.augmentation = augmentation

    def batches(self, rng: np.random.Generator) -> Iterator[npt.NDArray[np.int64]]:
        """Yield the training rows in a new order."""
        yield from np.array_split(rng.permutation(self.rows), self.steps)

    def plain(self, rows: npt.NDArray[np.int64]) -> Tensor:
        """The pictures of some rows as they are: (n, 3, height, width), in [0, 1]."""
        return self.pictures[torch.from_numpy(rows)] / 255

    def changed(self, rows: npt.NDArray[np.int64]) -> Tensor:
        """The same, augmented."""
        return self.augmentation(self.plain(rows))

    def held_parts(self) -> list[npt.NDArray[np.int64]]:
        """The held-out rows in parts that fit into memory."""
        return np.array_split(self.held, -(-len(self.held) // _TOGETHER))


class Convolutional(Encoder):
    """Pictures by a small convolutional network that is trained here.

    A method writes `_training`, and calls this constructor; what it learns beside the network it takes in
    `_keep`, and puts into `state`.
    """

    modality: ClassVar[str] = "images"
    fitted: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("pillow",)
    labeled: ClassVar[bool] = False

    def __init__(
        self,
        dimension: int,
        size: int | Sequence[int],
        channels: int,
        contrast: str,
        augment: float,
        flip: bool,
        group: str | None,
        epochs: int,
        batch_size: int,
        learning_rate: float,
        patience: int,
        validation: float,
        seed: int,
    ) -> None:
        self.dimension = integer(dimension, "dimension", 1)
        self.size = size
        self.channels = integer(channels, "channels", 1)
        self.contrast = check_choice(contrast, "contrast", CONTRASTS)
        self.augment = positive(augment, "augment", zero=True)
        self.flip = flip
        self.group = group
        self.epochs = integer(epochs, "epochs", 1)
        self.batch_size = integer(batch_size, "batch_size", 2)
        self.learning_rate = positive(learning_rate, "learning_rate")
        self.patience = integer(patience, "patience", 1)
        self.validation = positive(validation, "validation")
        self.seed = integer(seed, "seed", 0)
        self._sides = sides(size)
        self._facts: dict[str, Any] = {}
        if min(self._sides) < _LEAST:
            raise ParameterError(
                f"`size` must be at least {_LEAST} pixels. Got {size!r}.", "Choose a larger size."
            )
        if validation > 0.5:
            raise ParameterError(
                f"`validation` must be in (0, 0.5]. Got {validation!r}.",
                "It is the share of the pictures that is held out; 0.1 is usual.",
            )

    @abstractmethod
    def _training(self, gallery: Gallery, held: npt.NDArray[np.bool_]) -> Pictures:
        """Build the network and what it is trained by; called where random numbers are seeded."""

    def fit(self: Self, source: Source) -> Self:
        """Train the network; the source is read once, and its pictures stay in memory meanwhile.

        Raises
        ------
        InputError
            Pictures that cannot be read (counted, the first named), or too few of them to hold any out.
        ParameterError, NotFoundError
            No column of classes was named where one is needed; no such column of groups.
        """
        began = time.perf_counter()
        gallery = read(source, self._sides, self.labeled, self.group)
        held = held_out(gallery.groups, gallery.labels, self.validation, self.seed)
        if (~held).sum() < 2:
            raise InputError(
                f"{len(held)} pictures are too few to train on.", "Give some hundreds at least."
            )
        with seeded(self.seed):
            training = self._training(gallery, held)
        training.network["body"][0].learn(*_moments(training, self.contrast == "standardize"))
        schedule = Schedule(self.epochs, self.learning_rate, self.patience, self.seed)
        identity = "" if self.checkpoints is None else f"{self.spec} {gallery.digest()}"
        curve = train(training, schedule, checkpoints=self.checkpoints, identity=identity)
        self._keep(training, gallery)
        self._facts = {
            **curve.facts(),
            "seconds": time.perf_counter() - began,
            "pictures": len(training.rows),
            "held out": len(training.held),
            "unlabeled": gallery.unlabeled,
        }
        return self

    def encode_batch(self, items: Sequence[bytes], role: str = "document") -> Matrix:
        """Encode n pictures, each as its file's bytes; gives (n, d), float32.

        Raises
        ------
        InputError
            Some cannot be read: counted, the first told.
        """
        if not hasattr(self, "_body"):
            raise InputError(f"{self.spec} has not learnt anything yet.", "Call fit(source) first.")
        starts = range(0, len(items), _TOGETHER)
        return np.concatenate([self._encoded(items[s : s + _TOGETHER]) for s in starts])

    def facts(self) -> dict[str, Any]:
        """Give epochs, seconds, the learning curve, and how many pictures were learnt from and held out."""
        return dict(self._facts)

    def state(self) -> State:
        """Give the network's weights, and what every channel is evened out by."""
        return (arrays_of(self._body), {}) if hasattr(self, "_body") else ({}, {})

    def restore(self, arrays: dict[str, npt.NDArray[Any]], values: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        if arrays:
            body = self._new_body()
            fill(body, arrays)
            self._body = body.eval()

    def _keep(self, training: Pictures, gallery: Gallery) -> None:
        """Take from a finished training what encoding needs."""
        self._body = training.network["body"]

    def _new_body(self) -> nn.Sequential:
        return network(self.dimension, self.channels, self.contrast == "standardize")

    def _encoded(self, files: Sequence[bytes]) -> Matrix:
        pictures = torch.from_numpy(arrays(files, self._sides, equalize=False)).permute(0, 3, 1, 2)
        with torch.inference_mode():
            encoded: Matrix = self._vectors(pictures).numpy()
        return encoded

    def _vectors(self, pictures: Tensor) -> Tensor:
        """What a batch of pictures, (n, 3, height, width) in [0, 1], becomes: (n, d)."""
        vectors: Tensor = self._body(pictures)
        return vectors


def _moments(training: Pictures, standardize: bool) -> tuple[list[float], list[float]]:
    """Each channel's mean and deviation over the training pictures, as the entrance sees them."""
    total, squares, count = torch.zeros(3), torch.zeros(3), 0
    for rows in np.array_split(training.rows, -(-len(training.rows) // _TOGETHER)):
        pictures = training.plain(rows)
        pictures = standardized(pictures) if standardize else pictures
        total = total + pictures.mean(dim=(2, 3)).sum(dim=0)
        squares = squares + (pictures**2).mean(dim=(2, 3)).sum(dim=0)
        count += len(rows)
    mean = total / count
    variance = (squares / count - mean**2).clamp(min=1e-6)
    return mean.tolist(), variance.sqrt().tolist()
