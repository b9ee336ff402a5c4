"""What kind of version a change is: measured, never claimed.

The rule
--------
1. Another metric is a *major*; so is another dimension.
2. **The same vectors.** The old canaries, encoded by the new encoder, are within the contract's
   tolerance, and so are the vectors of half or more of the items that both versions have with the same
   content (up to 4,096 of them, drawn with seed 0). Then the coordinates are the same: a *minor* where
   items were added, changed or removed, else a *patch*. (Half, since a few vectors may change for
   reasons of their own, where a change of coordinates moves nearly all.)
3. **Interchangeable within measured bounds.** Other vectors are a *minor* only where all of `BOUNDS`
   hold, on at least 50 shared items:

   - both mixed overlaps (`quality.mixing`: an old query among the new vectors, a new one among the old)
     are 0.95 or more at 10 neighbors, at the lower end of their 95 % intervals. This is what an index
     with vectors of both would do; 0.95 is also what an adapter must recover;
   - the residual is 0.05 or less of the vectors' lengths, so that lengths and dot products stay;
   - no downstream check (a linear probe learnt on the old vectors of four fifths of the labeled items,
     scored on the old and on the new vectors of the others) loses more than its tolerance.

4. Everything else is a *major*. Neighbors within each version (which a rotation keeps) and the residual
   after the best rotation are told, since they say what an adapter could do; they decide nothing.

`bump` may raise the kind, never lower it. A hash of the parameters alone would call a mere library
upgrade a new coordinate system, and would miss a model that changed beneath the same parameters.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from spaceport.arrays import Matrix
from spaceport.errors import ParameterError
from spaceport.quality.mixing import Mixing
from spaceport.spaces.canaries import departures

__all__ = [
    "BOUNDS",
    "Bounds",
    "Change",
    "Downstream",
    "Evidence",
    "check_bump",
    "compare_shared",
    "kind_of_change",
    "raised",
]

_RANK = {"none": 0, "patch": 1, "minor": 2, "major": 3}
_SHUFFLED = 0.05  # share of strangers from which they are worth a word


@dataclass(frozen=True)
class Bounds:
    """Within what other vectors are interchangeable with the old ones.

    Attributes
    ----------
    overlap : float
        Least mixed overlap at 10 neighbors, at the lower end of its interval.
    residual : float
        Largest difference relative to the vectors' lengths.
    items : int
        Fewest shared items on which it can be shown.
    """

    overlap: float = 0.95
    residual: float = 0.05
    items: int = 50


BOUNDS = Bounds()


@dataclass(frozen=True)
class Downstream:
    """A use of the vectors, before and after.

    Attributes
    ----------
    name : str
        What was done.
    before, after : float
        The score with the old vectors and with the new ones; the larger the better.
    tolerance : float
        How much may be lost.
    items : int
        On how many items it was scored.
    """

    name: str
    before: float
    after: float
    tolerance: float
    items: int

    @property
    def holds(self) -> bool:
        """No more than the tolerance is lost."""
        return self.before - self.after <= self.tolerance + 1e-9

    def __str__(self) -> str:
        told = f"{self.name} {self.before:.3f} before, {self.after:.3f} after"
        return f"{told} ({self.items:,} items; {self.tolerance:g} may be lost)"


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
    of : int
        Items with the same content in both, of which the `shared` were drawn.
    dimensions : tuple of 2 int
        Before and after.
    mixing : Mixing or None
        What mixing both would do; None where the vectors are the same, or too few to compare.
    downstream : tuple of Downstream
    tolerance : float
        Of the old version's contract.
    """

    canary_departure: float | None
    shared: int
    moved: float
    same_fingerprint: bool
    of: int = 0
    dimensions: tuple[int, int] = (0, 0)
    mixing: Mixing | None = None
    downstream: tuple[Downstream, ...] = ()
    tolerance: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON-able values."""
        lists = {"dimensions": [*self.dimensions], "downstream": [*map(asdict, self.downstream)]}
        return asdict(self) | lists

    def lines(self) -> list[str]:
        """What was measured, a line each."""
        said, tolerance = [], self.tolerance
        if self.canary_departure is not None:
            said.append(f"canaries: largest departure {self.canary_departure:.2g}{_at(tolerance)}")
        if self.shared:
            drawn = "" if self.shared == self.of else f" (drawn from {self.of:,} with seed 0)"
            said.append(
                f"{self.shared:,} shared items{drawn}: {self.moved:.1%} moved by more than {tolerance:g}"
            )
        return (
            said
            + ([] if self.mixing is None else _mixed(self.mixing))
            + [*map(str, self.downstream)]
        )


@dataclass(frozen=True)
class Change:
    """A kind of version, ``"major"``, ``"minor"``, ``"patch"`` or ``"none"``, and the reason in words."""

    kind: str
    reason: str


def kind_of_change(
    evidence: Evidence, items_differ: bool, files_differ: bool, tolerance: float
) -> Change:
    """Decide the kind of version from what was measured, by the rule above.

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
    >>> kind_of_change(Evidence(1.2, 0, 0.0, False), False, True, 1e-3).reason
    'new coordinates: a canary moved by 1.2 of its length (tolerance 0.001), and no shared items to compare'
    """
    moved = coordinates_moved(evidence, tolerance)
    if moved:
        broken = _broken(evidence)
        if broken is not None:
            return Change("major", f"new coordinates: {moved}{broken}")
        return Change("minor", f"interchangeable within measured bounds, though {moved}")
    if items_differ:
        return Change("minor", f"same coordinates, items differ{_shuffled(evidence)}")
    if files_differ:
        return Change("patch", "same vectors, other files")
    return Change("none", "nothing changed")


def coordinates_moved(evidence: Evidence, tolerance: float) -> str:
    """Say what shows that the vectors are others, or give an empty string."""
    departure, (before, after) = evidence.canary_departure, evidence.dimensions
    if before != after:
        return f"the dimension was {before} and is now {after}"
    if departure is not None and departure > tolerance:
        return f"a canary moved by {departure:.3g} of its length (tolerance {tolerance:g})"
    if evidence.shared and evidence.moved > 0.5:
        return f"{evidence.moved:.0%} of {evidence.shared} shared items moved by more than {tolerance:g}"
    if departure is None and not evidence.shared and not evidence.same_fingerprint:
        return "no item and no canary is shared, and the fingerprints differ"
    return ""


def check_bump(bump: str | None) -> str | None:
    """Give `bump` back; a ParameterError where it is no kind of version."""
    if bump not in (None, "patch", "minor", "major"):
        raise ParameterError(
            f"`bump` must be patch, minor or major. Got {bump!r}.",
            "Leave it out to have it measured.",
        )
    return bump


def raised(change: Change, bump: str | None) -> Change:
    """The change as it was measured, or raised to the kind that was told.

    Raises
    ------
    ParameterError
        A lower kind than was measured was asked for.

    Examples
    --------
    >>> raised(Change("patch", "same vectors, other files"), "minor")
    Change(kind='minor', reason='as told; measured: patch, same vectors, other files')
    """
    if bump is None or bump == change.kind:
        return change
    if _RANK[bump] < _RANK[change.kind]:
        raise ParameterError(
            f"A {bump} was asked for, and what was measured is a {change.kind}: {change.reason}.",
            f"`bump` may raise the kind, never lower it: leave it out, or say {change.kind}.",
        )
    return Change(bump, f"as told; measured: {change.kind}, {change.reason}")


def compare_shared(before: Matrix, after: Matrix, tolerance: float) -> tuple[int, float]:
    """Number of rows compared, and the share of them that moved by more than `tolerance`."""
    if not len(before):
        return 0, 0.0
    return len(before), float(np.mean(departures(before, after) > tolerance))


def _broken(evidence: Evidence) -> str | None:
    """Say which bound does not hold, if there is more to say than that the dimension is another; None: all do."""
    before, after = evidence.dimensions
    mixing = evidence.mixing
    if before != after:
        return ""
    if mixing is None or mixing.items < BOUNDS.items:
        few = f"only {evidence.shared}" if evidence.shared else "no"
        return f", and {few} shared items to compare"
    if mixing.strangers > 0.5:
        return f", and {mixing.strangers:.0%} carry the vector that another item had: rows were shuffled"
    if mixing.lower.low < BOUNDS.overlap:
        return (
            f", and mixed neighbors' overlap@{mixing.k} is {mixing.lower} (bound {BOUNDS.overlap})"
        )
    if mixing.residual > BOUNDS.residual:
        return (
            f", and the residual is {mixing.residual:.3g} of the lengths (bound {BOUNDS.residual})"
        )
    failed = [check for check in evidence.downstream if not check.holds]
    return f", and a use of them suffers: {failed[0]}" if failed else None


def _shuffled(evidence: Evidence) -> str:
    mixing = evidence.mixing
    if mixing is None or mixing.strangers < _SHUFFLED:
        return ""
    return f"; {mixing.strangers:.0%} of the shared ones carry the vector that another item had"


def _mixed(mixing: Mixing) -> list[str]:
    asked = "" if mixing.queries == mixing.items else f", {mixing.queries:,} of them asked"
    said = [
        f"mixed neighbors' overlap@{mixing.k}: old among new {mixing.before_among_after}, "
        f"new among old {mixing.after_among_before} (bound {BOUNDS.overlap}{asked})",
        f"neighbors' overlap@{mixing.k} within each: {mixing.within}",
        f"residual: {mixing.residual:.3g} of the lengths (bound {BOUNDS.residual}); "
        f"after the best rotation {mixing.turned:.3g}",
    ]
    if mixing.strangers:
        said.append(f"items with the vector that another item had: {mixing.strangers:.1%}")
    return said


def _at(tolerance: float) -> str:
    return f" (tolerance {tolerance:g})"
