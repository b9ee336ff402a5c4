"""Consumers: registered uses of a space, each with a task that is replayed before an alias moves."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from spaceport.arrays import positive
from spaceport.errors import CorruptError, NotFoundError, ParameterError, choices
from spaceport.quality.paired import compare
from spaceport.quality.probe import Accuracy
from spaceport.safe import read_json
from spaceport.spaces.compatibility.classifiers import open_classifier
from spaceport.spaces.compatibility.tasks import (
    KINDS,
    CommandTask,
    LabelsTask,
    RetrievalTask,
    Scores,
    Task,
)
from spaceport.spaces.compatibility.tasks.items import drawn, source_of
from spaceport.spaces.compatibility.tasks.labels import labeled
from spaceport.storage.clock import who
from spaceport.storage.names import parse
from spaceport.storage.store import Consumer

if TYPE_CHECKING:
    from spaceport.sources.base import Source
    from spaceport.spaces.spaceport import Spaceport
    from spaceport.spaces.version import Version

__all__ = ["TOLERANCE", "add", "find", "pinned", "pins", "task_of"]

TOLERANCE = 0.01

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def add(
    spaceport: Spaceport,
    space: str,
    name: str,
    task: Source | str | os.PathLike[str] | None = None,
    *,
    pin: str,
    owner: str | None = None,
    tolerance: float = TOLERANCE,
    label: str | None = None,
    column: str | None = None,
    by_id: str | None = None,
    classifier: str | os.PathLike[str] | None = None,
    relevant: str | None = None,
    measure: str = "ndcg",
    k: int = 10,
    command: Sequence[str] | None = None,
    timeout: float = 600.0,
) -> Consumer:
    """Register a consumer: do its task on the version that it is pinned to, and keep both; see `Spaceport`."""
    version = pinned(spaceport, space, pin)
    _check(spaceport, space, name, tolerance)
    if command is not None and (task is not None or label is not None or relevant is not None):
        raise ParameterError(
            "A consumer has one task. Got a command, and items.", "Give two consumers a task each."
        )
    wanted: Task
    if command is not None:
        wanted = CommandTask(command, timeout)
    elif task is None or (label is None) == (relevant is None):
        raise ParameterError(
            "A consumer needs a task to be replayed.",
            "Give a file of items and the column with their `label` (or with the `relevant` ids of a "
            "search), or a `command`.",
        )
    else:
        _check_items(version, by_id, relevant)
        source = source_of(task, version.contract.modality, column, str(label or relevant), by_id)
        wanted = (
            _labels(source, str(label), by_id is not None, classifier)
            if relevant is None
            else _retrieval(source, relevant, measure, k)
        )
    wanted.prepare(version, str(spaceport.store.place))
    return _keep(spaceport, version, wanted, Consumer(
        space=space, name=name, owner=_owner(owner), pin=pin, tolerance=float(tolerance),
        task=wanted.facts() | summary(wanted.baseline) | {"on": version.reference},
    ))  # fmt: skip


def find(spaceport: Spaceport, space: str, name: str) -> Consumer:
    """Give a consumer by its name; the error lists those that there are."""
    known = {consumer.name: consumer for consumer in spaceport.store.consumers(space)}
    if name not in known:
        raise NotFoundError(f"{space} has no consumer {name}.", choices(name, known))
    return known[name]


def pinned(spaceport: Spaceport, space: str, pin: str) -> Version:
    """Give the latest version that a pin permits.

    Raises
    ------
    ParameterError
        The pin is no number.
    NotFoundError
        No version satisfies it; the message lists the versions there are.
    """
    versions = spaceport.versions(space)
    if not (pin[:1].isdigit() and parse(f"{space}@{pin}").prefix):
        raise ParameterError(
            f"`pin` must be the number of a version. Got {pin!r}.",
            "Write 1 (any version of major 1), 1.2 or 1.2.0.",
        )
    found = [version for version in versions if pins(pin, version)]
    if not found:
        raise NotFoundError(
            f"No version of {space} satisfies the pin {pin}.",
            choices(pin, [str(version.record.number) for version in versions]),
        )
    return found[-1]


def pins(pin: str, version: Version) -> bool:
    """Whether a pin permits a version."""
    prefix = parse(f"{version.record.space}@{pin}").prefix or ()
    number = version.record.number
    return (number.major, number.minor, number.patch)[: len(prefix)] == prefix


def task_of(spaceport: Spaceport, consumer: Consumer) -> tuple[Task, Version]:
    """Give a consumer's task as it was kept, and the version that it was prepared on."""
    if consumer.artifact is None:
        raise CorruptError(
            f"The consumer {consumer.name} of {consumer.space} has no task.",
            "Remove it and add it again.",
        )
    artifact = spaceport.store.artifact(consumer.artifact)

    def read(name: str) -> bytes:
        return spaceport.store.read(artifact, name)

    kind = read_json(read("task.json"), "task.json")["kind"]
    return KINDS[kind].load(read), spaceport[artifact.of]


def summary(scores: Scores) -> dict[str, Any]:
    """The mean of the scores and its 95 % interval: Wilson's for shares, else by drawing again."""
    mean = float(scores.mean())
    if np.isin(scores, (0.0, 1.0)).all():
        low, high = Accuracy(int(scores.sum()), len(scores)).interval
    else:
        found = compare(np.zeros_like(scores), scores)
        low, high = found.low, found.high
    return {"baseline": mean, "low": low, "high": high}


def _check(spaceport: Spaceport, space: str, name: str, tolerance: float) -> None:
    if not _NAME.fullmatch(name):
        raise ParameterError(
            f"{name!r} is not a consumer's name.",
            "Use lower-case letters, digits, '.', '_' and '-', at most 64, a letter or digit first.",
        )
    if positive(tolerance, "tolerance", zero=True) >= 1:
        raise ParameterError(
            f"`tolerance` must be in [0, 1): what of the score may be lost. Got {tolerance!r}.",
            "0.01 permits one point in a hundred.",
        )
    if name in [consumer.name for consumer in spaceport.store.consumers(space)]:
        raise ParameterError(
            f"{space} has a consumer {name} already.",
            f"Choose another name, or: spaceport consumers remove {space} {name}",
        )


def _check_items(version: Version, by_id: str | None, relevant: str | None) -> None:
    """Refuse items that could never be encoded, before their file is read."""
    if relevant is not None and by_id is not None:
        raise ParameterError(
            "Queries are encoded and not looked up. Got `by_id` with `relevant`.",
            "Name the column with the queries' content (column=, --column).",
        )
    if by_id is None and version.encoder is None:
        raise ParameterError(
            f"{version.reference} was imported without an encoder, so a task's items cannot be encoded.",
            "Name the column with ids of the space's items (by_id=, --by-id).",
        )


def _owner(owner: str | None) -> str:
    told = who() if owner is None else owner.strip()
    if not 0 < len(told) <= 256 or not told.isprintable():
        raise ParameterError(
            f"`owner` must be one line of at most 256 characters. Got {owner!r}.",
            "Name who answers for the consumer.",
        )
    return told


def _labels(
    source: Source, label: str, by_id: bool, classifier: str | os.PathLike[str] | None
) -> Task:
    items, values, _ = drawn(source, label)
    given = None if classifier is None else open_classifier(classifier)
    items, names = labeled(items, values, label, learnt=given is None)
    return LabelsTask(items, names, label, by_id, given)


def _retrieval(source: Source, relevant: str, measure: str, k: int) -> Task:
    queries, values, _ = drawn(source, relevant, repeats=True)
    told = [row for row, value in enumerate(values) if value is not None and value != ""]
    return RetrievalTask(queries.take(told), [str(values[row]) for row in told], measure, k)


def _keep(spaceport: Spaceport, version: Version, task: Task, consumer: Consumer) -> Consumer:
    with spaceport.store.keeping(consumer.space, wait=10.0) as keeper:
        task.save(keeper.folder)
        keeper.keep(version.record, "task", consumer.name, facts=consumer.task, consumer=consumer)
    return find(spaceport, consumer.space, consumer.name)
