"""All layers of a network, each pooled in several ways, in one pass over the items.

::

    layers    0, 1, …, L
    joins     mean of last 2, mean of last 4, concatenate last 2; joined first, then pooled

so that each vector is the one that ``activations(model, where=…, pooling=…)`` gives.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from spaceport.arrays import Matrix
from spaceport.encoders._networks import joined
from spaceport.encoders._rows import of_items
from spaceport.networks.batching import Budget
from spaceport.networks.kinds import Pieces
from spaceport.networks.network import Network
from spaceport.networks.pooling import fits, pool
from spaceport.networks.where import Where, parse

__all__ = ["JOINS", "Spot", "Stopwatch", "spots", "sweep"]

JOINS = ("mean of last 2", "mean of last 4", "concatenate last 2")


@dataclass(frozen=True)
class Spot:
    """One way of taking a vector from a network.

    Attributes
    ----------
    where : str
        Layers, as `activations` takes them.
    pooling : str
        One of `networks.pooling.POOLINGS`.
    """

    where: str
    pooling: str


def spots(layers: int, poolings: Sequence[str], side: str = "") -> list[Spot]:
    """Each layer of a network of `layers` layers, and some joins, pooled in each way.

    Examples
    --------
    >>> [spot.where for spot in spots(2, ["mean"], side="decoder")][:3]
    ['decoder 0', 'decoder 1', 'decoder last']
    >>> [spot.where for spot in spots(2, ["mean"])][3:]
    ['mean of last 2', 'concatenate last 2']
    """
    single = [*map(str, range(layers)), "last"]
    several = [text for text in JOINS if parse(text).last <= layers]
    named = [f"{side} {text}".strip() for text in (*single, *several)]
    return [Spot(where, pooling) for where in named for pooling in poolings]


class Stopwatch:
    """How long the way through a network to each of its layers takes.

    Parameters
    ----------
    network : Network
    side : {"", "encoder", "decoder"}

    Attributes
    ----------
    seconds : ndarray of shape (L + 1,), float64
        Up to what goes into the first layer, to what each layer gives, and to the end.
    """

    def __init__(self, network: Network, side: str = "") -> None:
        self._layers = list(network.layers(side))
        self._device = network.device
        self._moments: list[float] = []
        self.seconds = np.zeros(len(self._layers) + 1)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Time one forward pass."""
        hooks = [
            layer.register_forward_pre_hook(lambda *_: self._look())
            for layer in {id(layer): layer for layer in self._layers}.values()
        ]
        self._moments = []
        self._look()
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()
        self._look()
        if len(self._moments) == len(self.seconds) + 1:
            self.seconds += np.array(self._moments[1:]) - self._moments[0]

    def _look(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        self._moments.append(time.perf_counter())


def sweep(
    network: Network,
    pieces: Pieces,
    wanted: Sequence[Spot],
    budget: Budget,
    stopwatch: Stopwatch | None = None,
) -> dict[Spot, Matrix]:
    """The vectors of n items for each wanted spot; all of them lie in memory.

    Parameters
    ----------
    network : Network
    pieces : Pieces
        The items made ready; the vectors of an item's pieces are averaged.
    wanted : sequence of Spot
        Layers of one side.
    budget : Budget
        How much goes through the network at once.
    stopwatch : Stopwatch, optional
        Is told how long the way to each layer takes.

    Returns
    -------
    dict of Spot to ndarray of shape (n, d), float32
    """
    ways = {spot.where: parse(spot.where) for spot in wanted}
    found: dict[Spot, Matrix] = {}

    def taken(places: npt.NDArray[Any]) -> dict[Spot, Matrix]:
        inputs, real = pieces.batch(places)
        values = _values(network, inputs, ways, stopwatch)
        masks = {
            text: pieces.kept(places, given.shape) if real is None else real
            for text, given in values.items()
        }
        for spot in wanted:
            fits(values[spot.where], masks[spot.where], spot.pooling, spot.where)
        return {spot: pool(values[spot.where], masks[spot.where], spot.pooling) for spot in wanted}

    for places, vectors in budget.each(pieces.lengths, taken, pieces.groups):
        for spot, rows in vectors.items():
            if spot not in found:
                found[spot] = np.empty((len(pieces.lengths), rows.shape[1]), np.float32)
            found[spot][places] = rows
    return {spot: of_items(rows, pieces) for spot, rows in found.items()}


def _values(
    network: Network,
    inputs: Mapping[str, Any],
    ways: Mapping[str, Where],
    stopwatch: Stopwatch | None,
) -> dict[str, npt.NDArray[Any]]:
    """What each way of joining layers gives for a batch, (m, t, d), from one forward pass."""
    side = next(iter(ways.values())).side
    count = len(network.layers(side))
    needed = sorted({index for way in ways.values() for index in way.indices(count)})
    with (stopwatch or Stopwatch(network, side)).running():
        given = network.capture(inputs, Where(layers=tuple(needed), side=side))
    layers = dict(zip(needed, given, strict=True))
    return {
        text: joined([layers[index] for index in way.indices(count)], way.join)
        for text, way in ways.items()
    }
