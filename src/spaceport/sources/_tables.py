"""Tables as they lie on disk, read in chunks: CSV, TSV, JSON lines, lines of text, Parquet, folders.

The known layouts are a list of frozen descriptions; opening a table is a search over it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from spaceport.errors import InputError, NotFoundError, ParameterError, choices
from spaceport.sources._files import decoded, opened, valid, walk

__all__ = ["Chunk", "Layout", "TableFormat", "table_format"]

_CHUNK_ROWS = 4096
_CHUNK_CHARACTERS = 1 << 23
_LONGEST_FIELD = 1 << 28
_PACKED = (".gz", ".bz2", ".xz")


@dataclass(frozen=True)
class Layout:
    """What must be known to read a table of text: see the parameters of `Texts`."""

    encoding: str = "utf-8"
    delimiter: str | None = None
    quote: str = '"'
    names: tuple[str, ...] | None = None


class Chunk(NamedTuple):
    """Some rows: equally long columns by name, and where each row stands."""

    columns: dict[str, Sequence[Any] | pa.Array]
    places: Sequence[Any]


@dataclass(frozen=True)
class TableFormat:
    """A layout of tables: its file endings, how it is read, what its places count.

    `content` and `id` name the columns that play these parts when the user names none; `typed` says
    that values have types of their own, so that text stays text.
    """

    name: str
    endings: tuple[str, ...]
    place: str
    read: Callable[[Path, Layout], Iterator[Chunk]]
    content: str | None = None
    id: str | None = None
    typed: bool = True


def table_format(path: Path, name: str | None) -> TableFormat:
    """Find the format called `name`, or the one that the ending of `path` tells."""
    known = [format.name for format in FORMATS]
    if name is not None and name not in known:
        raise NotFoundError(f"There is no table format {name!r}.", choices(name, known))
    ending = "/" if path.is_dir() else _ending(path)
    for format in FORMATS:
        if format.name == name or (name is None and ending in format.endings):
            return format
    raise ParameterError(
        f"The name of {path} does not tell its format.", f"Say format=, one of: {', '.join(known)}."
    )


def _ending(path: Path) -> str:
    name = path.name.lower()
    for packed in _PACKED:
        name = name.removesuffix(packed)
    return Path(name).suffix


def _read_separated(path: Path, layout: Layout, delimiter: str) -> Iterator[Chunk]:
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_FIELD))
    with opened(path) as stream:
        rows = csv.reader(
            _lines(decoded(stream, layout.encoding, path)),
            delimiter=layout.delimiter or delimiter,
            quotechar=layout.quote or None,
            quoting=csv.QUOTE_MINIMAL if layout.quote else csv.QUOTE_NONE,
            strict=True,
        )
        try:
            header = list(layout.names or next(rows, ()))
            yield from _chunks(_checked(rows, _header(header, path), path), header)
        except csv.Error as error:
            raise InputError(
                f"{path}, line {rows.line_num}: {error}.",
                "Mend that line; where quotes have no meaning say quote=''.",
            ) from error


def _header(names: list[str], path: Path) -> int:
    """Name the nameless columns by position, refuse a name that stands twice, count the columns."""
    names[:] = [name.strip() or f"column {position}" for position, name in enumerate(names, 1)]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(
            f"{path} has two columns {twice[0]!r}.",
            "Rename one, or name all columns with names= where there is no header line.",
        )
    return len(names)


def _checked(rows: Any, width: int, path: Path) -> Iterator[tuple[int, list[str]]]:
    for row in rows:
        if len(row) == width:
            yield rows.line_num, row
        elif row:
            raise InputError(
                f"{path}, line {rows.line_num}: {len(row)} fields where the header has {width}.",
                "Mend that line, or say which delimiter= and quote= the file has.",
            )


def _read_comma(path: Path, layout: Layout) -> Iterator[Chunk]:
    return _read_separated(path, layout, ",")


def _read_tab(path: Path, layout: Layout) -> Iterator[Chunk]:
    return _read_separated(path, layout, "\t")


def _read_json_lines(path: Path, layout: Layout) -> Iterator[Chunk]:
    with opened(path) as stream:
        lines = enumerate(_lines(decoded(stream, layout.encoding, path)), 1)
        filled = ((number, line) for number, line in lines if line.strip())
        for places, group in _grouped(filled, len):
            rows = [_object(line, number, path) for number, line in zip(places, group, strict=True)]
            names = dict.fromkeys(name for row in rows for name in row)
            yield Chunk({name: [row.get(name) for row in rows] for name in names}, places)


def _object(line: str, number: int, path: Path) -> dict[str, Any]:
    try:
        row = json.loads(line, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path}, line {number}: no JSON: {error}.", "Give one JSON object per line."
        ) from error
    if not isinstance(row, dict):
        raise InputError(
            f"{path}, line {number}: a JSON {type(row).__name__} where an object is wanted.",
            "Give one JSON object per line.",
        )
    if "\\ud" in line.lower():
        return {name: valid(value) if type(value) is str else value for name, value in row.items()}
    return row


def _read_text_lines(path: Path, layout: Layout) -> Iterator[Chunk]:
    with opened(path) as stream:
        lines = (line.strip() for line in _lines(decoded(stream, layout.encoding, path)))
        kept = ((number, [line]) for number, line in enumerate(lines, 1) if line)
        yield from _chunks(kept, ["text"])


def _read_folder(path: Path, layout: Layout) -> Iterator[Chunk]:
    def files() -> Iterator[tuple[str, list[str]]]:
        for found in walk(path):
            with opened(found.path) as stream:
                text = "".join(decoded(stream, layout.encoding, found.path))
            yield found.name, [found.name, text, found.name.rpartition("/")[0]]

    yield from _chunks(files(), ["path", "text", "folder"])


def _read_parquet(path: Path, layout: Layout) -> Iterator[Chunk]:
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = [
                name
                for name in file.schema_arrow.names
                if _scalar(file.schema_arrow.field(name).type)
            ]
            row = 1
            for batch in file.iter_batches(_CHUNK_ROWS, columns=names):
                yield Chunk(
                    dict(zip(names, batch.columns, strict=True)), range(row, row + len(batch))
                )
                row += len(batch)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{path} is no whole Parquet file: {str(error).splitlines()[0]}",
            "Write the file again.",
        ) from error


def _scalar(kind: pa.DataType) -> bool:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return not pa.types.is_nested(value) and "binary" not in str(value)


def _lines(blocks: Iterable[str]) -> Iterator[str]:
    """Cut blocks of text into lines that keep their ends; only line feeds end a line."""
    rest = ""
    for block in blocks:
        lines = (rest + block).split("\n")
        rest = lines.pop()
        for line in lines:
            yield line + "\n"
    if rest:
        yield rest


def _chunks(rows: Iterable[tuple[Any, list[str]]], names: list[str]) -> Iterator[Chunk]:
    for places, group in _grouped(rows, lambda row: sum(map(len, row))):
        columns = zip(*group, strict=True)
        yield Chunk(dict(zip(names, columns, strict=True)), places)


def _grouped(
    rows: Iterable[tuple[Any, Any]], weigh: Callable[[Any], int]
) -> Iterator[tuple[list[Any], list[Any]]]:
    """Gather (place, row) into groups bounded by number and by characters."""
    places: list[Any] = []
    group: list[Any] = []
    weight = 0
    for place, row in rows:
        places.append(place)
        group.append(row)
        weight += weigh(row)
        if len(group) == _CHUNK_ROWS or weight > _CHUNK_CHARACTERS:
            yield places, group
            places, group, weight = [], [], 0
    if group:
        yield places, group


FORMATS = (
    TableFormat("csv", (".csv",), "line", _read_comma, typed=False),
    TableFormat("tsv", (".tsv", ".tab"), "line", _read_tab, typed=False),
    TableFormat("jsonl", (".jsonl", ".ndjson", ".json"), "line", _read_json_lines),
    TableFormat("parquet", (".parquet", ".pq"), "row", _read_parquet),
    TableFormat("lines", (), "line", _read_text_lines, content="text"),
    TableFormat("folder", ("/",), "file", _read_folder, content="text", id="path"),
)
