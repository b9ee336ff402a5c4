"""The table of a source's items: their names, and whatever else is told of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from spaceport.errors import InputError
from spaceport.sources._columns import converted, survey, texts_of
from spaceport.sources._event_tables import columns_of, event_format
from spaceport.sources._roles import needed_column
from spaceport.sources._separated import Layout
from spaceport.sources._tables import Chunk

__all__ = ["ITEM", "item_rows", "one_row_each"]

ITEM = "item"


def item_rows(path: Path, layout: Layout, title_id: str | None) -> pa.Table:
    """Read the whole table: ``item`` (string), then the other columns under their own names.

    Text that reads as numbers or truth values is these; white space around it is no part of it.
    Nested columns are left out; a column called ``item`` that holds no ids is handed on as ``item_``.

    Raises
    ------
    NotFoundError
        No such column, or no column with a usual name.
    """
    format = event_format(path, None)
    key = needed_column("title_id", title_id, columns_of(format, path, layout), str(path))
    known = survey(_stripped(format.read(path, layout)), "", None, format.typed)
    kinds = {
        name: pa.string() if column.type == pa.null() else column.type
        for name, column in known.columns.items()
        if name != key and column.type is not None
    }
    names = {name: name if name != ITEM else "item_" for name in kinds}
    parts = []
    for chunk in _stripped(format.read(path, layout)):
        ids = texts_of(chunk.columns.get(key, [None] * len(chunk.places)))
        columns = {ITEM: pa.array([id.strip() or None for id in ids], pa.string())}
        for name, kind in kinds.items():
            columns[names[name]] = converted(chunk.columns.get(name), kind, len(chunk.places))
        parts.append(pa.table(columns))
    return pa.concat_tables(parts)


def one_row_each(table: pa.Table, path: Path) -> pa.Table:
    """Only the first row of each item; rows without an id are left out.

    Raises
    ------
    InputError
        An item with two different rows.
    """
    first: dict[str, int] = {}
    again: list[tuple[int, int]] = []
    for place, id in enumerate(table.column(ITEM).to_pylist()):
        if id and first.setdefault(id, place) != place:
            again.append((first[id], place))
    for before, place in again:
        one, other = (table.slice(row, 1).to_pylist()[0] for row in (before, place))
        for name in one:
            if one[name] != other[name]:
                raise InputError(
                    f"{path} gives the item {one[ITEM]!r} two rows: `{name}` is {one[name]!r} in one "
                    f"and {other[name]!r} in the other.",
                    "Leave one of them out.",
                )
    return table.take(pa.array(list(first.values()), pa.int64())).combine_chunks()


def _stripped(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    for chunk in chunks:
        yield Chunk({n: _without_space(v) for n, v in chunk.columns.items()}, chunk.places)


def _without_space(values: Sequence[Any] | pa.Array) -> Sequence[Any] | pa.Array:
    if isinstance(values, pa.Array):
        return values
    return [value.strip() if type(value) is str else value for value in values]
