"""The tables that interactions come from: their formats, their columns, and the items' names."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from spaceport.errors import InputError
from spaceport.sources._bulk import in_bulk
from spaceport.sources._columns import texts_of
from spaceport.sources._events import Events, gather
from spaceport.sources._faults import Faults
from spaceport.sources._roles import needed_column
from spaceport.sources._separated import Layout
from spaceport.sources._tables import TableFormat, table_format

__all__ = ["FORMATS", "columns_of", "event_format", "read_events", "titles_of"]

FORMATS = ("csv", "tsv", "dat", "jsonl", "parquet")


def event_format(path: Path, name: str | None) -> TableFormat:
    """The format called `name`, or told by the ending of `path`, if it is one that holds events."""
    format = table_format(path, name)
    if format.name not in FORMATS:
        raise InputError(
            f"{path} is no table of events.", "Give a CSV, TSV, .dat, JSONL or Parquet file."
        )
    return format


def columns_of(format: TableFormat, path: Path, layout: Layout) -> list[str]:
    """The columns' names: those of the first rows; of JSON lines, whose rows may differ, of all."""
    chunks = format.read(path, layout)
    first = chunks if format.name == "jsonl" else islice(chunks, 1)
    names = list(dict.fromkeys(name for chunk in first for name in chunk.columns))
    if not names:
        raise InputError(f"{path} holds no rows.", "Check the path and the format.")
    return names


def read_events(
    format: TableFormat,
    path: Path,
    layout: Layout,
    columns: Mapping[str, str | None],
    minimum: float | None,
) -> Events:
    """Read in bulk where that goes; with a fault, line by line, so that its line can be told."""
    wanted = list(dict.fromkeys(name for name in columns.values() if name is not None))
    bulk = in_bulk(path, format, layout, wanted)
    if bulk is not None:
        faults = Faults(format.place)
        events = gather(bulk, columns, minimum, faults)
        if not faults.counts:
            return events
    faults = Faults(format.place)
    events = gather(format.read(path, layout), columns, minimum, faults)
    faults.refuse(str(path))
    return events


def titles_of(
    path: Path, layout: Layout, title_id: str | None, title: str | None
) -> dict[str, str]:
    """Read the items' names; rows without an id or a name are left out."""
    format = event_format(path, None)
    columns = columns_of(format, path, layout)
    key = needed_column("title_id", title_id, columns, str(path))
    name = needed_column("title", title, columns, str(path))
    found: dict[str, str] = {}
    for chunk in format.read(path, layout):
        ids, told = (texts_of(chunk.columns.get(column, ())) for column in (key, name))
        for id, text in zip(map(str.strip, ids), map(str.strip, told), strict=True):
            if id and text and found.setdefault(id, text) != text:
                raise InputError(
                    f"{path} gives the item {id!r} two names: {found[id]!r} and {text!r}.",
                    "Leave one of them out.",
                )
    return found
