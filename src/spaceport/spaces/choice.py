"""What was found by choosing a layer: the scores of all that was tried, the choice, and its proof."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spaceport.sources.base import Source
from spaceport.spaces.card import Fact
from spaceport.spaces.shortening import Shorter

if TYPE_CHECKING:
    from spaceport.encoders.activations import Activations
    from spaceport.spaces.spaceport import Spaceport
    from spaceport.spaces.version import Version

__all__ = ["Choice", "Proof", "Row"]


@dataclass(frozen=True)
class Row:
    """One way of taking a vector, and how it did on the part that the choice was made on.

    Attributes
    ----------
    where, pooling : str
        As `activations` takes them.
    layer : int
        The furthest layer that it needs.
    dimension : int
    milliseconds : float
        For an item, through the network up to that layer.
    score, low, high : float
        With the 95 % interval.
    behind : float
        The best score less this one.
    tied : bool
        Whether the interval of `behind` holds zero.
    """

    where: str
    pooling: str
    layer: int
    dimension: int
    milliseconds: float
    score: float
    low: float
    high: float
    behind: float
    tied: bool


@dataclass(frozen=True)
class Proof:
    """A score on the part that the choice never saw.

    Attributes
    ----------
    what : {"chosen", "highest score", "last layer's mean"}
        Why it was scored there.
    where, pooling : str
    score, low, high : float
        With the 95 % interval.
    gain, gain_low, gain_high : float
        The score less that of the last layer's mean, on the same items, with its interval.
    """

    what: str
    where: str
    pooling: str
    score: float
    low: float
    high: float
    gain: float
    gain_low: float
    gain_high: float


@dataclass(frozen=True)
class Choice:
    """What `choose_layer` found.

    Attributes
    ----------
    model : str
    task : str
        What the scores are.
    rows : list of Row
        All that was tried, in the layers' order.
    best : Row
        The one that is chosen.
    encoder : Activations
        It, ready to use.
    proof : list of Proof
        On the part that the choice never saw: the chosen one, the one with the highest score, and the
        last layer's mean.
    shorter : list of Shorter
        What is left of the score at other dimensions.
    facts : dict
        Items, those left out, the vectors' bytes, seconds.
    """

    model: str
    task: str
    rows: list[Row]
    best: Row
    encoder: Activations
    proof: list[Proof]
    shorter: list[Shorter]
    facts: dict[str, Any]

    def draw(self, path: str | os.PathLike[str]) -> None:
        """Draw the scores, a line for each pooling over the layers, as PNG or SVG by the file's ending."""
        from spaceport.maps.page.layers import write

        lines = {
            name: [asdict(row) for row in self.rows if row.pooling == name]
            for name in dict.fromkeys(row.pooling for row in self.rows)
        }
        write(Path(path), self.model, self.task, lines, asdict(self.best))

    def publish(self, store: Spaceport, space: str, source: Source, **told: Any) -> Version:
        """Build `space` from `source` with the chosen encoder; the measurement goes on its card.

        Parameters
        ----------
        store : Spaceport
        space : str
        source : Source
            All items, not only those that were drawn.
        **told
            Further arguments of `Spaceport.build`.
        """
        from spaceport.spaces import scoring
        from spaceport.spaces.version import Version

        built = store.build(space, self.encoder, source, **told)
        return Version(store.store, scoring.record(store.store, built.record, [self._fact()]))

    def _fact(self) -> Fact:
        mine, usual = self.proof[0], self.proof[-1]
        return Fact(
            "layer",
            {"task": self.task, "proof": [asdict(each) for each in self.proof]},
            f"{mine.where}, {mine.pooling}: {mine.score:.3f} ({mine.low:.3f} to {mine.high:.3f}), "
            f"{self.task}; last layer's mean {usual.score:.3f}",
            f"one of {len(self.rows)} ways, not told apart from the highest score on "
            f"{self.facts['chosen on']:,}; scored on {self.facts['confirmed on']:,} others",
        )
