"""What a new monitor begins with: a basis, and the sketch of the version's own vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spaceport.arrays import Matrix
from spaceport.drift.sketches.basis import Basis
from spaceport.drift.sketches.sketch import Sketch
from spaceport.errors import ParameterError
from spaceport.monitoring.book import put_basis, put_reference
from spaceport.monitoring.references import Reference
from spaceport.storage.recorder import Recorder

if TYPE_CHECKING:
    from spaceport.monitoring.monitor import Monitor

__all__ = ["found"]


def found(monitor: Monitor, recorder: Recorder) -> list[str]:
    """Write both; gives the segments that the version itself has, in the order of their places."""
    version, settings = monitor.version, monitor.settings
    of_version = Reference.parse(settings.reference).of_version
    if of_version and settings.segment is not None and settings.segment not in version.columns:
        raise ParameterError(
            f"{version.reference} has no column {settings.segment!r}, so its segments have nothing to be "
            "compared with.",
            "Choose another reference: rolling:3, season, or a span of days.",
        )
    vectors = np.asarray(version.vectors())
    basis = Basis.fit(vectors, version.contract.metric, version.cells[:2], settings.seed)
    put_basis(recorder, basis)
    if not of_version:
        return []
    put_reference(recorder, 0, Sketch.of(basis, vectors, version.ids))
    return [] if settings.segment is None else _by_segment(monitor, recorder, basis, vectors)


def _by_segment(monitor: Monitor, recorder: Recorder, basis: Basis, vectors: Matrix) -> list[str]:
    version = monitor.version
    column = version.metadata([str(monitor.settings.segment)]).column(0).cast("string")
    names = np.array([value or "" for value in column.to_pylist()])
    ids = np.array(version.ids)
    segments: list[str] = sorted(set(names.tolist()))
    for place, name in enumerate(segments, 1):
        inside = names == name
        put_reference(recorder, place, Sketch.of(basis, vectors[inside], ids[inside].tolist()))
    return segments
