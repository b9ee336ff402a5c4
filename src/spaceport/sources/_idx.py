"""IDX, the layout of MNIST's files: a header of sizes, then bytes.

LeCun, Y., Cortes, C. & Burges, C.: The MNIST Database of Handwritten Digits, "File formats".
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from spaceport.errors import InputError
from spaceport.sources._files import opened
from spaceport.sources._packs import ROWS, Chunk

__all__ = ["chunks", "matches"]

_UNSIGNED_BYTES = 0x08
_NAME = re.compile(r"images[-.]idx3[-.]ubyte(\.gz|\.bz2|\.xz)?$")


def matches(path: Path) -> bool:
    """Whether the name is that of a file of pictures, as in ``train-images-idx3-ubyte.gz``."""
    return bool(_NAME.search(path.name)) and path.is_file()


def chunks(path: Path) -> Iterator[Chunk]:
    """Yield the pictures as PGM files, with their numbers as ``id``, and their ``label``.

    Raises
    ------
    InputError
        Another header, fewer bytes than it tells, or another number of labels.
    """
    labels = _labels(path)
    with opened(path) as stream:
        count, height, width = _sizes(stream.read(16), 3, path)
        if labels is not None and len(labels) != count:
            raise InputError(
                f"{path} holds {count} pictures and {_beside(path)} {len(labels)} labels.",
                "Fetch the two files again, from one place.",
            )
        head = f"P5 {width} {height} 255\n".encode()
        for start in range(0, count, ROWS):
            places = [str(place) for place in range(start, min(start + ROWS, count))]
            files = [
                head + _exactly(stream.read(width * height), width * height, path) for _ in places
            ]
            yield Chunk(places, [*files], _columns(places, labels, start))


def _columns(places: list[str], labels: bytes | None, start: int) -> dict[str, pa.Array]:
    columns = {"id": pa.array(places, pa.string())}
    if labels is not None:
        here = list(labels[start : start + len(places)])
        columns["label"] = pa.array(here, pa.int64())
    return columns


def _labels(path: Path) -> bytes | None:
    beside = _beside(path)
    if not beside.is_file():
        return None
    with opened(beside) as stream:
        (count,) = _sizes(stream.read(8), 1, beside)
        return _exactly(stream.read(count), count, beside)


def _beside(path: Path) -> Path:
    name = path.name.replace("images", "labels").replace("idx3", "idx1")
    return path.with_name(name)


def _sizes(head: bytes, axes: int, path: Path) -> tuple[int, ...]:
    _exactly(head, 4 + 4 * axes, path)
    magic, *sizes = struct.unpack(f">{1 + axes}I", head)
    if magic != _UNSIGNED_BYTES << 8 | axes:
        raise InputError(
            f"{path} is no IDX file of bytes on {axes} axes: it begins with {head[:4].hex()}.",
            "Fetch the file again.",
        )
    return tuple(sizes)


def _exactly(data: bytes, size: int, path: Path) -> bytes:
    if len(data) != size:
        raise InputError(f"{path} is shorter than its header says.", "Fetch the file again.")
    return data
