"""Metadata columns as a map colors them: categories, numbers or dates, with missing values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from numbers import Real
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

__all__ = ["Column", "column", "cut"]

_EXACT = 2**53  # beyond it a float, and so a browser, cannot tell whole numbers apart
_NAME = 80  # letters of a value that are shown
_MANY = 50  # values of text from which a column may be a title or an id, not a category


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Column:
    """One column, ready to color by.

    Parameters
    ----------
    name : str
    kind : {"category", "number", "date"}
    values : ndarray of shape (n,), float64
        Numbers, or milliseconds since 1970 (UTC), NaN where missing; for categories, the place of
        the value in `names`, -1 where missing.
    names : list of str
        A category's values, the most frequent first.
    low, high : float
        Where the color scale begins and ends: the 1st and the 99th percentile.
    colors : bool
        Worth coloring by: not text that is nearly always different, and not wholly missing.
    """

    name: str
    kind: Literal["category", "number", "date"]
    values: npt.NDArray[np.float64]
    names: list[str]
    low: float = 0.0
    high: float = 0.0
    colors: bool = True

    def told(self, value: float) -> str:
        """Write one of the numbers or dates as people read it.

        Examples
        --------
        >>> column("day", [date(2024, 2, 29)]).told(0.0)
        '1970-01-01'
        """
        if self.kind == "date":
            return (_EPOCH + timedelta(milliseconds=value)).date().isoformat()
        return f"{value:.5g}" if abs(value) < 100_000 else f"{value:,.0f}"


def column(name: str, values: Sequence[Any]) -> Column:
    """Find out what a column holds, and prepare it.

    Missing are None, NaN, infinity, NaT and the empty string. A column of numbers only is a number,
    of dates only a date; all else, truth values too, is a category.

    Parameters
    ----------
    name : str
    values : sequence of n values

    Examples
    --------
    >>> column("venue", ["nips", "cvpr", None, "nips"]).names
    ['nips', 'cvpr']
    >>> column("year", [1999, None, 2001]).values.tolist()
    [1999.0, nan, 2001.0]
    """
    plain = [_plain(value) for value in values]
    present = [value for value in plain if value is not None]
    if present and all(isinstance(value, float) for value in present):
        return _numeric(name, "number", plain)
    if present and all(isinstance(value, datetime) for value in present):
        return _numeric(
            name,
            "date",
            [value and (value - _EPOCH) / timedelta(milliseconds=1) for value in plain],
        )
    return _category(name, [None if value is None else _text(value) for value in plain])


def cut(text: str, length: int) -> str:
    """Shorten a text to at most `length` letters, an ellipsis for what is left out.

    Examples
    --------
    >>> cut("embedding", 6)
    'embed…'
    """
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _plain(value: Any) -> Any:
    """Turn a value into None, float, datetime (UTC) or what it was."""
    if isinstance(value, np.generic):
        value = value.item() if not isinstance(value, np.datetime64) else _moment(value)
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) > _EXACT:
        return str(value)
    if isinstance(value, Real | Decimal):
        return float(value) if np.isfinite(float(value)) else None
    if isinstance(value, date):
        moment = (
            value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
        )
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return value


def _moment(value: np.datetime64) -> datetime | None:
    whole: datetime | None = value.astype("datetime64[us]").item()
    return whole


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return cut(str(value), _NAME)


def _numeric(name: str, kind: Literal["number", "date"], plain: list[Any]) -> Column:
    values = np.array([np.nan if value is None else value for value in plain], dtype=np.float64)
    low, high = np.nanpercentile(values, [1, 99], method="nearest")
    if low == high:
        low, high = np.nanmin(values), np.nanmax(values)
    return Column(name, kind, values, [], float(low), float(high))


def _category(name: str, plain: list[str | None]) -> Column:
    counted = Counter(value for value in plain if value is not None)
    names = sorted(counted, key=lambda value: (-counted[value], value))
    place: dict[str | None, int] = {value: number for number, value in enumerate(names)}
    codes = np.array([place.get(value, -1) for value in plain], dtype=np.float64)
    tells = bool(names) and not (len(names) > _MANY and len(names) > len(plain) / 2)
    return Column(name, "category", codes, names, colors=tells)
