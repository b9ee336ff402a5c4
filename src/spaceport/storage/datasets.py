"""Write a version's vectors with Lance: a new dataset for a major, a new Lance version for a minor.

Lance writes a file under a passing name and renames it when it is whole, so what has its final name
may be hashed and brought to the disk while the next file is being written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from queue import Empty, Full, Queue
from typing import Any

import pyarrow as pa

from spaceport.errors import BusyError, InputError
from spaceport.storage.files import Entry
from spaceport.storage.places import Place
from spaceport.storage.sealing import Sealer
from spaceport.storage.vectors import HINT, VectorTable, lance_library

__all__ = ["Written", "create", "extend"]

FILE_BYTES = 32 << 20
DELETE_CHUNK = 10_000


@dataclass(frozen=True)
class Written:
    """A new Lance version: its table, all files that it needs, and the entries of the new ones."""

    table: VectorTable
    needed: frozenset[str]
    entries: tuple[Entry, ...]


def create(place: Place, schema: pa.Schema, batches: Iterable[pa.RecordBatch], tag: str) -> Written:
    """Write a new dataset, see that it is there for good, and hash it.

    Parameters
    ----------
    place : Place
        Where nothing is yet.
    schema : pyarrow.Schema
        Has at least ``id`` (string) and ``vector`` (fixed-size list of float32).
    batches : iterable of pyarrow.RecordBatch
        Of that schema; read once, in the caller's thread.
    tag : str
        Lance's name for the version, so that Lance's own cleanup keeps it.
    """
    _check_schema(schema)
    with place.working(), place.writable() as uri, closing(Sealer(place)) as sealer:
        head = _write(place, uri, schema, batches, sealer, "create")
        return _finish(place, uri, head.version, tag, sealer, frozenset())


def extend(
    place: Place,
    base_version: int,
    remove_ids: Sequence[str],
    batches: Iterable[pa.RecordBatch],
    tag: str,
) -> Written:
    """Write the Lance version after `base_version`: without `remove_ids`, then `batches`.

    Where the dataset's head is another version, `base_version` is restored first. The versions
    between, which nobody asked for, are removed again.

    Raises
    ------
    BusyError
        Somebody else wrote to the dataset meanwhile.
    """
    before = frozenset(place.listing())
    with place.working(), place.writable() as uri, closing(Sealer(place)) as sealer:
        dataset = lance_library().dataset(uri, version=base_version, storage_options=place.options)
        expected = dataset.latest_version
        if expected != base_version:
            dataset.restore()
            expected = _next(place, expected, dataset)
        for start in range(0, len(remove_ids), DELETE_CHUNK):
            dataset.delete(_any_of(remove_ids[start : start + DELETE_CHUNK]))
            expected = _next(place, expected, dataset)
        head = _write(place, uri, dataset.schema, batches, sealer, "append")
        return _finish(place, uri, _next(place, expected, head), tag, sealer, before)


def _next(place: Place, before: int, dataset: Any) -> int:
    """Give the dataset's version, which is one more than `before` if nobody else writes to it."""
    version: int = dataset.version
    if version != before + 1:
        raise BusyError(
            f"Another process wrote to {place} in the meantime.", "Run it again; nothing was lost."
        )
    return version


def _check_schema(schema: pa.Schema) -> None:
    names = schema.names
    usable = "id" in names and "vector" in names and schema.field("id").type == pa.string()
    vector = schema.field("vector").type if usable else pa.null()
    if not pa.types.is_fixed_size_list(vector) or vector.value_type != pa.float32():
        raise InputError(
            f"The columns {', '.join(names)} cannot be published.",
            "Give at least `id` (string) and `vector` (fixed-size list of float32).",
        )


def _finish(
    place: Place, uri: str, version: int, tag: str, sealer: Sealer, before: frozenset[str]
) -> Written:
    head = lance_library().dataset(uri, version=version, storage_options=place.options)
    head.tags.create(tag, version)
    table = VectorTable(place, version)
    needed = frozenset(table.files() | {f"_refs/tags/{tag}.json"})
    place.prune(place.listing().keys() - before - needed - {HINT})
    return Written(table, needed, tuple(sealer.entries(needed - before)))


def _write(
    place: Place,
    uri: str,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    sealer: Sealer,
    mode: str,
) -> Any:
    lance = lance_library()

    def write(stream: Iterator[pa.RecordBatch]) -> Any:
        return lance.write_dataset(
            pa.RecordBatchReader.from_batches(schema, stream),
            uri,
            mode=mode,
            data_storage_version="stable",
            max_bytes_per_file=FILE_BYTES,
            progress=_progress(sealer),
            storage_options=place.options,
        )

    return _fed(_checked(batches, schema), write)


def _checked(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Pass on what has the columns of `schema`; Lance panics, or takes it, where they differ."""
    for batch in batches:
        if not batch.schema.equals(schema):
            told = ", ".join(f"{field.name}: {field.type}" for field in batch.schema)
            wanted = ", ".join(f"{field.name}: {field.type}" for field in schema)
            raise InputError(f"Rows with the columns {told} came.", f"The version has {wanted}.")
        yield batch


def _progress(sealer: Sealer) -> Any:
    """Make a listener that has each file sealed as soon as Lance has finished it."""
    from lance.progress import FragmentWriteProgress

    class Sealing(FragmentWriteProgress):  # type: ignore[misc]  # Lance has no types
        def begin(self, fragment: Any, **_: Any) -> None:
            pass

        def complete(self, fragment: Any, **_: Any) -> None:
            for file in fragment.files:
                sealer.add(f"data/{file.path}")

    return Sealing()


class _Stopped(Exception):  # noqa: N818 - never leaves this file
    """Ends a stream whose batches will not come."""


def _fed(
    batches: Iterable[pa.RecordBatch], write: Callable[[Iterator[pa.RecordBatch]], Any]
) -> Any:
    """Run `write` in a thread and feed it from this one.

    So an error or Ctrl-C in `batches` is raised here as it is, and no thread is left inside them.
    """
    feed: Queue[pa.RecordBatch | _Stopped | None] = Queue(maxsize=2)

    def stream() -> Iterator[pa.RecordBatch]:
        while (batch := feed.get()) is not None:
            if isinstance(batch, _Stopped):
                raise batch
            yield batch

    with ThreadPoolExecutor(1, "spaceport-write") as pool:
        job = pool.submit(write, stream())
        try:
            for batch in batches:
                _put(feed, batch, job)
            _put(feed, None, job)
            return job.result()
        except BaseException:
            _stop(feed, job)
            raise


def _put(feed: Queue[Any], batch: pa.RecordBatch | None, job: Future[Any]) -> None:
    """Hand `batch` over; where the writer has failed meanwhile, raise its error."""
    while not job.done():
        try:
            return feed.put(batch, timeout=0.1)
        except Full:
            continue
    job.result()
    raise AssertionError("the writer ended before its batches did")


def _stop(feed: Queue[Any], job: Future[Any]) -> None:
    while not job.done():
        try:
            feed.put(_Stopped(), timeout=0.05)
        except Full:
            try:
                feed.get_nowait()
            except Empty:
                continue


def _any_of(ids: Sequence[str]) -> str:
    """Write a condition in SQL; a quote within an id is doubled, nothing else has a meaning."""
    quoted = ",".join("'" + name.replace("'", "''") + "'" for name in ids)
    return f"id IN ({quoted})"
