"""Vectors that were made elsewhere: NumPy, safetensors, Parquet, Arrow, Lance, word2vec, fastText, GloVe."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
import pyarrow as pa

from spaceport.arrays import ids as checked_ids
from spaceport.errors import InputError, NotFoundError, ParameterError, choices
from spaceport.sources._files import decoded, existing, opened, walk
from spaceport.sources.base import RESERVED, Source, metadata_name
from spaceport.sources.formats import known
from spaceport.sources.formats.base import Request, Rows
from spaceport.sources.formats.stamp import Stamp

__all__ = ["Vectors"]


class Vectors(Source):
    r"""Vectors of a file, one item per row, read in batches.

    Parameters
    ----------
    path : str or path
        npy, npz, safetensors, Parquet, Arrow IPC, the folder of a Lance dataset, word2vec (text and
        binary), fastText's ``.vec`` or GloVe's text; the layouts of words also compressed.
    ids : str, path or sequence of str, optional
        A text file with one id per line, or the ids themselves. Default: the words, or the column or
        array ``id`` or ``ids``, else ``0`` … ``n-1``.
    names : str, optional
        The column (Parquet, Arrow, Lance) or array (npz, safetensors) that holds the ids.
    column : str, optional
        The column or array that holds the vectors; default the only one that can.
    label : str, optional
        The metadata column that users color and judge by (Parquet, Arrow, Lance).
    format : str, optional
        The format's name; default: found by the file's first bytes, then by its ending.
    errors : {"strict", "replace"}
        What to do with words that are not UTF-8.

    Notes
    -----
    Numbers of any real dtype become float32. Pickles are never read. A column that is not nested is
    metadata; where its name is `RESERVED` (``content``, ``text``, …) it gets an underscore at its end.

    Raises
    ------
    NotFoundError
        No such path, format, column or array.
    InputError
        NaN or infinity (counted, the first row told), ragged rows, a header that lies, a truncated
        file, words that are not UTF-8, empty or repeated ids, another number of ids than rows.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "two.txt")
    ...     written = path.write_text("cat 1 0\ndog 0 1\n")
    ...     next(Vectors(path).batches()).to_pylist()
    [{'id': 'cat', 'content': [1.0, 0.0]}, {'id': 'dog', 'content': [0.0, 1.0]}]
    """

    modality: ClassVar[str] = "vectors"

    def __init__(
        self,
        path: str | os.PathLike[str],
        ids: str | os.PathLike[str] | Sequence[str] | None = None,
        names: str | None = None,
        column: str | None = None,
        label: str | None = None,
        format: str | None = None,
        errors: str = "strict",
    ) -> None:
        self.path = os.fspath(path)
        self.ids = os.fspath(ids) if isinstance(ids, os.PathLike) else ids
        self.names = names
        self.column = column
        self.label = label
        self.format = format
        self.errors = errors
        if errors not in ("strict", "replace"):
            raise ParameterError(
                f"`errors` must be strict or replace. Got {errors!r}.", "Choose one."
            )
        if ids is not None and names is not None:
            raise ParameterError(
                "Both `ids` and `names` say where the ids are.", "Give one of them."
            )

    @property
    def stamp(self) -> Stamp | None:
        """Whose coordinates the file says that it holds (Parquet, Arrow, safetensors that we wrote)."""
        path = existing(self.path)
        format = known.find(path) if self.format is None else known.named(self.format)
        return None if format.stamp is None else format.stamp(path)

    def size(self) -> int:
        """Bytes of the file, or of the dataset's files, as they lie on disk."""
        path = existing(self.path)
        files = [file.path for file in walk(path)] if path.is_dir() else [path]
        return sum(file.stat().st_size for file in files)

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows with their ids."""
        given = self._given_ids()
        start = 0
        for rows in _finite(self._rows(), self.path, given):
            count = len(rows.vectors)
            end = start + count
            ids = given[start:end] if given else rows.ids or [str(row) for row in range(start, end)]
            yield self._batch(ids, rows)
            start = end

    def _rows(self) -> Iterator[Rows]:
        path = existing(self.path)
        format = known.find(path) if self.format is None else known.named(self.format)
        return format.read(Request(path, self.column, self.names, self.errors))

    def _given_ids(self) -> list[str] | None:
        if self.ids is None:
            return None
        if not isinstance(self.ids, str):
            return checked_ids(self.ids)
        path = existing(self.ids)
        with opened(path) as stream:
            text = "".join(decoded(stream, "utf-8", path))
        lines = text.removesuffix("\n").split("\n")
        return checked_ids([line.removesuffix("\r") for line in lines], str(path))

    def _batch(self, ids: Sequence[str], rows: Rows) -> pa.RecordBatch:
        content = pa.FixedSizeListArray.from_arrays(rows.vectors.ravel(), rows.vectors.shape[1])
        columns = {"id": pa.array(ids, pa.string()), "content": content}
        if rows.metadata is not None:
            names = set(rows.metadata.schema.names)
            for name in rows.metadata.schema.names:
                ours = metadata_name(name, names - {name})
                columns[ours] = rows.metadata.column(name)
        if self.label is not None and self.label not in set(columns) - RESERVED:
            raise NotFoundError(
                f"{self.path} has no metadata column `{self.label}`.",
                choices(self.label, set(columns) - RESERVED),
            )
        return pa.RecordBatch.from_pydict(columns)


def _finite(batches: Iterator[Rows], path: str, given: Sequence[str] | None) -> Iterator[Rows]:
    """Yield batches as long as all is well; at the first bad one read on to count, then refuse."""
    rows = bad = 0
    first = ""
    for batch in batches:
        broken = np.asarray(~np.isfinite(batch.vectors).all(axis=1))  # (n,)
        if broken.any() and not bad:
            at = int(broken.argmax())
            first = f"row {rows + at}" + (f", {batch.ids[at]!r}" if batch.ids else "")
        bad += int(broken.sum())
        rows += len(broken)
        if not bad and (given is None or rows <= len(given)):
            yield batch
    if bad:
        raise InputError(
            f"{path} has NaN or infinity in {bad} of {rows} rows; the first is {first}.",
            "Remove those rows or mend what made them.",
        )
    if given is not None and rows != len(given):
        raise InputError(
            f"There are {len(given)} ids for the {rows} rows of {path}.", "Give one per row."
        )
