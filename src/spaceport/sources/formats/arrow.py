"""Arrow's tables: Parquet, and the IPC layouts (file, also called Feather, and stream).

The vectors are a column of lists of numbers, all of one length. We write the columns ``id`` and
``vector``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.arrays import Matrix
from spaceport.errors import InputError, NotFoundError, choices
from spaceport.sources.formats.base import Format, Request, Rows, Write, checked, single, writing
from spaceport.sources.formats.stamp import Stamp

__all__ = ["ARROW", "PARQUET", "rows_of", "wanted_columns"]

_CHUNK_ROWS = 8192


def _read_parquet(request: Request) -> Iterator[Rows]:
    import pyarrow.parquet as pq

    with _whole(request.path), pq.ParquetFile(request.path) as file:
        columns = wanted_columns(file.schema_arrow, request)
        batches = file.iter_batches(_CHUNK_ROWS, columns=list(columns))
        yield from rows_of(batches, request, columns)


def _read_arrow(request: Request) -> Iterator[Rows]:
    with _whole(request.path), pa.memory_map(str(request.path)) as stream:
        if stream.read(6) == b"ARROW1":
            file = pa.ipc.open_file(stream)
            batches = (file.get_batch(position) for position in range(file.num_record_batches))
        else:
            stream.seek(0)
            file = batches = pa.ipc.open_stream(stream)
        columns = wanted_columns(file.schema, request)
        yield from rows_of(_sliced(batches, list(columns)), request, columns)


def _sliced(batches: Iterable[Any], columns: list[str]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        chosen = batch.select(columns)
        chosen.validate(full=True)  # offsets that lead out of the file would be followed
        for start in range(0, batch.num_rows, _CHUNK_ROWS):
            yield chosen.slice(start, _CHUNK_ROWS)


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"{path} is truncated or damaged: {reason}", "Fetch or write it again."
        ) from error


def wanted_columns(schema: pa.Schema, request: Request) -> dict[str, str]:
    """Each wanted column and the part it plays: vector, id or metadata."""
    parts = {field.name: "metadata" for field in schema if not pa.types.is_nested(field.type)}
    lists = [field.name for field in schema if _is_vector(field.type)]
    names = [field.name for field in schema]
    for asked, known in ((request.column, lists), (request.names, names)):
        if asked is not None and asked not in known:
            kind = "of vectors " * (known is lists)
            raise NotFoundError(
                f"{request.path} has no column {kind}`{asked}`.", choices(asked, known)
            )
    if request.column is None and len(lists) != 1:
        raise NotFoundError(
            f"{request.path} has {len(lists)} columns of vectors: which one is meant is not clear.",
            f"Say column=. {choices('', names)}",
        )
    id = request.names or ("id" if "id" in parts else None)
    if id is not None:
        parts[id] = "id"
    return {**parts, request.column or lists[0]: "vector"}


def _is_vector(kind: pa.DataType) -> bool:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    if not any(test(kind) for test in lists):
        return False
    return bool(pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type))


def rows_of(batches: Iterable[Any], request: Request, columns: dict[str, str]) -> Iterator[Rows]:
    """Record batches as `Rows`, each of the `columns` in its part."""
    part = {played: name for name, played in columns.items() if played != "metadata"}
    kept = [name for name, played in columns.items() if played == "metadata"]
    start, dimension = 0, None
    for batch in batches:
        vectors = _stacked(batch.column(part["vector"]), request.path, start, dimension)
        dimension = vectors.shape[1]
        start += len(vectors)
        ids = [_text(id) for id in batch.column(part["id"]).to_pylist()] if "id" in part else None
        yield Rows(ids, vectors, batch.select(kept))


def _text(id: object) -> str:
    return "" if id is None else str(id)


def _stacked(column: pa.Array, path: Path, start: int, dimension: int | None) -> Matrix:
    """The lists of a column as (n, d); refuses missing and ragged ones."""
    lengths: npt.NDArray[Any] = np.array(
        [-1 if item is None else item for item in column.value_lengths().to_pylist()]
        if not pa.types.is_fixed_size_list(column.type)
        else np.where(column.is_valid(), column.type.list_size, -1)
    )
    wanted = dimension or int(lengths[0])
    bad = lengths != wanted
    if bad.any() or wanted < 1:
        row = int(bad.argmax())
        found = "nothing" if lengths[row] < 0 else f"{lengths[row]} numbers"
        raise InputError(
            f"{path}: {int(bad.sum())} rows are not of dimension {wanted}; row {start + row} has {found}.",
            "Give every row a vector of one dimension.",
        )
    flat = column.flatten().to_numpy(zero_copy_only=False)
    return single(flat.reshape(len(column), wanted))


def _schema(dimension: int, stamp: Stamp | None) -> pa.Schema:
    told = None if stamp is None else stamp.metadata()
    fields = [("id", pa.string()), ("vector", pa.list_(pa.float32(), dimension))]
    return pa.schema(fields, metadata=told)


def _write(make: Callable[[Any, pa.Schema], Any]) -> Write:
    def write(
        path: Path, ids: Sequence[str], batches: Iterable[Matrix], stamp: Stamp | None = None
    ) -> None:
        with writing(path) as stream, ExitStack() as stack:
            start, writer = 0, None
            for vectors in checked(batches, len(ids)):
                schema = _schema(vectors.shape[1], stamp)
                writer = writer or stack.enter_context(make(stream, schema))
                rows = pa.FixedSizeListArray.from_arrays(vectors.ravel(), vectors.shape[1])
                named = pa.array(ids[start : start + len(vectors)], pa.string())
                writer.write_batch(pa.record_batch([named, rows], schema=schema))
                start += len(vectors)

    return write


def _parquet_writer(stream: Any, schema: pa.Schema) -> Any:
    import pyarrow.parquet as pq

    return pq.ParquetWriter(stream, schema)


def _parquet_stamp(path: Path) -> Stamp | None:
    import pyarrow.parquet as pq

    with _whole(path):
        return Stamp.read(pq.read_schema(path).metadata)


def _arrow_stamp(path: Path) -> Stamp | None:
    with _whole(path), pa.memory_map(str(path)) as stream:
        opened = pa.ipc.open_file if stream.read(6) == b"ARROW1" else pa.ipc.open_stream
        stream.seek(0)
        return Stamp.read(opened(stream).schema.metadata)


def _is_arrow(head: bytes) -> bool:
    return head.startswith((b"ARROW1", b"\xff\xff\xff\xff"))


PARQUET = Format(
    "parquet",
    (".parquet", ".pq"),
    lambda head: head.startswith(b"PAR1"),
    _read_parquet,
    _write(_parquet_writer),
    _parquet_stamp,
)
ARROW = Format(
    "arrow",
    (".arrow", ".feather", ".ipc"),
    _is_arrow,
    _read_arrow,
    _write(pa.ipc.new_file),
    _arrow_stamp,
)
