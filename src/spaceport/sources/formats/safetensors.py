"""Safetensors: a JSON header and raw arrays; opening one runs no code.

We write the vectors as ``vectors``, and the ids as the two arrays ``ids.bytes`` (UTF-8) and
``ids.ends``, for safetensors hold no text.

Source: https://github.com/huggingface/safetensors, "Format".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from spaceport.arrays import Matrix, pack, unpack
from spaceport.errors import InputError, NotFoundError, choices
from spaceport.safe import read_layout
from spaceport.sources.formats.base import (
    Format,
    Request,
    Rows,
    batch_rows,
    checked,
    claim,
    single,
    writing,
)
from spaceport.sources.formats.stamp import Stamp

__all__ = ["SAFETENSORS"]


def _matches(head: bytes) -> bool:
    """Eight bytes of length, then an object of JSON."""
    return head[8:9] == b"{" and b'"' in head[9:64] and not any(head[6:8])


def _read(request: Request) -> Iterator[Rows]:
    from safetensors import SafetensorError, safe_open

    path = request.path
    read_layout(path, str(path), InputError, "Fetch or write it again, as float32.")
    try:
        with safe_open(str(path), framework="numpy") as file:
            ids = _ids(file, request)
            table = file.get_slice(_chosen(file, request))
            rows, dimension = _shape(table, path)
            if ids is not None and len(ids) != rows:
                raise InputError(
                    f"{path} holds {len(ids)} ids for {rows} vectors.", "Write it again."
                )
            step = batch_rows(dimension)
            for start in range(0, rows, step):
                found = None if ids is None else ids[start : start + step]
                yield Rows(found, single(table[start : min(start + step, rows)]))
    except (SafetensorError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} cannot be read as safetensors: {error}.",
            "Fetch or write it again, as float32.",
        ) from error


def _shape(table: Any, path: Path) -> tuple[int, int]:
    shape, dtype = table.get_shape(), table.get_dtype()
    if len(shape) != 2 or dtype[:1] not in "FIU":
        raise InputError(
            f"{path} holds an array of {dtype} of shape {tuple(shape)}, not (n, d) real numbers.",
            "Name another array with column=, or save float32.",
        )
    rows, dimension = (int(length) for length in shape)
    claim(path, rows, dimension, dimension, path.stat().st_size)
    return rows, dimension


def _chosen(file: Any, request: Request) -> str:
    """The array of vectors: as named, else ``vectors``, else the only one with two axes."""
    names: list[str] = list(file.keys())
    if request.column is not None:
        if request.column not in names:
            path = request.path
            raise NotFoundError(
                f"{path} has no array `{request.column}`.", choices(request.column, names)
            )
        return request.column
    tables = [name for name in names if len(file.get_slice(name).get_shape()) == 2]
    if "vectors" in tables:
        return "vectors"
    if len(tables) != 1:
        raise NotFoundError(
            f"{request.path} has {len(tables)} arrays with two axes: which one is meant is not clear.",
            f"Say column=. {choices('', names)}",
        )
    return tables[0]


def _ids(file: Any, request: Request) -> list[str] | None:
    name, names = request.names or "ids", list(file.keys())
    parts = {part: f"{name}.{part}" for part in ("bytes", "ends")}
    if all(part in names for part in parts.values()):
        return _unpacked(
            {part: file.get_tensor(array) for part, array in parts.items()}, request.path
        )
    if name in names:
        return [str(id) for id in np.ravel(file.get_tensor(name)).tolist()]
    if request.names is not None:
        raise NotFoundError(f"{request.path} has no array `{name}`.", choices(name, names))
    return None


def _unpacked(arrays: dict[str, Any], path: Path) -> list[str]:
    """Undo `pack`, after a look at its ends: they must rise, and the last one close the bytes."""
    ends = arrays["ends"]
    sound = ends.ndim == 1 and arrays["bytes"].dtype == np.uint8 and ends.dtype == np.int64
    if sound and len(ends):
        sound = (
            ends[0] >= 0 and bool((np.diff(ends) >= 0).all()) and ends[-1] == arrays["bytes"].size
        )
    if not sound:
        raise InputError(f"The ids in {path} are damaged.", "Fetch or write it again.")
    try:
        return unpack(arrays)
    except UnicodeDecodeError as error:
        raise InputError(f"The ids in {path} are not UTF-8.", "Write it again.") from error


def _write(
    path: Path, ids: Sequence[str], batches: Iterable[Matrix], stamp: Stamp | None = None
) -> None:
    packed = pack(ids)
    with writing(path) as stream:
        vectors = checked(batches, len(ids))
        first = next(vectors)
        ends, data = packed["ends"].astype("<i8"), packed["bytes"]
        stream.write(_header(len(ids), first.shape[1], len(data), stamp))
        stream.write(ends.tobytes())
        for batch in chain([first], vectors):
            stream.write(batch.astype("<f4").tobytes())
        stream.write(data.tobytes())


def _header(rows: int, dimension: int, text: int, stamp: Stamp | None) -> bytes:
    """The JSON header of our three arrays and a stamp, padded so that the arrays start at a multiple of eight."""
    layout = (
        ("ids.ends", "I64", [rows], 8 * rows),
        ("vectors", "F32", [rows, dimension], 4 * rows * dimension),
    )
    described: dict[str, Any] = {} if stamp is None else {"__metadata__": stamp.metadata()}
    at = 0
    for name, dtype, shape, size in (*layout, ("ids.bytes", "U8", [text], text)):
        described[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text_form = json.dumps(described).encode()
    text_form += b" " * (-len(text_form) % 8)
    return len(text_form).to_bytes(8, "little") + text_form


def _stamp(path: Path) -> Stamp | None:
    _, told = read_layout(path, str(path), InputError, "Fetch or write it again, as float32.")
    return Stamp.read(told)


SAFETENSORS = Format("safetensors", (".safetensors",), _matches, _read, _write, _stamp)
