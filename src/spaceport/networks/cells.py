"""An autoencoder of a table's rows, given as numbers and as categories' codes.

::

    x = [numbers, E_1[code_1], …, E_c[code_c]]
    h(row) = A x + W₂ gelu(W₁ x + b₁) + b₂              the bottleneck, d numbers: the embedding
    numbers' = V h + v,    categories' = softmax(U h + u), for each column

In training a share of the cells holds the value of another row, drawn for each cell (swap noise), and
what was there is to be told: a denoising autoencoder (Vincent, Larochelle, Bengio & Manzagol 2008,
"Extracting and Composing Robust Features with Denoising Autoencoders", section 2).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own short form

from spaceport.arrays import Matrix, generator
from spaceport.errors import InputError
from spaceport.networks.training import Training, seeded

__all__ = ["Autoencoder", "AutoencoderTraining", "Cells", "Shape"]

_WIDEST = 16  # numbers of a category
_UNKNOWN = 0.1  # of the corrupted categories; so the row of values never seen is learnt, too
_BLOCK = 4096


@dataclass(frozen=True)
class Shape:
    """What the columns of a table become.

    Attributes
    ----------
    widths : tuple of int
        How many numbers each column of numbers, dates or text becomes.
    gaps : tuple of bool
        The last of these numbers says that the value is missing.
    categories : tuple of int
        How many codes each column of categories has; 0 stands for a value never seen.
    """

    widths: tuple[int, ...]
    gaps: tuple[bool, ...]
    categories: tuple[int, ...]


@dataclass(frozen=True)
class Cells:
    """Rows as `numbers` (n, w), float32, and `codes` (n, c), int32."""

    numbers: Matrix
    codes: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.numbers)


class Autoencoder(nn.Module):
    """From a row's cells to d numbers and back.

    Parameters
    ----------
    shape : Shape
    dimension : int
        d.
    hidden : int
        The width of the layer before the bottleneck.
    """

    def __init__(self, shape: Shape, dimension: int, hidden: int) -> None:
        super().__init__()
        self.shape = shape
        widths = [min(_WIDEST, (count + 1) // 2) for count in shape.categories]
        self.embeddings = nn.ModuleList(map(nn.Embedding, shape.categories, widths))
        numbers = sum(shape.widths)
        inputs = numbers + sum(widths)
        self.straight = nn.Linear(inputs, dimension, bias=False)
        self.bent = nn.Sequential(
            nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, dimension)
        )
        self.back = nn.Linear(dimension, numbers + sum(shape.categories))

    def encode(self, numbers: Tensor, codes: Tensor) -> Tensor:
        """The bottleneck of n rows, (n, d)."""
        known = [table(codes[:, c]) for c, table in enumerate(self.embeddings)]
        x = torch.cat([numbers, *known], dim=1)
        bottleneck: Tensor = self.straight(x) + self.bent(x)
        return bottleneck

    def decode(self, bottleneck: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Numbers (n, w), and the logits of each column of categories."""
        numbers, *logits = self.back(bottleneck).split(
            [sum(self.shape.widths), *self.shape.categories], dim=1
        )
        return numbers, tuple(logits)

    def vectors(self, cells: Cells) -> Matrix:
        """The bottleneck of rows, an ndarray of shape (n, d), float32."""
        with torch.inference_mode():
            parts = [
                self.encode(*_tensors(cells, slice(start, start + _BLOCK))).numpy()
                for start in range(0, len(cells), _BLOCK)
            ]
        return np.concatenate(parts)


class AutoencoderTraining(Training):
    """Rows with swapped cells in, the rows themselves wanted back.

    The loss is, over all columns, the mean of: Huber's loss of a column's numbers (half the square up
    to 1, linear beyond), where the value is not missing, and the cross-entropy of a column of
    categories, each as a share of what the best constant answer loses in the training part.

    Parameters
    ----------
    cells : Cells
        All rows.
    shape : Shape
    dimension, hidden : int
        Of the network.
    swap : float
        The share of cells that hold another row's value.
    batch_size : int
    validation : float
        The share of rows held out, drawn with `seed`.
    seed : int
    """

    def __init__(
        self,
        cells: Cells,
        shape: Shape,
        dimension: int,
        hidden: int,
        swap: float,
        batch_size: int,
        validation: float,
        seed: int,
    ) -> None:
        with seeded(seed):
            self.network: Autoencoder = Autoencoder(shape, dimension, hidden)
        held = max(1, round(validation * len(cells)))
        if held >= len(cells):
            raise InputError(
                f"There are {len(cells)} rows, of which {held} are held out.",
                "Give more rows, or hold out a smaller share: validation=.",
            )
        order = generator(seed).permutation(len(cells))
        self._held, self._kept = np.sort(order[:held]), np.sort(order[held:])
        self.numbers, self.codes = _tensors(cells, slice(None))
        self.swap, self.batch_size = swap, batch_size
        self.steps = -(-len(self._kept) // batch_size)
        self._column = torch.from_numpy(np.repeat(np.arange(len(shape.widths)), shape.widths))
        self._flag = _flags(shape)
        self._scales = self._constant_losses()

    def batches(self, rng: np.random.Generator) -> Iterator[Tensor]:
        """Rows of the training part in a new order."""
        order = torch.from_numpy(rng.permutation(self._kept))
        yield from order.split(self.batch_size)

    def loss(self, batch: Tensor) -> Tensor:
        """What is lost on the way from swapped cells to the rows."""
        bottleneck = self.network.encode(*self._swapped(batch))
        return self._losses(batch, *self.network.decode(bottleneck)).mean()

    def held_out(self) -> dict[str, float]:
        """The loss without noise, and the share of the categories that are told right."""
        rows = torch.from_numpy(self._held)
        hidden = self.network.encode(self.numbers[rows], self.codes[rows])
        numbers, logits = self.network.decode(hidden)
        figures = {"loss": float(self._losses(rows, numbers, logits).mean())}
        right = [
            (part.argmax(dim=1) == self.codes[rows, c]).float().mean()
            for c, part in enumerate(logits)
        ]
        if right:
            figures["categories_right"] = float(torch.stack(right).mean())
        return figures

    def _swapped(self, batch: Tensor) -> tuple[Tensor, Tensor]:
        """The batch's cells, a share of them from other rows of the training part."""
        split, kept = len(self.network.shape.widths), torch.from_numpy(self._kept)
        size = len(batch), split + self.codes.shape[1]
        wrong = torch.rand(size) < self.swap
        rows = torch.where(wrong, kept[torch.randint(len(kept), size)], batch[:, None])
        numbers = self.numbers[rows[:, self._column], torch.arange(self.numbers.shape[1])]
        codes = self.codes[rows[:, split:], torch.arange(self.codes.shape[1])]
        unknown = wrong[:, split:] & (torch.rand(codes.shape) < _UNKNOWN)
        return numbers, codes.masked_fill(unknown, 0)

    def _losses(self, rows: Tensor, numbers: Tensor, logits: tuple[Tensor, ...]) -> Tensor:
        """Each column's loss as a share of the constant answer's, (columns,)."""
        return self._columns(rows, numbers, logits) / self._scales

    def _columns(self, rows: Tensor, numbers: Tensor, logits: tuple[Tensor, ...]) -> Tensor:
        wanted = self.numbers[rows]
        missed = F.huber_loss(numbers, wanted, reduction="none") * self._told(wanted)
        of_numbers = [part.sum() / len(rows) for part in missed.split(self.network.shape.widths, 1)]
        of_codes = [F.cross_entropy(part, self.codes[rows, c]) for c, part in enumerate(logits)]
        return torch.stack([*of_numbers, *of_codes])

    def _told(self, wanted: Tensor) -> Tensor:
        """1 where there is a number to be told, 0 where its column's value is missing."""
        missing = torch.where(self._flag >= 0, wanted[:, self._flag.clamp(min=0)], 0) > 0
        return 1 - missing.float()

    def _constant_losses(self) -> Tensor:
        """What it costs to tell every row the same: the mean, and the shares of the categories."""
        rows = torch.from_numpy(self._kept)
        numbers = self.numbers[rows].mean(dim=0).expand(len(rows), -1)
        logits = []
        for c, count in enumerate(self.network.shape.categories):
            shares = torch.bincount(self.codes[rows, c], minlength=count) + 1e-6
            logits.append((shares / shares.sum()).log().float().expand(len(rows), -1))
        return self._columns(rows, numbers, tuple(logits)).clamp(min=1e-3)


def _tensors(cells: Cells, rows: slice) -> tuple[Tensor, Tensor]:
    codes = torch.from_numpy(cells.codes[rows].astype(np.int64))
    return torch.from_numpy(np.ascontiguousarray(cells.numbers[rows])), codes


def _flags(shape: Shape) -> Tensor:
    """For each number the place of its column's indicator of a gap; -1 where there is none."""
    places: list[int] = []
    for width, gap in zip(shape.widths, shape.gaps, strict=True):
        end = len(places) + width
        places += [end - 1 if gap and width > 1 else -1] * (width - 1) + [-1]
    return torch.tensor(places, dtype=torch.int64)
