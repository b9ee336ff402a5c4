"""Blocks: which one a row belongs to follows from the hash of its id."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spaceport.arrays import integer
from spaceport.errors import ParameterError

__all__ = ["check_blocks", "places_of"]

MOST = 1024


def places_of(keys: npt.NDArray[np.uint64], blocks: int) -> npt.NDArray[np.int64]:
    """Give the block of each hash: the hash mod `blocks`."""
    return (keys % np.uint64(blocks)).astype(np.int64)


def check_blocks(blocks: int) -> int:
    """Give `blocks` back if it is a power of 2 up to 1,024.

    Examples
    --------
    >>> check_blocks(48)
    Traceback (most recent call last):
        ...
    spaceport.errors.ParameterError: `blocks` must be a power of 2. Got 48.
    Give 64, for example.
    """
    integer(blocks, "blocks", 1, MOST)
    if blocks & (blocks - 1):
        raise ParameterError(
            f"`blocks` must be a power of 2. Got {blocks}.", "Give 64, for example."
        )
    return blocks
