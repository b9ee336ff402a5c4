"""Why a window drifted: what `attribution` is asked, out of what an update has at hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spaceport.arrays import Matrix
from spaceport.drift.sketches.sketch import Sketch
from spaceport.errors import InputError
from spaceport.monitoring.attribution import Sample, attribute
from spaceport.monitoring.canary_files import production_report
from spaceport.monitoring.events import Events
from spaceport.monitoring.judging import Found, look
from spaceport.monitoring.spans import Span

if TYPE_CHECKING:
    from spaceport.spaces.version import Version

__all__ = ["SAMPLED", "Causes"]

SAMPLED = 200
"""How many of a window's contents are encoded again."""


class Causes:
    """Tells data from model, window by window.

    Parameters
    ----------
    version : Version
    contents : mapping of str to Events
        Some events of each tick with their contents, as far as the log has them.
    canaries : path, optional
        What production gave for the version's canaries.
    """

    def __init__(
        self, version: Version, contents: Mapping[str, Events], canaries: Path | None = None
    ) -> None:
        self._version = version
        self._contents = contents
        self._production = None if canaries is None else production_report(version, canaries)

    def told(
        self, window: Span, reference: Sketch | None, found: Found, alpha: float | None
    ) -> dict[str, Any]:
        """Tell what moved; nothing where a window was not tested, or no one could tell anything."""
        drifted = found.state in ("alarm", "drift")
        if found.p is None or not (drifted or self._production is not None):
            return {}

        def test(vectors: Matrix) -> bool:
            ids = [str(row) for row in range(len(vectors))]
            assert reference is not None, "without one there is no p-value"
            try:
                current = Sketch.of(reference.basis, vectors, ids)
            except InputError:
                return False
            again = look(reference, current, alpha, least=8, tolerance=None, seed=0)
            return again.state == "alarm"

        said = attribute(
            self._version,
            drifted,
            sample=self._sample(window),
            test=test,
            production=self._production,
        )
        return said.to_dict()

    def _sample(self, window: Span) -> Sample | None:
        parts = [events for begins, events in self._contents.items() if window.holds(begins)]
        if not parts:
            return None
        each = max(1, SAMPLED // len(parts))
        chosen = [events.take(list(range(min(each, len(events))))) for events in parts]
        contents = pa.concat_arrays([events.contents for events in chosen])
        vectors = np.concatenate([events.vectors for events in chosen])
        return Sample(contents, vectors, all(events.encoded_here for events in chosen))
