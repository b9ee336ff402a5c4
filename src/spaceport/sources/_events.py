"""Events of a table: who, what, how much, when, as columns of numbers; what is wrong is counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from spaceport.sources._columns import texts_of
from spaceport.sources._faults import Faults
from spaceport.sources._separated import Chunk

__all__ = ["Events", "gather"]

_NUMBER = r"^-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_MOST = float(np.finfo(np.float32).max)
_TIMES = (pa.float64(), pa.timestamp("us"), pa.timestamp("us", "UTC"))

Mask: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Events:
    """Events by their place in the file.

    Attributes
    ----------
    users, items : pyarrow.Array of string
        Each id once, in the order of its first event.
    user, item : ndarray of shape (e,), int32
        Which of them each event has.
    values : ndarray of shape (e,), float64
    times : ndarray of shape (e,), float64, or None
        Numbers as they stand in the file; dates as seconds since 1970.
    below : int
        Events that were left out, their value being below the minimum.
    """

    users: pa.Array
    items: pa.Array
    user: npt.NDArray[np.int32]
    item: npt.NDArray[np.int32]
    values: npt.NDArray[np.float64]
    times: npt.NDArray[np.float64] | None
    below: int

    def __len__(self) -> int:
        return len(self.values)


def gather(
    chunks: Iterable[Chunk],
    columns: Mapping[str, str | None],
    minimum: float | None,
    faults: Faults,
) -> Events:
    """Turn the rows of a table into events; rows with a fault are noted, and are in the answer too.

    Parameters
    ----------
    chunks : iterable of Chunk
    columns : mapping
        The column that plays each of the parts ``user``, ``item``, ``value``, ``time``; None for no
        such column.
    minimum : float or None
        Events with a smaller value are left out.
    faults : Faults
        Filled.
    """
    ids: dict[str, list[pa.Array]] = {"user": [pa.array([], pa.string())]}
    ids["item"] = [*ids["user"]]
    numbers: dict[str, list[npt.NDArray[np.float64]]] = {"value": [], "time": []}
    clock, below = _Clock(), 0
    for chunk in chunks:
        rows = _Rows(chunk, columns, faults)
        known = {part: rows.ids(part) for part in ids}
        values = rows.values(minimum)
        keep = np.ones(len(values), bool) if minimum is None else ~(values < minimum)
        kept = pa.array(keep)
        below += len(keep) - int(keep.sum())
        for part, found in ids.items():
            found.append(known[part].filter(kept))
        numbers["value"].append(values[keep])
        if columns["time"] is not None:
            numbers["time"].append(rows.times(clock)[keep])
    users, user = _encoded(ids["user"])
    items, item = _encoded(ids["item"])
    times = _joined(numbers["time"]) if columns["time"] is not None else None
    return Events(users, items, user, item, _joined(numbers["value"]), times, below)


class _Clock:
    """How the file spells times, as the first that can be read shows: numbers, dates, dates with a zone."""

    kind: pa.DataType = None

    def kind_of(self, texts: pa.Array) -> pa.DataType:
        if self.kind is None:
            fitting = (kind for text in texts for kind in _TIMES if _is_time(text, kind))
            self.kind = next(fitting, None)
        return _TIMES[0] if self.kind is None else self.kind


class _Rows:
    """One chunk, its columns read as what they are for; what cannot be is noted."""

    def __init__(self, chunk: Chunk, columns: Mapping[str, str | None], faults: Faults) -> None:
        self._chunk = chunk
        self._columns = columns
        self._faults = faults

    def ids(self, part: str) -> pa.Array:
        """Ids without white space around them; an empty one is a fault."""
        texts = _texts(self._given(part), len(self._chunk.places))
        self._note(f"an empty {part} id", _mask(pc.equal(texts, "")))
        return texts

    def values(self, minimum: float | None) -> npt.NDArray[np.float64]:
        """The values, 1 where the file has none; not a number, not finite, or negative is a fault."""
        name = self._columns["value"]
        rows = len(self._chunk.places)
        if name is None:
            return np.ones(rows)
        given = self._given("value")
        values, bad = _numbers(given, rows)
        self._note(f"no number in `{name}`", bad, given)
        endless = ~bad & ~(np.abs(values) <= _MOST)
        self._note(f"NaN or infinity in `{name}`", endless, given)
        negative = ~bad & ~endless & (values < 0) & (values >= _least(minimum))
        self._note(f"a negative value in `{name}`", negative, given)
        return values

    def times(self, clock: _Clock) -> npt.NDArray[np.float64]:
        """Seconds, or numbers as they stand."""
        given = self._given("time")
        texts = _texts(given, len(self._chunk.places))
        name = self._columns["time"]
        try:
            times = _seconds(texts, clock.kind_of(texts))
        except pa.ArrowInvalid:
            unread = np.array([not _is_time(text, clock.kind) for text in texts])
            self._note(f"no time in `{name}`", unread, given)
            return np.zeros(len(texts))
        self._note(f"no finite time in `{name}`", ~np.isfinite(times), given)
        return times

    def _given(self, part: str) -> Sequence[Any] | pa.Array | None:
        return self._chunk.columns.get(str(self._columns[part]))

    def _note(self, what: str, bad: Mask, texts: Any = None) -> None:
        self._faults.note(what, bad, self._chunk.places, texts)


def _least(minimum: float | None) -> float:
    return -np.inf if minimum is None else minimum


def _texts(values: Sequence[Any] | pa.Array | None, rows: int) -> pa.Array:
    """As strings without white space around them; what is missing is empty."""
    if values is None:
        return pa.array([""] * rows, pa.string())
    if isinstance(values, pa.Array):
        texts = pc.fill_null(values.cast(pa.string()), "")
    else:
        texts = pa.array(texts_of(values), pa.string())
    return pc.utf8_trim_whitespace(texts)


def _numbers(
    values: Sequence[Any] | pa.Array | None, rows: int
) -> tuple[npt.NDArray[np.float64], Mask]:
    """As numbers, and which of them are none (they are 0)."""
    if isinstance(values, pa.Array) and _is_numeric(values.type):
        missing = _mask(values.is_null())
        return _floats(pc.fill_null(values.cast(pa.float64()), 0.0)), missing
    texts = _texts(values, rows)
    try:
        return _floats(texts.cast(pa.float64())), np.zeros(rows, bool)
    except pa.ArrowInvalid:
        bad = pc.invert(pc.match_substring_regex(texts, _NUMBER))
        return _floats(pc.if_else(bad, "0", texts).cast(pa.float64())), _mask(bad)


def _is_numeric(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def _seconds(texts: pa.Array, kind: pa.DataType) -> npt.NDArray[np.float64]:
    if kind == pa.float64():
        return _floats(texts.cast(kind))
    return _floats(texts.cast(kind).cast(pa.int64()).cast(pa.float64())) / 1e6


def _is_time(text: pa.Scalar, kind: pa.DataType | None) -> bool:
    try:
        pa.array([text.as_py()]).cast(_TIMES[0] if kind is None else kind)
    except pa.ArrowInvalid:
        return False
    return True


def _floats(array: pa.Array) -> npt.NDArray[np.float64]:
    floats: npt.NDArray[np.float64] = array.to_numpy(zero_copy_only=False)
    return floats


def _mask(array: pa.Array) -> Mask:
    mask: Mask = array.to_numpy(zero_copy_only=False)
    return mask


def _joined(parts: Sequence[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    return np.concatenate(parts) if parts else np.zeros(0)


def _encoded(parts: Sequence[pa.Array]) -> tuple[pa.Array, npt.NDArray[np.int32]]:
    """Each string once, in the order of its first occurrence, and which one stands where."""
    encoded = pa.chunked_array(parts).dictionary_encode()
    if not len(encoded):
        return pa.array([], pa.string()), np.zeros(0, np.int32)
    codes = [chunk.indices.to_numpy(zero_copy_only=False) for chunk in encoded.chunks]
    return encoded.chunks[-1].dictionary, np.concatenate(codes).astype(np.int32, copy=False)
