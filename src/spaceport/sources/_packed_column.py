"""Files in a binary column of a Parquet file, with the other columns beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from spaceport.errors import InputError, NotFoundError, choices
from spaceport.sources._packs import BYTES, ROWS, Chunk, Content
from spaceport.sources.base import metadata_name

__all__ = ["chunks", "matches"]

_ENDINGS = (".parquet", ".pq")


def matches(path: Path) -> bool:
    """Whether the name is that of a Parquet file."""
    return path.name.lower().endswith(_ENDINGS) and path.is_file()


def chunks(
    path: Path, column: str | None, id: str | None, taken: Collection[str]
) -> Iterator[Chunk]:
    """Yield the files that a column of a Parquet file holds.

    The other flat columns come along, with an underscore where a name is reserved or `taken`; the column
    `id`, as strings, is called ``id``.

    Raises
    ------
    NotFoundError
        No such column, or none or several that could be meant.
    InputError
        The Parquet file is damaged.
    """
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            content = _content_column(schema, column, path)
            if id is not None and id not in schema.names:
                raise NotFoundError(f"{path} has no column `{id}`.", choices(id, schema.names))
            ours = _flat_names(schema, content, id, taken)
            start = 1
            for batch in file.iter_batches(_rows_at_once(file), columns=[content, *ours]):
                yield _rows(batch, content, ours, start)
                start += len(batch)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{path} is no whole Parquet file: {str(error).splitlines()[0]}",
            "Write the file again.",
        ) from error


def _content_column(schema: pa.Schema, column: str | None, path: Path) -> str:
    files: list[str] = [field.name for field in schema if _holds_files(field.type)]
    if column is None and len(files) == 1:
        return files[0]
    if column is None:
        found = "no column" if not files else f"{len(files)} columns"
        raise NotFoundError(
            f"{path} has {found} of binary data: which one is meant is not clear.",
            f"Say column=. {choices('', files)}",
        )
    if column not in files:
        raise NotFoundError(f"{path} has no binary column `{column}`.", choices(column, files))
    return column


def _holds_files(kind: pa.DataType) -> bool:
    """Whether it is binary, or Hugging Face's struct<bytes: binary, path: string>."""
    if pa.types.is_struct(kind):
        place = kind.get_field_index("bytes")
        return place >= 0 and _holds_files(kind.field(place).type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _flat_names(
    schema: pa.Schema, content: str, id: str | None, taken: Collection[str]
) -> dict[str, str]:
    """Our name of each flat column, by its name in the file."""
    ours: dict[str, str] = {}
    for field in schema:
        nested = pa.types.is_nested(field.type) or "binary" in str(field.type)
        if field.name == id:
            ours[field.name] = "id"
        elif field.name != content and not nested:
            others = {*taken, *({*schema.names} - {field.name})}
            ours[field.name] = metadata_name(field.name, others)
    return ours


def _rows_at_once(file: Any) -> int:
    """So many rows that they take about 64 MB, by the sizes that the file tells."""
    groups = range(file.metadata.num_row_groups)
    size = sum(file.metadata.row_group(group).total_byte_size for group in groups)
    return int(max(1, min(ROWS, BYTES * file.metadata.num_rows // max(size, 1))))


def _rows(batch: pa.RecordBatch, content: str, ours: dict[str, str], start: int) -> Chunk:
    files = batch.column(content)
    if pa.types.is_struct(files.type):
        files = pc.struct_field(files, "bytes")
    given: list[Content] = ["it is missing" if data is None else data for data in files.to_pylist()]
    columns = {ours[name]: _plain(batch.column(name)) for name in ours}
    if "id" in columns:
        columns["id"] = columns["id"].cast(pa.string())
    return Chunk([f"row {start + row}" for row in range(len(batch))], given, columns)


def _plain(column: pa.Array) -> pa.Array:
    """Without dictionaries, and with one type of text."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    texts = (pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    return column.cast(pa.string()) if any(test(column.type) for test in texts) else column
