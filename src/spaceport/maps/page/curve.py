"""How a training went, as a picture: the losses of each epoch, and the epoch that was kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spaceport.errors import MissingExtra, ParameterError
from spaceport.maps.page.base import palette

__all__ = ["ENDINGS", "sparkline", "write"]

ENDINGS = (".png", ".svg")
_BARS = "▁▂▃▄▅▆▇█"
_INCHES = (8, 5)
_NAMES = {"loss": "training loss", "held_out_loss": "held-out loss"}


def sparkline(values: Sequence[float], width: int = 24) -> str:
    """Values as a row of bars, the largest of all the highest; at most `width`, evenly chosen.

    Examples
    --------
    >>> sparkline([4.0, 2.0, 1.0, 0.5])
    '█▄▂▁'
    """
    places = np.unique(np.linspace(0, len(values) - 1, min(width, len(values))).round().astype(int))
    chosen = np.asarray(values, float)[places]
    spread = np.ptp(chosen) or 1.0
    heights = np.floor((chosen - chosen.min()) / spread * len(_BARS)).astype(int)
    heights = np.minimum(heights, len(_BARS) - 1)
    return "".join(_BARS[height] for height in heights)


def write(path: Path | str, epochs: Sequence[Mapping[str, float]], title: str) -> None:
    """Draw the losses of a training over its epochs.

    Parameters
    ----------
    path : path-like
        Ends in one of `ENDINGS`.
    epochs : sequence of mapping
        Of each epoch ``loss``, ``held_out_loss`` and other figures, which are written below.
    title : str
        What was trained.

    Raises
    ------
    ParameterError
        Another ending.
    MissingExtra
        matplotlib is not installed.
    """
    target = Path(path)
    if target.suffix not in ENDINGS:
        raise ParameterError(
            f"A curve is written as {' or '.join(ENDINGS)}. Got {target.name!r}.",
            f"Let the name end in {ENDINGS[0]}.",
        )
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise MissingExtra.of("maps", "matplotlib") from error
    colors = palette()
    figure = Figure(figsize=_INCHES, dpi=100, facecolor=colors.paper, layout="constrained")
    axes = figure.add_subplot(facecolor=colors.paper)
    best = _lines(axes, epochs, colors.categories)
    axes.axvline(best + 1, color=colors.ink, linestyle=":", linewidth=1)
    axes.set_xlabel("epoch")
    told = f"{title}\nkept after epoch {best + 1}: {_told(epochs[best])}"
    axes.set_title(told, loc="left", color=colors.ink, fontsize=10, parse_math=False)
    axes.legend(frameon=False, loc="upper right")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(target, format=target.suffix[1:], facecolor=colors.paper)


def _lines(axes: Any, epochs: Sequence[Mapping[str, float]], colors: Sequence[str]) -> int:
    """Draw both losses; gives the epoch with the smallest held-out one, from 0."""
    numbers = range(1, len(epochs) + 1)
    for (name, told), color in zip(_NAMES.items(), colors, strict=False):
        losses = [epoch[name] for epoch in epochs]
        axes.plot(numbers, losses, color=color, marker="o", markersize=3, label=told)
    axes.xaxis.get_major_locator().set_params(integer=True)
    return min(range(len(epochs)), key=lambda epoch: epochs[epoch]["held_out_loss"])


def _told(epoch: Mapping[str, float]) -> str:
    shown = {_NAMES.get(name, name): value for name, value in epoch.items() if name != "seconds"}
    return ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in shown.items())
