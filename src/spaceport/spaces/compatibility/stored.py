"""What a version keeps of its items, read again as a source: a migration needs no file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from spaceport.errors import InputError
from spaceport.methods import make, names, parse
from spaceport.sources.base import Source, content_bytes
from spaceport.spaces.items import content_hash
from spaceport.spaces.layout import metadata_names

if TYPE_CHECKING:
    from spaceport.spaces.version import Version

__all__ = ["Part", "Stored", "source_named"]


class Stored(Source):
    """The kept texts, or rows of a table, of a version, with their ids and metadata.

    Parameters
    ----------
    version : Version

    Raises
    ------
    InputError
        The version does not keep its contents, or not as they were given.
    """

    unique_ids = True

    def __init__(self, version: Version) -> None:
        self.version = version
        self.label = version.label
        self._kept = [str(name) for name in version.record.notes.get("content", ())]
        if not self._kept:
            raise _not_kept(version)
        self.modality = version.contract.modality  # type: ignore[misc]  # of the version's kind
        self._table = version._store.vectors(version.record)

    @property
    def spec(self) -> str:
        """Which version's contents these are."""
        return f"contents kept with {self.version.reference}"

    def size(self) -> int:
        """Bytes of the contents, unpacked."""
        return sum(
            len(data) for batch in self.read() for data in content_bytes(batch.column("content"))
        )

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield the items; the first batch's contents are held against their hashes."""
        metadata = [name for name in metadata_names(self._table.schema) if name not in self._kept]
        checked = False
        for rows in self._table.scan(["id", "content_hash", *self._kept, *metadata]):
            content = self._content(rows)
            if not checked:
                self._check(content, rows.column("content_hash"))
                checked = True
            columns = {"id": rows.column("id"), "content": content}
            yield pa.RecordBatch.from_pydict(
                columns | {name: rows.column(name) for name in metadata}
            )

    def _content(self, batch: pa.RecordBatch) -> pa.Array:
        if self._kept == ["text"] and self.modality != "table":
            return batch.column("text")
        return pa.StructArray.from_arrays(
            [batch.column(name) for name in self._kept], names=self._kept
        )

    def _check(self, content: pa.Array, kept: pa.Array) -> None:
        found = [content_hash(data) for data in content_bytes(content)]
        if found != kept.to_pylist():
            raise _not_kept(self.version)


class Part(Source):
    """Some items of a source, evenly spaced.

    Parameters
    ----------
    source : Source
    most : int
    count : int
        How many items `source` has.
    """

    unique_ids = True

    def __init__(self, source: Source, most: int, count: int) -> None:
        self.source = source
        self.modality = source.modality  # type: ignore[misc]  # of the source's kind
        self.label = source.label
        self._places = np.unique(np.linspace(0, count - 1, min(most, count)).astype(np.int64))

    @property
    def spec(self) -> str:
        """What it is a part of."""
        return f"{len(self._places)} items of {self.source.spec}"

    def size(self) -> int:
        """Bytes of the source behind."""
        return self.source.size()

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield the items of each batch that are wanted."""
        start = 0
        for batch in self.source.batches():
            here = (self._places >= start) & (self._places < start + batch.num_rows)
            if here.any():
                yield batch.take(pa.array(self._places[here] - start))
            start += batch.num_rows


def _not_kept(version: Version) -> InputError:
    spec = version.record.notes.get("source")
    return InputError(
        f"{version.reference} does not keep its items' contents, so they cannot be encoded again.",
        f'Give the source: --source "{spec}", or source= in Python.',
    )


def source_named(text: str, modality: str) -> Source:
    """Give the source that a line names: ``texts("news.csv", column="body")``, or only a path.

    A path is read by the source of the modality.
    """
    name = text.partition("(")[0].strip()
    if text.rstrip().endswith(")") and name in names("sources"):
        found: Source = parse("sources", text)
        return found
    method = {"words": "corpus"}.get(modality, modality)
    made: Source = make("sources", method, {"path": text})
    return made
