"""Vectors from memory, as a source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy.typing as npt
import pyarrow as pa

from spaceport import arrays
from spaceport.errors import InputError
from spaceport.sources.base import Source
from spaceport.sources.formats.stamp import Stamp
from spaceport.spaces.layout import fixed
from spaceport.spaces.space_vectors import Coordinates, SpaceVectors

__all__ = ["Given"]

BATCH = 16_384


class Given(Source):
    """Ids, vectors and metadata that a program holds already.

    Parameters
    ----------
    ids : sequence of n unique strings
    vectors : array-like of shape (n, d)
    metadata : mapping of str to sequence of length n
    """

    modality: ClassVar[str] = "vectors"
    unique_ids: ClassVar[bool] = True

    def __init__(
        self, ids: Sequence[str], vectors: npt.ArrayLike, metadata: Mapping[str, Sequence[Any]]
    ) -> None:
        self._coordinates: Coordinates | None = None
        if isinstance(vectors, SpaceVectors):
            self._coordinates = vectors.coordinates
        self.vectors = arrays.matrix(vectors, "vectors")
        self.ids = arrays.ids(ids, "ids", len(self.vectors))
        self.metadata = {name: self._column(name, values) for name, values in metadata.items()}

    def _column(self, name: str, values: Sequence[Any]) -> pa.Array:
        if len(values) != len(self.ids):
            raise InputError(
                f"The column {name!r} must hold {len(self.ids)} values. Got {len(values)}.",
                "Give one value per id; None where it is missing.",
            )
        try:
            return pa.array(values)
        except pa.ArrowException as error:
            raise InputError(
                f"The column {name!r} cannot be stored: {error}.", "Give one type."
            ) from error

    @property
    def spec(self) -> str:
        """What the card says of it."""
        return f"arrays in memory ({len(self.ids)} × {self.vectors.shape[1]})"

    @property
    def stamp(self) -> Stamp | None:
        """Whose coordinates a `SpaceVectors` is in; None for plain arrays."""
        return None if self._coordinates is None else self._coordinates.stamp()

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield slices of at most 16,384 rows."""
        for start in range(0, len(self.ids), BATCH):
            rows = slice(start, start + BATCH)
            columns = {
                "id": pa.array(self.ids[rows], pa.string()),
                "content": fixed(self.vectors[rows]),
            }
            columns |= {name: values[rows] for name, values in self.metadata.items()}
            yield pa.RecordBatch.from_pydict(columns)

    def size(self) -> int:
        """Bytes of the vectors."""
        return int(self.vectors.nbytes)
