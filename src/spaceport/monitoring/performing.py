"""How well a window was predicted, as a verdict's evidence tells it."""

from __future__ import annotations

from typing import Any

from spaceport.monitoring.class_shift import class_shift
from spaceport.monitoring.outcomes import Outcomes
from spaceport.monitoring.performance import expected, split
from spaceport.monitoring.scores import ranked

__all__ = ["performance"]

WORST = 10
"""How many cells are told."""


def performance(reference: Outcomes, current: Outcomes) -> dict[str, Any]:
    """Tell what came of a window's predictions, beside those of its reference.

    Parameters
    ----------
    reference, current : Outcomes
        Of the same cells; nothing is told where `current` has no predictions.

    Returns
    -------
    dict
        JSON: ``rows``, ``labeled``; ``whole`` and ``worst`` (see `Scored`) where there are labels;
        ``split`` (see `Split`) where the reference has some, too; ``expected`` where only the reference
        has; ``classes`` (see `ClassShift`) where both predicted classes.
    """
    if current.kind is None:
        return {}
    told: dict[str, Any] = {"rows": int(current.rows.sum()), "labeled": int(current.labeled.sum())}
    same = reference.kind == current.kind
    known = same and reference.labeled.any()
    if told["labeled"]:
        scores = current.scores()
        told["measure"] = scores.measure
        told["whole"] = ranked(scores.whole)[0].to_dict()
        told["worst"] = [each.to_dict() for each in ranked(scores)[:WORST]]
        if known:
            told["split"] = split(reference.scores(), scores).to_dict()
    elif known:
        guess = expected(reference.scores(), current.rows)
        told |= {} if guess is None else {"expected": guess.to_dict()}
    if same and reference.predicted and current.predicted:
        told["classes"] = class_shift(reference.predicted, current.predicted).to_dict()
    return told
