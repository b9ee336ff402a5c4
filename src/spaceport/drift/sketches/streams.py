"""Sketching in one pass: batches are summed up on several threads while the next is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.arrays import Matrix, integer, matrix
from spaceport.drift.sketches.basis import Basis
from spaceport.drift.sketches.blocks import places_of
from spaceport.drift.sketches.sample import Keys, Sample, merged
from spaceport.drift.sketches.totals import Places, Totals, added
from spaceport.errors import InputError, MismatchError
from spaceport.hashes import hashes
from spaceport.threads import in_order, one_thread

__all__ = ["Batch", "Gathered", "columns", "gather", "sums_of"]

Names: TypeAlias = Sequence[str] | pa.Array | None
Batch: TypeAlias = tuple[Any, ...]

PORTION = 16384


class _Piece(NamedTuple):
    """Rows of a batch, as they came."""

    rows: Matrix
    ids: Names
    refs: Sequence[str] | None
    first: int


class Gathered(NamedTuple):
    """What came of n rows."""

    n: int
    sample: Sample
    totals: Totals


def gather(
    basis: Basis, batches: Iterable[Batch], room: int, blocks: int, prefix: str, threads: int
) -> Gathered | None:
    """Sum up and sample a stream of rows as `Sketch.of_stream` tells; None where there is none."""
    worker = _Worker(basis, room, blocks, prefix)
    done: Gathered | None = None
    with one_thread():
        for part in in_order(worker, _portions(batches), integer(threads, "threads", 1)):
            done = part if done is None else _joined(done, part)
            worker.bar = done.sample.bar
    return done


def columns(
    batches: Iterable[pa.RecordBatch],
    vector: str = "content",
    id: str | None = "id",
    ref: str | None = None,
) -> Iterator[Batch]:
    """Turn record batches into what `Sketch.of_stream` takes, without copies where Arrow allows.

    Of a source of vectors: ``columns(sp.sources.vectors("day.parquet").batches())``; of a version's table in
    Lance: ``columns(table.scan(["id", "vector"]), "vector")``.
    """
    for batch in batches:
        column = batch.column(vector)
        if column.null_count:
            raise InputError(
                f"The column {vector!r} has no vector in {column.null_count} of {len(column)} rows.",
                "Leave those rows out, and count them.",
            )
        flat = column.flatten().to_numpy(zero_copy_only=False)
        names = None if id is None else batch.column(id)
        refs = None if ref is None else [text or "" for text in batch.column(ref).to_pylist()]
        yield names, flat.reshape(len(column), column.type.list_size), refs


def sums_of(
    basis: Basis, blocks: int, parts: Sequence[tuple[Matrix, Places]], threads: int = 2
) -> Totals:
    """Sum up rows that are ready, of many small windows, together."""
    portions: list[list[tuple[Matrix, Places]]] = [[]]
    waiting = 0
    for rows, places in parts:
        if waiting and waiting + len(rows) > PORTION:
            portions.append([])
            waiting = 0
        portions[-1].append((rows, places))
        waiting += len(rows)

    def summed(portion: list[tuple[Matrix, Places]]) -> Totals:
        rows, places = zip(*portion, strict=True)
        return Totals.of(basis, blocks, [(np.concatenate(rows), np.concatenate(places))])

    with one_thread():
        return added(in_order(summed, portions, threads))


class _Worker:
    """Sums up one portion; `bar` is the largest hash that the sample can still take."""

    def __init__(self, basis: Basis, room: int, blocks: int, prefix: str) -> None:
        self._basis, self._room, self._blocks, self._prefix = basis, room, blocks, prefix
        self.bar = np.uint64(2**64 - 1)

    def __call__(self, portion: list[_Piece]) -> Gathered:
        parts, samples = [], []
        for piece in portion:
            names = self._names(piece)
            keys = hashes(names)
            rows = self._basis.ready(piece.rows)
            parts.append((rows, places_of(keys, self._blocks)))
            samples.append(self._sampled(names, keys, rows, piece))
        count = sum(len(piece.rows) for piece in portion)
        return Gathered(count, merged(samples), Totals.of(self._basis, self._blocks, parts))

    def _sampled(self, names: pa.Array, keys: Keys, rows: Matrix, piece: _Piece) -> Sample:
        bar = self.bar
        if len(keys) > self._room:
            bar = min(bar, np.partition(keys, self._room - 1)[self._room - 1])
        low = np.flatnonzero(keys <= bar)
        refs = ["" if piece.refs is None else piece.refs[place] for place in low.tolist()]
        ids = names.take(pa.array(low)).to_pylist()
        return Sample.of(self._room, keys[low], ids, refs, rows[low])

    def _names(self, piece: _Piece) -> pa.Array:
        if piece.ids is None:
            positions = pa.array(np.arange(piece.first, piece.first + len(piece.rows)))
            names = positions.cast(pa.string())
            if not self._prefix:
                return names
            import pyarrow.compute as pc

            return pc.binary_join_element_wise(self._prefix, names, "")
        return piece.ids


def _portions(batches: Iterable[Batch]) -> Iterator[list[_Piece]]:
    """Batches cut and gathered to about `PORTION` rows."""
    gathered: list[_Piece] = []
    waiting = first = 0
    dimension: int | None = None
    for batch in batches:
        rows, names, refs = _checked(batch)
        if dimension not in (None, rows.shape[1]):
            raise MismatchError(
                f"A batch has dimension {rows.shape[1]}, those before it {dimension}.",
                "Give vectors of one space.",
            )
        dimension = rows.shape[1]
        for start in range(0, len(rows), PORTION):
            part = slice(start, start + PORTION)
            piece = _Piece(
                rows[part],
                None if names is None else names[part],
                None if refs is None else refs[part],
                first + start,
            )
            if waiting and waiting + len(piece.rows) > PORTION:
                yield gathered
                gathered, waiting = [], 0
            gathered.append(piece)
            waiting += len(piece.rows)
        first += len(rows)
    if gathered:
        yield gathered


def _checked(batch: Batch) -> tuple[npt.NDArray[Any], Names, Sequence[str] | None]:
    names, vectors, *rest = batch
    rows = np.asarray(vectors)
    if rows.ndim != 2:
        rows = matrix(vectors, "vectors")
    refs = rest[0] if rest else None
    for given, what in ((names, "ids"), (refs, "refs")):
        if given is not None and len(given) != len(rows):
            raise InputError(
                f"There are {len(rows)} rows and {len(given)} {what}.", "Give each row one."
            )
    return rows, _strings(names), refs


def _strings(names: Names) -> Names:
    if names is None:
        return None
    if isinstance(names, pa.ChunkedArray):
        names = names.combine_chunks()
    try:
        given = names if isinstance(names, pa.Array) else pa.array(names, pa.large_string())
        given = given.cast(pa.large_string())
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise InputError("The ids are not all strings.", "Give each row a string.") from error
    if given.null_count:
        raise InputError(
            f"{given.null_count} of {len(given)} ids are null.",
            "Give each row an id, or give none.",
        )
    return given


def _joined(left: Gathered, right: Gathered) -> Gathered:
    return Gathered(
        left.n + right.n,
        merged([left.sample, right.sample]),
        added([left.totals, right.totals]),
    )
