"""When events happened: a column of a log as times in UTC.

============================  =====================================================================
a time with a zone            that instant
a time without a zone         needs `zone`; refused without
a date, a month, a year       the day as it stands (``2026-03-05``, ``2026-03``, ``2026``), midnight UTC
a number from 100000000 on    seconds since 1970; with three digits more milliseconds, then micro-, then
                              nanoseconds
============================  =====================================================================

Digits below the microsecond are cut. What lies more than five minutes ahead of the clock is refused: it
would be counted among days that are not over. A date may be as far ahead as the clocks of the world are
apart, fourteen hours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from spaceport.errors import InputError, ParameterError
from spaceport.monitoring.windows import Instants

__all__ = ["Clock", "check_zone"]

_AHEAD = np.timedelta64(5 * 60 * 10**6, "us")
_AHEAD_DATES = np.timedelta64(14 * 3600 * 10**6, "us")
_DATES = r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"
_BARE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?$"
_ZONED = _BARE[:-1] + r" ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"
_STEPS = ((10**8, "s"), (10**11, "ms"), (10**14, "us"), (10**17, "ns"))
_US = pa.timestamp("us")


def check_zone(zone: str | None) -> str | None:
    """Give `zone` back if it is the name of a time zone.

    Examples
    --------
    >>> check_zone("Europe/Paris")
    'Europe/Paris'
    >>> check_zone("Mars")
    Traceback (most recent call last):
        ...
    spaceport.errors.ParameterError: There is no time zone 'Mars'.
    Say UTC, or a name like Europe/Paris.
    """
    if zone is None:
        return None
    try:
        pc.assume_timezone(pa.scalar(0, _US), zone)
    except (pa.ArrowException, ValueError) as error:
        raise ParameterError(
            f"There is no time zone {zone[:60]!r}.", "Say UTC, or a name like Europe/Paris."
        ) from error
    return zone


@dataclass(frozen=True)
class Clock:
    """Reads a column of times.

    Attributes
    ----------
    path, column : str
        Where the times stand; for messages.
    zone : str or None
        Of times that have none; UTC or a name of the IANA's list. Of two instants that such a time may
        mean (clocks are put back) the earlier is taken; for one that never was (put forward) the first
        instant after the gap.
    now : datetime64[us] or None
        What time it is; default this machine's clock.
    """

    path: str
    column: str
    zone: str | None = None
    now: np.datetime64 | None = None

    def read(self, values: pa.Array, places: Sequence[Any]) -> Instants:
        """The times of a column, shape (n,), datetime64[us], UTC.

        Parameters
        ----------
        values : pyarrow.Array
            Timestamps, dates, whole numbers or text.
        places : sequence of length n
            Where each row stands, with its noun: ``"row 3"``.

        Raises
        ------
        InputError
            A time that is missing or cannot be read (place and value are told), has no zone where no
            `zone` is said, or lies in the future.
        """
        kind = values.type
        if pa.types.is_dictionary(kind):
            return self.read(values.cast(kind.value_type), places)
        if values.null_count:
            first = int(values.is_null().to_numpy(zero_copy_only=False).argmax())
            raise InputError(
                f"{self.path} has no time in `{self.column}` in {_rows(values.null_count)}, the first in "
                f"{places[first]}.",
                "Fill them in, or leave those rows out with a condition: "
                f"{self.column} is not null.",
            )
        times, dated = self._reading(kind)(values, places)
        return self._past(_instants(times), dated, values, places)

    def _reading(self, kind: pa.DataType) -> Callable[..., tuple[pa.Array, Any]]:
        if pa.types.is_timestamp(kind):
            return self._stamped
        if pa.types.is_date(kind):
            return lambda values, places: (values.cast(_US), True)
        if pa.types.is_integer(kind):
            return self._numbers
        if pa.types.is_floating(kind):
            return self._fractions
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            return self._texts
        raise InputError(
            f"The column `{self.column}` of {self.path} holds {kind}, which is no time.",
            "Name a column of dates, times, years or seconds since 1970.",
        )

    def _stamped(self, values: pa.Array, places: Sequence[Any]) -> tuple[pa.Array, Any]:
        if values.type.tz is None:
            return self._placed(values.cast(_US, safe=False), values, places), False
        return values.cast(pa.timestamp("us", "UTC"), safe=False).cast(_US), False

    def _placed(self, bare: pa.Array, values: pa.Array, places: Sequence[Any]) -> pa.Array:
        """Times without a zone, in the zone that was said."""
        if self.zone is None:
            raise InputError(
                f"The times in `{self.column}` of {self.path} have no zone: {places[0]} has "
                f"{_shown(values[0])}.",
                "Say which one they are in: --zone UTC (zone='UTC').",
            )
        zoned = pc.assume_timezone(bare, self.zone, ambiguous="earliest", nonexistent="latest")
        return zoned.cast(_US)

    def _numbers(self, values: pa.Array, places: Sequence[Any]) -> tuple[pa.Array, Any]:
        numbers = values.cast(pa.int64()).to_numpy(zero_copy_only=False)
        years = (numbers >= 1000) & (numbers <= 9999)
        if years.all():
            found = (numbers - 1970).astype("datetime64[Y]").astype("datetime64[us]")
            return pa.array(found), True
        low = int(np.abs(numbers).min())
        unit = next((unit for least, unit in reversed(_STEPS) if low >= least), None)
        if unit is None:
            odd = (np.abs(numbers) < _STEPS[0][0]) & ~years
            self._unreadable(odd if odd.any() else years, values, places)
        return pa.array(numbers, pa.timestamp(unit)).cast(_US, safe=False), False

    def _fractions(self, values: pa.Array, places: Sequence[Any]) -> tuple[pa.Array, Any]:
        numbers = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
        self._unreadable(~np.isfinite(numbers), values, places)
        if (numbers == np.floor(numbers)).all() and np.abs(numbers).max(initial=0) < 2**62:
            return self._numbers(pa.array(numbers.astype(np.int64)), places)
        seconds = (numbers >= _STEPS[0][0]) & (numbers < _STEPS[1][0])
        self._unreadable(~seconds, values, places)
        return pa.array(np.round(numbers * 1e6).astype(np.int64), _US), False

    def _texts(self, values: pa.Array, places: Sequence[Any]) -> tuple[pa.Array, Any]:
        texts = pc.utf8_trim_whitespace(values.cast(pa.string()))
        dates, bare, zoned = (
            pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
            for pattern in (_DATES, _BARE, _ZONED)
        )
        self._unreadable(~(dates | bare | zoned), values, places)
        found = np.empty(len(texts), "datetime64[us]")
        for mask, read in ((dates, _days), (zoned, _of_zone), (bare, _of_none)):
            rows = np.flatnonzero(mask)
            if not len(rows):
                continue
            part = texts.take(pa.array(rows))
            own = [places[int(row)] for row in rows] if read is _of_none else places
            try:
                times = read(part)
            except pa.ArrowInvalid:
                self._unreadable(mask & ~_readable(texts, mask, read), values, places)
                raise
            if read is _of_none:
                times = self._placed(times, part, own)
            found[rows] = _instants(times)
        return pa.array(found), dates

    def _unreadable(
        self, bad: npt.NDArray[np.bool_], values: pa.Array, places: Sequence[Any]
    ) -> None:
        if not bad.any():
            return
        first = int(bad.argmax())
        raise InputError(
            f"The column `{self.column}` of {self.path} holds {_shown(values[first])} in {places[first]}, "
            "which is no time.",
            "Write times as 2026-03-05T10:00:00Z, dates as 2026-03-05, years as 2026, or seconds since 1970.",
        )

    def _past(
        self, times: Instants, dated: Any, values: pa.Array, places: Sequence[Any]
    ) -> Instants:
        now = self.now or np.datetime64(datetime.now(UTC).replace(tzinfo=None), "us")
        late = times > now + np.where(dated, _AHEAD_DATES, _AHEAD)
        if late.any():
            first = int(late.argmax())
            raise InputError(
                f"{self.path} has {_rows(int(late.sum()))} with a time in the future, the first in "
                f"{places[first]}: {_shown(values[first])}; this machine's clock says {str(now)[:19]}Z.",
                "Mend those times, say the right --zone, or set the clock.",
            )
        return times


def _days(texts: pa.Array) -> pa.Array:
    whole = pc.replace_substring_regex(texts, r"^([0-9]{4})$", r"\1-01")
    return pc.replace_substring_regex(whole, r"^([0-9]{4}-[0-9]{2})$", r"\1-01").cast(_US)


def _of_zone(texts: pa.Array) -> pa.Array:
    tight = pc.replace_substring_regex(_cut(texts), r" ?(Z|[+-][0-9:]+)$", r"\1")
    return tight.cast(pa.timestamp("us", "UTC")).cast(_US)


def _of_none(texts: pa.Array) -> pa.Array:
    return _cut(texts).cast(_US)


def _cut(texts: pa.Array) -> pa.Array:
    """Digits below the microsecond cut."""
    return pc.replace_substring_regex(texts, r"([.][0-9]{6})[0-9]+", r"\1")


def _readable(
    texts: pa.Array, mask: npt.NDArray[np.bool_], read: Callable[[pa.Array], pa.Array]
) -> npt.NDArray[np.bool_]:
    fine = mask.copy()
    for row in np.flatnonzero(mask):
        try:
            read(texts.slice(row, 1))
        except pa.ArrowInvalid:
            fine[row] = False
    return fine


def _instants(times: pa.Array) -> Instants:
    found: Instants = times.to_numpy(zero_copy_only=False)
    return found


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count > 1)}"


def _shown(value: pa.Scalar) -> str:
    return repr(str(value.as_py())[:60])
