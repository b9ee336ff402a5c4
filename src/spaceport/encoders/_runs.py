"""Sorted runs of counted pairs on disk, merged as they are read."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from spaceport.errors import StoreError

__all__ = ["MEBIBYTE", "Runs", "enough_space", "few", "read_array", "write_array"]

MEBIBYTE = 1 << 20
_PAIR_AND_SUM = 16  # bytes, in a run
_MERGED = 32  # runs that are merged at once
_LEAST = 1024  # numbers of a run that are in memory at least

Ints = npt.NDArray[np.int64]


class Runs:
    """Sorted runs of (pair, sum) in a temporary file."""

    def __init__(self) -> None:
        self.file: IO[bytes] = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by `close`
        self.sizes: list[int] = []

    def close(self) -> None:
        """Free the file."""
        self.file.close()

    def append(self, parts: Iterable[Ints]) -> None:
        """Write one run, given in parts of shape (n, 2)."""
        size = 0
        for part in parts:
            write_array(self.file, part)
            size += len(part)
        self.sizes.append(size)

    def merged(self, chosen: range, memory: int) -> Iterator[Ints]:
        """Merge some runs; gives parts of shape (n, 2), sorted, that together hold each pair once."""
        from spaceport.encoders.kernels.cooccurrence import merge

        width = max(memory * MEBIBYTE // (_PAIR_AND_SUM * 2 * (len(chosen) + 1)), _LEAST)
        parts = np.empty((len(chosen), width, 2), dtype=np.int64)
        place = np.array([sum(self.sizes[:run]) for run in chosen], dtype=np.int64)
        left = np.array([self.sizes[run] for run in chosen], dtype=np.int64)
        heads, ends = np.zeros((2, len(chosen)), dtype=np.int64)
        merged = np.empty((width, 2), dtype=np.int64)
        while True:
            for k in np.flatnonzero(heads == ends).tolist():
                size = min(width, int(left[k]))
                read_array(self.file, parts[k, :size], int(place[k]) * _PAIR_AND_SUM)
                place[k], left[k] = place[k] + size, left[k] - size
                heads[k], ends[k] = 0, size or -1
            written = merge(parts, heads, ends, merged)
            if not written and (ends < 0).all():
                return
            yield merged[:written]


def few(runs: Runs, memory: int) -> Runs:
    """Merge until there are no more runs than can be merged at once."""
    while len(runs.sizes) > _MERGED:
        fewer = Runs()
        with closing(runs):
            for first in range(0, len(runs.sizes), _MERGED):
                chosen = range(first, min(first + _MERGED, len(runs.sizes)))
                fewer.append(runs.merged(chosen, memory))
        runs = fewer
    return runs


def write_array(file: IO[bytes], array: npt.NDArray[Any]) -> None:
    """Write all the bytes of `array` where the file stands."""
    left = array.reshape(-1).view(np.uint8).data
    while left:  # a raw write may take less than it is given
        left = left[file.write(left) :]


def read_array(file: IO[bytes], array: npt.NDArray[Any], start: int) -> None:
    """Fill `array` from byte `start` on."""
    part = array.reshape(-1).view(np.uint8).data
    got = os.preadv(file.fileno(), [part], start) if len(part) else 0
    if got != len(part):
        raise StoreError(
            f"The temporary file of the counts gave {got} of {len(part)} bytes.", "Run again."
        )


@contextmanager
def enough_space() -> Iterator[None]:
    """Turn a full disk into an error that says where space is wanted."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise StoreError(
            f"No space is left in {tempfile.gettempdir()} for the counted pairs (16 bytes each).",
            "Set TMPDIR to a folder with more space.",
        ) from error
