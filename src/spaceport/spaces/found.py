"""The answer of a search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["Found"]


@dataclass(frozen=True, eq=False)
class Found:
    """The answer of a search: ids with their similarities, the nearest first.

    Attributes
    ----------
    ids : list of str
    similarities : ndarray of shape (k,), float32
        Under the version's metric; of the Euclidean metric, minus the distance.
    columns : pyarrow.Table
        The metadata of the rows found, in the same order.
    """

    ids: list[str]
    similarities: npt.NDArray[np.float32]
    columns: pa.Table

    @property
    def table(self) -> pa.Table:
        """Everything as one Arrow table: id, similarity, then the metadata."""
        head = pa.table({"id": self.ids, "similarity": self.similarities})
        for name in self.columns.schema.names:
            head = head.append_column(name, self.columns.column(name))
        return head

    def rows(self) -> list[dict[str, Any]]:
        """Everything as a list of plain dicts."""
        rows: list[dict[str, Any]] = self.table.to_pylist()
        return rows

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        width = max(map(len, self.ids), default=0)
        pairs = zip(self.ids, self.similarities, strict=True)
        return "\n".join(f"{name:<{width}}  {similarity:.3f}" for name, similarity in pairs)
