"""Bases and sketches as safetensors, and back; what is read is held to what it claims.

A complete sketch is its rows alone, with their ids: the sums are made again when they are asked for. Of the
others ``sizes``, ``vectors``, the counts and the moments' mean are stored in float64, as they are, and
``waves``, ``squares``, ``shifts``, the cells' sums and a triangle of the scatter in float32, so that each
number is off by at most 6e-8 of itself. Of d = 384 with 64 blocks, 48 cells and 1,024 rows kept: 3.3 MB,
of which the rows are 1.6 MB.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.arrays import pack
from spaceport.drift.sketches.basis import Basis
from spaceport.drift.sketches.blocks import MOST
from spaceport.drift.sketches.sample import Sample
from spaceport.drift.sketches.sketch import Sketch
from spaceport.drift.sketches.totals import Totals, shapes
from spaceport.errors import CorruptError, MismatchError
from spaceport.geometry.base import METRICS
from spaceport.geometry.moments import Moments
from spaceport.hashes import hashes
from spaceport.safe import read_arrays, read_json

__all__ = ["basis_of", "bytes_of", "sketch_of"]

Arrays: TypeAlias = dict[str, npt.NDArray[Any]]

_REMEDY = "Restore the file from a backup, or sketch the rows again."
_KEY = "spaceport"
_WIDTHS = 16
_LEVELS = 8
_WIDE = ("sizes", "vectors", "cells")
_STRINGS = ("ids.bytes", "ids.ends", "refs.bytes", "refs.ends")


def bytes_of(kept: Basis | Sketch) -> bytes:
    """Give the file's bytes; the same for the same basis or sketch."""
    from safetensors.numpy import save

    arrays, told = _basis(kept) if isinstance(kept, Basis) else _sketch(kept)
    ready = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    return bytes(save(ready, {_KEY: json.dumps(told)}))  # one string: safetensors shuffles several


def basis_of(data: bytes | Path, what: str = "The basis") -> Basis:
    """Read a basis.

    Raises
    ------
    CorruptError
        It is none: no safetensors, or shapes, numbers or a digest that do not belong together.
    """
    arrays, told = _read(data, what)
    _check(told.get("kind") == "basis 1", what, "it does not say that it is a basis")
    metric, widths = told.get("metric", ""), _count(told, "widths", what)
    _check(metric in METRICS and 0 < widths <= _WIDTHS, what, "its metric or widths cannot be")
    levels = len(arrays) - 3
    cells = [f"cells{level}" for level in range(levels)]
    names = {"origin", "frequencies", "axes", *cells}
    _check(0 < levels <= _LEVELS and set(arrays) == names, what, "its arrays are not a basis's")
    d = arrays["origin"].size
    for name, array in arrays.items():
        wide = array.shape[-1] if name.startswith("cells") else array.shape[0]
        right = array.ndim == (1 if name == "origin" else 2) and array.size and wide == d
        _check(array.dtype == np.float32 and right, what, f"{name} is {array.dtype} {array.shape}")
    found = Basis(
        metric,
        tuple(arrays[name] for name in cells),
        arrays["frequencies"],
        arrays["origin"],
        arrays["axes"],
        widths,
    )
    _check(found.digest == told.get("digest"), what, "its digest is another")
    return found


def sketch_of(data: bytes | Path, basis: Basis, what: str = "The sketch") -> Sketch:
    """Read a sketch that was made with `basis`.

    Raises
    ------
    MismatchError
        It was made with another basis.
    CorruptError
        It is no sketch: no safetensors, shapes that are not those of the basis, hashes that are not
        those of the ids, counts that do not add up.
    """
    arrays, told = _read(data, what)
    _check(told.get("kind") == "sketch 1", what, "it does not say that it is a sketch")
    if told.get("basis") != basis.digest:
        raise MismatchError(
            f"{what} was made with another basis: it summed up other things.",
            "Read it with its own.",
        )
    count, blocks = _count(told, "count", what), _count(told, "blocks", what)
    _check(0 < blocks <= MOST and not blocks & (blocks - 1), what, f"it has {blocks} blocks")
    sample = _sample_of(arrays, _count(told, "room", what), basis, what)
    if count == len(sample):
        _check(set(arrays) == {"rows", *_STRINGS}, what, "it has sums that nobody needs")
        return Sketch(basis, count, blocks, sample)
    _check(len(sample) == sample.room < count, what, "its sample is not of its size")
    return Sketch(basis, count, blocks, sample, _totals_of(arrays, count, blocks, basis, what))


def _read(data: bytes | Path, what: str) -> tuple[Arrays, dict[str, str]]:
    arrays, strings = read_arrays(data, what, remedy=_REMEDY)
    told = read_json(strings.get(_KEY, "{}").encode(), what, remedy=_REMEDY)
    plain = isinstance(told, dict) and all(isinstance(value, str) for value in told.values())
    _check(plain, what, "what it says of itself is no object of strings")
    return arrays, told


def _basis(basis: Basis) -> tuple[Arrays, dict[str, str]]:
    arrays: Arrays = {f"cells{level}": array for level, array in enumerate(basis.cells)}
    arrays |= {"origin": basis.origin, "frequencies": basis.frequencies, "axes": basis.axes}
    return arrays, {
        "kind": "basis 1",
        "metric": basis.metric,
        "widths": str(basis.widths),
        "digest": basis.digest,
    }


def _sketch(sketch: Sketch) -> tuple[Arrays, dict[str, str]]:
    arrays: Arrays = {"rows": sketch.rows}
    for name, strings in (("ids", sketch.ids), ("refs", sketch.refs)):
        arrays |= {f"{name}.{part}": array for part, array in pack(strings).items()}
    if not sketch.complete:
        totals = sketch.totals
        upper = np.triu_indices(sketch.basis.dimension)
        arrays |= {name: _stored(name, array) for name, array in totals.sums.items()}
        arrays["mean"] = totals.moments.mean
        arrays["scatter"] = totals.moments.scatter[upper].astype(np.float32)
    return arrays, {
        "kind": "sketch 1",
        "basis": sketch.basis.digest,
        "count": str(sketch.count),
        "blocks": str(sketch.blocks),
        "room": str(sketch.sample.room),
    }


def _stored(name: str, array: npt.NDArray[np.floating[Any]]) -> npt.NDArray[Any]:
    return array.astype(_dtype(name))


def _dtype(name: str) -> type[np.floating[Any]]:
    wide = name in _WIDE or name.rstrip("0123456789") in _WIDE
    return np.float64 if wide else np.float32


def _sample_of(arrays: Arrays, room: int, basis: Basis, what: str) -> Sample:
    for name in ("rows", *_STRINGS):
        _check(name in arrays, what, f"it has no array {name}")
    rows = arrays["rows"]
    right = rows.dtype == np.float32 and rows.ndim == 2 and rows.shape[1] == basis.dimension
    _check(right, what, f"its rows are {rows.dtype} {rows.shape}")
    ids, refs = (_strings_of(arrays, name, len(rows), what) for name in ("ids", "refs"))
    keys = hashes(ids)
    _check(bool((keys[1:] >= keys[:-1]).all()), what, "its ids do not stand by their hashes")
    _check(room > 0 and len(rows) <= room, what, f"it has {len(rows)} rows in a room of {room}")
    return Sample(room, keys, tuple(ids.to_pylist()), tuple(refs.to_pylist()), rows)


def _strings_of(arrays: Arrays, name: str, count: int, what: str) -> pa.LargeStringArray:
    data, ends = arrays[f"{name}.bytes"], arrays[f"{name}.ends"]
    _check(data.dtype == np.uint8 and data.ndim == 1, what, f"its {name} are no bytes")
    _check(ends.dtype == np.int64 and ends.shape == (count,), what, f"its {name} are not {count}")
    right = bool((np.diff(ends) >= 0).all()) and (
        not count or (ends[0] >= 0 and ends[-1] == data.size)
    )
    _check(right, what, f"its {name} do not follow each other")
    offsets = pa.py_buffer(np.concatenate([np.zeros(1, np.int64), ends]))
    strings = pa.LargeStringArray.from_buffers(count, offsets, pa.py_buffer(data))
    try:
        strings.validate(full=True)
    except pa.ArrowInvalid as error:
        raise CorruptError(f"{what} cannot be used: its {name} are no UTF-8.", _REMEDY) from error
    return strings


def _totals_of(arrays: Arrays, count: int, blocks: int, basis: Basis, what: str) -> Totals:
    d = basis.dimension
    wanted = shapes(basis, blocks)
    named = wanted | {"mean": (d,), "scatter": (d * (d + 1) // 2,)}
    _check(set(arrays) == {*named, "rows", *_STRINGS}, what, "its arrays are not a sketch's")
    for name, shape in named.items():
        kind = np.float64 if name == "mean" else _dtype(name)
        right = arrays[name].shape == shape and arrays[name].dtype == kind
        _check(right, what, f"{name} is {arrays[name].dtype} {arrays[name].shape}")
    sums = {name: arrays[name] for name in wanted}
    _check_counts(sums, count, len(basis.cells), what)
    scatter = arrays["scatter"][_square(d)].astype(np.float64)
    _check(bool((scatter.diagonal() >= 0).all()), what, "a variance is negative")
    return Totals(sums, Moments(count, arrays["mean"], scatter))


@lru_cache(maxsize=4)
def _square(dimension: int) -> npt.NDArray[np.intp]:
    """Where each entry of a symmetric matrix (d, d) stands in its upper triangle, row by row."""
    places = np.empty((dimension, dimension), np.intp)
    upper = np.triu_indices(dimension)
    places[upper] = places.T[upper] = np.arange(len(upper[0]))
    return places


def _check_counts(
    sums: dict[str, npt.NDArray[np.float64]], count: int, levels: int, what: str
) -> None:
    sizes = sums["sizes"]
    whole = bool((sizes >= 0).all() and (sizes == np.floor(sizes)).all())
    _check(whole and sizes.sum() == count, what, f"its blocks do not hold its {count} rows")
    for level in range(levels):
        cells = sums[f"cells{level}"]
        whole = bool((cells >= 0).all() and (cells == np.floor(cells)).all())
        right = whole and bool((cells.sum(axis=1) == sizes).all())
        _check(right, what, f"the cells of level {level} do not hold its rows")


def _count(told: dict[str, str], name: str, what: str) -> int:
    text = told.get(name, "")
    _check(text.isascii() and text.isdigit() and len(text) < 16, what, f"it has no {name}")
    return int(text)


def _check(right: object, what: str, why: str) -> None:
    if not right:
        raise CorruptError(f"{what} cannot be used: {why}.", _REMEDY)
