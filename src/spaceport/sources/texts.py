"""Texts with metadata: CSV, TSV, JSON lines, a Parquet column, lines of a file, a folder of files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from spaceport.errors import InputError, NotFoundError, ParameterError, choices
from spaceport.sources._columns import Survey, converted, survey, texts_of
from spaceport.sources._files import existing, text_codec, walk
from spaceport.sources._ids import content_ids
from spaceport.sources._tables import Chunk, Layout, TableFormat, table_format
from spaceport.sources.base import RESERVED, Source, bad_ids, metadata_name

__all__ = ["Texts"]


class Texts(Source):
    r"""Texts of a table or a folder, one item per row or file.

    Parameters
    ----------
    path : str or path
        A file (CSV, TSV, JSON lines, each also compressed; Parquet; ``format="lines"``: any text,
        one item per line) or a folder of text files (all below it; hidden ones left out).
    column : str, optional
        The column of texts. Left out: the only column of text beside `id` and `label`. A folder has
        the columns ``path``, ``text`` and ``folder``.
    id : str, optional
        The column of ids. Left out: a folder's files have their relative path; else ids are made of
        the content (see Notes).
    label : str, optional
        The metadata column that users color and judge by.
    keep : sequence of str, optional
        The columns to keep as metadata; default all that are not nested. `label` always stays.
    encoding : str
        Of all text files.
    delimiter : str, optional
        Between the fields; default a comma for ``.csv`` and a tab for ``.tsv``.
    quote : str
        The quote character; ``""`` where quotes have no meaning.
    names : sequence of str, optional
        The columns' names, for a table without a header line.
    format : {"csv", "tsv", "jsonl", "parquet", "lines", "folder"}, optional
        Default: told by the file's ending.
    skip_empty : bool
        Leave items without text out; otherwise they are an error, for nothing can be encoded.

    Notes
    -----
    An id made of the content is the first 80 bits of its BLAKE2b hash, in hexadecimal; where the same
    content stands again ``-2``, ``-3``, … follow. So added rows, and another order of rows that
    differ, change no id.

    The file is read twice: a first pass learns the columns' types (text that is a number in every
    row becomes numbers, mixed columns stay text, leading zeros are kept) and finds what is wrong before
    anything is handed out. A metadata column with a `RESERVED` name (``id``, ``content``,
    ``text``, …) gets an underscore at its end.

    Raises
    ------
    NotFoundError
        No such path or column; the message tells near spellings and the columns there are.
    InputError
        Empty or repeated ids, items without text, ragged rows, broken JSON, another encoding, a
        binary or truncated file.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "animals.csv")
    ...     written = path.write_text("text,legs\na cat,4\na hen,2\n")
    ...     next(Texts(path).batches()).to_pylist()[1]
    {'id': '714f4bb9622bf29989f1', 'content': 'a hen', 'legs': 2}
    """

    modality: ClassVar[str] = "texts"
    unique_ids: ClassVar[bool] = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        column: str | None = None,
        id: str | None = None,
        label: str | None = None,
        keep: Sequence[str] | None = None,
        encoding: str = "utf-8",
        delimiter: str | None = None,
        quote: str = '"',
        names: Sequence[str] | None = None,
        format: str | None = None,
        skip_empty: bool = False,
    ) -> None:
        self.path = os.fspath(path)
        self.column = column
        self.id = id
        self.label = label
        self.keep = keep
        self.encoding = encoding
        self.delimiter = delimiter
        self.quote = quote
        self.names = names
        self.format = format
        self.skip_empty = skip_empty
        text_codec(encoding)
        for name, value in (("keep", keep), ("names", names)):
            if isinstance(value, str):
                raise ParameterError(
                    f"`{name}` is one string.", f"Give a list: {name}=[{value!r}]."
                )

    def size(self) -> int:
        """Bytes of the file, or of the folder's files, as they lie on disk."""
        path = existing(self.path)
        files = [file.path for file in walk(path)] if path.is_dir() else [path]
        return sum(file.stat().st_size for file in files)

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield the items, after a first pass that found nothing wrong."""
        plan = self._plan()
        times: Counter[str] = Counter()
        for chunk in self._chunks():
            batch = plan.batch(chunk, times)
            if batch.num_rows:
                yield batch

    def _chunks(self) -> Iterator[Chunk]:
        names = None if self.names is None else tuple(self.names)
        layout = Layout(self.encoding, self.delimiter, self.quote, names)
        return self._format().read(existing(self.path), layout)

    def _format(self) -> TableFormat:
        path = existing(self.path)
        separated = self.delimiter is not None and not path.is_dir()
        return table_format(path, self.format or ("csv" if separated else None))

    def _plan(self) -> Plan:
        format = self._format()
        id = self.id or format.id
        known = survey(self._chunks(), self.column or format.content, id, format.typed)
        if not known.rows:
            raise InputError(f"{self.path} holds no items.", "Check the path and the format.")
        for name in filter(None, (self.column, id, self.label, *(self.keep or ()))):
            _refuse_unknown(name, known, self.path)
        content = self.column or format.content or self._only_text(known, id)
        self._refuse_bad(known, content, id)
        return Plan(content, id, self._metadata(known, content, id))

    def _only_text(self, known: Survey, id: str | None) -> str:
        kinds = {name: column.type for name, column in known.columns.items()}
        texts = [
            n for n, kind in kinds.items() if kind == pa.string() and n not in (id, self.label)
        ]
        if len(texts) != 1:
            found = "no column" if not texts else f"{len(texts)} columns"
            raise NotFoundError(
                f"{self.path} has {found} of text: which one is meant is not clear.",
                f"Say column=. {choices('', kinds)}",
            )
        return texts[0]

    def _refuse_bad(self, known: Survey, content: str, id: str | None) -> None:
        place = self._format().place
        if id is not None and (len(known.ids) < known.rows or "" in known.ids):
            first = f"; the first empty one is in {place} {known.first_bare}" * ("" in known.ids)
            raise InputError(
                f"The column `{id}` of {self.path} has {bad_ids(known.ids)}{first}.",
                "Name another id column, or none to have ids made from the content.",
            )
        column = known.columns[content]
        if column.blank and not self.skip_empty:
            raise InputError(
                f"{self.path} has {column.blank} of {known.rows} items without text in `{content}`; "
                f"the first is in {place} {column.first_blank}.",
                "Mend them, or leave them out with skip_empty=True.",
            )

    def _metadata(
        self, known: Survey, content: str, id: str | None
    ) -> dict[str, tuple[str, pa.DataType]]:
        """Our name and type of each metadata column, by its name in the table."""
        if self.label in RESERVED or (self.label and self.label in (content, id)):
            raise ParameterError(
                f"`label` must be a metadata column. Got {self.label!r}, which is the content, the id, "
                "or a name with a meaning of its own.",
                "Choose another column, or rename it.",
            )
        kept = [*(known.columns if self.keep is None else self.keep), *filter(None, [self.label])]
        columns: dict[str, tuple[str, pa.DataType]] = {}
        for name in dict.fromkeys(kept):
            kind = known.columns[name].type
            if name not in (content, id) and kind is not None:
                ours = metadata_name(name, {*known.columns} - {name})
                columns[name] = (ours, pa.string() if kind == pa.null() else kind)
        return columns


@dataclass(frozen=True)
class Plan:
    """Which column plays which part, and the name and type that each metadata column gets."""

    content: str
    id: str | None
    metadata: dict[str, tuple[str, pa.DataType]]

    def batch(self, chunk: Chunk, times: Counter[str]) -> pa.RecordBatch:
        """Make the items of `chunk`; `times` remembers how often each content came up."""
        rows = len(chunk.places)
        contents = texts_of(chunk.columns.get(self.content, [None] * rows))
        columns = {"content": pa.array(contents, pa.string())}
        for name, (ours, kind) in self.metadata.items():
            columns[ours] = converted(chunk.columns.get(name), kind, rows)
        if self.id is not None:
            columns["id"] = pa.array(texts_of(chunk.columns[self.id]), pa.string())
        batch = pa.RecordBatch.from_pydict(columns)
        if not all(map(str.strip, contents)):
            batch = batch.filter(pa.array([bool(text.strip()) for text in contents]))
        if self.id is None:
            made = content_ids(map(str.encode, batch.column("content").to_pylist()), times)
            batch = batch.append_column("id", pa.array(made, pa.string()))
        return batch.select(["id", *(name for name in columns if name != "id")])


def _refuse_unknown(name: str, known: Survey, path: str) -> None:
    if name not in known.columns:
        raise NotFoundError(f"{path} has no column `{name}`.", choices(name, known.columns))
    if known.columns[name].type is None:
        raise InputError(
            f"The column `{name}` of {path} is nested: lists or objects.", "Choose a flat column."
        )
