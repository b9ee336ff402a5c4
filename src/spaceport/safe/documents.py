"""JSON that means one thing only.

The usual reader takes the last of two equal keys, NaN, and 1e999 for infinity; a file of ours, or a
stranger's, that holds one of these was not written by us or says two things to two readers.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

import numpy as np

from spaceport.errors import CorruptError, SpaceportError

__all__ = ["DEPTH", "REMEDY", "parsed", "read_json", "reason"]

BYTES = 64 << 20
DEPTH = 64
REMEDY = "Restore it from a backup, or write it again."

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def read_json(
    data: bytes,
    what: str,
    most: int = BYTES,
    deepest: int = DEPTH,
    kind: type[SpaceportError] = CorruptError,
    remedy: str = REMEDY,
) -> Any:
    """Parse JSON that means one thing only.

    Parameters
    ----------
    data : bytes
        UTF-8, without a byte order mark.
    what : str
        What to call it in an error.
    most, deepest : int
        Bytes, and objects and lists within each other, that are read at all.
    kind, remedy : type of SpaceportError, str
        What is raised, and what to do.

    Raises
    ------
    CorruptError
        Not UTF-8, no JSON, a key given twice, NaN or infinity (as a word or as 1e999), half a
        surrogate pair, too large or too deep.

    Examples
    --------
    >>> read_json(b'{"a": [1, 2.5]}', "the note")
    {'a': [1, 2.5]}
    >>> read_json(b'{"a": 1, "a": 2}', "the note")
    Traceback (most recent call last):
        ...
    spaceport.errors.CorruptError: the note cannot be read: the key 'a' stands twice.
    Restore it from a backup, or write it again.
    """
    try:
        return parsed(data, most, deepest)
    except (ValueError, RecursionError) as error:
        raise kind(f"{what} cannot be read: {reason(error)}.", remedy) from error


def parsed(data: bytes, most: int, deepest: int) -> Any:
    """As `read_json`, with a ValueError or RecursionError that `reason` puts in words."""
    if len(data) > most:
        raise ValueError(f"it has {len(data):,} bytes, and at most {most:,} are read")
    if _depth(data, deepest) > deepest:
        raise ValueError(f"it nests deeper than {deepest} levels")
    value = json.loads(
        data.decode("utf-8"),
        object_pairs_hook=_unique,
        parse_constant=_refuse_constant,
        parse_float=_finite,
    )
    if _SURROGATE.search(data):
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def reason(error: BaseException) -> str:
    """One line, without the full stop."""
    if isinstance(error, UnicodeError):
        return "it is not UTF-8"
    if isinstance(error, RecursionError):
        return "it nests too deep"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error).partition("\n")[0].rstrip(".")


def _depth(data: bytes, enough: int) -> int:
    """Objects and lists within each other; 0 where there are no more than `enough` of them in all."""
    if data.count(b"{") + data.count(b"[") <= enough:
        return 0
    bare = np.frombuffer(_STRING.sub(b"", data), np.uint8)
    steps = np.isin(bare, [*b"{["]).astype(np.int8) - np.isin(bare, [*b"}]"]).astype(np.int8)
    return int(np.cumsum(steps, dtype=np.int64).max(initial=0))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key[:40]!r} stands twice")
        found[key] = value
    return found


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"it holds {word}")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"it holds {text[:40]}, which is beyond any float")
    return value
