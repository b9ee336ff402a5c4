"""Canaries: inputs kept with their vectors, which hold a model to its word.

Encoding them again tells whether the *model* moved, whatever its name and version say. How far they may
be from their vectors is measured, since the same model gives other last digits in other company (the
size of a batch, who else is in it)::

    noise      the largest departure seen when each canary is encoded alone, all of them at once, in
               reverse order a few at a time, and as a row of the version, among all its items
    tolerance  min(CEILING, max(FLOOR, FACTOR × noise))

A departure is |a − b| / max(|a|, |b|). The floor is there because other processors, threads and
libraries sum in an order that this machine cannot show (about 1e-5 after a dozen layers); the ceiling
because an encoder that gives something else each time (its noise is told on the card) is not held to
anything, and two models are further apart than that.

A major's canaries are kept by the versions that follow, so that small steps do not add up unseen.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, matrix
from spaceport.encoders.base import Encoder
from spaceport.errors import CorruptError
from spaceport.geometry import cells
from spaceport.safe import read_json
from spaceport.spaces.plain import plain, unplain

__all__ = [
    "CANARIES",
    "CEILING",
    "FACTOR",
    "FLOOR",
    "Canaries",
    "CanaryReport",
    "canary_places",
    "departures",
    "spread_rows",
    "tolerance_of",
]

CANARIES = 32
FLOOR = 1e-4
FACTOR = 4.0
CEILING = 0.05

_FEW = 3


@dataclass(frozen=True)
class CanaryReport:
    """What became of the canaries when they were encoded again.

    Attributes
    ----------
    departures : ndarray of shape (c,), float64
        Of each canary, relative to the longer of its two vectors.
    tolerance : float
        Of the version's contract.
    """

    departures: npt.NDArray[np.float64]
    tolerance: float

    @property
    def largest(self) -> float:
        """The largest departure."""
        return float(self.departures.max(initial=0.0))

    @property
    def moved(self) -> int:
        """How many departed by more than the tolerance."""
        return int((self.departures > self.tolerance).sum())

    @property
    def ok(self) -> bool:
        """None did."""
        return not self.moved

    def __str__(self) -> str:
        told = f"largest departure {self.largest:.2g}, tolerance {self.tolerance:.2g}"
        if self.ok:
            return f"{len(self.departures)} canaries as they were ({told})"
        return f"{self.moved} of {len(self.departures)} canaries moved ({told})"


@dataclass(frozen=True)
class Canaries:
    """Inputs kept with their vectors.

    Attributes
    ----------
    items : tuple
        Up to `CANARIES` inputs: texts, files' bytes, rows of a table, histories, vectors.
    vectors : ndarray of shape (len(items), d), float32
        What the encoder gave for them, all at once, when they were chosen.
    noise : float or None
        The largest departure seen then; None where it was not measured.
    """

    items: tuple[Any, ...]
    vectors: Matrix
    noise: float | None = None

    @classmethod
    def of(cls, encoder: Encoder, items: Sequence[Any], rows: Matrix | None = None) -> Canaries:
        """Encode `items` in several ways, and keep them with what they gave and how far it differed.

        Parameters
        ----------
        encoder : Encoder
        items : sequence of c items
        rows : ndarray of shape (c, d), float32, optional
            The vectors that the version has for them.
        """
        given = list(items)
        kept = encoder.encode(given)
        alone = encoder.encode(given, batch_size=1)
        backwards = encoder.encode(given[::-1], batch_size=_FEW)[::-1]
        ways = [alone, backwards, *(() if rows is None else (rows,))]
        noise = max(float(departures(kept, other).max(initial=0.0)) for other in ways)
        return cls(tuple(items), kept, noise)

    def check(self, encoder: Encoder, tolerance: float) -> CanaryReport:
        """Encode the items again and compare."""
        return CanaryReport(departures(self.vectors, encoder.encode(list(self.items))), tolerance)

    def departure(self, encoder: Encoder) -> float:
        """Largest relative distance between a canary's kept vector and its vector by `encoder`."""
        return self.check(encoder, 0.0).largest

    def to_json(self) -> str:
        """Items and vectors as JSON; every float32 survives the trip exactly."""
        rows = [[float(x) for x in row] for row in self.vectors]
        items = [plain(item) for item in self.items]
        told = {"items": items, "vectors": rows, "noise": self.noise}
        return json.dumps(told, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Canaries:
        """Undo `to_json`; reads what was written before the noise was measured, too."""
        try:
            data = text.encode() if isinstance(text, str) else text
            values = read_json(data, "canaries.json", most=1 << 30)
            items = tuple(unplain(item) for item in values["items"])
            noise = values.get("noise")
            vectors = matrix(values["vectors"], "canaries")
            return cls(items, vectors, None if noise is None else float(noise))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CorruptError(
                "canaries.json cannot be read.", "Run `spaceport verify`."
            ) from error


def tolerance_of(noise: float) -> float:
    """How far a canary may be from its vector, given the noise that was measured.

    Examples
    --------
    >>> tolerance_of(0.0), tolerance_of(0.001), tolerance_of(0.5)
    (0.0001, 0.004, 0.05)
    """
    return min(CEILING, max(FLOOR, FACTOR * noise))


def spread_rows(
    X: Matrix, levels: Sequence[Matrix], metric: str, count: int = CANARIES
) -> list[int]:
    """Up to `count` rows spread over the cells: of each fine cell the row nearest to its centroid.

    The coarse cells take turns, each with its fine cells by size; where all have had theirs, the
    second nearest rows follow. A zero row, an item of which nothing is known, comes last.

    Parameters
    ----------
    X : ndarray of shape (n, d), float32
    levels : sequence of ndarray of shape (c, d)
        Centroids, coarse first.
    metric : {"cosine", "dot", "euclidean"}
    count : int

    Examples
    --------
    >>> X = np.array([[0, 0], [0, 1], [0, 2], [9, 0], [9, 1]], dtype=np.float32)
    >>> spread_rows(X, [np.array([[0, 1], [9, 0.4]], dtype=np.float32)], "euclidean", count=2)
    [1, 3]
    """
    fine = levels[-1]
    cell = cells.assign(X, fine, metric)
    within = _ranks(cell, _distances(X, fine, cell, metric))
    sizes = np.bincount(cell, minlength=len(fine))
    group = cells.assign(fine, levels[0], metric)
    turn = _ranks(group, -sizes.astype(np.float64))
    nothing = ~X.any(axis=1)
    order = np.lexsort((np.arange(len(X)), group[cell], turn[cell], within, nothing))
    return [int(row) for row in order[:count]]


def canary_places(rows: int) -> list[int]:
    """Up to `CANARIES` places, evenly spaced over `rows` items.

    Examples
    --------
    >>> canary_places(3), canary_places(63)[:4]
    ([0, 1, 2], [0, 2, 4, 6])
    """
    return [int(place) for place in np.linspace(0, rows - 1, min(CANARIES, rows)).astype(int)]


def departures(before: Matrix, after: Matrix) -> npt.NDArray[np.float64]:
    """How far each row moved, relative to the longer of its two vectors.

    The formula is ``|a - b| / max(|a|, |b|)``, 0 where both are zero, 1 for all rows where the
    dimensions differ.

    Examples
    --------
    >>> departures(np.eye(2, dtype="f4"), np.array([[1, 0], [1, 0]], dtype="f4")).round(3)
    array([0.   , 1.414])
    """
    if before.shape != after.shape:
        return np.ones(len(before))
    wide, other = before.astype(np.float64), after.astype(np.float64)
    gap = np.linalg.norm(wide - other, axis=1)
    size = np.maximum(np.linalg.norm(wide, axis=1), np.linalg.norm(other, axis=1))
    relative: npt.NDArray[np.float64] = np.divide(gap, size, out=np.zeros_like(gap), where=size > 0)
    return relative


def _ranks(groups: npt.NDArray[Any], values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Of each element its rank within its group, 0 for the smallest value; ties in order."""
    order = np.lexsort((np.arange(len(values)), values, groups))
    starts = np.searchsorted(groups[order], groups[order])
    ranks = np.empty(len(values), np.int64)
    ranks[order] = np.arange(len(values)) - starts
    return ranks


def _distances(
    X: Matrix, centroids: Matrix, cell: npt.NDArray[Any], metric: str
) -> npt.NDArray[np.float64]:
    """Of each row its distance to its centroid; by angle for ``cosine``."""
    found = np.empty(len(X))
    for start in range(0, len(X), 8192):
        rows = X[start : start + 8192].astype(np.float64)
        if metric == "cosine":
            lengths = np.linalg.norm(rows, axis=1, keepdims=True)
            rows = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
        found[start : start + 8192] = np.linalg.norm(
            rows - centroids[cell[start : start + 8192]], axis=1
        )
    return found
