"""One window against its reference: the panel's verdict, as the catalog keeps it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from spaceport.drift.panel.comparing import compare
from spaceport.drift.panel.effects import Effect
from spaceport.drift.panel.verdict import Verdict
from spaceport.drift.sketches.sketch import Sketch
from spaceport.errors import InputError
from spaceport.monitoring.budget import permutations

__all__ = ["CELLS", "Found", "look", "seed_of"]

CELLS = 20
"""How many cells are kept with a verdict."""


@dataclass(frozen=True)
class Found:
    """What was found.

    Attributes
    ----------
    state : {"alarm", "drift", "none", "empty", "small", "waiting", "untested"}
        See `storage.monitors.Verdict`.
    rows : int
    p, effect : float or None
        The effect is the share of the items that moved, or, where that is not known, that changed
        cells.
    evidence : dict
        JSON.
    """

    state: str
    rows: int
    p: float | None = None
    effect: float | None = None
    evidence: dict[str, Any] = field(default_factory=dict)


def look(
    reference: Sketch | None,
    current: Sketch | None,
    alpha: float | None,
    *,
    least: int,
    tolerance: float | None,
    seed: int,
) -> Found:
    """Judge a window.

    Parameters
    ----------
    reference, current : Sketch or None
        None where there are no rows.
    alpha : float or None
        None where it has no share of the budget.
    least : int
        Rows that both must have.
    tolerance : float or None
        The share of the items that may have moved; an alarm needs that surely more has.
    seed : int
        Of the random splits.
    """
    rows = 0 if current is None else current.count
    if current is None:
        return Found("empty", rows)
    if rows < least:
        return Found("small", rows, evidence={"least": least})
    if reference is None or reference.count < least:
        known = 0 if reference is None else reference.count
        return Found("waiting", rows, evidence={"reference rows": known, "least": least})
    splits = None if alpha is None else permutations(alpha)
    if alpha is None or splits is None:
        return Found("untested", rows, evidence={"why": "no share of the budget is left for it"})
    try:
        verdict = compare(
            reference, current, alpha=alpha, tolerance=tolerance, permutations=splits, seed=seed
        )
    except InputError as error:
        return Found("untested", rows, evidence={"why": error.what})
    state = "alarm" if verdict.alarm else "drift" if verdict.drift else "none"
    effect = verdict.effect("moved") or verdict.effect("changed")
    return Found(
        state, rows, verdict.p, None if effect is None else effect.value, _told(verdict, effect)
    )


def _told(verdict: Verdict, effect: Effect | None) -> dict[str, Any]:
    """Give the verdict as JSON, with the cells that moved most and the interval of the effect."""
    told = verdict.to_dict()
    if told["where"]:
        told["where"]["cells"] = told["where"]["cells"][:CELLS]
    if effect is not None:
        told |= {"measure": effect.name, "low": effect.low, "high": effect.high}
    return told


def seed_of(seed: int, *about: object) -> int:
    """Derive a seed, so that no two judgements draw the same splits.

    Examples
    --------
    >>> seed_of(0, "2026-03", None, 1) == seed_of(0, "2026-03", None, 2)
    False
    """
    told = "\\n".join(map(repr, (seed, *about))).encode()
    return int.from_bytes(hashlib.blake2b(told, digest_size=4).digest(), "big")
