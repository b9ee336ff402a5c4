"""Contents of every modality as JSON, and back without a loss."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from math import isfinite
from typing import Any

__all__ = ["plain", "unplain"]

_WRITERS: tuple[tuple[type, str, Callable[[Any], str]], ...] = (
    (bytes, "bytes", lambda value: b64encode(value).decode("ascii")),
    (datetime, "datetime", datetime.isoformat),
    (date, "date", date.isoformat),
    (time, "time", time.isoformat),
    (Decimal, "decimal", str),
)
_READERS: Mapping[str, Callable[[str], Any]] = {
    "bytes": lambda text: b64decode(text, validate=True),
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "decimal": Decimal,
    "float": float,
}


def plain(value: Any) -> Any:
    """Turn a content into what JSON can hold; whatever JSON lacks becomes an object with one tag.

    Examples
    --------
    >>> plain({"when": date(2026, 1, 2), "n": 3})
    {'row': {'when': {'date': '2026-01-02'}, 'n': 3}}
    >>> unplain(plain({"row": [b"ab", None]}))
    {'row': [b'ab', None]}
    """
    if isinstance(value, Mapping):
        return {"row": {name: plain(inner) for name, inner in value.items()}}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float) and not isfinite(value):
        return {"float": repr(value)}
    for kind, tag, write in _WRITERS:
        if isinstance(value, kind):
            return {tag: write(value)}
    return value


def unplain(value: Any) -> Any:
    """Undo `plain`."""
    if isinstance(value, list):
        return [unplain(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    ((tag, held),) = value.items()
    if tag == "row":
        return {name: unplain(inner) for name, inner in held.items()}
    return _READERS[tag](held)
