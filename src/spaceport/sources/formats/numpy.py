"""NumPy's files: one array (``.npy``), or a zip archive of arrays (``.npz``). Pickles are never read.

Source: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".
"""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix
from spaceport.errors import InputError, NotFoundError, choices
from spaceport.sources.formats.base import (
    Format,
    Request,
    Rows,
    batch_rows,
    checked,
    claim,
    counted,
    single,
    writing,
)

__all__ = ["NPY", "NPZ"]

_HEADER = 16_384  # more than NumPy reads, whatever the length says that stands in the file
_SMALL = 64 << 20
_DENSEST = 500


class _Header(NamedTuple):
    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]


def _header(stream: IO[bytes], path: Path) -> _Header:
    start = io.BytesIO(stream.read(_HEADER))
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    try:
        header = _Header(*readers[np.lib.format.read_magic(start)](start))
        stream.seek(start.tell())
        return header
    except (ValueError, KeyError) as error:
        raise InputError(
            f"{path} has no NumPy header that can be read: {error}.",
            "Write it again with numpy.save.",
        ) from error


def _table(stream: IO[bytes], path: Path, size: int) -> _Header:
    """The header of an array (n, d) of real numbers that takes up `size` bytes with its header."""
    header = _header(stream, path)
    if header.dtype.kind not in "fiub" or len(header.shape) != 2:
        raise InputError(
            f"{path} holds an array of {header.dtype} of shape {header.shape}, not (n, d) real numbers.",
            "Save the vectors as float32, one row per item.",
        )
    rows, dimension = header.shape
    width = dimension * header.dtype.itemsize
    claim(path, rows, dimension, width, size - stream.tell())
    counted(path, rows, rows, more=size - stream.tell() > rows * width)
    return header


def _read_npy(request: Request) -> Iterator[Rows]:
    path = request.path
    with path.open("rb") as stream:
        header = _table(stream, path, path.stat().st_size)
        order: Literal["F", "C"] = "F" if header.fortran else "C"
        shape, offset = header.shape, stream.tell()
        vectors: npt.NDArray[Any] = np.memmap(
            path, header.dtype, mode="r", offset=offset, shape=shape, order=order
        )
        step = batch_rows(vectors.shape[1])
        for start in range(0, len(vectors), step):
            yield Rows(None, single(np.asarray(vectors[start : start + step])))


def _read_npz(request: Request) -> Iterator[Rows]:
    path = request.path
    with _archive(path) as archive:
        arrays = {name.removesuffix(".npy"): name for name in archive.namelist()}
        ids = _ids(archive, arrays, request)
        member = arrays[_chosen(archive, arrays, request)]
        start = 0
        _refuse_bomb(archive, member, path)
        with archive.open(member) as stream:
            header = _table(stream, path, archive.getinfo(member).file_size)
            rows = header.shape[0]
            if ids is not None and len(ids) != rows:
                raise InputError(
                    f"{path} holds {len(ids)} ids for {rows} vectors.", "Write it again."
                )
            for vectors in _stream_rows(stream, header):
                found = None if ids is None else ids[start : start + len(vectors)]
                start += len(vectors)
                yield Rows(found, vectors)


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        raise InputError(
            f"{path} is truncated or damaged: {error}.", "Fetch or write it again."
        ) from error


def _refuse_bomb(archive: zipfile.ZipFile, member: str, path: Path) -> None:
    """Numbers and words never pack this well."""
    info = archive.getinfo(member)
    if info.file_size > max(_SMALL, _DENSEST * info.compress_size):
        raise InputError(
            f"{member} in {path} unpacks from {info.compress_size:,} to {info.file_size:,} bytes.",
            "That is no array of vectors or ids: fetch it again, or save it with numpy.savez.",
        )


def _stream_rows(stream: IO[bytes], header: _Header) -> Iterator[Matrix]:
    rows, dimension = header.shape
    if header.fortran:
        whole = np.frombuffer(stream.read(), header.dtype).reshape(dimension, rows).T
        yield from (
            single(whole[s : s + batch_rows(dimension)])
            for s in range(0, rows, batch_rows(dimension))
        )
        return
    width = dimension * header.dtype.itemsize
    while block := stream.read(batch_rows(dimension) * width):
        yield single(np.frombuffer(block, header.dtype).reshape(-1, dimension))


def _chosen(archive: zipfile.ZipFile, arrays: dict[str, str], request: Request) -> str:
    """The array of vectors: as named, else ``vectors``, else the only one with two axes."""
    if request.column is not None:
        _known(request.column, arrays, request.path)
        return request.column
    if "vectors" in arrays:
        return "vectors"
    tables = []
    for name, member in arrays.items():
        with archive.open(member) as stream:
            if len(_header(stream, request.path).shape) == 2:
                tables.append(name)
    if len(tables) != 1:
        raise NotFoundError(
            f"{request.path} has {len(tables)} arrays with two axes: which one is meant is not clear.",
            f"Say column=. {choices('', arrays)}",
        )
    return tables[0]


def _ids(archive: zipfile.ZipFile, arrays: dict[str, str], request: Request) -> list[str] | None:
    """The array of ids: as named, else ``ids``, else none."""
    name = request.names or "ids"
    if request.names is None and name not in arrays:
        return None
    _known(name, arrays, request.path)
    _refuse_bomb(archive, arrays[name], request.path)
    try:
        with archive.open(arrays[name]) as stream:
            header, size = _header(stream, request.path), archive.getinfo(arrays[name]).file_size
            if math.prod(header.shape) * max(1, header.dtype.itemsize) != size - stream.tell():
                raise ValueError(f"its header says {header.shape} in {size:,} bytes")
        with archive.open(arrays[name]) as stream:
            array: npt.NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    except ValueError as error:
        raise InputError(
            f"The ids in {request.path} cannot be read: {error}.", "Save text."
        ) from error
    if array.ndim != 1 or array.dtype.kind not in "USiu":
        raise InputError(
            f"`{name}` in {request.path} is {array.dtype} of shape {array.shape}, not n ids.",
            "Save the ids as one axis of text or whole numbers.",
        )
    texts = np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array
    return [str(text) for text in texts.tolist()]


def _known(name: str, arrays: dict[str, str], path: Path) -> None:
    if name not in arrays:
        raise NotFoundError(f"{path} has no array `{name}`.", choices(name, arrays))


def _write_npy(path: Path, ids: Sequence[str], batches: Iterable[Matrix]) -> None:
    with writing(path) as stream:
        _write_table(stream, len(ids), batches)


def _write_table(stream: BinaryIO | IO[bytes], rows: int, batches: Iterable[Matrix]) -> None:
    first = True
    for vectors in checked(batches, rows):
        if first:
            shape = (rows, vectors.shape[1])
            described = {"descr": "<f4", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(stream, described)
            first = False
        stream.write(vectors.astype("<f4").tobytes())


def _write_npz(path: Path, ids: Sequence[str], batches: Iterable[Matrix]) -> None:
    bad = [id for id in ids if id.endswith("\0")]
    if bad:
        raise InputError(
            f"{len(bad)} ids end in NUL, which NumPy drops; the first is {bad[0]!r}.",
            "Choose safetensors, parquet or arrow, or other ids.",
        )
    with writing(path) as stream, zipfile.ZipFile(stream, "w") as archive:
        with archive.open("vectors.npy", "w", force_zip64=True) as member:
            _write_table(member, len(ids), batches)
        with archive.open("ids.npy", "w", force_zip64=True) as member:
            np.lib.format.write_array(member, np.array(ids, dtype=np.str_), allow_pickle=False)


NPY = Format("npy", (".npy",), lambda head: head.startswith(b"\x93NUMPY"), _read_npy, _write_npy)
NPZ = Format("npz", (".npz",), lambda head: head.startswith(b"PK\x03\x04"), _read_npz, _write_npz)
