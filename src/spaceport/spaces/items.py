"""Items on their way from a source to a version: spooled once, hashed, compared with what is there."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

import pyarrow as pa

from spaceport.progress import task
from spaceport.sources.base import Source, content_bytes
from spaceport.storage.clock import now

__all__ = ["OWN", "Difference", "Spool", "content_hash", "difference", "item_hash"]

OWN = ("id", "vector", "content_hash", "item_hash")
HASH_BYTES = 16
HASH_TYPE = pa.binary(HASH_BYTES)


class Spool(Source):
    """A source read exactly once, into a temporary Arrow file, with each item's two hashes.

    Planning, fitting and encoding then see the same items, even if the source changes meanwhile.
    ``content_hash`` is over the content alone (the same: the vector is kept); ``item_hash`` over
    content and metadata (the same: the whole row is kept). `when` is the time at which it was read.
    """

    unique_ids = True

    def __init__(self, source: Source, folder: Path | None = None) -> None:
        self.source = source
        self.modality = source.modality  # type: ignore[misc]  # a spool is of its source's kind
        self.label = source.label
        self._folder = tempfile.TemporaryDirectory(dir=folder, prefix="spool-")
        self._path = Path(self._folder.name) / "items.arrow"
        self.rows = self.content_bytes = 0
        self.when = now()
        self._seen = sha256()
        try:
            self.schema = self._fill()
        except BaseException:
            self.close()
            raise

    def _fill(self) -> pa.Schema:
        with task("reading", unit="items") as work, pa.OSFile(str(self._path), "wb") as sink:
            writer: pa.RecordBatchFileWriter | None = None
            for batch in self.source.batches():
                hashed = self._hashed(batch)
                if writer is None:
                    writer = pa.ipc.new_file(sink, hashed.schema)
                writer.write_batch(hashed)
                self.rows += batch.num_rows
                work.advance(batch.num_rows)
            assert writer is not None, "Source.batches refuses a source without items"
            writer.close()
            return hashed.schema

    def _hashed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        contents = content_bytes(batch.column("content"))
        self.content_bytes += sum(map(len, contents))
        first = [content_hash(content) for content in contents]
        second = [item_hash(h, row) for h, row in zip(first, _metadata(batch), strict=True)]
        for name, digest in zip(batch.column("id").to_pylist(), second, strict=True):
            self._seen.update(name.encode("utf-8", "surrogatepass") + b"\0" + digest)
        columns = {name: batch.column(name) for name in batch.schema.names}
        columns["content_hash"] = pa.array(first, HASH_TYPE)
        columns["item_hash"] = pa.array(second, HASH_TYPE)
        return pa.RecordBatch.from_pydict(columns)

    @property
    def sha256(self) -> str:
        """64 hexadecimal digits over ids, contents and metadata, in order."""
        return self._seen.hexdigest()

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield the spooled batches, memory-mapped."""
        with pa.memory_map(str(self._path)) as mapped:
            reader = pa.ipc.open_file(mapped)
            for number in range(reader.num_record_batches):
                yield reader.get_batch(number)

    def size(self) -> int:
        """Bytes of the source behind."""
        return self.source.size()

    def facts(self) -> dict[str, Any]:
        """The facts of the source behind."""
        return self.source.facts()

    @property
    def spec(self) -> str:
        """The spec of the source behind."""
        return self.source.spec

    def close(self) -> None:
        """Remove the temporary file."""
        self._folder.cleanup()


@dataclass(frozen=True)
class Difference:
    """How new items differ from a version's: ids by what happens to them.

    Attributes
    ----------
    kept, added, changed, relabeled, removed : list of str
        Rows that stay as they are; new ids; ids with other content; ids with the same content but
        other metadata; ids gone.
    """

    kept: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    relabeled: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Number of items there will be."""
        return len(self.kept) + len(self.added) + len(self.changed) + len(self.relabeled)

    @property
    def items_differ(self) -> bool:
        """A vector appears, changes or goes."""
        return bool(self.added or self.changed or self.removed)

    @property
    def nothing(self) -> bool:
        """Every row stays as it is."""
        return not self.items_differ and not self.relabeled


def difference(
    before: Iterable[tuple[str, bytes, bytes]], after: Iterable[tuple[str, bytes, bytes]]
) -> Difference:
    """Compare items given as (id, content hash, item hash).

    Examples
    --------
    >>> difference([("a", b"1", b"1"), ("b", b"2", b"2")], [("a", b"1", b"9"), ("c", b"3", b"3")])
    Difference(kept=[], added=['c'], changed=[], relabeled=['a'], removed=['b'])
    """
    old = {name: (content, item) for name, content, item in before}
    kept, added, changed, relabeled = [], [], [], []
    for name, content, item in after:
        was = old.pop(name, None)
        if was is None:
            added.append(name)
        elif was[0] != content:
            changed.append(name)
        elif was[1] != item:
            relabeled.append(name)
        else:
            kept.append(name)
    return Difference(kept, added, changed, relabeled, list(old))


def content_hash(content: bytes) -> bytes:
    """16 bytes of BLAKE2b over the content."""
    return blake2b(content, digest_size=HASH_BYTES).digest()


def item_hash(content: bytes, metadata: dict[str, Any]) -> bytes:
    """16 bytes of BLAKE2b over the content's hash and the metadata as sorted JSON."""
    told = json.dumps(metadata, sort_keys=True, default=str, ensure_ascii=False) if metadata else ""
    return blake2b(content + told.encode("utf-8", "surrogatepass"), digest_size=HASH_BYTES).digest()


def _metadata(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    names = [name for name in batch.schema.names if name not in ("id", "content")]
    if not names:
        return [{}] * batch.num_rows
    rows: list[dict[str, Any]] = batch.select(names).to_pylist()
    return rows
