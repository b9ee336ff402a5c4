"""A version's vectors: one Lance dataset per major, one Lance version per minor. Lance lives here only.

Lance writes a file under a passing name and renames it when it is whole, so what has its final name
may be hashed and brought to the disk while the next file is being written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from spaceport.arrays import Matrix
from spaceport.errors import CorruptError, NotFoundError, SpaceportError, choices
from spaceport.spaces.files import Entry, Sealer, listing, prune, room
from spaceport.spaces.index import IdIndex

__all__ = ["VectorTable", "Written", "create", "extend"]

FILE_BYTES = 128 << 20
DELETE_CHUNK = 10_000
HINT = "_versions/latest_version_hint.json"


class VectorTable:
    """The rows of one version: ``id``, ``vector`` and whatever else it was written with.

    Parameters
    ----------
    folder : Path
        The Lance dataset.
    version : int
        The Lance version; nothing that is written later is seen.
    name : str
        What to call it in an error.
    """

    def __init__(self, folder: Path, version: int, name: str = "") -> None:
        self.folder = folder
        self.version = version
        self.name = name or folder.name

    @cached_property
    def _dataset(self) -> Any:
        with self._reading():
            return _lance().dataset(str(self.folder), version=self.version)

    @cached_property
    def count(self) -> int:
        """How many rows there are."""
        with self._reading():
            return int(self._dataset.count_rows())

    @property
    def schema(self) -> pa.Schema:
        """The columns with their types."""
        return self._dataset.schema

    @property
    def dimension(self) -> int:
        """The d of the vectors."""
        return int(self.schema.field("vector").type.list_size)

    @cached_property
    def index(self) -> IdIndex:
        """Where each id stands; made at the first look-up and kept."""
        return IdIndex(batch.column("id") for batch in self.scan(["id"]))

    def ids(self) -> list[str]:
        """Every id, in the rows' order."""
        return [name for batch in self.scan(["id"]) for name in batch.column("id").to_pylist()]

    def take(self, ids: Sequence[str], columns: Sequence[str] | None = None) -> pa.Table:
        """The rows of `ids`, in the order asked; an id asked twice comes twice.

        Parameters
        ----------
        ids : sequence of n strings
        columns : sequence of str, optional
            Only these columns, in this order.

        Returns
        -------
        pyarrow.Table of n rows

        Raises
        ------
        NotFoundError
            An id or a column that there is not; the message counts and offers near spellings.
        """
        wanted = self._columns(columns)
        asked = pa.array(ids, pa.string())
        which, positions = self.index.candidates(asked)
        found = self.rows(positions, [*dict.fromkeys(["id", *wanted])])
        same = pc.equal(found.column("id"), asked.take(pa.array(which))).to_numpy(zero_copy_only=False)
        missing = np.setdiff1d(np.arange(len(asked)), which[same])
        if len(missing):
            raise self._unknown([ids[place] for place in missing], len(ids))
        return (found if same.all() else found.filter(pa.array(same))).select(wanted)

    def rows(
        self, positions: Sequence[int] | npt.NDArray[np.integer[Any]], columns: Sequence[str] | None = None
    ) -> pa.Table:
        """The rows at `positions` (0 is the first), in the order asked."""
        wanted = self._columns(columns)
        places = np.asarray(positions, np.int64)
        if not len(places):
            return self.schema.empty_table().select(wanted)
        if places.min() < 0 or places.max() >= self.count:
            raise NotFoundError(
                f"{self.name} has no row {places.min() if places.min() < 0 else places.max()}.",
                f"Rows go from 0 to {self.count - 1}.",
            )
        with self._reading():
            return self._dataset.take(pa.array(places), columns=wanted)

    def scan(self, columns: Sequence[str] | None = None, batch_size: int = 8192) -> Iterator[pa.RecordBatch]:
        """Yield all rows in batches, each time in the same order."""
        wanted = self._columns(columns)
        with self._reading():
            yield from self._dataset.to_batches(columns=wanted, batch_size=batch_size, scan_in_order=True)

    def matrix(self) -> Matrix:
        """All vectors: ndarray of shape (n, d), float32, in the rows' order."""
        whole = np.empty((self.count, self.dimension), np.float32)
        filled = 0
        for batch in self.scan(["vector"]):
            flat = batch.column("vector").flatten().to_numpy(zero_copy_only=False)
            whole[filled : filled + batch.num_rows] = flat.reshape(batch.num_rows, self.dimension)
            filled += batch.num_rows
        return whole

    def files(self) -> set[str]:
        """The files that this version needs, as paths from the dataset's folder."""
        needed = {f"_versions/{2**64 - 1 - self.version:020d}.manifest"}
        for fragment in self._dataset.get_fragments():
            needed.update(f"data/{file.path}" for file in fragment.metadata.files)
            if fragment.metadata.deletion_file is not None:
                needed.add(fragment.deletion_file())
        transactions = self.folder.glob(f"_transactions/{self.version - 1}-*.txn")
        return needed | {path.relative_to(self.folder).as_posix() for path in transactions}

    def _columns(self, columns: Sequence[str] | None) -> list[str]:
        known = self.schema.names
        for name in columns or ():
            if name not in known:
                raise NotFoundError(f"{self.name} has no column `{name}`.", choices(name, known))
        return list(known if columns is None else columns)

    def _unknown(self, missing: list[str], asked: int) -> NotFoundError:
        first = missing[0]
        some = f"{len(missing)} of {asked} ids are" if asked > 1 else "The id asked for is"
        more = "; the first is " if len(missing) > 1 else ": "
        near = self._near(first)
        return NotFoundError(
            f"{some} not in {self.name}{more}{first!r}.",
            f"Did you mean {' or '.join(map(repr, near))}?" if near else "No id there is spelt like it.",
        )

    def _near(self, asked: str, most: int = 50_000) -> list[str]:
        """Near spellings of `asked`, among ids of its first letter and about its length."""
        from difflib import get_close_matches

        near: list[str] = []
        for batch in self.scan(["id"]):
            column = batch.column("id")
            length = pc.utf8_length(column)
            close = pc.and_(
                pc.starts_with(column, asked[:1], ignore_case=True),
                pc.less_equal(pc.abs(pc.subtract(length, len(asked))), 2),
            )
            near += column.filter(close).to_pylist()
            if len(near) >= most:
                break
        return get_close_matches(asked, near, n=3)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Turn what Lance says of broken files into a CorruptError."""
        try:
            yield
        except SpaceportError:
            raise
        except (OSError, ValueError, RuntimeError) as error:
            raise CorruptError(
                f"The vectors of {self.name} cannot be read: {str(error).split(', /')[0]}.",
                "Run `spaceport verify` to see which files are broken, and restore those from a backup.",
            ) from error


@dataclass(frozen=True)
class Written:
    """A new Lance version: its table, all the files that it needs, and the entries of the new ones."""

    table: VectorTable
    needed: frozenset[str]
    entries: tuple[Entry, ...]


def create(folder: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch], tag: str) -> Written:
    """Write a new dataset, bring it to the disk and hash it.

    Parameters
    ----------
    folder : Path
        Must not exist.
    schema : pyarrow.Schema
        Has at least ``id`` (string) and ``vector`` (fixed-size list of float32).
    batches : iterable of pyarrow.RecordBatch
        Read once, in the caller's thread.
    tag : str
        Lance's name for the version, so that Lance's own cleanup keeps it.
    """
    with room(folder), closing(Sealer(folder)) as sealer:
        dataset = _write(folder, schema, batches, sealer, "create")
        return _finish(folder, dataset.version, tag, sealer, frozenset())


def extend(
    folder: Path,
    base_version: int,
    remove_ids: Sequence[str],
    batches: Iterable[pa.RecordBatch],
    tag: str,
) -> Written:
    """Write a new Lance version after `base_version`: without the rows of `remove_ids`, with `batches`.

    Where the dataset's head is another version, `base_version` is restored first. The versions
    between, which nobody asked for, are removed again.
    """
    before = frozenset(listing(folder))
    with room(folder), closing(Sealer(folder)) as sealer:
        dataset = _lance().dataset(str(folder), version=base_version)
        if dataset.latest_version != base_version:
            dataset.restore()
        for start in range(0, len(remove_ids), DELETE_CHUNK):
            dataset.delete(_any_of(remove_ids[start : start + DELETE_CHUNK]))
        _write(folder, dataset.schema, batches, sealer, "append")
        return _finish(folder, _lance().dataset(str(folder)).version, tag, sealer, before)


def _finish(folder: Path, version: int, tag: str, sealer: Sealer, before: frozenset[str]) -> Written:
    table = VectorTable(folder, version)
    _lance().dataset(str(folder), version=version).tags.create(tag, version)
    needed = frozenset(table.files() | {f"_refs/tags/{tag}.json"})
    prune(folder, listing(folder) - before - needed - {HINT})
    return Written(table, needed, tuple(sealer.entries(needed - before)))


def _write(
    folder: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch], sealer: Sealer, mode: str
) -> Any:
    lance = _lance()

    def write(stream: Iterator[pa.RecordBatch]) -> Any:
        reader = pa.RecordBatchReader.from_batches(schema, stream)
        return lance.write_dataset(
            reader,
            str(folder),
            mode=mode,
            data_storage_version="stable",
            max_bytes_per_file=FILE_BYTES,
            progress=_progress(sealer),
        )

    return _fed(batches, write)


def _progress(sealer: Sealer) -> Any:
    """A listener that has each file sealed as soon as Lance has finished it."""
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


def _fed(batches: Iterable[pa.RecordBatch], write: Callable[[Iterator[pa.RecordBatch]], Any]) -> Any:
    """Run `write` in a thread and feed it from this one.

    So an error or Ctrl-C in `batches` is raised here as it is, and no thread is left inside them.
    """
    feed: Queue[pa.RecordBatch | None | _Stopped] = Queue(maxsize=2)

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
    """A condition in SQL; a quote within an id is doubled, and nothing else has a meaning there."""
    quoted = ",".join("'" + name.replace("'", "''") + "'" for name in ids)
    return f"id IN ({quoted})"


def _lance() -> Any:
    """Import Lance late (0.7 s), told to keep its warnings from users unless they ask for them."""
    os.environ.setdefault("LANCE_LOG", "error")
    import lance

    return cast(Any, lance)
