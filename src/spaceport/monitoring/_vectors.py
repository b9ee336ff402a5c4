"""The vectors of a log's rows, and what is wrong with each: nothing is refused here, all is counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from spaceport.arrays import Matrix
from spaceport.encoders.base import Encoder
from spaceport.errors import CorruptError, InputError
from spaceport.monitoring.events import FAULTS, Faulty, faults_of
from spaceport.safe.paths import inside

__all__ = ["encoded", "stacked"]

_MISSING, _DIMENSION, _INFINITE, _UNREADABLE = range(1, len(FAULTS) + 1)


def stacked(column: pa.Array, dimension: int) -> tuple[Matrix, Faulty]:
    """The lists of a column as rows of `dimension` numbers, zero where there is no such list.

    Parameters
    ----------
    column : pyarrow.Array
        Lists of numbers; or texts that spell them as JSON does.
    dimension : int

    Returns
    -------
    ndarray of shape (n, dimension), float32
    ndarray of shape (n,), uint8
        See `FAULTS`.

    Examples
    --------
    >>> stacked(pa.array([[1.0, 2.0], [3.0], None, [1e39, 0.0]]), 2)[1]
    array([0, 2, 1, 3], dtype=uint8)
    """
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = _spelled(column)
    if pa.types.is_null(column.type):
        nothing = np.zeros((len(column), dimension), np.float32)
        return nothing, np.full(len(column), _MISSING, np.uint8)
    if not _holds_numbers(column.type):
        raise InputError(
            f"The column of vectors holds {column.type}.", "Name a column of lists of numbers."
        )
    lengths = pc.fill_null(pc.list_value_length(column), -1).to_numpy(zero_copy_only=False)
    faults = np.where(lengths < 0, _MISSING, np.where(lengths == dimension, 0, _DIMENSION))
    if not faults.any():
        return _zeroed(_flat(column, dimension), faults.astype(np.uint8))
    whole = np.flatnonzero(faults == 0)
    vectors = np.zeros((len(column), dimension), np.float32)
    vectors[whole] = _flat(column.take(pa.array(whole)), dimension)
    return _zeroed(vectors, faults.astype(np.uint8))


def _flat(column: pa.Array, dimension: int) -> Matrix:
    """Lists of one length as a matrix of its own."""
    flat = column.flatten().to_numpy(zero_copy_only=False)
    with np.errstate(over="ignore"):  # what overflows float32 is infinity, which is counted
        vectors: Matrix = flat.reshape(len(column), dimension).astype(np.float32)
    return vectors


def encoded(
    contents: pa.Array, encoder: Encoder, dimension: int, folder: Path
) -> tuple[Matrix, Faulty, npt.NDArray[np.int64] | None]:
    """What an encoder makes of a column; what it cannot read is found by halving.

    Parameters
    ----------
    contents : pyarrow.Array of length n
        What the encoder takes: texts, bytes, rows of a table; or the names of files below `folder`.
    encoder : Encoder
    dimension : int
        That the vectors must have.
    folder : Path

    Returns
    -------
    ndarray of shape (n, dimension), float32
    ndarray of shape (n,), uint8
        See `FAULTS`.
    ndarray of shape (n, 2), int64, or None
        Tokens of each text, and those without a vector.

    Raises
    ------
    InputError
        None of several contents could be read: what the encoder said of the first.
    """
    items, faults = _items(contents, encoder, folder)
    places = np.flatnonzero(faults == 0)
    vectors = np.zeros((len(contents), dimension), np.float32)
    failed: list[InputError] = []
    bad = _encode(items, places, encoder, vectors, failed)
    if failed and len(bad) == len(places) > 1:
        raise failed[0]
    faults[bad] = _UNREADABLE
    return *_zeroed(vectors, faults), _tokens(items, faults, encoder)


def _encode(
    items: Any,
    places: npt.NDArray[np.int64],
    encoder: Encoder,
    into: Matrix,
    failed: list[InputError],
) -> npt.NDArray[np.int64]:
    """Encode the items at `places`; gives those that could not be."""
    if not len(places):
        return places
    try:
        into[places] = _fitting(encoder.encode(_at(items, places)), into.shape[1])
    except InputError as error:
        failed.append(error)
        if len(places) == 1:
            return places
        halves = np.array_split(places, 2)
        return np.concatenate([_encode(items, half, encoder, into, failed) for half in halves])
    return places[:0]


def _fitting(vectors: Matrix, dimension: int) -> Matrix:
    if vectors.shape[1] != dimension:
        raise CorruptError(
            f"The encoder gives {vectors.shape[1]} numbers where the version has {dimension}.",
            "Run `spaceport verify`.",
        )
    return vectors


def _items(contents: pa.Array, encoder: Encoder, folder: Path) -> tuple[Any, Faulty]:
    faults = np.where(contents.is_null().to_numpy(zero_copy_only=False), _MISSING, 0)
    faults = faults.astype(np.uint8)
    if pa.types.is_struct(contents.type):
        return contents, faults
    items: list[Any] = contents.to_pylist()
    if encoder.modality in ("images", "audio") and pa.types.is_string(contents.type):
        for place in np.flatnonzero(faults == 0):
            items[place] = _bytes_of(folder, items[place])
            faults[place] = _UNREADABLE if items[place] is None else 0
    elif encoder.modality in ("texts", "words"):
        items = [item if item is None or isinstance(item, str) else str(item) for item in items]
    return items, faults


def _bytes_of(folder: Path, name: str) -> bytes | None:
    """A file below the log's folder; no link, no way up."""
    try:
        return inside(folder, name).read_bytes()
    except (CorruptError, OSError):
        return None


def _at(items: Any, places: npt.NDArray[np.int64]) -> Any:
    if isinstance(items, pa.Array):
        return items.take(pa.array(places))
    return [items[place] for place in places]


def _tokens(items: Any, faults: Faulty, encoder: Encoder) -> npt.NDArray[np.int64] | None:
    if isinstance(items, pa.Array) or encoder.modality not in ("texts", "words"):
        return None
    read = np.flatnonzero(faults == 0)
    found = encoder.unseen(_at(items, read))
    if found is None:
        return None
    tokens = np.zeros((len(faults), 2), np.int64)
    tokens[read] = found
    return tokens


def _zeroed(vectors: Matrix, faults: Faulty) -> tuple[Matrix, Faulty]:
    """Mark rows of NaN or infinity, and make zero what has a fault."""
    faults = np.where(faults == 0, faults_of(vectors), faults)
    vectors[faults > 0] = 0
    return vectors, faults


def _holds_numbers(kind: pa.DataType) -> bool:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    if not any(test(kind) for test in lists):
        return False
    value = kind.value_type
    return bool(
        pa.types.is_floating(value) or pa.types.is_integer(value) or pa.types.is_null(value)
    )


def _spelled(column: pa.Array) -> pa.Array:
    """Texts like ``[0.1, 0.2]`` as lists; what is none is an empty one."""
    return pa.array([_numbers(text) for text in column.to_pylist()], pa.list_(pa.float64()))


def _numbers(text: str | None) -> list[float] | None:
    if not text:
        return None
    try:
        found = json.loads(text)
        return [float(x) for x in found] if isinstance(found, list) else []
    except (ValueError, TypeError, RecursionError, OverflowError):
        return []
