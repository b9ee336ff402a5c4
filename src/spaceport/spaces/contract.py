"""What a space promises to those who use it, and the canaries that hold it to its word."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, matrix
from spaceport.encoders.base import Encoder
from spaceport.errors import CorruptError, ParameterError
from spaceport.geometry.similarity import METRICS
from spaceport.spaces.plain import plain, unplain

__all__ = ["CANARIES", "TOLERANCE", "Canaries", "Contract", "canary_places", "departures"]

CANARIES = 16
TOLERANCE = 1e-3
"""Largest distance, relative to the longer vector, at which two vectors count as equal. Float sums
in another order (batch size, threads, library release) differ by about 1e-5; another model by ~1."""


@dataclass(frozen=True)
class Contract:
    """What a space promises.

    Attributes
    ----------
    modality : str
        What the items are, in the words of `sources.base.Source`: ``"words"``, ``"texts"``, …
    dimension : int
        Length of each vector.
    metric : {"cosine", "dot", "euclidean"}
        The similarity under which distance carries meaning.
    normalized : bool
        Rows are unit length (a zero row, an item about which nothing is known, is permitted).
    fingerprint : str
        64 hexadecimal digits over everything that changes the numbers; never a name.
    dtype : str
        Always ``"float32"`` in this release.
    roles : tuple of str
        The sides of a search that the encoder tells apart.
    dimensions : tuple of int
        Shorter prefixes of a vector that may be used alone; empty means none.
    tolerance : float
        How far a canary may be from its vector; see `TOLERANCE`.
    """

    modality: str
    dimension: int
    metric: str
    normalized: bool
    fingerprint: str
    dtype: str = "float32"
    roles: tuple[str, ...] = ("document",)
    dimensions: tuple[int, ...] = ()
    tolerance: float = TOLERANCE

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise ParameterError(
                f"`metric` must be one of {', '.join(METRICS)}. Got {self.metric!r}.", "Choose one."
            )

    def to_dict(self) -> dict[str, Any]:
        """The contract as plain JSON-able values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Contract:
        """Undo `to_dict`."""
        told: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
        }
        return cls(**told)


@dataclass(frozen=True)
class Canaries:
    """Inputs kept with their vectors; encoding them again tells whether the *model* moved.

    Attributes
    ----------
    items : tuple
        Up to `CANARIES` inputs: texts, files' bytes, rows of a table, histories, vectors.
    vectors : ndarray of shape (len(items), d), float32
        What the encoder gave for them when the version was published.
    """

    items: tuple[Any, ...]
    vectors: Matrix

    @classmethod
    def of(cls, encoder: Encoder, items: Sequence[Any]) -> Canaries:
        """Encode `items` and keep both."""
        return cls(tuple(items), encoder.encode(list(items)))

    def departure(self, encoder: Encoder) -> float:
        """Largest relative distance between a canary's kept vector and its vector by `encoder`."""
        return float(departures(self.vectors, encoder.encode(list(self.items))).max())

    def to_json(self) -> str:
        """Items and vectors as JSON; every float32 survives the trip exactly."""
        rows = [[float(x) for x in row] for row in self.vectors]
        told = {"items": [plain(item) for item in self.items], "vectors": rows}
        return json.dumps(told, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Canaries:
        """Undo `to_json`."""
        try:
            values = json.loads(text)
            items = tuple(unplain(item) for item in values["items"])
            return cls(items, matrix(values["vectors"], "canaries"))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CorruptError(
                "canaries.json cannot be read.", "Run `spaceport verify`."
            ) from error


def canary_places(rows: int) -> list[int]:
    """Up to `CANARIES` places, evenly spaced over `rows` items.

    Examples
    --------
    >>> canary_places(3), canary_places(31)[:4]
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
