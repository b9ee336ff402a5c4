"""What came of predictions, counted cell by cell, as one mergeable value.

With labels a row has a *score*: of classes 1 where prediction and label are the same, else 0; of numbers
the absolute error |prediction − label|, or its square. Kept are sums only, so any span of days is a sum:
of each cell its rows, its labeled rows, Σ s, Σ s² and Σ s⁴ with s the absolute error (of classes Σ s alone
says all).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.errors import CorruptError, InputError, ParameterError
from spaceport.monitoring.events import Events
from spaceport.monitoring.predictions import KINDS, Predictions
from spaceport.monitoring.scores import Scores

__all__ = ["MOST_CLASSES", "Outcomes"]

MOST_CLASSES = 1000
"""With more classes than that, how often each was predicted is not kept."""

Counts: TypeAlias = dict[str, int] | None


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Predictions, and labels as far as they are known, by cell; `a + b` is that of both.

    Attributes
    ----------
    kind : {"classes", "numbers"} or None
        None where there are no predictions yet.
    rows : ndarray of shape (c,), int64
        Rows with a prediction, by cell.
    labeled : ndarray of shape (c,), int64
        Those of them with a label, and of numbers a finite error.
    sums : ndarray of shape (c, 3), float64
        Σ s, Σ s², Σ s⁴ over the labeled rows.
    predicted, labels : dict of str to int, or None
        How often each class was predicted, and was true; None where there are more than `MOST_CLASSES`.
    """

    kind: str | None
    rows: npt.NDArray[np.int64]
    labeled: npt.NDArray[np.int64]
    sums: npt.NDArray[np.float64]
    predicted: Counts
    labels: Counts

    @classmethod
    def none(cls, cells: int) -> Outcomes:
        """Nothing yet, in a space of so many cells."""
        zeros = np.zeros(cells, np.int64)
        return cls(None, zeros, zeros, np.zeros((cells, 3)), {}, {})

    @classmethod
    def of(
        cls, events: Events, cell: npt.NDArray[Any], cells: int, kind: str | None = None
    ) -> Outcomes:
        """Count some events; those without a prediction are left out.

        Parameters
        ----------
        events : Events
        cell : ndarray of shape (n,)
            The cell of each event; negative for none.
        cells : int
            How many cells there are.
        kind : {"classes", "numbers"}, optional
            As in `Predictions.of`, which raises what this raises.
        """
        return cls.counted(Predictions.of(events, cell, kind), cells)

    @classmethod
    def counted(cls, read: Predictions, cells: int) -> Outcomes:
        """Count predictions, and labels, as far as these are still to be counted."""
        if read.kind is None:
            return cls.none(cells)
        where, scores = read.cell[read.known], read.scores[read.known]
        sums = [np.bincount(where, scores**power, cells) for power in (1, 2, 4)]
        tell = _tally if read.kind == "classes" else _no_tally
        return cls(
            read.kind,
            np.bincount(read.cell[read.told], minlength=cells).astype(np.int64),
            np.bincount(where, minlength=cells).astype(np.int64),
            np.stack(sums, axis=1),
            tell(read.predicted, read.told),
            tell(read.labels, read.known),
        )

    def scores(self, measure: str | None = None) -> Scores:
        """Accuracy, or mean error, cell by cell.

        Parameters
        ----------
        measure : {"accuracy", "absolute error", "squared error"}, optional
            Default: accuracy of classes, absolute error of numbers.

        Raises
        ------
        ParameterError
            A measure of the other kind.
        """
        allowed = ("absolute error", "squared error") if self.kind == "numbers" else ("accuracy",)
        measure = measure or allowed[0]
        if measure not in allowed:
            raise ParameterError(
                f"There is no {measure!r} of {self.kind or 'no predictions'}.",
                f"Choose {' or '.join(allowed)}.",
            )
        first, second = (1, 2) if measure == "squared error" else (0, 1)
        return Scores(measure, self.labeled, self.sums[:, first], self.sums[:, second])

    def check(self, path: str) -> None:
        """Refuse predictions and labels that speak of different classes.

        Raises
        ------
        InputError
            No label is ever among the predictions.
        """
        if self.kind != "classes" or not self.labels or not self.predicted:
            return
        if not self.labels.keys() & self.predicted.keys():
            label, prediction = min(self.labels), min(self.predicted)
            raise InputError(
                f"No label of {path} is ever predicted: labels are like {label[:40]!r}, predictions like "
                f"{prediction[:40]!r}.",
                "Name the right columns, or spell both alike.",
            )

    def __add__(self, other: Outcomes) -> Outcomes:
        if len(self.rows) != len(other.rows):
            raise InputError(
                f"Outcomes of {len(self.rows)} and of {len(other.rows)} cells cannot be added.",
                "Count both in the cells of one version.",
            )
        if self.kind and other.kind and self.kind != other.kind:
            raise InputError(
                f"Predictions were {self.kind}, now they are {other.kind}.",
                "Log one kind of predictions under one name.",
            )
        return Outcomes(
            self.kind or other.kind,
            self.rows + other.rows,
            self.labeled + other.labeled,
            self.sums + other.sums,
            _both(self.predicted, other.predicted),
            _both(self.labels, other.labels),
        )

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold."""
        return {
            "kind": self.kind,
            "rows": self.rows.tolist(),
            "labeled": self.labeled.tolist(),
            "sums": self.sums.tolist(),
            "predicted": self.predicted,
            "labels": self.labels,
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Outcomes:
        """Undo `to_dict`.

        Raises
        ------
        CorruptError
        """
        try:
            found = cls(
                told["kind"],
                np.array(told["rows"], np.int64).reshape(-1),
                np.array(told["labeled"], np.int64).reshape(-1),
                np.array(told["sums"], np.float64).reshape(-1, 3),
                _counted(told["predicted"]),
                _counted(told["labels"]),
            )
            shapes = {len(found.rows), len(found.labeled), len(found.sums)}
            fits = bool((found.rows >= 0).all() and (found.labeled >= 0).all())
            if found.kind not in (None, *KINDS) or len(shapes) != 1 or not fits:
                raise ValueError("no outcomes")
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise CorruptError(
                "What is kept of a day's predictions cannot be read.", "Run `spaceport verify`."
            ) from error
        return found


def _tally(values: Any, rows: npt.NDArray[np.bool_]) -> Counts:
    names, counts = np.unique(values[rows].astype(str), return_counts=True)
    return _bounded(dict(zip(names.tolist(), counts.tolist(), strict=True)))


def _no_tally(values: Any, rows: npt.NDArray[np.bool_]) -> Counts:
    return {}


def _both(one: Counts, other: Counts) -> Counts:
    if one is None or other is None:
        return None
    return _bounded(dict(Counter(one) + Counter(other)))


def _bounded(counts: dict[str, int]) -> Counts:
    return counts if len(counts) <= MOST_CLASSES else None


def _counted(told: Any) -> Counts:
    return None if told is None else {str(name): int(count) for name, count in told.items()}
