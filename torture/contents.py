"""What a version must hold, told from the journals alone: rows are a function of a token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

__all__ = ["COUNT", "SCHEMA", "batches", "expected", "rows"]

COUNT, DIMENSION = 60, 8
SCHEMA = pa.schema({"id": pa.string(), "vector": pa.list_(pa.float32(), DIMENSION)})


def rows(token: str) -> dict[str, np.ndarray]:
    """The ids and vectors that are published under `token`."""
    values = np.random.default_rng(int(token, 16)).random((COUNT, DIMENSION), np.float32)
    return {f"{token}-{place}": values[place] for place in range(COUNT)}


def batches(token: str) -> Iterator[pa.RecordBatch]:
    """The same as Arrow, in two batches."""
    made = rows(token)
    ids, values = list(made), np.array(list(made.values()))
    for part in (slice(None, COUNT // 2), slice(COUNT // 2, None)):
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(values[part].ravel()), DIMENSION)
        yield pa.RecordBatch.from_arrays([pa.array(ids[part]), vectors], schema=SCHEMA)


def expected(reference: str, intents: Mapping[str, dict[str, Any]]) -> dict[str, np.ndarray]:
    """What a version must hold; `intents` are the journals' lines by reference."""
    intent = intents[reference]
    before = {} if intent["base"] is None else expected(intent["base"], intents)
    return before if intent["change"] == "patch" else {**before, **rows(intent["token"])}
