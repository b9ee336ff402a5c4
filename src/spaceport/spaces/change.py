"""What kind of version a change is: measured, never claimed.

Two sets of vectors share coordinates when the same inputs get the same vectors. That is looked at in
up to two ways: the old canaries, encoded by the new encoder; and the vectors of items that both have
with the same content. A hash of the parameters alone would call a mere library upgrade a new
coordinate system, and would miss a model that changed beneath the same parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spaceport.arrays import Matrix
from spaceport.spaces.contract import departures

__all__ = ["Change", "Evidence", "compare_shared", "kind_of_change"]


@dataclass(frozen=True)
class Evidence:
    """What was measured between a version and what is to follow it.

    Attributes
    ----------
    canary_departure : float or None
        Largest relative distance of an old canary under the new encoder; None without an encoder.
    shared : int
        Items with the same content in both whose vectors were compared.
    moved : float
        Share of those whose vector departs by more than the tolerance.
    same_fingerprint : bool
        The encoders' fingerprints are equal.
    """

    canary_departure: float | None
    shared: int
    moved: float
    same_fingerprint: bool


@dataclass(frozen=True)
class Change:
    """A kind of version, ``"major"``, ``"minor"``, ``"patch"`` or ``"none"``, and the reason in words."""

    kind: str
    reason: str


def kind_of_change(
    evidence: Evidence, items_differ: bool, files_differ: bool, tolerance: float
) -> Change:
    """Decide the kind of version from what was measured.

    Parameters
    ----------
    evidence : Evidence
        What was measured.
    items_differ : bool
        Items were added, changed or removed.
    files_differ : bool
        Something beside the vectors differs: card, metadata, encoder file.
    tolerance : float
        Of the old version's contract.

    Examples
    --------
    >>> kind_of_change(Evidence(0.0, 100, 0.0, True), True, True, 1e-3).kind
    'minor'
    >>> kind_of_change(Evidence(1.2, 100, 1.0, False), False, True, 1e-3).reason
    'new coordinates: a canary moved by 1.2 of its length (tolerance 0.001)'
    """
    moved = _coordinates_moved(evidence, tolerance)
    if moved:
        return Change("major", f"new coordinates: {moved}")
    if items_differ:
        return Change("minor", "same coordinates, items differ")
    if files_differ:
        return Change("patch", "same vectors, other files")
    return Change("none", "nothing changed")


def _coordinates_moved(evidence: Evidence, tolerance: float) -> str:
    """Say what shows that the coordinates moved, or give an empty string."""
    departure = evidence.canary_departure
    if departure is not None and departure > tolerance:
        return f"a canary moved by {departure:.3g} of its length (tolerance {tolerance:g})"
    if evidence.shared and evidence.moved > 0.5:
        return f"{evidence.moved:.0%} of {evidence.shared} shared items moved by more than {tolerance:g}"
    if departure is None and not evidence.shared and not evidence.same_fingerprint:
        return "no item and no canary is shared, and the fingerprints differ"
    return ""


def compare_shared(before: Matrix, after: Matrix, tolerance: float) -> tuple[int, float]:
    """Number of rows compared, and the share of them that moved by more than `tolerance`."""
    if not len(before):
        return 0, 0.0
    return len(before), float(np.mean(departures(before, after) > tolerance))
