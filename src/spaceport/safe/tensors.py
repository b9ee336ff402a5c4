"""Arrays from safetensors files whose header describes every byte, once.

Nothing is allocated before what the header claims has been held against the file's size. NaN, which
the format allows, is refused unless the caller says otherwise.

Source: https://github.com/huggingface/safetensors, "Format".
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spaceport.errors import CorruptError, SpaceportError
from spaceport.safe.documents import DEPTH, REMEDY, parsed, reason

__all__ = ["Tensor", "read_arrays", "read_layout"]

HEADER_BYTES = 10 << 20
TENSORS = 100_000
AXES = 8

_BITS = {"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "BF16": 16,
         "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "C64": 64}  # fmt: skip
"""Of the types that NumPy has not; `read_layout` knows them, `read_arrays` refuses them."""
_DTYPES = {"BOOL": "|b1", "U8": "|u1", "I8": "|i1", "U16": "<u2", "I16": "<i2", "F16": "<f2",
           "U32": "<u4", "I32": "<i4", "F32": "<f4", "U64": "<u8", "I64": "<i8", "F64": "<f8"}  # fmt: skip


class Tensor(NamedTuple):
    """What a safetensors header says of an array; `begin` and `end` are bytes after the header."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def read_arrays(
    data: bytes | Path,
    what: str,
    most: int | None = None,
    finite: bool = True,
    kind: type[SpaceportError] = CorruptError,
    remedy: str = REMEDY,
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]]:
    """Read the arrays of a safetensors file, and the strings beside them.

    Parameters
    ----------
    data : bytes or Path
        The file's bytes, or where they lie.
    what : str
        What to call it in an error.
    most : int, optional
        Bytes of the whole file that are read at all; by default as many as there are.
    finite : bool
        Refuse NaN and infinity.
    kind, remedy : type of SpaceportError, str
        What is raised, and what to do.

    Returns
    -------
    dict of str to ndarray, dict of str to str
        Writable arrays, and ``__metadata__``.

    Raises
    ------
    CorruptError
        The file cannot be opened; a header that is too large, ambiguous or does not describe exactly
        the bytes that follow it; a type that NumPy has not; a truth value that is neither 0 nor 1;
        NaN or infinity.

    Examples
    --------
    >>> from safetensors.numpy import save
    >>> read_arrays(save({"x": np.arange(3)}, {"made": "here"}), "x.safetensors")
    ({'x': array([0, 1, 2])}, {'made': 'here'})
    """
    try:
        with data.open("rb") if isinstance(data, Path) else io.BytesIO(data) as stream:
            layout, strings = _layout(stream, most)
            arrays = {
                name: _array(stream, name, layout[name], finite)
                for name in sorted(layout, key=lambda name: layout[name].begin)
            }
            return arrays, strings
    except (ValueError, RecursionError, OSError) as error:
        raise kind(f"{what} cannot be read: {reason(error)}.", remedy) from error


def read_layout(
    path: Path,
    what: str,
    kind: type[SpaceportError] = CorruptError,
    remedy: str = REMEDY,
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Check a safetensors file's header against its size, as `read_arrays` does, and read no array.

    For weights that another reader loads; the types that NumPy has not are known here.
    """
    try:
        with path.open("rb") as stream:
            layout, strings = _layout(stream, None)
            return layout, strings
    except (ValueError, RecursionError, OSError) as error:
        raise kind(f"{what} cannot be read: {reason(error)}.", remedy) from error


def _layout(
    stream: io.BufferedIOBase, most: int | None
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The header, checked; the stream then stands at the first array's first byte."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if most is not None and size > most:
        raise ValueError(f"it has {size:,} bytes, and at most {most:,} are read")
    length = int.from_bytes(stream.read(8), "little")
    if size < 10 or length > min(size - 8, HEADER_BYTES):
        raise ValueError(f"its header claims {length:,} of the file's {size:,} bytes")
    head = stream.read(length)
    if head[:1] != b"{":
        raise ValueError("it has no safetensors header")
    told = parsed(head, HEADER_BYTES, DEPTH)
    strings = _strings(told.pop("__metadata__", {}))
    if len(told) > TENSORS:
        raise ValueError(f"its header lists {len(told):,} arrays, and at most {TENSORS:,} are read")
    layout = {name: _tensor(name, entry) for name, entry in told.items()}
    _check_tiling(layout, size - 8 - length)
    return layout, strings


def _strings(told: object) -> dict[str, str]:
    if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
        raise ValueError("its __metadata__ is no object of strings")
    return told


def _tensor(name: str, entry: object) -> Tensor:
    if not isinstance(entry, Mapping) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(
            f"the array {name[:40]!r} is not described by dtype, shape and data_offsets"
        )
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    whole = _counts(shape) and len(shape) <= AXES and _counts(offsets) and len(offsets) == 2
    if not whole or not isinstance(dtype, str) or dtype not in _BITS.keys() | _DTYPES.keys():
        raise ValueError(
            f"the array {name[:40]!r} has no dtype, shape and data_offsets that can be"
        )
    bits = math.prod(shape) * (_BITS.get(dtype) or 8 * np.dtype(_DTYPES[dtype]).itemsize)
    if bits != 8 * (offsets[1] - offsets[0]):
        raise ValueError(f"the array {name[:40]!r} has {dtype} {shape} in bytes {offsets}")
    return Tensor(dtype, tuple(shape), *offsets)


def _counts(values: object) -> bool:
    """Whether these are whole numbers that a file can have of anything."""
    return isinstance(values, list) and all(type(v) is int and 0 <= v < 1 << 53 for v in values)


def _check_tiling(layout: Mapping[str, Tensor], room: int) -> None:
    """Every byte belongs to one array: no hole, no overlap, nothing after the last."""
    at = 0
    for name, tensor in sorted(layout.items(), key=lambda item: item[1][2:]):
        if tensor.begin != at:
            raise ValueError(
                f"the array {name[:40]!r} begins at {tensor.begin:,} in place of {at:,}"
            )
        at = tensor.end
    if at != room:
        raise ValueError(f"its arrays take {at:,} bytes, and {room:,} are there")


def _array(stream: io.BufferedIOBase, name: str, tensor: Tensor, finite: bool) -> npt.NDArray[Any]:
    if tensor.dtype not in _DTYPES:
        raise ValueError(f"the array {name[:40]!r} is of {tensor.dtype}, which NumPy has not")
    flat = np.empty(math.prod(tensor.shape), _DTYPES[tensor.dtype])
    if flat.size and stream.readinto(flat.view(np.uint8).data) != flat.nbytes:
        raise ValueError(f"the array {name[:40]!r} ends too early")
    if flat.dtype.kind == "b" and (flat.view(np.uint8) > 1).any():
        raise ValueError(f"the array {name[:40]!r} holds truth values other than 0 and 1")
    if finite and flat.dtype.kind == "f" and not np.isfinite(flat).all():
        raise ValueError(f"the array {name[:40]!r} holds NaN or infinity")
    return flat.reshape(tensor.shape)
