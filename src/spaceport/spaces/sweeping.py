"""An encoder that gives the vectors of many layers and poolings at once, for choosing among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from spaceport.arrays import Matrix, matrix
from spaceport.encoders._sweep import Spot, Stopwatch, spots, sweep
from spaceport.encoders.activations import Activations
from spaceport.errors import InputError
from spaceport.methods import make
from spaceport.networks.network import Network
from spaceport.networks.where import Where, parse
from spaceport.progress import track

__all__ = ["Sweeper"]

_WINDOW = 1024


class Sweeper(Activations):
    """Activations of many spots, from one pass over the items.

    The parameters are those of `Activations`; the side is that of its `where`.

    Attributes
    ----------
    network : Network
        Known after `network_for`.
    """

    network: Network

    def network_for(self, items: Sequence[Any]) -> Network:
        """The network that these items go through, of a model that may have several."""
        self.network = self._model.door(items[:1]).network
        return self.network

    def network_alone(self) -> Network:
        """The network that the first of its modalities goes through."""
        texts = self._model.modalities()[0] == "texts"
        return self.network_for([""] if texts else [b""])

    @property
    def side(self) -> str:
        """Of a network that has two; else empty."""
        return parse(self.where).side

    def spots(self, poolings: Sequence[str]) -> list[Spot]:
        """Every layer, and some joins of layers of one shape, pooled in each way.

        Raises
        ------
        InputError
            The network has no list of layers.
        """
        count = len(self.network.layers(self.side))
        if not count:
            raise InputError(
                f"{type(self.network.module).__name__} has no list of layers to choose from.",
                "Name a module: activations(model, where=NAME); `spaceport layers MODEL` lists them.",
            )
        alike = self._alike(count)
        return [spot for spot in spots(count, poolings, self.side) if alike(spot)]

    def _alike(self, count: int) -> Callable[[Spot], bool]:
        """Whether the layers that a spot joins have one shape; in pyramids of pictures they have not."""
        every = Where(layers=tuple(range(count + 1)), side=self.side)
        if self.network.example is None:
            return lambda _: True
        shapes = [tuple(v.shape) for v in self.network.capture(self.network.example, every)]
        return lambda spot: len({shapes[i] for i in parse(spot.where).indices(count)}) == 1

    def stopwatch(self) -> Stopwatch:
        """What learns how long the way to each layer takes."""
        return Stopwatch(self.network, self.side)

    def depth(self, spot: Spot) -> int:
        """The furthest layer that a spot needs."""
        return max(parse(spot.where).indices(len(self.network.layers(self.side))))

    def vectors(
        self, items: Sequence[Any], wanted: Sequence[Spot], watch: Stopwatch | None = None
    ) -> dict[Spot, Matrix]:
        """The vectors of n items for each spot, (n, d); all of them lie in memory."""
        parts: list[dict[Spot, Matrix]] = []
        for start in track(range(0, len(items), _WINDOW), "encoding"):
            network, pieces = self._made(items[start : start + _WINDOW], "document")
            parts.append(sweep(network, pieces, wanted, self._budget, watch))
        return {
            spot: matrix(self._after(np.concatenate([part[spot] for part in parts])), spot.where)
            for spot in wanted
        }

    def encoder(self, spot: Spot) -> Activations:
        """The encoder of one spot, with the other parameters as they are here."""
        told = self.params() | {"where": spot.where, "pooling": spot.pooling}
        made: Activations = make("encoders", "activations", told)
        return made
