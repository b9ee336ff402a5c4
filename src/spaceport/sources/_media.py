"""What the sources of pictures and of sounds share: one item per file, its bytes as the content."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar

import pyarrow as pa

from spaceport.errors import InputError, NotFoundError, ParameterError, choices
from spaceport.sources import _packed_column
from spaceport.sources._files import existing
from spaceport.sources._ids import content_ids
from spaceport.sources._packs import Chunk, chunks, total_size
from spaceport.sources.base import RESERVED, Source

__all__ = ["MediaSource"]


class MediaSource(Source):
    """Files of one kind: of a folder, of a tar or zip archive, or in a column of a Parquet file.

    A kind writes `look`, and declares `modality`, `things`, `endings` and `columns`.

    Parameters
    ----------
    path : str or path
        A folder (all below it, sorted; hidden files left out), an archive (``.tar``, also ``.gz``,
        ``.bz2``, ``.xz``; ``.zip``; read in its order, never unpacked to the disk), a Parquet file, or
        one file.
    column : str, optional
        The binary column of a Parquet file, or Hugging Face's ``struct<bytes, path>``; default the
        only one that there is.
    id : str, optional
        The column of ids of a Parquet file. Left out: ids are made of the content. Files of a folder
        or an archive have their relative path.
    label : str, optional
        The metadata column that users color and judge by.
    skip_unreadable : bool
        Leave out files that cannot be read; `facts` counts them.

    Attributes
    ----------
    things : str
        What its files are called, in the plural.
    endings : frozenset of str
        Lower-case endings of the files that are taken.
    columns : pyarrow.Schema
        Names and types of what `look` gives.
    """

    things: ClassVar[str]
    endings: ClassVar[frozenset[str]]
    columns: ClassVar[pa.Schema]

    def __init__(
        self,
        path: str | os.PathLike[str],
        column: str | None = None,
        id: str | None = None,
        label: str | None = None,
        skip_unreadable: bool = False,
    ) -> None:
        self.path = os.fspath(path)
        self.column = column
        self.id = id
        self.label = label
        self.skip_unreadable = skip_unreadable
        self._facts: dict[str, int] = {}

    @abstractmethod
    def look(self, name: str, data: bytes) -> dict[str, Any]:
        """Metadata of one file, a value for each of `columns`.

        Parameters
        ----------
        name : str
            Its relative path, or its row.
        data : bytes

        Raises
        ------
        InputError or ValueError
            It cannot be read; the first line says why.
        """

    def chunks(self) -> Iterator[Chunk]:
        """Yield the files as they lie there."""
        path = existing(self.path)
        if _packed_column.matches(path):
            return _packed_column.chunks(path, self.column, self.id, self.columns.names)
        for name, value in (("column", self.column), ("id", self.id)):
            if value is not None:
                raise ParameterError(
                    f"`{name}` names a column of a Parquet file, and {path} is none.",
                    f"Leave {name} out.",
                )
        return chunks(path, self.endings)

    def size(self) -> int:
        """Bytes of the file, or of the folder's files, as they lie on disk."""
        return total_size(existing(self.path), self.endings)

    def facts(self) -> dict[str, int]:
        """How many files there were when it was last read, and how many of them were unreadable."""
        return dict(self._facts)

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield the items; from the first unreadable file on only count, unless they are skipped."""
        times: Counter[str] = Counter()
        bad: list[str] = []
        files = 0
        for chunk in self.chunks():
            files += len(chunk.files)
            batch = self._batch(chunk, times, bad)
            if batch.num_rows and (self.skip_unreadable or not bad):
                self._refuse_label(batch.schema)
                yield batch
        self._facts = {"files": files, "unreadable": len(bad)}
        if bad and not self.skip_unreadable:
            raise InputError(
                f"{len(bad):,} of {files:,} files in {self.path} cannot be read as {self.things}; "
                f"{_first(bad)}.",
                "Mend them, or leave them out with skip_unreadable=True.",
            )

    def _batch(self, chunk: Chunk, times: Counter[str], bad: list[str]) -> pa.RecordBatch:
        """Make items of the files that can be read; `bad` gets the others, `times` each content's count."""
        kept: list[int] = []
        seen: list[dict[str, Any]] = []
        for row, (place, file) in enumerate(zip(chunk.places, chunk.files, strict=True)):
            try:
                seen.append(self._looked(place, file))
                kept.append(row)
            except ValueError as error:
                bad.append(f"{place}: {str(error).partition(chr(10))[0].rstrip('.')}")
        files = [file for row in kept if isinstance(file := chunk.files[row], bytes)]
        given = {
            name: values.take(pa.array(kept, pa.int64())) for name, values in chunk.columns.items()
        }
        ids = given.pop("id") if "id" in given else pa.array(content_ids(files, times), pa.string())
        columns = {"id": ids, "content": pa.array(files, pa.binary()), **given}
        for field in self.columns:
            columns[field.name] = pa.array([row[field.name] for row in seen], field.type)
        return pa.RecordBatch.from_pydict(columns)

    def _looked(self, place: str, file: bytes | str) -> dict[str, Any]:
        if isinstance(file, str):
            raise ValueError(file)
        if not file:
            raise ValueError("it is empty")
        return self.look(place, file)

    def _refuse_label(self, schema: pa.Schema) -> None:
        names = set(schema.names) - RESERVED
        if self.label is not None and self.label not in names:
            raise NotFoundError(
                f"{self.path} has no metadata column `{self.label}`.", choices(self.label, names)
            )


def _first(bad: list[str], shown: int = 3) -> str:
    """Name the first of the unreadable files."""
    told = "the first is" if len(bad) == 1 else "the first are"
    return f"{told} {'; '.join(bad[:shown])}"
