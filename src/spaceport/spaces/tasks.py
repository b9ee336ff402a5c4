"""What ways of making vectors are judged by, and a label to be read off them (pairs: `spaces.judgements`).

Each task has two parts. The choice is made on the first; the second is for the winner alone, since the
best of many scores is partly luck.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, integer
from spaceport.errors import InputError, ParameterError, choices
from spaceport.progress import track
from spaceport.quality.probe import split
from spaceport.quality.selection import PROBES, Standing, cross_validated, of_answers
from spaceport.sources.base import Source
from spaceport.spaces.samples import Sample, draw

__all__ = ["LabelTask", "Task"]

FOLDS = 3
_LEAST = FOLDS + 1  # items of a class: one for each fold, and one held out


class Task(ABC):
    """What is judged, on which items.

    Attributes
    ----------
    name : str
        For people: what the score is.
    items, held : list
        The items whose vectors are wanted: of the part that the choice is made on, and of the part
        that it never sees.
    facts : dict
        How many items there are, and which were left out; JSON-able.
    """

    name: str
    items: list[Any]
    held: list[Any]
    facts: dict[str, Any]

    @abstractmethod
    def standings(self, vectors: Sequence[Matrix]) -> list[Standing]:
        """Score candidates, each by its vectors of the `items`."""

    @abstractmethod
    def confirmed(self, vectors: Sequence[Matrix], held: Sequence[Matrix]) -> list[Standing]:
        """Score candidates on the part that the choice never saw; they may learn from the `items`."""


class LabelTask(Task):
    """A label to be read off the vectors.

    On the first part by cross-validation in three folds; on the second by a probe that learnt from the
    whole first part.

    Parameters
    ----------
    source : Source
    label : str
        The metadata column.
    test : Source, optional
        The second part; left out: `share` of each class of `source`.
    score : {"linear", "neighbors"}
        The probe.
    sample : int
        How many items to draw from each source at most.
    share : float
    seed : int

    Raises
    ------
    InputError
        Fewer than two classes of four items, or labels that are measurements.
    """

    def __init__(
        self,
        source: Source,
        label: str,
        test: Source | None = None,
        score: str = "linear",
        sample: int = 2000,
        share: float = 0.25,
        seed: int = 0,
    ) -> None:
        if score not in PROBES:
            raise ParameterError(
                f"`score` must be one of {', '.join(PROBES)}. Got {score!r}.",
                choices(str(score), PROBES),
            )
        self.score, self._seed = score, seed
        size = integer(sample, "sample", 1)
        drawn = draw(source, [label], size, seed)
        told = [_class(value, label) for value in drawn.columns[label]]
        code = {name: place for place, name in enumerate(_classes(told, label, drawn))}
        known, codes = _coded(told, code)
        items = [drawn.items[row] for row in known]
        if test is None:
            first, second = split(codes, share, seed)
            self.items, self.codes = [items[row] for row in first], codes[first]
            self.held, self.held_codes = [items[row] for row in second], codes[second]
        else:
            self.items, self.codes = items, codes
            self.held, self.held_codes = _held(test, label, code, size, seed)
        probe = "linear probe" if score == "linear" else "neighbors' vote"
        self.name = f"{probe} of {label}"
        self.facts = {
            "items of the source": drawn.seen,
            "with a content seen before": drawn.repeated,
            "without a label": told.count(None),
            "in classes of fewer than four": len(told) - told.count(None) - len(known),
            "classes": len(code),
            "chosen on": len(self.items),
            "confirmed on": len(self.held),
            "always the commonest class": float(
                (self.held_codes == np.bincount(self.codes).argmax()).mean()
            ),
        }

    def standings(self, vectors: Sequence[Matrix]) -> list[Standing]:
        """By the answers of probes that learnt from the other folds."""
        return of_answers(
            [
                cross_validated(X, self.codes, self.score, FOLDS, self._seed)
                for X in track(vectors, "scoring")
            ]
        )

    def confirmed(self, vectors: Sequence[Matrix], held: Sequence[Matrix]) -> list[Standing]:
        """By the answers of probes that learnt from the first part."""
        probe = PROBES[self.score]
        return of_answers(
            [probe(X, self.codes, Q) == self.held_codes for X, Q in zip(vectors, held, strict=True)]
        )


def _class(value: Any, label: str) -> str | None:
    """A label as text; None where it is missing."""
    if value is None or value != value or value == "":
        return None
    if isinstance(value, float) and not value.is_integer():
        raise InputError(
            f"The column `{label}` holds measurements, for example {value!r}, and no classes.",
            "Divide them into classes, for example low, middle and high.",
        )
    return str(value)


def _classes(told: Sequence[str | None], label: str, drawn: Sample) -> list[str]:
    counts = Counter(name for name in told if name is not None)
    classes = sorted(name for name, times in counts.items() if times >= _LEAST)
    if len(classes) < 2:
        raise InputError(
            f"{len(classes)} classes of `{label}` have {_LEAST} items or more, of {len(counts)} classes "
            f"in {len(drawn.items):,} items.",
            "Two are needed: name another column, or draw more items (sample=).",
        )
    return classes


def _held(
    test: Source, label: str, code: dict[str, int], size: int, seed: int
) -> tuple[list[Any], npt.NDArray[Any]]:
    drawn = draw(test, [label], size, seed)
    told = [_class(value, label) for value in drawn.columns[label]]
    known, codes = _coded(told, code)
    if not known:
        raise InputError(
            f"No item of {test.spec} has a label that was learnt.",
            "Give a test of the same classes.",
        )
    return [drawn.items[row] for row in known], codes


def _coded(
    told: Sequence[str | None], code: dict[str, int]
) -> tuple[list[int], npt.NDArray[np.int64]]:
    """The rows whose class has a code, and these."""
    pairs = [
        (row, code[name]) for row, name in enumerate(told) if name is not None and name in code
    ]
    return [row for row, _ in pairs], np.array([each for _, each in pairs], np.int64)
