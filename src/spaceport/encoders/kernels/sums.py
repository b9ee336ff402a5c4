"""Means of a table's rows, text by text.

A text is a run of chunks, a chunk a run of rows. Rows are added in the order in which they stand, so
that a text's mean depends on nothing but the text.
"""

from __future__ import annotations

from typing import TypeAlias

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["means"]

Floats: TypeAlias = npt.NDArray[np.float32]
Ends: TypeAlias = npt.NDArray[np.int64]
Rows: TypeAlias = npt.NDArray[np.int32]


@numba.njit(cache=True, nogil=True)
def means(
    table: Floats,
    rows: Rows,
    chunk_ends: Ends,
    chunks: Rows,
    text_ends: Ends,
    first: int,
    last: int,
    out: Floats,
) -> None:
    """Write the means of the texts `first` to `last` - 1 into `out`; zero for a text without rows.

    Parameters
    ----------
    table : ndarray of shape (r, d)
    rows : ndarray
        Chunk c has the rows ``rows[chunk_ends[c]:chunk_ends[c + 1]]``.
    chunks : ndarray
        Text i has the chunks ``chunks[text_ends[i]:text_ends[i + 1]]``.
    out : ndarray of shape (n, d)
    """
    width = table.shape[1]
    for text in range(first, last):
        sums = out[text]
        sums[:] = 0
        count = 0
        for place in range(text_ends[text], text_ends[text + 1]):
            chunk = chunks[place]
            for at in range(chunk_ends[chunk], chunk_ends[chunk + 1]):
                row = table[rows[at]]
                for column in range(width):
                    sums[column] += row[column]
                count += 1
        if count > 1:
            scale = np.float32(1) / np.float32(count)
            for column in range(width):
                sums[column] *= scale
