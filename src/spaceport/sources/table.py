"""Rows of a table: numbers, categories, dates and texts beside each other, with gaps."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from spaceport.errors import InputError, NotFoundError, ParameterError, choices
from spaceport.sources._columns import Survey, converted, survey, texts_of
from spaceport.sources._dates import DATE, Looks, formats_of, looking, parsed
from spaceport.sources._files import existing, text_codec
from spaceport.sources._ids import content_ids
from spaceport.sources._tables import Chunk, Layout, TableFormat, table_format
from spaceport.sources.base import RESERVED, Source, bad_ids, content_bytes, metadata_name

__all__ = ["Table"]


class Table(Source):
    r"""Rows of a table, one item per row; its columns are features, the label and others metadata.

    Parameters
    ----------
    path : str or path
        CSV, TSV, JSON lines (each also compressed) or Parquet.
    id : str, optional
        The column of ids. Left out: ids are made of the features (see Notes).
    label : str, optional
        The metadata column that users color and judge by; never a feature. It may be missing in rows.
    columns : sequence of str, optional
        The features; default all columns but `id`, `label` and those left out.
    leave_out : sequence of str, optional
        Columns that are no features.
    keep : sequence of str, optional
        Metadata columns, features among them if wanted; default all that are no features.
    missing : sequence of str
        Values that mean "missing", such as ``"?"`` and ``"NA"``; the empty one always does.
    dates : mapping of str to str or sequence of str, optional
        The format, or formats, of a column of dates, as strptime has them:
        ``{"seen": ["%Y-%m-%d", "%d/%m/%Y"]}``, tried in order. A column whose values are all ISO dates
        or times needs none.
    encoding : str
        Of a text file.
    delimiter : str, optional
        Between the fields; default a comma for ``.csv`` and a tab for ``.tsv``.
    quote : str
        The quote character; ``""`` where quotes have no meaning.
    names : sequence of str, optional
        The columns' names, for a table without a header line.
    format : {"csv", "tsv", "jsonl", "parquet"}, optional
        Default: told by the file's ending.

    Notes
    -----
    An id made of the features is the first 80 bits of the BLAKE2b hash of the row as JSON, in
    hexadecimal; where an equal row stands again ``-2``, ``-3``, … follow.

    The file is read twice: a first pass learns the columns' types. In CSV and TSV white space around
    a value is no part of it, and a column of which every value is a number (or true and false) holds
    numbers (truth values). Columns of nested values are no features. A column that is all missing
    stays, as text without a value. `facts` names, after reading, the columns that are empty and those
    that stayed text although most of their values look like numbers or all of them like dates, with
    what to say to have them read so.

    Raises
    ------
    NotFoundError
        No such path or column.
    InputError
        Empty or repeated ids, a date in none of the formats told, no features at all, ragged rows,
        broken JSON, another encoding, a binary or truncated file.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "birds.csv")
    ...     written = path.write_text("kind,size,seen\ngull,50,2024-05-01\nwren,?,2024-05-02\n")
    ...     next(Table(path, label="kind", missing=["?"]).batches()).to_pylist()[1]
    {'id': '5b81d298fb5313f4d749',
     'content': {'size': None, 'seen': datetime.datetime(2024, 5, 2, 0, 0)}, 'kind': 'wren'}
    """

    modality: ClassVar[str] = "table"
    unique_ids: ClassVar[bool] = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        id: str | None = None,
        label: str | None = None,
        columns: Sequence[str] | None = None,
        leave_out: Sequence[str] | None = None,
        keep: Sequence[str] | None = None,
        missing: Sequence[str] = (),
        dates: Mapping[str, str | Sequence[str]] | None = None,
        encoding: str = "utf-8",
        delimiter: str | None = None,
        quote: str = '"',
        names: Sequence[str] | None = None,
        format: str | None = None,
    ) -> None:
        self.path = os.fspath(path)
        self.id = id
        self.label = label
        self.columns = columns
        self.leave_out = leave_out
        self.keep = keep
        self.missing = missing
        self.dates = dates
        self.encoding = encoding
        self.delimiter = delimiter
        self.quote = quote
        self.names = names
        self.format = format
        self._facts: dict[str, Any] = {}
        text_codec(encoding)
        for name in ("columns", "leave_out", "keep", "missing", "names"):
            if isinstance(getattr(self, name), str):
                raise ParameterError(
                    f"`{name}` is one string.", f"Give a list: {name}=[{getattr(self, name)!r}]."
                )

    def size(self) -> int:
        """Bytes of the file as it lies on disk."""
        return existing(self.path).stat().st_size

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows, after a first pass that found nothing wrong."""
        plan = self._plan()
        times: Counter[str] = Counter()
        for chunk in self._chunks():
            yield plan.batch(chunk, times)

    def facts(self) -> dict[str, Any]:
        """Columns that are empty, and those that look like numbers or dates and stayed text."""
        return dict(self._facts)

    def _chunks(self) -> Iterator[Chunk]:
        names = None if self.names is None else tuple(self.names)
        layout = Layout(self.encoding, self.delimiter, self.quote, names)
        format, gone = self._format(), {"", *self.missing}
        for chunk in format.read(existing(self.path), layout):
            columns = {n: _cleaned(v, gone, not format.typed) for n, v in chunk.columns.items()}
            yield Chunk(columns, chunk.places)

    def _format(self) -> TableFormat:
        path = existing(self.path)
        if path.is_dir():
            raise InputError(f"{path} is a folder.", "Give a file that holds a table.")
        return table_format(path, self.format or ("csv" if self.delimiter is not None else None))

    def _plan(self) -> Plan:
        looks: dict[str, Looks] = {}
        known = survey(looking(self._chunks(), looks), "", self.id, self._format().typed)
        if not known.rows:
            raise InputError(f"{self.path} holds no items.", "Check the path and the format.")
        formats = formats_of(self.dates)
        told = (self.id, self.label, *(self.columns or ()), *(self.leave_out or ()))
        for name in filter(None, (*told, *(self.keep or ()), *formats)):
            _refuse_unknown(name, known, self.path)
        self._refuse_bad_ids(known)
        kinds = _kinds(known, looks, formats)
        plan = Plan(self.id, self._features(kinds), {}, formats)
        self._facts = _facts(plan.features, known, looks)
        plan.metadata.update(self._metadata(kinds, plan))
        return plan

    def _features(self, kinds: dict[str, pa.DataType]) -> dict[str, pa.DataType]:
        apart = {self.id, self.label, *(self.leave_out or ())}
        if self.columns is not None and apart & set(self.columns):
            both = next(name for name in self.columns if name in apart)
            raise ParameterError(
                f"`{both}` is among the `columns`, and also the id, the label or left out.",
                "A column plays one part: take it out of one of them.",
            )
        chosen = kinds if self.columns is None else self.columns
        features = {name: kinds[name] for name in chosen if name not in apart}
        if not features:
            raise InputError(f"{self.path} has no columns left as features.", "Choose some.")
        return features

    def _metadata(
        self, kinds: dict[str, pa.DataType], plan: Plan
    ) -> dict[str, tuple[str, pa.DataType]]:
        """Our name and the type of each metadata column, by its name in the table."""
        if self.label in RESERVED or (self.label is not None and self.label == self.id):
            raise ParameterError(
                f"`label` must be a metadata column. Got {self.label!r}, which is the id or a name with "
                "a meaning of its own.",
                "Choose another column, or rename it.",
            )
        unchosen = [name for name in kinds if name not in plan.features]
        kept = [*(unchosen if self.keep is None else self.keep), *filter(None, [self.label])]
        names = [name for name in dict.fromkeys(kept) if name != self.id]
        return {name: (metadata_name(name, {*kinds} - {name}), kinds[name]) for name in names}

    def _refuse_bad_ids(self, known: Survey) -> None:
        if self.id is not None and (len(known.ids) < known.rows or "" in known.ids):
            first = f"; the first empty one is in {self._format().place} {known.first_bare}"
            raise InputError(
                f"The column `{self.id}` of {self.path} has {bad_ids(known.ids)}"
                f"{first * ('' in known.ids)}.",
                "Name another id column, or none to have ids made from the content.",
            )


@dataclass(frozen=True)
class Plan:
    """Which column plays which part, and the type that each one gets."""

    id: str | None
    features: dict[str, pa.DataType]
    metadata: dict[str, tuple[str, pa.DataType]]
    dates: dict[str, tuple[str, ...]]

    def batch(self, chunk: Chunk, times: Counter[str]) -> pa.RecordBatch:
        """Make the items of `chunk`; `times` remembers how often each row came up."""
        arrays = [self._column(chunk, name, kind) for name, kind in self.features.items()]
        content = pa.StructArray.from_arrays(arrays, names=list(self.features))
        named = None if self.id is None else texts_of(chunk.columns[self.id])
        ids = content_ids(content_bytes(content), times) if named is None else named
        columns = {"id": pa.array(ids, pa.string()), "content": content}
        for name, (ours, kind) in self.metadata.items():
            columns[ours] = self._column(chunk, name, kind)
        return pa.RecordBatch.from_pydict(columns)

    def _column(self, chunk: Chunk, name: str, kind: pa.DataType) -> pa.Array:
        values = chunk.columns.get(name)
        if kind == DATE:
            return parsed(values, self.dates.get(name, ()), name, chunk.places)
        return converted(values, kind, len(chunk.places))


def _cleaned(values: Sequence[Any] | pa.Array, gone: set[str], strip: bool) -> Any:
    """The values with None for those that mean missing; `strip` the white space around text first."""
    if isinstance(values, pa.Array):
        if not pa.types.is_string(values.type):
            return values
        return pc.if_else(pc.is_in(values, pa.array(sorted(gone))), None, values)
    if strip:
        stripped = (value.strip() for value in values)
        return [None if value in gone else value for value in stripped]
    return [None if type(value) is str and value in gone else value for value in values]


def _kinds(
    known: Survey, looks: dict[str, Looks], formats: dict[str, tuple[str, ...]]
) -> dict[str, pa.DataType]:
    """The type of each column that is not nested: dates where they are told or all in ISO's layout."""
    kinds = {}
    for name, column in known.columns.items():
        if column.type is None:
            continue
        kinds[name] = pa.string() if column.type == pa.null() else column.type
        if name in formats or (kinds[name] == pa.string() and looks[name].iso):
            kinds[name] = DATE
    return kinds


def _facts(
    features: dict[str, pa.DataType], known: Survey, looks: dict[str, Looks]
) -> dict[str, Any]:
    empty = [name for name in features if known.columns[name].type == pa.null()]
    texts = [name for name, kind in features.items() if kind == pa.string()]
    told = {name: looks[name].told(name) for name in texts}
    doubtful = {name: text for name, text in told.items() if text}
    facts = {"columns": len(features), "empty_columns": empty, "doubtful_columns": doubtful}
    return {name: fact for name, fact in facts.items() if fact}


def _refuse_unknown(name: str, known: Survey, path: str) -> None:
    if name not in known.columns:
        raise NotFoundError(f"{path} has no column `{name}`.", choices(name, known.columns))
    if known.columns[name].type is None:
        raise InputError(
            f"The column `{name}` of {path} is nested: lists or objects.", "Choose a flat column."
        )
