"""What happened in production: rows of a log, each with its time and its vector."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.arrays import Matrix
from spaceport.errors import InputError
from spaceport.monitoring.windows import Instants

__all__ = ["FAULTS", "Events", "Faulty", "faults_of"]

Faulty: TypeAlias = npt.NDArray[np.uint8]
"""Of each row 0, or its place in `FAULTS` from 1 on."""

FAULTS = ("missing", "dimension", "infinite", "unreadable")
"""Why a row cannot be tested: no vector or content, another dimension, NaN or infinity, a content that
the encoder cannot read."""


@dataclass(frozen=True, eq=False)
class Events:
    """Some rows of a log.

    Attributes
    ----------
    ids : pyarrow.Array of n strings
        Unique in their log.
    at : ndarray of shape (n,), datetime64[us]
        UTC.
    vectors : ndarray of shape (n, d), float32
        Not of unit length. Zero where the row has a fault.
    faults : ndarray of shape (n,), uint8
        0 for a sound row, else the place of what is wrong in `FAULTS`, from 1 on.
    contents : pyarrow.Array or None
        What was encoded, or could be again.
    segment : pyarrow.Array of strings or None
        ``""`` where it is missing.
    prediction, label : pyarrow.Array or None
        Null where there is none (yet).
    tokens : ndarray of shape (n, 2), int64, or None
        Of texts: how many tokens, and how many of them the encoder has no vector for.
    encoded_here : bool
        The vectors were made of the contents when the log was read.
    """

    ids: pa.Array
    at: Instants
    vectors: Matrix
    faults: Faulty
    contents: pa.Array | None = None
    segment: pa.Array | None = None
    prediction: pa.Array | None = None
    label: pa.Array | None = None
    tokens: npt.NDArray[np.int64] | None = None
    encoded_here: bool = False

    def __post_init__(self) -> None:
        count = len(self.ids)
        for name, value in self._columns().items():
            if len(value) != count:
                raise InputError(
                    f"There are {count} ids for {len(value)} {name}.", "Give one per event."
                )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def sound(self) -> npt.NDArray[np.bool_]:
        """Which rows have a vector that can be tested, shape (n,)."""
        fine: npt.NDArray[np.bool_] = self.faults == 0
        return fine

    def take(self, rows: npt.ArrayLike) -> Events:
        """Some of the rows, by a mask or by places."""
        chosen = np.asarray(rows)
        places = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        taken = pa.array(places, pa.int64())
        parts = {
            name: value.take(taken) if isinstance(value, pa.Array) else value[places]
            for name, value in self._columns().items()
        }
        return Events(**parts, encoded_here=self.encoded_here)

    def _columns(self) -> dict[str, Any]:
        """What there is of each event."""
        named = {each.name: getattr(self, each.name) for each in fields(self)}
        del named["encoded_here"]
        return {name: value for name, value in named.items() if value is not None}


def faults_of(vectors: Matrix) -> Faulty:
    """Find the rows that hold NaN or infinity.

    Parameters
    ----------
    vectors : ndarray of shape (n, d), float32

    Examples
    --------
    >>> faults_of(np.array([[1, 2], [np.nan, 0]], np.float32))
    array([0, 3], dtype=uint8)
    """
    bad = ~np.isfinite(vectors).all(axis=1)
    return np.where(bad, FAULTS.index("infinite") + 1, 0).astype(np.uint8)
