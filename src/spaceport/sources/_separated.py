"""Text in lines and fields: CSV, TSV, ``.dat``, and the chunks in which every table is handed on."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from spaceport.errors import InputError
from spaceport.sources._files import decoded, opened

__all__ = [
    "CHUNK_ROWS",
    "Chunk",
    "Layout",
    "chunks",
    "dat_delimiter",
    "grouped",
    "lines",
    "read_comma",
    "read_dat",
    "read_tab",
]

CHUNK_ROWS = 4096
_CHUNK_CHARACTERS = 1 << 23
_LONGEST_FIELD = 1 << 28


@dataclass(frozen=True)
class Layout:
    """What must be known to read a table of text: see the parameters of `Texts`."""

    encoding: str = "utf-8"
    delimiter: str | None = None
    quote: str = '"'
    names: tuple[str, ...] | None = None
    skip_lines: int = 0


class Chunk(NamedTuple):
    """Some rows: equally long columns by name, and where each row stands."""

    columns: dict[str, Sequence[Any] | pa.Array]
    places: Sequence[Any]


def _read_separated(path: Path, layout: Layout, delimiter: str) -> Iterator[Chunk]:
    with opened(path) as stream:
        skipped = layout.skip_lines
        kept = islice(lines(decoded(stream, layout.encoding, path)), skipped, None)
        rows = _rows(kept, layout, layout.delimiter or delimiter)
        try:
            header = list(layout.names or next(rows, ()))
            yield from chunks(_checked(rows, _header(header, path), skipped, path), header)
        except csv.Error as error:
            raise InputError(
                f"{path}, line {skipped + rows.line_num}: {error}.",
                "Mend that line; where quotes have no meaning say quote=''.",
            ) from error


def _rows(lines: Iterator[str], layout: Layout, delimiter: str) -> Any:
    """A reader of rows that counts lines; quotes have no meaning beside a delimiter of several characters."""
    if len(delimiter) > 1:
        return _Split(lines, delimiter)
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_FIELD))
    return csv.reader(
        lines,
        delimiter=delimiter,
        quotechar=layout.quote or None,
        quoting=csv.QUOTE_MINIMAL if layout.quote else csv.QUOTE_NONE,
        strict=True,
    )


class _Split:
    """What `csv.reader` does, for the one thing that it cannot: a delimiter of several characters."""

    def __init__(self, lines: Iterator[str], delimiter: str) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self.line_num = 0

    def __iter__(self) -> _Split:
        return self

    def __next__(self) -> list[str]:
        line = next(self._lines).rstrip("\r\n")
        self.line_num += 1
        return line.split(self._delimiter) if line else []


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


def _checked(rows: Any, width: int, skipped: int, path: Path) -> Iterator[tuple[int, list[str]]]:
    for row in rows:
        if len(row) == width:
            yield skipped + rows.line_num, row
        elif row:
            raise InputError(
                f"{path}, line {skipped + rows.line_num}: {len(row)} fields where the header has {width}.",
                "Mend that line, or say which delimiter= and quote= the file has.",
            )


def read_comma(path: Path, layout: Layout) -> Iterator[Chunk]:
    """Read fields with a comma, or the layout's delimiter, between them."""
    return _read_separated(path, layout, ",")


def read_tab(path: Path, layout: Layout) -> Iterator[Chunk]:
    """Read fields with a tab, or the layout's delimiter, between them."""
    return _read_separated(path, layout, "\t")


def read_dat(path: Path, layout: Layout) -> Iterator[Chunk]:
    """Read what MovieLens and others call ``.dat``: ``::`` or tabs between the fields, no quotes."""
    return _read_separated(path, replace(layout, quote=""), dat_delimiter(path, layout))


def dat_delimiter(path: Path, layout: Layout) -> str:
    """``::`` where the first line holds it, else a tab."""
    with opened(path) as stream:
        kept = islice(lines(decoded(stream, layout.encoding, path)), layout.skip_lines, None)
        return "::" if "::" in next(kept, "") else "\t"


def lines(blocks: Iterable[str]) -> Iterator[str]:
    """Cut blocks of text into lines that keep their ends; only line feeds end a line."""
    rest = ""
    for block in blocks:
        whole = (rest + block).split("\n")
        rest = whole.pop()
        for line in whole:
            yield line + "\n"
    if rest:
        yield rest


def chunks(rows: Iterable[tuple[Any, list[str]]], names: list[str]) -> Iterator[Chunk]:
    """Gather (place, fields) into chunks with the columns `names`."""
    for places, group in grouped(rows, lambda row: sum(map(len, row))):
        columns = zip(*group, strict=True)
        yield Chunk(dict(zip(names, columns, strict=True)), places)


def grouped(
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
        if len(group) == CHUNK_ROWS or weight > _CHUNK_CHARACTERS:
            yield places, group
            places, group, weight = [], [], 0
    if group:
        yield places, group
