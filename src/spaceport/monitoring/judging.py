"""One window against its reference: the panel's verdict, as the catalog keeps it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from spaceport.drift._pooled import Pooled
from spaceport.drift.panel.comparing import judge
from spaceport.drift.sketches.sketch import Sketch
from spaceport.errors import InputError
from spaceport.monitoring.budget import permutations

__all__ = ["Found", "look", "seed_of"]


@dataclass(frozen=True)
class Found:
    """What was found.

    Attributes
    ----------
    state : {"alarm", "drift", "none", "empty", "small", "waiting", "untested"}
        See `storage.monitors.Verdict`.
    rows : int
    p, effect : float or None
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
        The effect that may be.
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
        verdict = judge(Pooled.of_sketches(reference, current, splits, seed), alpha)
    except InputError as error:
        return Found("untested", rows, evidence={"why": error.what})
    effect: float | None = getattr(verdict, "effect", None)
    beyond = tolerance is None or (effect is not None and effect > tolerance)
    state = "none" if verdict.p > alpha else "alarm" if beyond else "drift"
    members = [{"test": e.test, "statistic": e.statistic, "p": e.p} for e in verdict.evidence]
    evidence = {
        "reference rows": reference.count,
        "permutations": splits,
        "tests": members,
    }
    return Found(state, rows, verdict.p, effect, evidence)


def seed_of(seed: int, *about: object) -> int:
    """Derive a seed, so that no two judgements draw the same splits.

    Examples
    --------
    >>> seed_of(0, "2026-03", None, 1) == seed_of(0, "2026-03", None, 2)
    False
    """
    told = "\\n".join(map(repr, (seed, *about))).encode()
    return int.from_bytes(hashlib.blake2b(told, digest_size=4).digest(), "big")
