"""What the catalog's rows must look like: anyone who can write to the database can write anything.

SQLite keeps whatever is put into a column, whatever the column's type.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

import sqlalchemy as sa

from spaceport.errors import CorruptError, ParameterError
from spaceport.safe import check_name, read_json
from spaceport.storage.files import Entry

__all__ = ["REMEDY", "checked", "dumps", "entry", "loads"]

Row: TypeAlias = Mapping[str, Any] | sa.RowMapping
REMEDY = "Restore the catalog from a backup."


def checked(row: Row, what: str, **types: type | tuple[type, ...]) -> dict[str, Any]:
    """Give the columns of a row, each of the type it must have; whole numbers are not negative.

    Examples
    --------
    >>> checked({"rows": "many"}, "words@1.0.0", rows=int)
    Traceback (most recent call last):
        ...
    spaceport.errors.CorruptError: The catalog's entry for words@1.0.0 has 'many' as rows.
    Restore the catalog from a backup.
    """
    for name, wanted in types.items():
        value = row[name]
        right = isinstance(value, wanted) and not isinstance(value, bool)
        if not right or (isinstance(value, int) and value < 0):
            raise CorruptError(
                f"The catalog's entry for {what} has {repr(value)[:60]} as {name}.", REMEDY
            )
    return {name: row[name] for name in types}


def entry(row: Row) -> Entry:
    """Give a line of a manifest."""
    told = checked(row, "a file", path=str, size=int, sha256=str)
    return Entry(check_name(told["path"]), told["size"], told["sha256"])


def loads(text: str | bytes) -> Any:
    """Read a column of JSON."""
    data = text if isinstance(text, bytes) else str(text).encode("utf-8", "surrogatepass")
    return read_json(data, "A JSON column of the catalog")


def dumps(value: Any) -> str:
    """Write a column of JSON: only what `loads` reads, so no NaN."""
    try:
        return json.dumps(value, allow_nan=False)
    except ValueError as error:
        raise ParameterError(
            f"The catalog cannot keep this: {error}.",
            "Give finite numbers; None where there is none.",
        ) from error
