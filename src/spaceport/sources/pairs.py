"""Pairs: sentences or words that mean the same in two languages."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import pyarrow as pa

from spaceport.arrays import integer
from spaceport.errors import InputError, NotFoundError, ParameterError, choices
from spaceport.sources._columns import texts_of
from spaceport.sources._files import existing, text_codec
from spaceport.sources._ids import content_ids
from spaceport.sources._tables import Chunk, Layout, TableFormat, table_format
from spaceport.sources.base import Source

__all__ = ["Pairs"]

PARTS = ("all", "train", "test")
_SEPARATED = ("csv", "tsv", "dat")


class Pairs(Source):
    r"""Pairs of sentences, or of words, in two languages; one item per pair.

    Parameters
    ----------
    path : str or path
        A table: TSV, CSV, JSON lines (each also compressed), Parquet. A file whose ending tells none
        of these is read as TSV without quotes, the form of parallel text (``fra.txt``).
    languages : sequence of 2 str
        Short names, such as ``("en", "fr")``: letters, digits and ``-``.
    columns : sequence of 2 str, optional
        The columns that hold them, where they are not called as the languages.
    names : sequence of str, optional
        The columns' names, for a table without a header line. A file that is read as TSV because its
        ending tells nothing has the two languages as columns, unless told otherwise.
    part : {"all", "train", "test"}
        ``"test"`` is every `every`-th pair, from the first; ``"train"`` the others.
    every : int
    limit : int, optional
        Read only so many pairs of the file: a file that was cut ends with half a sentence.
    skip_empty : bool
        Leave out pairs with an empty side; otherwise they are an error.
    format, encoding, delimiter, quote
        As in `Texts`.

    Notes
    -----
    The content is a struct with a field for each language. An id is made of the content (see `Texts`).
    The split goes by place: where a file holds a sentence several times, with other translations, it
    can be on both sides.

    Raises
    ------
    NotFoundError
        No such path or column.
    InputError
        Empty sides, ragged rows, another encoding.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "fra.txt")
    ...     written = path.write_text("Go.\tVa !\nHi.\tSalut !\n")
    ...     next(Pairs(path, ("en", "fr")).batches()).to_pylist()[1]
    {'id': '64981417f73b1e306c4b', 'content': {'en': 'Hi.', 'fr': 'Salut !'}}
    """

    modality: ClassVar[str] = "pairs"
    unique_ids: ClassVar[bool] = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        languages: Sequence[str],
        columns: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        part: str = "all",
        every: int = 10,
        limit: int | None = None,
        skip_empty: bool = False,
        format: str | None = None,
        encoding: str = "utf-8",
        delimiter: str | None = None,
        quote: str = '"',
    ) -> None:
        self.path = os.fspath(path)
        self.languages = languages
        self.columns = columns
        self.names = names
        self.part = part
        self.every = integer(every, "every", 2)
        self.limit = limit
        self.skip_empty = skip_empty
        self.format = format
        self.encoding = encoding
        self.delimiter = delimiter
        self.quote = quote
        text_codec(encoding)
        _check_languages(languages)
        if columns is not None and (isinstance(columns, str) or len(columns) != 2):
            raise ParameterError(f"`columns` must be two names. Got {columns!r}.", "Name both.")
        if part not in PARTS:
            raise ParameterError(f"There is no part `{part}`.", choices(str(part), PARTS))
        if limit is not None:
            integer(limit, "limit", 1)

    def size(self) -> int:
        """Bytes of the file as it lies on disk."""
        return existing(self.path).stat().st_size

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield the pairs of the part, after a first pass that found no empty side."""
        if not self.skip_empty:
            self._refuse_empty()
        kind = pa.struct([(str(language), pa.string()) for language in self.languages])
        times: Counter[str] = Counter()
        for _, pairs in self._pairs():
            whole = [pair for pair in pairs if pair[0].strip() and pair[1].strip()]
            if whole:
                ids = content_ids(("\t".join(pair).encode() for pair in whole), times)
                rows = [dict(zip(self.languages, pair, strict=True)) for pair in whole]
                yield pa.record_batch(
                    {"id": pa.array(ids, pa.string()), "content": pa.array(rows, kind)}
                )

    def _pairs(self) -> Iterator[tuple[list[Any], list[tuple[str, str]]]]:
        """The pairs of the part, chunk by chunk, with their places in the file."""
        row = 0
        for chunk in self._chunks():
            left, right = (self._side(chunk, name) for name in self.columns or self.languages)
            count = len(left) if self.limit is None else min(len(left), self.limit - row)
            kept = [at for at in range(count) if self._belongs(row + at)]
            yield [chunk.places[at] for at in kept], [(left[at], right[at]) for at in kept]
            row += count
            if row == self.limit:
                return

    def _belongs(self, row: int) -> bool:
        return self.part == "all" or (row % self.every == 0) == (self.part == "test")

    def _side(self, chunk: Chunk, name: str) -> list[str]:
        if name not in chunk.columns:
            raise NotFoundError(
                f"{self.path} has no column `{name}`.", choices(name, chunk.columns)
            )
        return texts_of(chunk.columns[name])

    def _refuse_empty(self) -> None:
        empty, first = 0, None
        for places, pairs in self._pairs():
            bad = [
                place
                for place, pair in zip(places, pairs, strict=True)
                if not (pair[0].strip() and pair[1].strip())
            ]
            first = bad[0] if bad and first is None else first
            empty += len(bad)
        if empty:
            raise InputError(
                f"{self.path} has {empty} pairs with an empty side; the first is in "
                f"{self._layout()[0].place} {first}.",
                "Mend them, or leave them out with skip_empty=True.",
            )

    def _chunks(self) -> Iterator[Chunk]:
        format, layout = self._layout()
        return format.read(existing(self.path), layout)

    def _layout(self) -> tuple[TableFormat, Layout]:
        """The table's format; a file whose name tells nothing is parallel text."""
        path = existing(self.path)
        try:
            format = table_format(path, self.format or ("csv" if self.delimiter else None))
        except ParameterError:
            called = tuple(self.names or self.columns or self.languages)
            return table_format(path, "tsv"), Layout(self.encoding, None, "", called)
        names = None if self.names is None else tuple(self.names)
        return format, Layout(self.encoding, self.delimiter, self.quote, names)


def _check_languages(languages: Sequence[str]) -> None:
    told = () if isinstance(languages, str) else tuple(languages)
    plain = [str(name).replace("-", "").isalnum() for name in told]
    if len(set(told)) != 2 or len(told) != 2 or not all(plain):
        raise ParameterError(
            f"`languages` must be two short names. Got {languages!r}.",
            'Write for example languages=("en", "fr").',
        )
