"""What a new monitor begins with: a basis, and what the version's own vectors are like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spaceport.arrays import Matrix
from spaceport.drift.sketches.basis import Basis
from spaceport.drift.sketches.sketch import KEPT, Sketch
from spaceport.errors import CorruptError, ParameterError
from spaceport.monitoring.book import put_basis, put_reference
from spaceport.monitoring.health import Health
from spaceport.monitoring.references import Reference
from spaceport.monitoring.settings import Settings
from spaceport.monitoring.unseen import fair_rows
from spaceport.storage.recorder import Recorder

if TYPE_CHECKING:
    from spaceport.spaces.version import Version

__all__ = ["Founded", "found"]


@dataclass(frozen=True)
class Founded:
    """What a monitor knows of the version itself; nothing where that is not its reference.

    Attributes
    ----------
    segments : tuple of str
        Those of the version's own rows.
    healths : tuple of dict
        Of all of its rows, then of each segment.
    """

    segments: tuple[str, ...] = ()
    healths: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def read(cls, told: Mapping[str, Any], what: str) -> Founded:
        """Read what `written` gave.

        Raises
        ------
        CorruptError
            The catalog holds something else.
        """
        segments, healths = told.get("segments"), told.get("healths")
        if not isinstance(segments, list) or not isinstance(healths, list):
            raise CorruptError(
                f"The settings of {what} are not what Spaceport wrote.",
                "Restore the catalog from a backup.",
            )
        return cls(tuple(map(str, segments)), tuple(healths))

    def written(self) -> dict[str, Any]:
        """Give it as JSON."""
        return {"segments": list(self.segments), "healths": list(self.healths)}

    def place(self, segment: str | None) -> int | None:
        """Give the place of a segment's sketch, 0 for all rows; None where the version has none."""
        if segment is None:
            return 0
        return self.segments.index(segment) + 1 if segment in self.segments else None

    def health(self, segment: str | None) -> Health:
        """Give the health of the version's own rows."""
        place = self.place(segment)
        known = place is not None and place < len(self.healths)
        return Health.from_dict(self.healths[place or 0]) if known else Health()


def found(version: Version, settings: Settings, recorder: Recorder) -> Founded:
    """Write the basis, and the sketches of the version where windows are compared with those.

    Raises
    ------
    ParameterError
        The version's rows do not have the segments that they are to be compared by.
    SpaceportError
        The encoder learnt from them; see `unseen.fair_rows`.
    """
    reference = Reference.parse(settings.reference)
    of_version = reference.of_version
    if of_version and settings.segment is not None and settings.segment not in version.columns:
        raise ParameterError(
            f"{version.reference} has no column {settings.segment!r}, so its segments have nothing to be "
            "compared with.",
            "Choose another reference: first:1, rolling:3, season, or a span of days.",
        )
    vectors = np.asarray(version.vectors())
    basis = Basis.fit(vectors, version.contract.metric, version.cells[:2], settings.seed)
    put_basis(recorder, basis)
    if not of_version:
        return Founded()
    segments, healths = [], []
    ids = np.array(version.ids)
    fair = np.ones(len(ids), bool)
    if not reference.in_sample:
        fair[:] = False
        fair[fair_rows(version)] = True
    for place, (name, inside) in enumerate(_parts(version, settings.segment)):
        rows: Matrix = vectors[inside & fair]
        names = ids[inside & fair].tolist()
        put_reference(recorder, place, Sketch.of(basis, rows, names, room=KEPT))
        healths.append(Health.of_vectors(rows).to_dict())
        segments += [] if name is None else [name]
    return Founded(tuple(segments), tuple(healths))


def _parts(version: Version, column: str | None) -> Iterator[tuple[str | None, Any]]:
    """All rows, then those of each segment by name."""
    yield None, np.ones(len(version), bool)
    if column is None:
        return
    values = version.metadata([column]).column(0).cast("string").to_pylist()
    names = np.array([value or "" for value in values])
    for name in sorted(set(names.tolist())):
        yield name, names == name
