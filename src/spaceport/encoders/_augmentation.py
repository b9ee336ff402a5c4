"""Pictures changed as the world changes them, a batch at a time.

For each picture, with every range multiplied by the strength s:

::

    place       turned by up to 15°, sheared by up to 0.1, scaled by 2^u, |u| ≤ 0.3, and each side by
                2^u, |u| ≤ 0.1, shifted by up to an eighth of its side (bilinear; the edge is repeated)
    light       x^γ, γ = 2^u, |u| ≤ 0.5; times 2^u, |u| ≤ 0.5, and for each channel 2^u, |u| ≤ 0.2;
                toward gray by up to half, with probability s / 2
    sharpness   toward the mean of 3 x 3 pixels by up to all of it, with probability s / 2
    cutout      a rectangle with sides of a tenth to two fifths made one color, with probability s / 2
                (DeVries & Taylor 2017)
    mirror      left and right, with probability 1/2, if `flip`

Random numbers are torch's: seed them around the call.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["Augmentation"]

_GRAY = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Augmentation:
    """What is done to the pictures.

    Attributes
    ----------
    strength : float
        0 does nothing but mirror.
    flip : bool
        Mirror every other picture; not where left and right differ, as on signs.
    """

    strength: float
    flip: bool = False

    def __call__(self, pictures: Tensor) -> Tensor:
        """Change n pictures, each in its own way.

        Parameters
        ----------
        pictures : Tensor of shape (n, 3, height, width), float32, in [0, 1]

        Returns
        -------
        Tensor of the same shape, in [0, 1]
        """
        if self.strength:
            for change in (moved, lit, blurred, cut):
                pictures = change(pictures, self.strength)
        return mirrored(pictures) if self.flip else pictures


def moved(pictures: Tensor, strength: float) -> Tensor:
    """Turn, shear, scale and shift."""
    n = len(pictures)
    angle = _between(n, strength * math.radians(15))
    shear = _between(n, strength * 0.1)
    scale = torch.exp2(_between(n, strength * 0.3))
    wide = torch.exp2(_between(n, strength * 0.1))
    cosine, sine = torch.cos(angle), torch.sin(angle)
    across = torch.stack([scale * wide * cosine, scale * (shear - sine)], dim=1)
    down = torch.stack([scale * sine, scale / wide * cosine], dim=1)
    shift = torch.stack([_between(n, strength / 4), _between(n, strength / 4)], dim=1)
    matrix = torch.cat([torch.stack([across, down], dim=1), shift[:, :, None]], dim=2)  # (n, 2, 3)
    grid = functional.affine_grid(matrix, list(pictures.shape), align_corners=False)
    return functional.grid_sample(
        pictures, grid, mode="bilinear", padding_mode="border", align_corners=False
    )


def lit(pictures: Tensor, strength: float) -> Tensor:
    """Change the light: gamma, gain, color."""
    n = len(pictures)
    gamma = torch.exp2(_between(n, strength * 0.5))[:, None, None, None]
    gain = torch.exp2(_between(n, strength * 0.5))[:, None, None, None]
    tint = torch.exp2(_between(3 * n, strength * 0.2)).view(n, 3, 1, 1)
    gray = (pictures * torch.tensor(_GRAY).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
    share = _seldom(n, strength) * 0.5 * torch.rand(n, 1, 1, 1)
    mixed = pictures + share * (gray - pictures)
    # a gain before the clip burns out or, below 1, darkens
    return (mixed.clamp(1e-4, 1) ** gamma * gain * tint).clamp(0, 1)


def blurred(pictures: Tensor, strength: float) -> Tensor:
    """Mix some pictures with the mean of 3 x 3 pixels."""
    n = len(pictures)
    soft = functional.avg_pool2d(functional.pad(pictures, (1, 1, 1, 1), "replicate"), 3, stride=1)
    share = _seldom(n, strength) * torch.rand(n, 1, 1, 1)
    return pictures + share * (soft - pictures)


def cut(pictures: Tensor, strength: float) -> Tensor:
    """Cover a rectangle of some pictures with one color."""
    n, _, height, width = pictures.shape
    rows, columns = _span(n, height)[:, :, None], _span(n, width)[:, None, :]
    covered = (rows & columns)[:, None] & (_seldom(n, strength) > 0)  # (n, 1, height, width)
    return torch.where(covered, torch.rand(n, 3, 1, 1), pictures)


def mirrored(pictures: Tensor) -> Tensor:
    """Mirror every other picture, on the average."""
    turned = (torch.rand(len(pictures)) < 0.5).view(-1, 1, 1, 1)
    return torch.where(turned, pictures.flip(3), pictures)


def _between(n: int, limit: float) -> Tensor:
    """So many numbers in [-limit, limit]."""
    return (2 * torch.rand(n) - 1) * limit


def _seldom(n: int, strength: float) -> Tensor:
    """1 with probability strength / 2, else 0: shape (n, 1, 1, 1)."""
    return (torch.rand(n, 1, 1, 1) < strength / 2).float()


def _span(n: int, side: int) -> Tensor:
    """A stretch of a tenth to two fifths of a side, somewhere: shape (n, side), bool."""
    length = side * (0.1 + 0.3 * torch.rand(n, 1))
    start = torch.rand(n, 1) * (side - length)
    place = torch.arange(side) + 0.5
    return (place >= start) & (place < start + length)
