"""How well was predicted, window by window, as far as labels are known by now.

Labels come late. So this is no part of a verdict, which is said once: it is summed up anew from the days.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from spaceport.monitoring.book import Book
from spaceport.monitoring.class_shift import class_shift
from spaceport.monitoring.outcomes import Outcomes
from spaceport.monitoring.performance import expected, split
from spaceport.monitoring.references import Reference
from spaceport.monitoring.scores import ranked
from spaceport.monitoring.spans import Span, Timeline, overlap
from spaceport.storage.monitors import Verdict

__all__ = ["Told", "performance", "performances"]

Told: TypeAlias = dict[tuple[str, str | None], dict[str, Any]]
"""What `performance` tells, by the name of the window and the segment."""

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


def performances(
    book: Book, reference: Reference, timeline: Timeline, verdicts: Iterable[Verdict]
) -> Told:
    """Tell how well was predicted in each judged window that has predictions.

    Beside the reference of the window; where that is the version itself, which predicts nothing, beside
    the first window.

    Parameters
    ----------
    book : Book
    reference : Reference
    timeline : Timeline
    verdicts : iterable of Verdict
    """
    told = {}
    for verdict in verdicts:
        window = Span(verdict.begins, verdict.ends, verdict.window)
        beside = _beside(book, reference, timeline, window)
        before = book.outcome(beside, verdict.segment)
        found = performance(before, book.outcome(window, verdict.segment))
        if found and beside is not None and before.kind is not None:
            found["beside"] = beside.name
        if found:
            told[verdict.window, verdict.segment] = found
    return told


def _beside(book: Book, reference: Reference, timeline: Timeline, window: Span) -> Span | None:
    begun = book.begins[0]
    fixed = reference.fixed
    span = timeline.of(begun) if reference.of_version else reference.span(timeline, window, begun)
    return None if span is None or (fixed and overlap(span, window)) else span
