"""A log as it lies on disk, read in Arrow batches: Parquet, Arrow IPC, CSV, TSV, JSON lines.

Only the columns that are asked for are read. Text tables are read twice: a first pass learns the columns'
types, so that ``year >= 2017`` means the same in CSV as in Parquet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from spaceport.errors import InputError, NotFoundError, choices
from spaceport.sources._columns import Survey, converted, survey
from spaceport.sources._files import existing, opened
from spaceport.sources._separated import Chunk, Layout
from spaceport.sources._tables import TableFormat, table_format
from spaceport.sources.formats.stamp import Stamp

__all__ = ["LogFile", "Part"]

ROWS = 8192
_ARROW = (b"ARROW1", b"\xff\xff\xff\xff")


class Part(NamedTuple):
    """Some rows of a log, and where each stands: ``row 3``, ``line 4``."""

    rows: pa.RecordBatch
    places: Sequence[str]


class _Places(Sequence[str]):
    """Places that are spelled when somebody asks."""

    def __init__(self, noun: str, numbers: Sequence[Any]) -> None:
        self._noun = noun
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, place: Any) -> Any:
        return f"{self._noun} {self._numbers[place]}"


@dataclass(frozen=True)
class LogFile:
    """A file that holds a log.

    Attributes
    ----------
    path : Path
    """

    path: Path

    @classmethod
    def find(cls, path: str) -> LogFile:
        """The file of this path.

        Raises
        ------
        NotFoundError
            There is none.
        InputError
            It is a folder, or empty.
        """
        there = existing(path)
        if there.is_dir():
            raise InputError(f"{there} is a folder.", "Give a file that holds a log.")
        if not there.stat().st_size:
            raise InputError(f"{there} is empty.", "Give a file that holds a log.")
        return cls(there)

    @cached_property
    def names(self) -> list[str]:
        """The names of all columns."""
        return list(self._schema.names) if self._columnar else list(self._survey.columns)

    @cached_property
    def lists(self) -> list[str]:
        """The columns that may hold vectors: lists of numbers."""
        if self._columnar:
            return [field.name for field in self._schema if _is_vector(field.type)]
        return [name for name, column in self._survey.columns.items() if column.type is None]

    @property
    def stamp(self) -> Stamp | None:
        """Whose coordinates the file says that its vectors are in."""
        return Stamp.read(self._schema.metadata) if self._columnar else None

    def require(self, names: Iterable[str]) -> None:
        """Refuse names that are no columns.

        Raises
        ------
        NotFoundError
        """
        for name in names:
            if name not in self.names:
                raise NotFoundError(
                    f"{self.path} has no column `{name}`.", choices(name, self.names)
                )

    def parts(self, names: Sequence[str]) -> Iterator[Part]:
        """Yield the rows of the columns `names`, a few thousand at a time.

        Raises
        ------
        NotFoundError
            No column has such a name.
        InputError
            The file is damaged, or is no table; the line is told where there is one.
        """
        self.require(names)
        if self._columnar:
            yield from self._numbered(list(names))
        else:
            yield from self._converted(list(names))

    @cached_property
    def _head(self) -> bytes:
        with self.path.open("rb") as stream:
            return stream.read(8)

    @cached_property
    def _columnar(self) -> bool:
        return self._head.startswith((b"PAR1", *_ARROW))

    @cached_property
    def _schema(self) -> pa.Schema:
        with self._whole(), self._reader() as reader:
            return reader.schema

    def _numbered(self, names: list[str]) -> Iterator[Part]:
        row = 1
        with self._whole(), self._reader() as reader:
            for batch in reader.batches(names):
                numbers = range(row, row + batch.num_rows)
                row += batch.num_rows
                yield Part(batch, _Places("row", numbers))

    @contextmanager
    def _reader(self) -> Iterator[Any]:
        if self._head.startswith(b"PAR1"):
            import pyarrow.parquet as pq

            with pq.ParquetFile(self.path) as file:
                yield _Parquet(file)
        else:
            with pa.memory_map(str(self.path)) as stream:
                yield _Ipc(stream, self._head.startswith(b"ARROW1"))

    @contextmanager
    def _whole(self) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, OSError) as error:
            reason = str(error).partition("\n")[0]
            raise InputError(
                f"{self.path} is truncated or damaged: {reason}", "Fetch or write it again."
            ) from error

    @cached_property
    def _format(self) -> TableFormat:
        return table_format(self.path, None)

    def _chunks(self) -> Iterator[Chunk]:
        return self._format.read(self.path, Layout())

    @cached_property
    def _survey(self) -> Survey:
        with opened(self.path):
            found = survey(self._chunks(), "", None, self._format.typed)
        if not found.rows:
            raise InputError(f"{self.path} holds no rows.", "Check the path and the format.")
        return found

    def _converted(self, names: list[str]) -> Iterator[Part]:
        kinds = {name: self._survey.columns[name].type for name in names}
        for chunk in self._chunks():
            rows = len(chunk.places)
            columns = [_array(chunk.columns.get(n), kind, rows) for n, kind in kinds.items()]
            batch = pa.RecordBatch.from_arrays(columns, names=names)
            yield Part(batch, _Places(self._format.place, chunk.places))


class _Parquet:
    def __init__(self, file: Any) -> None:
        self.schema = file.schema_arrow
        self._file = file

    def batches(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        for batch in self._file.iter_batches(ROWS, columns=names):
            yield batch.select(names)


class _Ipc:
    def __init__(self, stream: Any, seekable: bool) -> None:
        if seekable:
            file = pa.ipc.open_file(stream)
            self._batches = (file.get_batch(at) for at in range(file.num_record_batches))
        else:
            file = pa.ipc.open_stream(stream)
            self._batches = iter(file)
        self.schema = file.schema

    def batches(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        for batch in self._batches:
            chosen = batch.select(names)
            chosen.validate(full=True)  # offsets that lead out of the file would be followed
            for start in range(0, batch.num_rows, ROWS):
                yield chosen.slice(start, ROWS)


def _is_vector(kind: pa.DataType) -> bool:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    if not any(test(kind) for test in lists):
        return False
    return bool(pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type))


def _array(values: Any, kind: pa.DataType | None, rows: int) -> pa.Array:
    """One column of a text table; nested ones (no kind) as Arrow reads them."""
    if kind is not None:
        return converted(values, pa.string() if pa.types.is_null(kind) else kind, rows)
    if values is None:
        return pa.nulls(rows, pa.list_(pa.float64()))
    if isinstance(values, pa.Array):
        return values
    numbers = [v if _numeric(v) else None for v in values]
    if any(number is not None for number in numbers) or not any(v is not None for v in values):
        return pa.array(numbers, pa.list_(pa.float64()))
    try:
        return pa.array(values)
    except pa.ArrowException:
        return pa.nulls(rows, pa.list_(pa.float64()))


def _numeric(value: Any) -> bool:
    """A list of numbers; null in it stands for NaN, as JSON has none."""
    return isinstance(value, list) and all(
        v is None or (isinstance(v, int | float) and not isinstance(v, bool)) for v in value
    )
