"""Replay a consumer's task on a candidate, raw and through an adapter, and say what it means for it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spaceport.arrays import Matrix
from spaceport.errors import InputError, NotFoundError, ParameterError
from spaceport.quality.paired import Difference, compare
from spaceport.spaces.compatibility import consumers
from spaceport.spaces.compatibility.adapted import find
from spaceport.spaces.compatibility.tasks import Scores, Task, Through
from spaceport.spaces.compatibility.trial import landed

if TYPE_CHECKING:
    from spaceport.adapters.base import Adapter
    from spaceport.spaces.spaceport import Spaceport
    from spaceport.spaces.version import Version
    from spaceport.storage.store import Consumer

__all__ = ["Result", "kept_by", "replay", "through_of"]

_FUZZ = 1e-9
"""0.9 - 0.01 is a little more than 0.89 in floating point; a loss of exactly the tolerance is permitted."""


@dataclass(frozen=True)
class Result:
    """What a replay found for one consumer.

    Attributes
    ----------
    consumer, owner, pin, kind, measure : str
        Of the consumer.
    on : str
        The version that the baseline was measured on.
    baseline, tolerance : float
    raw, adapted : Difference or None
        With the candidate's own vectors, and through the adapter, each compared with the baseline item
        by item; None where it could not be done.
    anew : float or None
        The score of what is learnt anew on the candidate; it decides nothing.
    adapter : str or None
        What led back to the coordinates of `on`.
    verdict : {"raw", "adapter", "fails"}
        "raw" where the raw score lost no more than the tolerance; else "adapter" where the adapted
        score did not; else "fails".
    note : str
    """

    consumer: str
    owner: str
    pin: str
    kind: str
    measure: str
    on: str
    baseline: float
    tolerance: float
    raw: Difference | None
    adapted: Difference | None
    anew: float | None
    adapter: str | None
    verdict: str
    note: str

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON-able values."""
        return asdict(self)


def replay(
    spaceport: Spaceport, consumer: Consumer, candidate: Version, anew: bool = True
) -> Result:
    """Do a consumer's task with a candidate's vectors.

    The classifier, the index and the baseline are those of the version that the consumer was registered
    on; only the vectors are the candidate's. What cannot be done at all fails, and says why.
    """
    task, before = consumers.task_of(spaceport, consumer)
    through = through_of(spaceport, candidate, before)
    try:
        done = task.replay(candidate, before, through, str(spaceport.store.place), anew)
    except (InputError, ParameterError, NotFoundError) as error:
        return _result(consumer, task, before, None, None, None, through, error.what)
    raw, adapted = _compared(task.baseline, done.raw), _compared(task.baseline, done.adapted)
    return _result(consumer, task, before, raw, adapted, done.anew, through, done.note)


def kept_by(
    spaceport: Spaceport, candidate: Version, onto: Version, adapter: Adapter
) -> dict[str, dict[str, float]]:
    """What consumers keep of their scores if an adapter that is not published yet leads back to `onto`.

    By name: the baseline, and the score with vectors of `candidate` through the adapter. Of consumers
    that were registered in the coordinates of `onto`; commands are not run, and who has no score is left out.
    """
    unit = onto.contract.normalized
    through = Through("", 0, lambda vectors: landed(adapter, vectors, unit))
    kept = {}
    for consumer in spaceport.consumers(onto.record.space):
        task, before = consumers.task_of(spaceport, consumer)
        if task.kind == "command" or not before.coordinates.agrees(onto.coordinates):
            continue
        try:
            done = task.replay(candidate, before, through, str(spaceport.store.place), False)
        except (InputError, ParameterError, NotFoundError):
            continue
        if done.adapted is not None:
            kept[consumer.name] = {
                "baseline": float(task.baseline.mean()),
                "adapted": float(done.adapted.mean()),
            }
    return kept


def through_of(spaceport: Spaceport, candidate: Version, before: Version) -> Through | None:
    """Give the published adapter from the candidate's coordinates; None where there is none, or no need."""
    if candidate.coordinates.agrees(before.coordinates):
        return None
    found = find(spaceport.store, candidate, before)
    if found is None:
        return None
    name = f"{found.artifact.name} ({found.artifact.of} to {found.artifact.onto})"

    def apply(vectors: Matrix) -> Matrix:
        return np.asarray(found(vectors))

    return Through(name, found.artifact.id, apply)


def _compared(baseline: Scores, scores: Scores | None) -> Difference | None:
    return None if scores is None else compare(baseline, scores)


def _kept(found: Difference | None, tolerance: float) -> bool:
    return found is not None and found.change >= -tolerance - _FUZZ


def _result(
    consumer: Consumer,
    task: Task,
    before: Version,
    raw: Difference | None,
    adapted: Difference | None,
    anew: float | None,
    through: Through | None,
    note: str,
) -> Result:
    verdict = "fails"
    if _kept(raw, consumer.tolerance):
        verdict = "raw"
    elif _kept(adapted, consumer.tolerance):
        verdict = "adapter"
    return Result(
        consumer=consumer.name,
        owner=consumer.owner,
        pin=consumer.pin,
        kind=task.kind,
        measure=task.measure,
        on=before.reference,
        baseline=float(task.baseline.mean()),
        tolerance=consumer.tolerance,
        raw=raw,
        adapted=adapted,
        anew=anew,
        adapter=None if through is None else through.name,
        verdict=verdict,
        note=note,
    )
