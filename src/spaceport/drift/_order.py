"""An order of rows that their numbers alone decide.

Whatever is drawn from the pool (rows for k-means, halves to learn and to judge on) must not know which
rows are current, or the splits would not be exchangeable: drawn by content, it cannot, and the order in
which the rows came does not matter either.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, generator

__all__ = ["by_content"]

_ROWS = 16_384


def by_content(rows: Matrix, seed: int) -> npt.NDArray[np.intp]:
    """Order rows by a keyed hash of their bits, sum_j r_j x_j modulo 2^64, and equal rows at random.

    Examples
    --------
    >>> rows = np.arange(8, dtype=np.float32).reshape(4, 2)
    >>> turned = rows[::-1]
    >>> bool((rows[by_content(rows, 0)] == turned[by_content(turned, 0)]).all())
    True
    """
    bits = np.ascontiguousarray(rows).view(np.uint32)
    rng = generator(seed)
    keys = rng.integers(0, 2**64, rows.shape[1], dtype=np.uint64) | np.uint64(1)
    hashes = [
        bits[start : start + _ROWS].astype(np.uint64) @ keys for start in range(0, len(rows), _ROWS)
    ]
    shuffled = rng.permutation(len(rows))
    order: npt.NDArray[np.intp] = shuffled[
        np.argsort(np.concatenate(hashes)[shuffled], kind="stable")
    ]
    return order
