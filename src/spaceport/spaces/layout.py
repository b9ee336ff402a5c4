"""The columns of a version's table, and how items and vectors become its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from spaceport.arrays import Matrix
from spaceport.sources.base import metadata_name
from spaceport.spaces.items import HASH_TYPE, OWN, content_hash, item_hash

__all__ = [
    "content_names",
    "entity_batch",
    "fixed",
    "item_rows",
    "item_schema",
    "metadata_names",
    "pick",
    "unfixed",
]


def item_schema(items: pa.Schema, dimension: int, keep_content: bool) -> pa.Schema:
    """The table's schema for spooled items: reserved columns, the content if kept, the metadata.

    A text is kept in the column ``text``, a table's row in its own columns; other contents are not.
    """
    shown = _shown(items) if keep_content else {}
    content = [pa.field(name, kind) for name, kind in shown.items()]
    return pa.schema([*_reserved(dimension), *content, *_metadata(items)])


def item_rows(schema: pa.Schema, batch: pa.RecordBatch, vectors: Matrix) -> pa.RecordBatch:
    """Join a batch of spooled items and their vectors (n, d) into rows of `schema`."""
    content, shown = batch.column("content"), _shown(batch.schema)
    parts = content.flatten() if pa.types.is_struct(content.type) else [content]
    given = {"vector": fixed(vectors), **dict(zip(shown, parts, strict=False))}
    columns = [given[name] if name in given else batch.column(name) for name in schema.names]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def entity_batch(ids: Sequence[str], vectors: Matrix, columns: dict[str, Any]) -> pa.RecordBatch:
    """Rows for entities (words, users, items): their content is their id."""
    metadata = {name: pa.array(values) for name, values in columns.items()}
    told = list(zip(*(values.to_pylist() for values in metadata.values()), strict=True)) or [
        ()
    ] * len(ids)
    contents = [content_hash(name.encode("utf-8", "surrogatepass")) for name in ids]
    items = [
        item_hash(content, dict(zip(metadata, row, strict=True)))
        for content, row in zip(contents, told, strict=True)
    ]
    schema = pa.schema(
        [
            *_reserved(vectors.shape[1]),
            *(pa.field(name, values.type) for name, values in metadata.items()),
        ]
    )
    arrays = [pa.array(ids, pa.string()), fixed(vectors)]
    arrays += [pa.array(contents, HASH_TYPE), pa.array(items, HASH_TYPE), *metadata.values()]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def content_names(table: pa.Schema, items: pa.Schema) -> list[str]:
    """The columns of a version's table in which the contents of its spooled items are kept."""
    return [name for name in _shown(items) if name in table.names]


def metadata_names(schema: pa.Schema) -> list[str]:
    """The columns that users see: all but those a version keeps for itself."""
    return [name for name in schema.names if name not in OWN]


def pick(batch: pa.RecordBatch, ids: set[str]) -> pa.RecordBatch:
    """The rows of `batch` whose id is among `ids`."""
    return batch.filter(
        pa.array([name in ids for name in batch.column("id").to_pylist()], pa.bool_())
    )


def fixed(vectors: Matrix) -> pa.FixedSizeListArray:
    """Lay (n, d) out as an Arrow column, without a copy."""
    return pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])


def unfixed(column: pa.ChunkedArray | pa.Array) -> Matrix:
    """Undo `fixed`."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    flat = whole.flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat, np.float32).reshape(len(whole), whole.type.list_size)


def _shown(items: pa.Schema) -> dict[str, pa.DataType]:
    """Name and type of the columns in which contents are kept; none for files and vectors."""
    kind = items.field("content").type
    if not pa.types.is_struct(kind):
        return {"text": kind} if pa.types.is_string(kind) else {}
    taken = {field.name for field in _metadata(items)}
    return {metadata_name(field.name, taken): field.type for field in kind}


def _metadata(items: pa.Schema) -> list[pa.Field]:
    return [items.field(name) for name in items.names if name not in (*OWN, "content")]


def _reserved(dimension: int) -> list[pa.Field]:
    return [
        pa.field("id", pa.string()),
        pa.field("vector", pa.list_(pa.float32(), dimension)),
        pa.field("content_hash", HASH_TYPE),
        pa.field("item_hash", HASH_TYPE),
    ]
