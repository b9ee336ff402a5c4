"""Change the model behind a space: build beside the old version, align, replay, cut over.

Each step leaves something whole that the next run finds: vectors encoded so far (a costly encoder's
journal), the published version, its adapter, classifiers learnt anew. So a run that was killed is run
again, and nobody who reads sees anything between the old state and the new one: what the alias stands
for and which pins consumers have change in one transaction, the last step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spaceport.errors import InputError, NotFoundError, ParameterError
from spaceport.quality.linear import learn
from spaceport.spaces.compatibility import consumers
from spaceport.spaces.compatibility.adapted import Published, find
from spaceport.spaces.compatibility.adapting import BAR, align
from spaceport.spaces.compatibility.derived import keep_probe
from spaceport.spaces.compatibility.gate import Gate, cut_over, gate
from spaceport.spaces.compatibility.tasks import LabelsTask

if TYPE_CHECKING:
    from spaceport.spaces.compatibility.planning import Order
    from spaceport.spaces.spaceport import Spaceport
    from spaceport.spaces.version import Version

__all__ = ["Migration", "finish", "prepare"]


@dataclass(frozen=True)
class Migration:
    """What a migration did.

    Attributes
    ----------
    start, version : Version
        From which to which.
    adapter : Published or None
        What brings the new vectors to the old coordinates.
    without : str
        Why there is no adapter.
    learnt : tuple of str
        Consumers' classifiers that were learnt anew and kept for the new version.
    gate : Gate or None
        The replay that the alias moved on; None without an alias.
    """

    start: Version
    version: Version
    adapter: Published | None
    without: str
    learnt: tuple[str, ...]
    gate: Gate | None

    def __str__(self) -> str:
        lines = [
            f"{self.start.reference} → {self.version!r}",
            f"adapter: {self.adapter!r}" if self.adapter else f"no adapter: {self.without}",
        ]
        if self.learnt:
            lines.append(f"classifiers learnt anew: {', '.join(self.learnt)}")
        return "\n".join(lines)


def build_beside(spaceport: Spaceport, asked: Order, metric: str | None, wait: float) -> Version:
    """Build the new version, or find the one that an earlier run published.

    Raises
    ------
    ParameterError
        The method gives the old coordinates again, so there is nothing to migrate to.
    """
    version, _ = spaceport.built(
        asked.start.record.space,
        asked.encoder,
        asked.source,
        metric=metric or asked.start.contract.metric,
        rows="items",
        wait=wait,
    )
    if version.coordinates.agrees(asked.start.coordinates):
        raise ParameterError(
            f"{version.reference} has the coordinates of {asked.start.reference}: nothing to migrate to.",
            "Promote it as it is, or name another method.",
        )
    return version


def prepare(
    spaceport: Spaceport,
    asked: Order,
    *,
    adapter: bool = True,
    bar: float = BAR,
    metric: str | None = None,
    run_commands: bool | None = None,
    wait: float = 0.0,
) -> Migration:
    """Build, align, learn classifiers anew and replay; what `cut_over` of its gate then decides on."""
    start = asked.start
    version = build_beside(spaceport, asked, metric, wait)
    found, without = None, "not wanted"
    if adapter:
        found, without = _aligned(spaceport, version, start, bar, wait)
    learnt = _learnt_anew(spaceport, version)
    decided = None
    if asked.alias is not None:
        decided = gate(spaceport, version.reference, asked.alias, run_commands)
    return Migration(start, version, found, without, learnt, decided)


def finish(
    spaceport: Spaceport, done: Migration, note: str = "", override: str | None = None
) -> None:
    """Let the alias stand for the new version, pins and all, in one transaction.

    Raises
    ------
    RefusedError
        A consumer would break. Version and adapter are there; the alias stays.
    """
    if done.gate is not None:
        told = note or f"migrated from {done.start.reference}"
        cut_over(spaceport, done.gate, told, override)


def _aligned(
    spaceport: Spaceport, version: Version, start: Version, bar: float, wait: float
) -> tuple[Published | None, str]:
    """The adapter back; an earlier run's where there is one. Without one, the gate decides."""
    known = find(spaceport.store, version, start)
    if known is not None and (known.recall >= bar or known.forced):
        return known, ""
    try:
        return align(spaceport, version, start, bar=bar, wait=wait), ""
    except (InputError, ParameterError, NotFoundError) as error:
        return None, error.what


def _learnt_anew(spaceport: Spaceport, version: Version) -> tuple[str, ...]:
    """Classifiers of the consumers' stored items, learnt on the new vectors and kept for their owners."""
    learnt = []
    for consumer in spaceport.consumers(version.record.space):
        task, before = consumers.task_of(spaceport, consumer)
        if not isinstance(task, LabelsTask) or task.kind != "labels":
            continue
        if before.coordinates.agrees(version.coordinates):
            continue
        if not _kept_already(spaceport, version, consumer.name):
            _keep(spaceport, version, consumer.name, task)
        learnt.append(consumer.name)
    return tuple(learnt)


def _kept_already(spaceport: Spaceport, version: Version, name: str) -> bool:
    return any(
        each.kind == "probe" and each.name == name and each.fits
        for each in spaceport.derived(version.reference)
    )


def _keep(spaceport: Spaceport, version: Version, name: str, task: LabelsTask) -> None:
    try:
        X, known = task.vectors(version, all_items=True)
    except (InputError, ParameterError):  # the gate says it of each consumer
        return
    train = task.train[known[task.train]]
    if len(set(task.labels[train])) < 2:
        return
    fresh = learn(X[train], list(task.labels[train]))
    score = task.learnt_anew(X, known)
    facts = {"consumer": name, "measure": task.measure, "score": score, "learnt_from": len(train)}
    keep_probe(
        spaceport, version.reference, name, fresh.coef, fresh.intercept, fresh.classes, facts
    )
