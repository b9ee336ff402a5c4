"""Tables as they lie on disk, read in chunks: CSV, TSV, JSON lines, lines of text, Parquet, folders.

The known layouts are a list of frozen descriptions; opening a table is a search over it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from spaceport.errors import InputError, NotFoundError, ParameterError, choices
from spaceport.sources._files import decoded, opened, valid, walk
from spaceport.sources._separated import (
    CHUNK_ROWS,
    Chunk,
    Layout,
    chunks,
    grouped,
    lines,
    read_comma,
    read_dat,
    read_tab,
)

__all__ = ["Chunk", "Layout", "TableFormat", "table_format"]

_PACKED = (".gz", ".bz2", ".xz")


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


def _read_json_lines(path: Path, layout: Layout) -> Iterator[Chunk]:
    with opened(path) as stream:
        numbered = enumerate(lines(decoded(stream, layout.encoding, path)), 1)
        filled = ((number, line) for number, line in numbered if line.strip())
        for places, group in grouped(filled, len):
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
        stripped = (line.strip() for line in lines(decoded(stream, layout.encoding, path)))
        kept = ((number, [line]) for number, line in enumerate(stripped, 1) if line)
        yield from chunks(kept, ["text"])


def _read_folder(path: Path, layout: Layout) -> Iterator[Chunk]:
    def files() -> Iterator[tuple[str, list[str]]]:
        for found in walk(path):
            with opened(found.path) as stream:
                text = "".join(decoded(stream, layout.encoding, found.path))
            yield found.name, [found.name, text, found.name.rpartition("/")[0]]

    yield from chunks(files(), ["path", "text", "folder"])


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
            for batch in file.iter_batches(CHUNK_ROWS, columns=names):
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


FORMATS = (
    TableFormat("csv", (".csv",), "line", read_comma, typed=False),
    TableFormat("tsv", (".tsv", ".tab"), "line", read_tab, typed=False),
    TableFormat("dat", (".dat", ".data"), "line", read_dat, typed=False),
    TableFormat("jsonl", (".jsonl", ".ndjson", ".json"), "line", _read_json_lines),
    TableFormat("parquet", (".parquet", ".pq"), "row", _read_parquet),
    TableFormat("lines", (), "line", _read_text_lines, content="text"),
    TableFormat("folder", ("/",), "file", _read_folder, content="text", id="path"),
)
