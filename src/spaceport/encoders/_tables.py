"""Rows of a table as columns: what an encoder is given, checked column by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.errors import InputError

__all__ = [
    "Columns",
    "Double",
    "column_names",
    "columns_of",
    "dates_of",
    "floats_of",
    "kind_of",
    "numbers_of",
    "strings_of",
]

Columns: TypeAlias = dict[str, pa.Array]
Double: TypeAlias = npt.NDArray[np.float64]

_KINDS = {
    "number": (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal),
    "text": (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
    "truth": (pa.types.is_boolean,),
    "date": (pa.types.is_timestamp, pa.types.is_date),
    "nothing": (pa.types.is_null,),
}


def column_names(batch: pa.RecordBatch) -> list[str]:
    """Names of the table's columns in a batch of a source; none where it holds no table."""
    kind = batch.schema.field("content").type
    return [field.name for field in kind] if pa.types.is_struct(kind) else []


def kind_of(type: pa.DataType, column: str) -> str:
    """What a column of this Arrow type holds: number, text, truth, date, or nothing.

    Raises
    ------
    InputError
        Any other type; the column is named.

    Examples
    --------
    >>> kind_of(pa.int32(), "age"), kind_of(pa.date32(), "born"), kind_of(pa.null(), "empty")
    ('number', 'date', 'nothing')
    """
    if pa.types.is_dictionary(type):
        return kind_of(type.value_type, column)
    for kind, tests in _KINDS.items():
        if any(test(type) for test in tests):
            return kind
    raise InputError(
        f"The column `{column}` holds {type}, for which there is no rule.",
        "Leave it out, or turn it into numbers, text, truth values or dates.",
    )


def columns_of(items: Any, names: Sequence[str] | None = None) -> Columns:
    """Take rows apart into columns.

    Parameters
    ----------
    items : Arrow array of structs, or sequence of n mappings
        A key that is not there, None and NaN are missing values; other keys than `names` are passed
        over, but a row that has keys must have one of them.
    names : sequence of str, optional
        The columns that are wanted; default those of the first row, or of the Arrow type.

    Returns
    -------
    dict of str to Arrow array of length n

    Raises
    ------
    InputError
        A row that is no mapping, rows with none of the columns, values of several types in one column.
    """
    if isinstance(items, pa.ChunkedArray):
        items = items.combine_chunks()
    if isinstance(items, pa.Array):
        return _of_structs(items, names)
    rows = [{} if row is None else row for row in items]
    _refuse_strange(rows, names)
    wanted = list(rows[0]) if names is None else names
    return {name: _array([row.get(name) for row in rows], name) for name in wanted}


def numbers_of(items: Any, names: Sequence[str], method: str) -> Double:
    """Rows of a table of numbers only, shape (n, w); `method` is who asks, for the message.

    Raises
    ------
    InputError
        A column holds something else, or has gaps.
    """
    columns = columns_of(items, names)
    other = [name for name in names if kind_of(columns[name].type, name) != "number"]
    if other:
        raise InputError(
            f"{method} takes tables of numbers; `{other[0]}` holds {columns[other[0]].type} "
            f"({len(other)} of {len(names)} columns are not numbers).",
            "Use mixed(), which has a rule for every kind of column, or leave those columns out.",
        )
    numbers = np.stack([floats_of(columns[name], name) for name in names], axis=1)
    bare = np.isnan(numbers).any(axis=0)
    if bare.any():
        first = names[int(bare.argmax())]
        gaps = int(np.isnan(numbers[:, bare.argmax()]).sum())
        raise InputError(
            f"{method} takes tables without gaps; `{first}` has {gaps} among {len(numbers)} rows.",
            "Use mixed(), which fills gaps and marks them, or fill them in.",
        )
    return numbers


def floats_of(array: pa.Array, column: str) -> Double:
    """Numbers as float64, NaN where they are missing; infinity is refused, with the column's name."""
    numbers: Double = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    infinite = int(np.isinf(numbers).sum())
    if infinite:
        raise InputError(
            f"The column `{column}` holds infinity in {infinite} rows.",
            "Give a number, or None where there is none.",
        )
    return numbers


def strings_of(array: pa.Array) -> list[str | None]:
    """Text, numbers or truth values as they are spelled, None where they are missing or empty."""
    if pa.types.is_floating(array.type):
        numbers = (None if v is None or v != v else repr(v) for v in array.to_pylist())
        return [None if v is None else v.removesuffix(".0") for v in numbers]
    return [value or None for value in array.cast(pa.string()).to_pylist()]


def dates_of(array: pa.Array) -> npt.NDArray[np.datetime64]:
    """Times in microseconds, UTC where a zone is told; NaT where they are missing."""
    zone = getattr(array.type, "tz", None)
    instant = array.cast(pa.timestamp("us", zone), safe=False).cast(pa.int64())
    filled = instant.fill_null(np.iinfo(np.int64).min).to_numpy(zero_copy_only=False)
    return np.asarray(filled, dtype=np.int64).view("datetime64[us]")


def _of_structs(items: pa.Array, names: Sequence[str] | None) -> Columns:
    if not pa.types.is_struct(items.type):
        raise InputError(f"`items` holds {items.type}, not rows of a table.", "Give structs.")
    own = [field.name for field in items.type]
    if names is not None and not set(names) & set(own):
        raise InputError(f"The rows have the columns {_few(own)}.", f"Give {_few(names)}.")
    parts = dict(zip(own, items.flatten(), strict=True))
    wanted = own if names is None else names
    return {name: parts.get(name, pa.nulls(len(items))) for name in wanted}


def _refuse_strange(rows: Sequence[Any], names: Sequence[str] | None) -> None:
    for place, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise InputError(
                f"Row {place} is {type(row).__name__}, not a mapping of columns to values.",
                "Give each row as a dict.",
            )
        if row and names is not None and not any(name in row for name in names):
            raise InputError(
                f"Row {place} has none of the columns that were learnt: it has {_few(list(row))}.",
                f"Give {_few(names)}.",
            )


def _array(values: list[Any], column: str) -> pa.Array:
    given = [None if isinstance(value, float) and value != value else value for value in values]
    try:
        return pa.array(given)
    except (pa.ArrowException, TypeError, OverflowError) as error:
        kinds = sorted({type(value).__name__ for value in given if value is not None})
        raise InputError(
            f"The column `{column}` holds values of several types: {', '.join(kinds)}.",
            "Give all of them one type, and None where there is none.",
        ) from error


def _few(names: Sequence[str]) -> str:
    told = ", ".join(f"`{name}`" for name in names[:5])
    return told if len(names) <= 5 else f"{told} and {len(names) - 5} more"
