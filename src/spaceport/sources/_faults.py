"""What is wrong with the rows of a file: counted, the first place told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.errors import InputError

__all__ = ["Faults"]

Mask: TypeAlias = npt.NDArray[np.bool_]


@dataclass
class Faults:
    """What is wrong with a file: how often, and where first."""

    place: str
    counts: dict[str, int] = field(default_factory=dict)
    firsts: dict[str, str] = field(default_factory=dict)

    def note(self, what: str, bad: Mask, places: Sequence[Any], texts: Any = None) -> None:
        """Count the rows that are `bad`; of the first one remember the place, and the text if given."""
        if not bad.any():
            return
        row = int(bad.argmax())
        shown = "" if texts is None else f", {str(texts[row])[:40]!r}"
        self.firsts.setdefault(what, f"{self.place} {places[row]}{shown}")
        self.counts[what] = self.counts.get(what, 0) + int(bad.sum())

    def refuse(self, path: str) -> None:
        """Raise an InputError if anything was noted."""
        negative = any("negative" in what for what in self.counts)
        remedy = "leave them out with minimum=0" if negative else "name the right columns"
        if self.counts:
            told = "; ".join(
                f"{what} in {count:,} row{'s' * (count > 1)}, the first in {self.firsts[what]}"
                for what, count in self.counts.items()
            )
            raise InputError(f"{path} has {told}.", f"Mend those rows, or {remedy}.")
