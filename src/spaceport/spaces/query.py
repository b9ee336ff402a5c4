"""What a user searches with: a text, a file, a row of a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy.typing as npt

from spaceport.errors import InputError

__all__ = ["Query", "asked", "read_query"]

Query: TypeAlias = str | Path | bytes | Mapping[str, Any] | npt.ArrayLike

_FILES = ("images", "audio")


def asked(item: Any) -> Any:
    """An item as an encoder takes it: a path is read, everything else is taken as it is."""
    if not isinstance(item, Path):
        return item
    try:
        return item.read_bytes()
    except OSError as error:
        raise InputError(
            f"{item} cannot be read: {error.strerror or error}.", "Check the path."
        ) from error


def read_query(query: str | Path | bytes | Mapping[str, Any], modality: str) -> Any:
    """The item that a query names in a space of `modality`; None where a string names none.

    A string is a text; in a space of images or sound the path of a file, if there is one; in a space
    of a table's rows a JSON object; in a space of pairs either, ``en: the cat`` or ``{"en": "the cat"}``.

    Examples
    --------
    >>> read_query('{"age": 39}', "table")
    {'age': 39}
    >>> read_query("queen", "words"), read_query("nowhere.png", "images")
    ('queen', None)
    """
    if not isinstance(query, str) or modality in ("words", "texts"):
        return asked(query)
    if modality in _FILES:
        return asked(Path(query)) if Path(query).is_file() else None
    if query.lstrip().startswith("{"):
        return _object(query)
    return query if modality == "pairs" else None


def _object(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(
            f"The query is no JSON object: {error}.", 'Write it like {"age": 39, "job": "clerk"}.'
        ) from error
