"""Sources of given rows, for the tests of encoders of vectors and tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from spaceport.sources.base import Source

__all__ = ["Rows", "Vectors"]


class Given(Source):
    unique_ids: ClassVar[bool] = True

    def __init__(self, content: pa.Array, batch: int = 1000) -> None:
        self.content = content
        self.batch = batch
        self.readings = 0

    def read(self) -> Iterator[pa.RecordBatch]:
        self.readings += 1
        ids = pa.array([str(row) for row in range(len(self.content))])
        for start in range(0, len(self.content), self.batch):
            part = slice(start, start + self.batch)
            yield pa.record_batch({"id": ids[part], "content": self.content[part]})

    def size(self) -> int:
        return self.content.nbytes


class Vectors(Given):
    modality: ClassVar[str] = "vectors"

    def __init__(self, X: np.ndarray, batch: int = 1000) -> None:
        flat = pa.array(X.astype(np.float32).ravel())
        super().__init__(pa.FixedSizeListArray.from_arrays(flat, X.shape[1]), batch)


class Rows(Given):
    modality: ClassVar[str] = "table"

    def __init__(self, rows: Sequence[dict[str, Any]] | pa.Array, batch: int = 1000) -> None:
        super().__init__(rows if isinstance(rows, pa.Array) else pa.array(rows), batch)
