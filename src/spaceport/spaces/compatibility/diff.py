"""What changed between two versions: one value, which people read and programs too."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spaceport.arrays import integer
from spaceport.errors import ParameterError
from spaceport.spaces.card import Fact
from spaceport.spaces.compatibility import figures, probing
from spaceport.spaces.compatibility.findings import Finding, find
from spaceport.spaces.compatibility.neighborhoods import Item, Neighborhoods, neighborhoods
from spaceport.spaces.compatibility.pairing import Pairs, pair
from spaceport.spaces.compatibility.parts import Part, differing
from spaceport.spaces.compatibility.passing import Passed, pass_over
from spaceport.spaces.compatibility.sides import Row, side_by_side
from spaceport.spaces.identity import identity_of

if TYPE_CHECKING:
    from spaceport.spaces.version import Version

__all__ = ["Diff", "Items", "diff"]

NEIGHBORS = 10
SAMPLE = 1000
SHOWN = 10
_ENDINGS = (".html", ".png", ".svg")
_LISTED = 1000  # ids of a kind that the JSON holds


@dataclass(frozen=True)
class Items:
    """Ids by what happened to them.

    Attributes
    ----------
    old, new, shared : int
        How many each version has, and how many were compared: in both, with the same content.
    added, removed, changed : list of str
    by_content : bool
        False where contents are no evidence; see `pairing.Pairs`.
    """

    old: int
    new: int
    shared: int
    added: list[str]
    removed: list[str]
    changed: list[str]
    by_content: bool


@dataclass(frozen=True, eq=False)
class Diff:
    """What changed between two versions.

    Attributes
    ----------
    old, new : str
        The versions' full names.
    findings : list of Finding
        What happened, in plain words.
    items : Items
    parts : list of Part
        In what the encoders differ.
    sides : list of Row
        The versions side by side.
    figures : list of Fact
        What was measured on the shared items.
    probes : list of Fact
        Scores where a label is known.
    near : Neighborhoods or None
        The sample's neighborhoods; None where a single item is shared.
    spectra : list of two lists of float
        Share of the variance along each principal axis of the shared items.
    """

    old: str
    new: str
    findings: list[Finding]
    items: Items
    parts: list[Part]
    sides: list[Row]
    figures: list[Fact]
    probes: list[Fact]
    near: Neighborhoods | None
    spectra: list[list[float]]

    @property
    def moved(self) -> list[Item]:
        """The sample's items whose neighborhood changed most."""
        return [] if self.near is None else self.near.moved

    def __getitem__(self, name: str) -> Any:
        """The value of a figure or probe by its name."""
        return next(fact.value for fact in (*self.figures, *self.probes) if fact.name == name)

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, how: bool = False) -> str:
        """Write it as lines for a terminal or a pull request; `how` adds how each was measured."""
        from spaceport.spaces.compatibility.report import to_text

        return to_text(self, how)

    def to_dict(self) -> dict[str, Any]:
        """Write it as plain values that JSON can hold."""
        items = asdict(self.items)
        for kind in ("added", "removed", "changed"):
            ids = items[kind]
            items[kind] = {"count": len(ids), "ids": ids[:_LISTED]}
        near = self.near
        return {
            "old": self.old,
            "new": self.new,
            "findings": [asdict(finding) for finding in self.findings],
            "items": items,
            "parts": [asdict(part) | {"text": part.text} for part in self.parts],
            "sides": {row.name: {"old": row.old, "new": row.new} for row in self.sides},
            "figures": [asdict(fact) for fact in self.figures],
            "probes": [asdict(fact) for fact in self.probes],
            "moved": [asdict(item) for item in self.moved],
            "regions": []
            if near is None
            else [asdict(region) | {"by": near.by} for region in near.regions],
            "spectra": self.spectra,
        }

    def to_json(self) -> str:
        """Write it as JSON; of added, removed and changed ids the first 1,000."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False, indent=1)

    def write(self, path: str | Path) -> None:
        """Write a self-contained ``.html`` page, or its picture alone as ``.png`` or ``.svg``.

        Raises
        ------
        ParameterError
            Another ending.
        MissingExtra
            matplotlib is not installed.
        """
        from spaceport.spaces.compatibility.report import write

        target = Path(path)
        if target.suffix.lower() not in _ENDINGS:
            raise ParameterError(
                f"A diff is written as {', '.join(_ENDINGS[:-1])} or {_ENDINGS[-1]}. Got {target.name!r}.",
                "Let the name end in .html.",
            )
        write(target, self)


def diff(
    old: Version,
    new: Version,
    *,
    label: str | None = None,
    sample: int = SAMPLE,
    seed: int = 0,
    k: int = NEIGHBORS,
) -> Diff:
    """Compare two versions, of one space or of two that share ids.

    Moments, rotations, CKA and instability are exact over all shared items, which are read once and
    never held. Neighbors are found exactly among them for a sample of items, with 95 % intervals.

    Parameters
    ----------
    old, new : Version
    label : str, optional
        A metadata column that linear probes are scored on; by default the versions' own label.
    sample : int
        How many items are asked for their neighbors.
    seed : int
        With which they are drawn.
    k : int
        How many neighbors.

    Raises
    ------
    NotFoundError
        The versions share no item, or have no such label.
    ParameterError
        It is the same version twice.
    """
    integer(sample, "sample", 1), integer(k, "k", 1), integer(seed, "seed", 0)
    if (old.store.root, old.reference) == (new.store.root, new.reference):
        raise ParameterError(
            f"{old.reference} was given twice.", "Give two versions: diff news@1 news@2."
        )
    pairs = pair(old, new)
    judged = probing.label_of(pairs, label)
    passed = pass_over(pairs, k, sample, seed, old.contract.tolerance)
    near = neighborhoods(pairs, passed, seed, SHOWN, judged)
    parts = differing(identity_of(old), identity_of(new))
    return Diff(
        old=old.reference,
        new=new.reference,
        findings=find(pairs, passed, parts),
        items=_items(pairs),
        parts=parts,
        sides=side_by_side(old, new, (passed.rows.left, passed.rows.right)),
        figures=figures.facts(passed, near),
        probes=probing.probes(pairs, judged, seed, strict=label is not None) if judged else [],
        near=near,
        spectra=_spectra(passed),
    )


def _items(pairs: Pairs) -> Items:
    return Items(
        old=len(pairs.old),
        new=len(pairs.new),
        shared=len(pairs),
        added=pairs.added,
        removed=pairs.removed,
        changed=pairs.changed,
        by_content=pairs.by_content,
    )


def _spectra(passed: Passed) -> list[list[float]]:
    return [_shares(side.scatter) for side in (passed.moments.left, passed.moments.right)]


def _shares(scatter: Any) -> list[float]:
    values = np.maximum(np.linalg.eigvalsh(scatter)[::-1], 0)
    total = float(values.sum())
    return [float(value / total) if total else 0.0 for value in values]
