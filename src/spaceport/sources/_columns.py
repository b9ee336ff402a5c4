"""What a first pass over a table learns, so that all batches have one schema and errors come early."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from spaceport.sources._tables import Chunk

__all__ = ["Column", "Survey", "converted", "survey", "texts_of"]

_WHOLE = r"^-?(0|[1-9][0-9]{0,17})$"
_DECIMAL = r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_TRUTH = r"^(true|false|True|False|TRUE|FALSE)$"
_GUESSES = ((_WHOLE, pa.int64()), (_DECIMAL, pa.float64()), (_TRUTH, pa.bool_()))


@dataclass
class Column:
    """A column's type over all rows (None: nested), and how many of its values are blank."""

    type: pa.DataType | None = field(default_factory=pa.null)
    blank: int = 0
    first_blank: Any = None


@dataclass
class Survey:
    """All columns in the order in which they came up, the number of rows, and how often each id stands."""

    columns: dict[str, Column] = field(default_factory=dict)
    rows: int = 0
    ids: Counter[str] = field(default_factory=Counter)
    first_bare: Any = None


def survey(chunks: Iterable[Chunk], content: str | None, id: str | None, typed: bool) -> Survey:
    """Go once over a table: types, blank texts (of `content`, or of every text column), ids.

    Parameters
    ----------
    chunks : iterable of Chunk
    content, id : str or None
        The columns of texts and ids, as far as they are named.
    typed : bool
        Values have types of their own; else text that reads as numbers or truth values is these.
    """
    known = Survey()
    for chunk in chunks:
        known.rows += len(chunk.places)
        for name, values in chunk.columns.items():
            column = known.columns.setdefault(name, Column())
            column.type = _wider(column.type, _kind(values, column.type, typed))
            if name == content or (content is None and column.type == pa.string()):
                _count_blank(column, values, chunk.places)
        if id is not None:
            _count_ids(known, chunk, id)
    return known


def texts_of(values: Sequence[Any] | pa.Array) -> list[str]:
    """The values as strings; what is missing is empty."""
    plain = values.to_pylist() if isinstance(values, pa.Array) else values
    return [v if type(v) is str else "" if v is None else _spelled(v) for v in plain]


def converted(values: Sequence[Any] | pa.Array | None, kind: pa.DataType, rows: int) -> pa.Array:
    """The values as an Arrow array of type `kind`; empty text and what is missing are null."""
    if values is None:
        return pa.nulls(rows, kind)
    if isinstance(values, pa.Array):
        return values.cast(kind)
    if kind == pa.string():
        return pa.array([text or None for text in texts_of(values)], pa.string())
    if any(type(value) is str for value in values):
        return pa.array([value or None for value in values], pa.string()).cast(kind)
    if kind == pa.float64():
        return pa.array([None if value is None else float(value) for value in values], kind)
    return pa.array(values, kind)


def _spelled(value: Any) -> str:
    return str(value) if isinstance(value, int) and type(value) is not bool else _as_json(value)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _count_blank(column: Column, values: Sequence[Any] | pa.Array, places: Sequence[Any]) -> None:
    blank = [at for at, text in zip(places, texts_of(values), strict=True) if not text.strip()]
    if blank and not column.blank:
        column.first_blank = blank[0]
    column.blank += len(blank)


def _count_ids(known: Survey, chunk: Chunk, id: str) -> None:
    values = chunk.columns.get(id, [None] * len(chunk.places))
    found = texts_of(values)
    known.ids.update(found)
    if known.first_bare is None and "" in found:
        known.first_bare = chunk.places[found.index("")]


def _kind(
    values: Sequence[Any] | pa.Array, so_far: pa.DataType | None, typed: bool
) -> pa.DataType | None:
    """Arrow's type for the values of one chunk; `so_far` spares text a second look."""
    if isinstance(values, pa.Array):
        return _plain(values.type)
    kinds = set(map(type, values)) - {type(None)}
    if not kinds:
        return pa.null()
    if kinds & {dict, list}:
        return None
    if kinds == {str}:
        return pa.string() if typed or so_far == pa.string() else _guessed(values)
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        return (
            pa.int64() if all(v is None or -(2**63) <= v < 2**63 for v in values) else pa.string()
        )
    return pa.float64() if kinds <= {int, float} else pa.string()


def _guessed(values: Sequence[str]) -> pa.DataType:
    """The narrowest type that every value has; digits with leading zeros, or too many for a number, are text."""
    array = pa.array(values, pa.string())
    filled = array.filter(pc.not_equal(array, ""))
    if not len(filled):
        return pa.null()
    for pattern, kind in _GUESSES:
        if pc.all(pc.match_substring_regex(filled, pattern)).as_py():
            return kind
    return pa.string()


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type under which a column of a Parquet file is handed on."""
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    return pa.string() if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else kind


def _wider(one: pa.DataType | None, other: pa.DataType | None) -> pa.DataType | None:
    """The narrowest type that holds both; nested (None) wins over all, text over the rest."""
    if one is None or other is None:
        return None
    if one == other or other == pa.null():
        return one
    if one == pa.null():
        return other
    return pa.float64() if {one, other} == {pa.int64(), pa.float64()} else pa.string()
