"""Separated text in bulk, by Arrow's own reader: some ten times as fast as line by line.

It does not say where something is wrong; whoever meets a fault reads again line by line.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from spaceport.sources._files import opened
from spaceport.sources._separated import Chunk, Layout, dat_delimiter
from spaceport.sources._tables import TableFormat

__all__ = ["in_bulk"]

_BLOCK_BYTES = 1 << 23
_DELIMITERS = {"csv": ",", "tsv": "\t"}


def in_bulk(
    path: Path, format: TableFormat, layout: Layout, columns: Sequence[str]
) -> list[Chunk] | None:
    """Read some columns as text; None where Arrow cannot, or will not, read this file."""
    delimiter = _delimiter(path, format, layout)
    if delimiter is None:
        return None
    try:
        with opened(path) as stream:
            table = _table(stream, delimiter, format.name != "dat", layout, columns)
    except (pa.ArrowException, KeyError, UnicodeError):
        return None
    return [
        Chunk(dict(zip(columns, batch.columns, strict=True)), range(len(batch)))
        for batch in table.to_batches()
    ]


def _delimiter(path: Path, format: TableFormat, layout: Layout) -> str | None:
    """The one character between the fields; None where it is no separated text, or more characters."""
    if format.name not in ("csv", "tsv", "dat"):
        return None
    told = layout.delimiter or _DELIMITERS.get(format.name) or dat_delimiter(path, layout)
    return told if len(told) == 1 else None


def _table(
    stream: Any, delimiter: str, quoted: bool, layout: Layout, columns: Sequence[str]
) -> pa.Table:
    from pyarrow import csv

    reading = csv.ReadOptions(
        block_size=_BLOCK_BYTES,
        skip_rows=layout.skip_lines,
        column_names=None if layout.names is None else list(layout.names),
        encoding=layout.encoding,
    )
    parsing = csv.ParseOptions(
        delimiter=delimiter,
        quote_char=layout.quote if quoted and layout.quote else False,
        newlines_in_values=bool(quoted and layout.quote),
    )
    converting = csv.ConvertOptions(
        include_columns=list(columns), column_types=dict.fromkeys(columns, pa.string())
    )
    return csv.read_csv(stream, reading, parsing, converting)
