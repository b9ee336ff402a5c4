"""A small convolutional network for pictures, from pixels to a vector, and one that goes back.

::

    entrance    x in [0, 1]; per picture (x - mean) / sqrt(variance + 0.02²) where that is asked for;
                then, per channel, less the training pictures' mean, by their deviation
    unit(a, b)  3 x 3 convolution a -> b, batch normalization, ReLU
    block(c)    x + batch normalization(convolution(unit(c, c)(x))), then ReLU
    network     5 x 5 convolution 3 -> c that takes every other place, normalized as above; twice
                [unit(k, 2 k), 2 x 2 maximum, block(2 k)]; mean over all places; linear to `dimension`
    decoder     linear to 4 c maps of an eighth of the size; twice [twice the size by repeating,
                unit(k, k / 2)]; unit(c, c) at half the size; convolution to 3 channels, stretched

He, K. et al. (2016). Deep Residual Learning for Image Recognition. CVPR, section 3.2; Ioffe & Szegedy
(2015), batch normalization.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Block", "Entrance", "decoder", "network", "standardized"]

_STAGES = 2
_FLOOR = 0.02


class Entrance(nn.Module):
    """Pictures in [0, 1] evened out, as the first convolution takes them.

    Parameters
    ----------
    standardize : bool
        Give each picture mean 0 and variance 1 first.

    Attributes
    ----------
    mean, deviation : Tensor of shape (3, 1, 1)
        Of each channel over the training pictures; 0 and 1 until `learn` was called.
    """

    def __init__(self, standardize: bool) -> None:
        super().__init__()
        self.standardize = standardize
        self.register_buffer("mean", torch.zeros(3, 1, 1))
        self.register_buffer("deviation", torch.ones(3, 1, 1))

    def learn(self, mean: Sequence[float], deviation: Sequence[float]) -> None:
        """Take each channel's mean and deviation."""
        self.mean.copy_(torch.tensor(mean)[:, None, None])
        self.deviation.copy_(torch.tensor(deviation)[:, None, None])

    def forward(self, pictures: Tensor) -> Tensor:
        """Shape (n, 3, height, width) to the same."""
        if self.standardize:
            pictures = standardized(pictures)
        evened: Tensor = (pictures - self.mean) / self.deviation
        return evened.contiguous(memory_format=torch.channels_last)


class Block(nn.Module):
    """Two convolutions beside which the input goes straight on."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            *_unit(channels, channels),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Shape (n, channels, height, width) to the same."""
        return functional.relu(maps + self.inner(maps))


def network(dimension: int, channels: int, standardize: bool) -> nn.Sequential:
    """From pictures (n, 3, height, width) in [0, 1] to vectors (n, dimension); sides of 8 or more."""
    parts = [Entrance(standardize), *_unit(3, channels, side=5, stride=2)]
    for stage in range(_STAGES):
        k = channels * 2**stage
        parts += [*_unit(k, 2 * k), nn.MaxPool2d(2), Block(2 * k)]
    parts += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels * 2**_STAGES, dimension)]
    return nn.Sequential(*parts).to(memory_format=torch.channels_last)


def decoder(dimension: int, channels: int, sides: tuple[int, int]) -> nn.Sequential:
    """From vectors (n, dimension) to pictures (n, 3, height, width) as `Entrance` gives them."""
    width, height = sides
    top, low = channels * 2**_STAGES, (-(-height // 8), -(-width // 8))
    parts = [nn.Linear(dimension, top * low[0] * low[1]), nn.Unflatten(1, (top, *low)), nn.ReLU()]
    for stage in range(_STAGES, 0, -1):
        k = channels * 2**stage
        parts += [nn.Upsample(scale_factor=2), *_unit(k, k // 2)]
    parts += [nn.Conv2d(channels, 3, 3, padding=1), nn.Upsample((height, width), mode="bilinear")]
    return nn.Sequential(*parts).to(memory_format=torch.channels_last)


def standardized(pictures: Tensor) -> Tensor:
    """Each picture with mean 0 and variance 1 over all its pixels and channels."""
    middle = pictures.mean(dim=(1, 2, 3), keepdim=True)
    variance = pictures.var(dim=(1, 2, 3), keepdim=True, unbiased=False)
    return (pictures - middle) / torch.sqrt(variance + _FLOOR**2)


def _unit(given: int, wanted: int, side: int = 3, stride: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(given, wanted, side, stride, padding=side // 2, bias=False)
    return [convolution, nn.BatchNorm2d(wanted), nn.ReLU(inplace=True)]
