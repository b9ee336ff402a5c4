"""What was predicted of some events, and what was true: read once, counted in `outcomes`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from spaceport.errors import InputError, ParameterError
from spaceport.monitoring.events import Events

__all__ = ["KINDS", "Predictions"]

KINDS = ("classes", "numbers")

Mask: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Predictions:
    """The predictions of n events.

    Attributes
    ----------
    kind : {"classes", "numbers"} or None
        None where nothing was predicted.
    cell : ndarray of shape (n,)
        The cell of each event; negative for none.
    told : ndarray of shape (n,), bool
        Which have a prediction and a cell.
    known : ndarray of shape (n,), bool
        Which of these have a label, too, and of numbers a finite error.
    scores : ndarray of shape (n,), float64
        Of classes 1 where prediction and label are the same, else 0; of numbers the absolute error.
    predicted, labels : ndarray of shape (n,)
        Texts, or numbers.
    """

    kind: str | None
    cell: npt.NDArray[Any]
    told: Mask
    known: Mask
    scores: npt.NDArray[np.float64]
    predicted: npt.NDArray[Any]
    labels: npt.NDArray[Any]

    @classmethod
    def of(cls, events: Events, cell: npt.NDArray[Any], kind: str | None = None) -> Predictions:
        """Read them.

        Parameters
        ----------
        events : Events
        cell : ndarray of shape (n,)
        kind : {"classes", "numbers"}, optional
            Default: numbers where prediction or label is a number with a fraction, else classes.

        Raises
        ------
        ParameterError
            An unknown kind.
        InputError
            Numbers were said, or begun with, and here are none.
        """
        if kind is not None and kind not in KINDS:
            raise ParameterError(f"`kind` must be classes or numbers. Got {kind!r}.", "Choose one.")
        if events.prediction is None or events.prediction.null_count == len(events):
            nothing, no = np.zeros(len(events)), np.zeros(len(events), bool)
            return cls(None, cell, no, no, nothing, nothing, nothing)
        label = pa.nulls(len(events)) if events.label is None else events.label
        kind = kind or _kind(events.prediction, label)
        told = _is_there(events.prediction) & (cell >= 0)
        predicted, labels = (_texts if kind == "classes" else _numbers)(events.prediction, label)
        scores = _scores(kind, predicted, labels)
        known = told & _is_there(label) & np.isfinite(scores)
        return cls(kind, cell, told, known, scores, predicted, labels)

    def but(self, counted: Mask) -> Predictions:
        """Leave out predictions that were counted before; their labels are still to be counted."""
        return replace(self, told=self.told & ~counted)

    def take(self, rows: npt.NDArray[np.intp]) -> Predictions:
        """Some of the rows, by their places."""
        return Predictions(
            self.kind,
            self.cell[rows],
            self.told[rows],
            self.known[rows],
            self.scores[rows],
            self.predicted[rows],
            self.labels[rows],
        )


def _is_there(values: pa.Array) -> Mask:
    valid: Mask = values.is_valid().to_numpy(zero_copy_only=False)
    return valid


def _kind(prediction: pa.Array, label: pa.Array) -> str:
    kinds = (prediction.type, label.type)
    fractions = any(pa.types.is_floating(kind) or pa.types.is_decimal(kind) for kind in kinds)
    texts = any(pa.types.is_string(kind) or pa.types.is_boolean(kind) for kind in kinds)
    return "numbers" if fractions and not texts else "classes"


def _texts(prediction: pa.Array, label: pa.Array) -> tuple[Any, Any]:
    return _spelled(prediction), _spelled(label)


def _spelled(values: pa.Array) -> npt.NDArray[Any]:
    """Classes as text; 1.0 is 1."""
    if pa.types.is_floating(values.type):
        whole = pc.equal(pc.floor(values), values)
        if pc.all(pc.fill_null(whole, True)).as_py():
            values = values.cast(pa.int64())
    texts: npt.NDArray[Any] = values.cast(pa.string()).to_numpy(zero_copy_only=False)
    return texts


def _numbers(prediction: pa.Array, label: pa.Array) -> tuple[Any, Any]:
    try:
        return tuple(
            values.cast(pa.float64()).to_numpy(zero_copy_only=False)
            for values in (prediction, label)
        )
    except pa.ArrowException as error:
        raise InputError(
            f"Predictions are {prediction.type} and labels {label.type}, which are not both numbers.",
            "Name columns of numbers, or log classes.",
        ) from error


def _scores(kind: str, prediction: Any, label: Any) -> npt.NDArray[np.float64]:
    if kind == "classes":
        same: npt.NDArray[np.float64] = (prediction == label).astype(np.float64)
        return same
    with np.errstate(invalid="ignore"):
        apart: npt.NDArray[np.float64] = np.abs(prediction - label)
    return apart
