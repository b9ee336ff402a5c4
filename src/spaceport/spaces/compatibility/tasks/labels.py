"""Labels read off vectors by a linear classifier: one learnt when the consumer came, or its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.arrays import Matrix
from spaceport.errors import InputError
from spaceport.quality.linear import LinearClassifier, learn
from spaceport.quality.probe import split
from spaceport.spaces.compatibility.classifiers import read_classifier, write_classifier
from spaceport.spaces.compatibility.tasks.base import Read, Scores, VectorTask
from spaceport.spaces.compatibility.tasks.items import pack_items, unpack_items, vectors_of
from spaceport.spaces.compatibility.tasks.notes import read_notes, write_notes

if TYPE_CHECKING:
    from spaceport.spaces.version import Version

__all__ = ["HELD_OUT", "LEAST", "LEAST_OF_A_CLASS", "LabelsTask", "labeled"]

LEAST = 20
LEAST_OF_A_CLASS = 4
HELD_OUT = 0.3


class LabelsTask(VectorTask):
    """The share of items whose label a linear classifier gives.

    Where the consumer brings no classifier, one is learnt on the pinned version's vectors of 70 % of each
    class, and the other 30 % are scored. It is kept: what is replayed is the *old* classifier.

    Parameters
    ----------
    items : pyarrow.Array of length n
        Contents, or ids of the space's items.
    labels : sequence of n str
    label : str
        What the labels are called.
    by_id : bool
        The items are ids.
    classifier : LinearClassifier, optional
        The consumer's own; then every item is scored.
    """

    def __init__(
        self,
        items: pa.Array,
        labels: Sequence[str],
        label: str,
        by_id: bool = False,
        classifier: LinearClassifier | None = None,
    ) -> None:
        self.kind = "labels" if classifier is None else "probe"
        self.items, self.labels = items, np.asarray(labels, dtype=object)
        self.label, self.by_id = label, by_id
        self.measure = f"accuracy on {label}"
        self._given = classifier
        self.train, self.test = self._parts()

    def _parts(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        if self._given is not None:
            return np.empty(0, np.int64), np.arange(len(self.labels))
        codes = np.unique(self.labels.astype(str), return_inverse=True)[1]
        return split(codes, HELD_OUT)

    def prepare(self, pinned: Version, where: str) -> None:
        """Learn the classifier, unless the consumer brought one, and score it."""
        self.check_classes(pinned.record.dimension)
        X, known = self.vectors(pinned, all_items=True)
        if not known.all():
            missing = str(self.items[int(np.argmin(known))])
            raise InputError(
                f"{int((~known).sum())} of the {len(known)} ids of the task are not in "
                f"{pinned.reference}; the first is {missing!r}.",
                "Leave them out of the task, or pin a version that has them.",
            )
        self.classifier = self._given or learn(X[self.train], list(self.labels[self.train]))
        self.baseline = self.judge(X[self.test], pinned)

    def check_classes(self, dimension: int) -> None:
        """Refuse a classifier that cannot be asked: another dimension, or none of the classes."""
        given = self._given
        if given is None:
            return
        if given.dimension != dimension:
            raise InputError(
                f"The classifier takes {given.dimension} dimensions, the pinned version has {dimension}.",
                "Pin the version that the classifier was learnt on.",
            )
        if not set(given.classes) & set(self.labels):
            raise InputError(
                f"The classifier knows {_some(given.classes)}, and none of the items' labels is among "
                f"them: {_some(sorted(set(self.labels)))}.",
                "Give `classes` the names that the labels have.",
            )

    def vectors(self, version: Version, all_items: bool) -> tuple[Matrix, npt.NDArray[np.bool_]]:
        """Of all items, or only of those that are scored."""
        items = self.items if all_items else self.items.take(pa.array(self.test))
        return vectors_of(version, items, self.by_id, "document")

    def scored(self, rows: npt.NDArray[Any], all_items: bool) -> npt.NDArray[Any]:
        """The held-out items."""
        picked: npt.NDArray[Any] = rows[self.test] if all_items else rows
        return picked

    def judge(self, vectors: Matrix, index: Version) -> Scores:
        """1 where the kept classifier is right, else 0."""
        return _right(self.classifier, vectors, self.labels[self.test])

    def learnt_anew(self, vectors: Matrix, known: npt.NDArray[np.bool_]) -> float | None:
        """The accuracy of a classifier learnt on the new vectors of the same items."""
        train = self.train[known[self.train]] if len(self.train) else self.train
        test = self.test[known[self.test]]
        if len(set(self.labels[train])) < 2 or not len(test):
            return None
        fresh = learn(vectors[train], list(self.labels[train]))
        return float(_right(fresh, vectors[test], self.labels[test]).mean())

    def facts(self) -> dict[str, Any]:
        """Items, classes, and how often the commonest one stands."""
        counts = Counter(self.labels[self.test])
        return {
            "kind": self.kind,
            "measure": self.measure,
            "scored": len(self.test),
            "learnt_from": len(self.train),
            "classes": len(self.classifier.classes),
            "commonest": max(counts.values()) / len(self.test),
            "by_id": self.by_id,
        }

    def save(self, folder: Path) -> None:
        """Write notes, items and the classifier."""
        held = np.zeros(len(self.labels), bool)
        held[self.test] = True
        columns = {"item": self.items, "label": pa.array(list(self.labels)), "held": pa.array(held)}
        (folder / "items.arrow").write_bytes(pack_items(columns))
        write_classifier(folder, self.classifier)
        write_notes(folder, {"kind": self.kind, "label": self.label, "by_id": self.by_id}, self.baseline)  # fmt: skip

    @classmethod
    def load(cls, read: Read) -> LabelsTask:
        """Undo `save`."""
        notes, baseline = read_notes(read)
        columns = unpack_items(read("items.arrow"))
        classifier = read_classifier(read)
        task = cls(
            columns["item"], columns["label"].to_pylist(), notes["label"], notes["by_id"], classifier
        )  # fmt: skip
        held = columns["held"].to_numpy(zero_copy_only=False)
        task.kind, task.classifier, task.baseline = notes["kind"], classifier, baseline
        task.train, task.test = np.flatnonzero(~held), np.flatnonzero(held)
        return task


def labeled(
    items: pa.Array, values: Sequence[Any], label: str, learnt: bool
) -> tuple[pa.Array, list[str]]:
    """Leave out the items without a label, and of those to learn from classes that are too small.

    Raises
    ------
    InputError
        Labels that are measurements, all of one class, or fewer than 20 items.
    """
    names = [_name(value, label) for value in values]
    counts = Counter(name for name in names if name is not None)
    least = LEAST_OF_A_CLASS if learnt else 1
    kept = [row for row, name in enumerate(names) if name is not None and counts[name] >= least]
    classes = {names[row] for row in kept}
    if len(classes) < 2 and learnt:
        raise InputError(
            f"`{label}` has {len(classes)} class{'es' * (len(classes) != 1)} of {LEAST_OF_A_CLASS} items "
            f"or more; it holds {_some([f'{name} ({n})' for name, n in counts.most_common()])}.",
            "A task needs two classes; name another column, or add items of the other class.",
        )
    if len(kept) < LEAST:
        raise InputError(
            f"The task has {len(kept)} labeled items.",
            f"Give {LEAST} or more: a score of fewer says next to nothing.",
        )
    return items.take(pa.array(kept)), [str(names[row]) for row in kept]


def _name(value: Any, label: str) -> str | None:
    if value is None or value != value or value == "":
        return None
    if isinstance(value, float):
        if not value.is_integer():
            raise InputError(
                f"The column `{label}` holds measurements, for example {value!r}, and no classes.",
                "Divide them into classes, for example low, middle and high.",
            )
        return str(int(value))
    return str(value)


def _right(classifier: LinearClassifier, vectors: Matrix, labels: npt.NDArray[Any]) -> Scores:
    return np.array(
        [a == b for a, b in zip(classifier.answers(vectors), labels, strict=True)], np.float64
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
