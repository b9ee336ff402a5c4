"""Interactions: who did what, how much and when; a history a user, split by a stated rule."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, ClassVar

import pyarrow as pa

from spaceport.arrays import integer, pack
from spaceport.errors import InputError, ParameterError, choices
from spaceport.sources._entries import Entries, histories, merged
from spaceport.sources._event_tables import (
    FORMATS,
    columns_of,
    event_format,
    read_events,
    titles_of,
)
from spaceport.sources._events import Events
from spaceport.sources._files import existing, text_codec
from spaceport.sources._item_tables import item_rows, one_row_each
from spaceport.sources._roles import column_for, needed_column
from spaceport.sources._separated import Layout
from spaceport.sources._splits import SPLITS, part_of
from spaceport.sources.base import Source, content_bytes

__all__ = ["Interactions"]

_RULES = {
    "random": "held out: of each user's n entries floor({share} n), by a hash with the seed {seed}",
    "last": "held out: the latest entry of each user with two or more",
    "time": "held out: of all n entries the floor({share} n) latest",
}


class Interactions(Source):
    r"""Users' histories from a table of events (ratings, plays, purchases), one row a user.

    Parameters
    ----------
    path : str or path
        CSV, TSV, ``.dat`` (``::`` or tabs between the fields, no quotes) or JSON lines, each also
        compressed, or Parquet; one event per row.
    user, item : str, optional
        The columns of ids. Left out: the one with a usual name (``user_id``, ``userId``, ``user``, …;
        ``item_id``, ``movieId``, ``artistID``, …).
    value : str, optional
        The column of ratings or counts. Left out: the one with a usual name (``rating``, ``value``,
        ``weight``, ``count``, ``plays``, …); where there is none, every event counts 1.
    time : str, optional
        The column of times: numbers, or dates as in ISO 8601. Left out: the one with a usual name
        (``timestamp``, ``time``, ``date``, …), read only where it is needed.
    duplicates : {"sum", "last", "error"}
        What becomes of several events of one user and item: their values are added, or only the last
        one counts (the latest where there is a column of times, else the one that stands last).
    minimum : float, optional
        Events with a smaller value are left out, before duplicates are merged: ``minimum=4`` keeps of
        explicit ratings what was liked. Users and items with no event left are not in the source.
    part : {"all", "train", "test"}
        Everything, or one side of a split (see Notes).
    share : float
        The test part's share, above 0 and below 1.
    split : {"random", "time", "last"}
        The rule of the split.
    seed : int
        Of the split ``"random"``; another seed is another split.
    titles_from : str or path, optional
        A second table, with the items' names, which the method `titles` gives; `item_features` gives
        its other columns, too.
    title_id, title : str, optional
        Its columns of item ids and of names. Left out: those with usual names.
    title_names : sequence of str, optional
        Its columns' names, where it has no header line.
    encoding : str
        Of both tables, where they are text.
    delimiter : str, optional
        Between the fields of `path`, of one character or more; default a comma for ``.csv``, a tab for
        ``.tsv``.
    names : sequence of str, optional
        The columns' names of `path`, where it has no header line.
    skip_lines : int
        Lines of `path` to leave out before its header line or first row.
    format : {"csv", "tsv", "dat", "jsonl", "parquet"}, optional
        Of `path`; default: told by its ending.

    Notes
    -----
    Duplicates are merged first, so an entry, a user's item with its value and its latest time, is in
    exactly one part. The split's rules:

    ``"random"``
        Of each user's n entries, the floor(share × n) whose hash of seed, user and item is smallest are
        the test part. So with the share 0.2 a user with fewer than five entries keeps all of them in
        the training part; rows in another order, or other users, change nothing.
    ``"last"``
        Each user's latest entry is the test part (`share` does not count); a user's only entry is
        never held out. Of equal times the one further down in the file is later.
    ``"time"``
        Of all n entries the floor(share × n) latest are the test part, whoever's they are; some users
        and items may be in the test part only.

    Ids are text, without white space around them. The ids' order is that of their first events, and
    a history's entries stand in the order of the items. The metadata column ``events`` says how many
    events were merged into a history.

    The whole file is held in memory as columns of numbers: about 120 bytes an event while it is read
    (150 where times are needed) and 40 afterwards, beside the text of the ids. What was read is kept
    for as long as the file is unchanged.

    Raises
    ------
    NotFoundError
        No such path or column, or no column with a usual name (the columns are listed).
    InputError
        Empty ids; values that are no numbers, NaN, infinite or, unless left out by `minimum`,
        negative; times that cannot be read: each counted, with the first one's line. No events left.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "plays.csv")
    ...     written = path.write_text("user,item,plays\nann,song,2\nbob,song,1\nann,song,3\n")
    ...     next(Interactions(path).batches()).to_pylist()[0]
    {'id': 'ann', 'content': [{'item': 'song', 'value': 5.0}], 'events': 2}
    """

    modality: ClassVar[str] = "interactions"
    unique_ids: ClassVar[bool] = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        user: str | None = None,
        item: str | None = None,
        value: str | None = None,
        time: str | None = None,
        duplicates: str = "sum",
        minimum: float | None = None,
        part: str = "all",
        share: float = 0.2,
        split: str = "random",
        seed: int = 0,
        titles_from: str | os.PathLike[str] | None = None,
        title_id: str | None = None,
        title: str | None = None,
        title_names: Sequence[str] | None = None,
        encoding: str = "utf-8",
        delimiter: str | None = None,
        names: Sequence[str] | None = None,
        skip_lines: int = 0,
        format: str | None = None,
    ) -> None:
        self.path = os.fspath(path)
        self.user = user
        self.item = item
        self.value = value
        self.time = time
        self.duplicates = duplicates
        self.minimum = minimum
        self.part = part
        self.share = share
        self.split = split
        self.seed = seed
        self.titles_from = None if titles_from is None else os.fspath(titles_from)
        self.title_id = title_id
        self.title = title
        self.title_names = title_names
        self.encoding = encoding
        self.delimiter = delimiter
        self.names = names
        self.skip_lines = skip_lines
        self.format = format
        self._kept: tuple[object, Entries, dict[str, Any]] | None = None
        text_codec(encoding)
        integer(seed, "seed", 0)
        integer(skip_lines, "skip_lines", 0)
        _refuse_unknown("duplicates", duplicates, ("sum", "last", "error"))
        _refuse_unknown("part", part, ("all", "train", "test"))
        _refuse_unknown("split", split, tuple(SPLITS))
        _refuse_unknown("format", format or "csv", FORMATS)
        _refuse_strings(names=names, title_names=title_names)
        _refuse_out_of_range(share, minimum)

    def size(self) -> int:
        """Bytes of the file, and of the titles' file, as they lie on disk."""
        return sum(existing(path).stat().st_size for path in self._paths())

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield the histories."""
        return histories(self.entries())

    def titles(self) -> Mapping[str, str]:
        """Read the items' names from the table `titles_from`, by item id; empty where there is none.

        Raises
        ------
        NotFoundError
            No such file or column, or no column with a usual name.
        InputError
            An item with two names.
        """
        if self.titles_from is None:
            return {}
        path = existing(self.titles_from)
        return titles_of(path, self._titles_layout(), self.title_id, self.title)

    def item_features(self) -> pa.Table | None:
        """Read the whole table `titles_from`: ``item``, then its other columns; None where there is none.

        Raises
        ------
        NotFoundError
            No such file or column, or no column with a usual name.
        InputError
            An item with two different rows.
        """
        rows = self._item_rows()
        return None if rows is None else one_row_each(rows, existing(self.titles_from or ""))

    def facts(self) -> dict[str, Any]:
        """Events read and left out, entries they were merged into, and the split; nothing before it was read."""
        return {} if self._kept is None else dict(self._kept[2])

    def digest(self) -> str:
        """64 hexadecimal digits over users, items, values, titles and what else is told of the items.

        Equal digests, equal things to learn.
        """
        entries, titles = self.entries(), self.titles()
        found = sha256()
        for strings in (
            entries.users.to_pylist(),
            entries.items.to_pylist(),
            titles,
            titles.values(),
        ):
            for array in pack(list(strings)).values():
                found.update(array.tobytes() + b"|")
        for column in (entries.user, entries.item, entries.values, entries.events):
            found.update(column.tobytes() + b"|")
        told = self._item_rows()
        if told is not None:
            found.update(
                b"|".join([str(told.schema).encode(), *content_bytes(told.to_struct_array())])
            )
        return found.hexdigest()

    def entries(self) -> Entries:
        """The part's entries as columns of numbers, kept for as long as the file is unchanged."""
        status = existing(self.path).stat()
        mark = (status.st_mtime_ns, status.st_size, self.spec)
        if self._kept is None or self._kept[0] != mark:
            self._kept = (mark, *self._read_entries())
        return self._kept[1]

    def _read_entries(self) -> tuple[Entries, dict[str, Any]]:
        events = self._events()
        entries = merged(events, self.duplicates, self.path)
        facts: dict[str, Any] = {"events": len(events), "entries": len(entries)}
        if self.minimum is not None:
            facts["events below the minimum, left out"] = events.below
        if self.part != "all":
            entries = part_of(entries, self.part, self.split, self.share, self.seed)
            facts[f"entries of the part {self.part}"] = len(entries)
            facts["split"] = _RULES[self.split].format(share=self.share, seed=self.seed)
        if not len(entries):
            raise InputError(
                f"The part {self.part!r} of {self.path} holds no events.",
                "Choose a larger share, or another split.",
            )
        return entries, facts

    def _events(self) -> Events:
        path = existing(self.path)
        format = event_format(path, self.format or ("csv" if self.delimiter is not None else None))
        names = None if self.names is None else tuple(self.names)
        layout = Layout(self.encoding, self.delimiter, names=names, skip_lines=self.skip_lines)
        columns = self._columns(columns_of(format, path, layout))
        events = read_events(format, path, layout, columns, self.minimum)
        if not len(events):
            below = "" if self.minimum is None else f" of {self.minimum} or more"
            raise InputError(
                f"{self.path} holds no events{below}.",
                "Check the path, the format and the minimum.",
            )
        return events

    def _columns(self, known: Sequence[str]) -> dict[str, str | None]:
        """The column that plays each part; that of times only where it is needed or named."""
        found = {
            "user": needed_column("user", self.user, known, self.path),
            "item": needed_column("item", self.item, known, self.path),
            "value": column_for("value", self.value, known, self.path),
            "time": None,
        }
        if self.part != "all" and self.split in ("time", "last"):
            found["time"] = needed_column("time", self.time, known, self.path)
        elif self.time is not None or self.duplicates == "last":
            found["time"] = column_for("time", self.time, known, self.path)
        return found

    def _item_rows(self) -> pa.Table | None:
        if self.titles_from is None:
            return None
        return item_rows(existing(self.titles_from), self._titles_layout(), self.title_id)

    def _titles_layout(self) -> Layout:
        names = None if self.title_names is None else tuple(self.title_names)
        return Layout(encoding=self.encoding, names=names)

    def _paths(self) -> list[str]:
        return [self.path, *([] if self.titles_from is None else [self.titles_from])]


def _refuse_unknown(name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise ParameterError(
            f"`{name}` must be one of {', '.join(known)}. Got {value!r}.", choices(value, known)
        )


def _refuse_strings(**lists: Sequence[str] | None) -> None:
    for name, value in lists.items():
        if isinstance(value, str):
            raise ParameterError(f"`{name}` is one string.", f"Give a list: {name}=[{value!r}].")


def _refuse_out_of_range(share: float, minimum: float | None) -> None:
    if not 0 < share < 1:
        raise ParameterError(
            f"`share` must be a number above 0 and below 1. Got {share!r}.", "0.2 is usual."
        )
    if minimum is not None and not math.isfinite(minimum):
        raise ParameterError(
            f"`minimum` must be a finite number. Got {minimum!r}.",
            "Leave it out to keep all events.",
        )
