"""Dates, and numbers, among the texts of a table: recognized, counted, parsed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from spaceport.errors import InputError
from spaceport.sources._columns import texts_of
from spaceport.sources._tables import Chunk

__all__ = ["DATE", "Looks", "formats_of", "looking", "parsed"]

DATE = pa.timestamp("us")
"""The type of a column of dates; a time with a zone becomes the same instant in UTC."""

_TIME = "[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?"
_PATTERNS = {
    "2024-01-31": f"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}({_TIME})?$",
    "2024-01-31T10:00Z": f"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}{_TIME}(Z|[+-][0-9]{{2}}:?[0-9]{{2}})$",
    "31/01/2024": "^[0-9]{1,2}/[0-9]{1,2}/([0-9]{2}|[0-9]{4})$",
    "31.01.2024": "^[0-9]{1,2}[.][0-9]{1,2}[.]([0-9]{2}|[0-9]{4})$",
    "31-01-2024": "^[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}$",
    "2024/01/31": "^[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}$",
    "31 January 2024": "^[0-9]{1,2} [A-Za-z]{3,9}[.]? [0-9]{4}$",
    "January 31, 2024": "^[A-Za-z]{3,9}[.]? [0-9]{1,2},? [0-9]{4}$",
}
_ISO = ("2024-01-31", "2024-01-31T10:00Z")
_NUMBER = r"^[+-]?[0-9]*[.]?[0-9]+([eE][+-]?[0-9]+)?$"


@dataclass
class Looks:
    """What the values of a column of text look like: how many like which date, how many like numbers."""

    filled: int = 0
    dates: dict[str, int] = field(default_factory=dict)
    numbers: int = 0
    other: str = ""

    @property
    def iso(self) -> bool:
        """Every value is a date of one of the two ISO layouts."""
        return self.filled > 0 and any(self.dates.get(name) == self.filled for name in _ISO)

    def told(self, column: str) -> str:
        """What a reader should know about a column that stays text; empty if nothing."""
        if self.numbers > self.filled / 2:
            return (
                f"{self.numbers} of {self.filled} values are numbers, {self.other!r} is not: "
                f"if that means missing, say missing=[{self.other!r}]"
            )
        if not self.iso and self.filled and sum(self.dates.values()) == self.filled:
            parts = ", ".join(f"{many} like {name}" for name, many in self.dates.items())
            formats = ["%d/%m/%Y"] + ["%Y-%m-%d"] * (len(self.dates) > 1)
            return f"dates, {parts}: to have them read, say dates={{{column!r}: {formats!r}}}"
        return ""


def looking(chunks: Iterable[Chunk], looks: dict[str, Looks]) -> Iterator[Chunk]:
    """Yield `chunks`, and count on the way what the values of each column of text look like."""
    for chunk in chunks:
        for name, values in chunk.columns.items():
            look = looks.setdefault(name, Looks())
            if isinstance(values, pa.Array):
                if pa.types.is_string(values.type):
                    _look(look, values)
            elif any(type(value) is str for value in values):
                _look(look, pa.array([v if type(v) is str else None for v in values], pa.string()))
        yield chunk


def parsed(
    values: Sequence[object] | pa.Array | None,
    formats: Sequence[str],
    column: str,
    places: Sequence[object],
) -> pa.Array:
    """The values as dates; `formats` are strptime's, tried in order, and ISO's where there are none.

    Raises
    ------
    InputError
        A value that none of the formats fits.
    """
    if values is None:
        return pa.nulls(len(places), DATE)
    if isinstance(values, pa.Array) and not pa.types.is_string(values.type):
        return values.cast(DATE)
    texts = pa.array([text or None for text in texts_of(values)], pa.string())
    if not formats:
        return _from_iso(texts)
    found = pa.nulls(len(texts), DATE)
    for format in formats:
        found = pc.coalesce(found, pc.strptime(texts, format, "us", error_is_null=True))
    bad = pc.and_(pc.is_null(found), pc.is_valid(texts)).to_pylist()
    if any(bad):
        first = bad.index(True)
        raise InputError(
            f"The column `{column}` holds {texts[first].as_py()!r} at {places[first]}, which is no date "
            f"in {' or '.join(map(repr, formats))}.",
            "Add its format to dates=, or mend the value.",
        )
    return found


def formats_of(dates: Mapping[str, str | Sequence[str]] | None) -> dict[str, tuple[str, ...]]:
    """Formats by column, each as a tuple."""
    told = (dates or {}).items()
    return {name: (f,) if isinstance(f, str) else tuple(f) for name, f in told}


def _from_iso(texts: pa.Array) -> pa.Array:
    try:
        return texts.cast(DATE)
    except pa.ArrowInvalid:  # a zone
        return texts.cast(pa.timestamp("us", "UTC")).cast(DATE)


def _look(look: Looks, texts: pa.Array) -> None:
    """Count, in a column that may be of dates or numbers yet."""
    filled = texts.filter(pc.not_equal(texts, ""))
    before, look.filled = look.filled, look.filled + len(filled)
    if not len(filled) or (before and not look.dates and not look.numbers):
        return
    numeric = pc.match_substring_regex(filled, _NUMBER)
    look.numbers += pc.sum(numeric).as_py()
    if not look.other:
        odd = filled.filter(pc.invert(numeric))
        look.other = odd[0].as_py() if len(odd) else ""
    for name, pattern in _PATTERNS.items():
        matching = filled.filter(pc.match_substring_regex(filled, pattern))
        if len(matching) and (name not in _ISO or _readable(matching)):
            look.dates[name] = look.dates.get(name, 0) + len(matching)


def _readable(texts: pa.Array) -> bool:
    try:
        _from_iso(texts)
    except pa.ArrowInvalid:
        return False
    return True
