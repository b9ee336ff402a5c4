"""What a format of vector files is, and the checks that all of them share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.arrays import Matrix, matrix
from spaceport.errors import InputError
from spaceport.sources.formats.stamp import Stamp

__all__ = [
    "Format",
    "Request",
    "Rows",
    "Write",
    "batch_rows",
    "checked",
    "claim",
    "counted",
    "single",
    "writable_words",
    "writing",
]

_BATCH_NUMBERS = 1 << 21
_BATCH_ROWS = 8192
_WIDEST = 1 << 20


class Rows(NamedTuple):
    """A few rows: their ids if the format holds any, vectors (n, d), and metadata columns."""

    ids: list[str] | None
    vectors: Matrix
    metadata: pa.RecordBatch | None = None


@dataclass(frozen=True)
class Request:
    """What is to be read: see the parameters of `Vectors`."""

    path: Path
    column: str | None = None
    names: str | None = None
    errors: str = "strict"


Write: TypeAlias = Callable[..., None]


@dataclass(frozen=True)
class Format:
    """A layout: its file endings, a look at a file's first bytes, how it is read and written.

    `write` takes a path, n ids, and vectors of shape (n, d) in batches; of a format that can hold a
    `Stamp`, also one as `stamp=`. Such a format has `stamp`, which reads it.
    """

    name: str
    endings: tuple[str, ...]
    matches: Callable[[bytes], bool]
    read: Callable[[Request], Iterator[Rows]]
    write: Write
    stamp: Callable[[Path], Stamp | None] | None = None


def batch_rows(dimension: int) -> int:
    """Rows of one batch: about eight megabytes of float32."""
    return max(1, min(_BATCH_ROWS, _BATCH_NUMBERS // dimension))


def single(part: npt.NDArray[Any]) -> Matrix:
    """Numbers of any real dtype as float32; what overflows becomes infinity, which is refused later."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(part, dtype=np.float32)


def claim(path: Path, rows: int, dimension: int, least: int, room: int | None) -> None:
    """Refuse what a header says, before anything is allocated, if the file cannot hold it.

    Parameters
    ----------
    path : Path
    rows, dimension : int
        What the header says.
    least : int
        Bytes that one row takes at least.
    room : int or None
        Bytes after the header; None where the file is compressed.

    Raises
    ------
    InputError
    """
    if rows < 1 or dimension < 1:
        raise InputError(
            f"{path} says that it holds {rows} x {dimension} numbers.", "Write it again."
        )
    if dimension > _WIDEST or (room is not None and rows * least > room):
        raise InputError(
            f"The header of {path} says {rows} x {dimension}, which takes at least {rows * least} bytes; "
            f"{'a row is too wide' if room is None else f'there are {room}'}.",
            "The file is truncated or its header lies: fetch or write it again.",
        )


def counted(path: Path, rows: int, found: int, more: bool = False) -> None:
    """Refuse a file that holds another number of rows than its header says."""
    if found != rows or more:
        raise InputError(
            f"The header of {path} says {rows} rows; it holds {'more' if more else found}.",
            "The file is truncated or its header lies: fetch or write it again.",
        )


def writable_words(ids: Sequence[str], format: str) -> None:
    """Refuse ids that the layouts of words cannot hold: white space separates their fields."""
    bad = [id for id in ids if not id or any(character in " \t\r\n" for character in id)]
    if bad:
        raise InputError(
            f"{len(bad)} of {len(ids)} ids hold white space or nothing, which {format} cannot store; "
            f"the first is {bad[0]!r}.",
            "Choose npz, safetensors, parquet or arrow, or other ids.",
        )


def checked(batches: Iterable[Matrix], count: int) -> Iterator[Matrix]:
    """Yield `batches`, float32 and finite and of one dimension, `count` rows in all."""
    dimension, rows = None, 0
    for batch in batches:
        vectors = matrix(batch, "vectors", dimension)
        dimension = vectors.shape[1]
        rows += len(vectors)
        yield vectors
    if rows != count:
        raise InputError(f"There are {count} ids for {rows} vectors.", "Give one id per vector.")


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside `path` for writing, and put it in its place when all went well."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
