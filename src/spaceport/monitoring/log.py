"""A production log, read as `Events`.

::

    time   id   vector | content   segment   prediction   label
    ----   --   ----------------   -------   ----------   -----
    when   who  a list of numbers  any part of the traffic that is watched by itself
                or what the version's encoder takes

Rows may stand in any order of time. A log is read as it lies, a few thousand rows at a time: what is kept
between them is eight bytes a row, to find ids that stand twice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from spaceport.encoders.base import Encoder
from spaceport.errors import InputError, NotFoundError, ParameterError, choices
from spaceport.monitoring import _vectors
from spaceport.monitoring._identities import Identities
from spaceport.monitoring._logfile import LogFile, Part
from spaceport.monitoring.events import Events
from spaceport.monitoring.times import Clock, check_zone
from spaceport.monitoring.where import Where
from spaceport.spaces.space_vectors import Coordinates, agreeing

__all__ = ["Log", "read"]


def read(path: str | os.PathLike[str], **told: Any) -> Iterator[Events]:
    """Read a production log; see `Log`, which is what this makes and reads."""
    return Log(os.fspath(path), **told).events()


@dataclass(frozen=True, kw_only=True)
class _Columns:
    time: str
    id: str | None = None
    vector: str | None = None
    column: str | tuple[str, ...] | None = None
    segment: str | None = None
    prediction: str | None = None
    label: str | None = None


class Log:
    """A log and what its columns mean.

    Parameters
    ----------
    path : str or path
        Parquet, Arrow IPC, CSV, TSV or JSON lines (the texts also compressed).
    time : str
        The column of times; `monitoring.times` has what may stand there.
    dimension : int
        Of the version's vectors.
    id : str, optional
        The column of ids. Without it an event's id is the first 80 bits of a BLAKE2b hash over its time
        and its vector (its content, where that is encoded), in hexadecimal; where an equal event stands
        again ``-2``, ``-3``, … follow. So the same log gives the same ids, whatever the order of its
        rows; predictions and labels, which may come later, are no part of it.
    vector : str, optional
        The column of vectors: lists of numbers (in CSV as text, ``[0.1, 0.2]``). Default: ``vector``, or
        the only column of lists.
    column : str or sequence of str, optional
        Encode this column instead: texts, bytes, or the names of files beside the log, which must lie
        below its folder. Several columns are the rows of a table. Where `vector` is named too, that one
        is read and the contents are only kept, so that some can be encoded again.
    segment : str, optional
        The column by which the traffic is divided.
    prediction, label : str, optional
        What a model said, and what was true; missing where nobody knows yet.
    where : str, optional
        Read only the rows that fulfil a condition; see `Where`.
    zone : str, optional
        The zone of times that have none.
    encoder : Encoder, optional
        What encodes `column`.
    coordinates : Coordinates, optional
        The version's. A file that says that it holds others' is refused, even where the dimension fits.
    duplicates : {"refuse", "first"}
        What to do with an id that stands twice: refuse the log, or count the first one only.
    now : datetime64, optional
        What time it is.

    Attributes
    ----------
    rows, repeated : int
        Rows read and repeated ids left out so far.

    Raises
    ------
    NotFoundError
        No such file or column.
    MismatchError
        Vectors of other coordinates.
    ParameterError
        An unknown zone, a condition that cannot be read, `column` without an encoder.
    InputError
        Times that cannot be read, have no zone, or lie in the future; ids that are missing or stand
        twice (counted, the first told); a damaged file.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        time: str,
        dimension: int,
        id: str | None = None,
        vector: str | None = None,
        column: str | Sequence[str] | None = None,
        segment: str | None = None,
        prediction: str | None = None,
        label: str | None = None,
        where: str | Where | None = None,
        zone: str | None = None,
        encoder: Encoder | None = None,
        coordinates: Coordinates | None = None,
        duplicates: str = "refuse",
        now: np.datetime64 | None = None,
    ) -> None:
        if duplicates not in ("refuse", "first"):
            raise ParameterError(
                f"`duplicates` must be refuse or first. Got {duplicates!r}.", "Choose one."
            )
        self._file = LogFile.find(os.fspath(path))
        self._columns = _Columns(
            time=time,
            id=id,
            vector=vector,
            column=_contents(column, encoder),
            segment=segment,
            prediction=prediction,
            label=label,
        )
        self._clock = Clock(str(path), time, check_zone(zone), now)
        self._where = Where.parse(where) if isinstance(where, str) else where
        self._dimension = dimension
        self._encoder = encoder
        self._duplicates = duplicates
        self.rows = self.repeated = 0
        self._check(coordinates)

    def events(self) -> Iterator[Events]:
        """Yield the events, batch by batch, in the order of the file; nothing empty.

        From the first id that stands twice on nothing more is yielded: the rest is read to count them.
        """
        identities = Identities(str(self._file.path), self._columns.id)
        for part in self._file.parts(self._wanted):
            kept = self._kept(part)
            self.rows += kept.rows.num_rows
            if not kept.rows.num_rows:
                continue
            ids = self._given_ids(kept)
            if ids is not None:
                identities.refuse_empty(ids, kept.places)
            found, fresh = identities.of(self._events(kept), kept.places, ids)
            if not fresh.all():
                found = found.take(fresh)
            refused = identities.repeated and self._duplicates == "refuse"
            if len(found) and not refused:
                yield found
        self.repeated = identities.repeated
        if self._duplicates == "refuse":
            identities.refuse()

    def _check(self, coordinates: Coordinates | None) -> None:
        """Find the columns; refuse what cannot be read before anything is."""
        if self._columns.column is None or self._columns.vector is not None:
            self._columns = replace(self._columns, vector=self._vector_column())
            stamp = self._file.stamp
            if stamp is not None and coordinates is not None:
                told = Coordinates.of_stamp(stamp)
                agreeing(coordinates, told, otherwise="or log the vectors of the version itself")
        elif self._encoder is None:
            raise ParameterError(
                f"There is no encoder for the column `{self._columns.column}`.",
                "Name a column of vectors, or watch a version that has its encoder.",
            )
        self._file.require(self._wanted)

    @property
    def _contents(self) -> tuple[str, ...]:
        told = self._columns.column
        return () if told is None else (told,) if isinstance(told, str) else told

    @property
    def _wanted(self) -> list[str]:
        """The columns to read, each once."""
        c = self._columns
        named = [c.time, c.id, c.vector, c.segment, c.prediction, c.label, *self._contents]
        conditions = () if self._where is None else self._where.columns
        return list(dict.fromkeys(name for name in (*named, *conditions) if name is not None))

    def _vector_column(self) -> str:
        if self._columns.vector is not None:
            return self._columns.vector
        if "vector" in self._file.names:
            return "vector"
        lists = self._file.lists
        if len(lists) != 1:
            raise NotFoundError(
                f"{self._file.path} has {len(lists)} columns of vectors: which one is meant is not clear.",
                f"Say vector=, or column= for what is to be encoded. {choices('', self._file.names)}",
            )
        return lists[0]

    def _kept(self, part: Part) -> Part:
        """The rows that fulfil the condition."""
        if self._where is None:
            return part
        mask = self._where.mask(part.rows)
        if mask.all():
            return part
        places = [part.places[int(row)] for row in np.flatnonzero(mask)]
        return Part(part.rows.filter(pa.array(mask)), places)

    def _given_ids(self, part: Part) -> pa.Array | None:
        return None if self._columns.id is None else _text(part.rows.column(self._columns.id))

    def _events(self, part: Part) -> Events:
        rows, c = part.rows, self._columns
        at = self._clock.read(rows.column(c.time), part.places)
        contents = self._content(rows)
        if c.vector is not None:
            vectors, faults = _vectors.stacked(rows.column(c.vector), self._dimension)
            tokens = None
        else:
            assert contents is not None
            assert self._encoder is not None
            folder = Path(self._file.path).parent
            made = _vectors.encoded(contents, self._encoder, self._dimension, folder)
            vectors, faults, tokens = made
        return Events(
            ids=pa.nulls(rows.num_rows, pa.string()),
            at=at,
            vectors=vectors,
            faults=faults,
            contents=contents,
            segment=_filled(_column(rows, c.segment)),
            prediction=_column(rows, c.prediction),
            label=_column(rows, c.label),
            tokens=tokens,
            encoded_here=c.vector is None,
        )

    def _content(self, rows: pa.RecordBatch) -> pa.Array | None:
        told = self._columns.column
        if told is None or isinstance(told, str):
            return _column(rows, told)
        return pa.StructArray.from_arrays([_column(rows, name) for name in told], names=list(told))


def _contents(
    column: str | Sequence[str] | None, encoder: Encoder | None
) -> str | tuple[str, ...] | None:
    """One column, or the columns of a table; a list of one is a table for an encoder of tables only."""
    if column is None or isinstance(column, str):
        return column
    if len(column) > 1 or (encoder is not None and encoder.modality == "table"):
        return tuple(column)
    return column[0] if column else None


def _column(rows: pa.RecordBatch, name: str | None) -> pa.Array | None:
    if name is None:
        return None
    column = rows.column(name)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        column = column.cast(pa.string())
    return column


def _text(column: pa.Array) -> pa.Array:
    try:
        return column.cast(pa.string())
    except pa.ArrowException as error:
        raise InputError(
            f"A column of {column.type} cannot be read as text.", "Name a flat column."
        ) from error


def _filled(column: pa.Array | None) -> pa.Array | None:
    return None if column is None else pc.fill_null(_text(column), "")
