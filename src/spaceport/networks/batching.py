"""Which pieces go through a network together: sorted by length, so that little is padded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["batches"]


def batches(lengths: npt.ArrayLike, budget: int) -> Iterator[npt.NDArray[Any]]:
    """Yield the places of pieces by batch, the longest pieces first.

    Parameters
    ----------
    lengths : array-like of shape (n,), int
        Tokens of each piece, 1 or more.
    budget : int
        A batch has at most so many tokens, padding counted: its longest piece times its pieces. A
        longer piece goes alone.

    Yields
    ------
    ndarray of shape (m,), int64

    Examples
    --------
    >>> [batch.tolist() for batch in batches([2, 9, 3, 3], budget=9)]
    [[1], [2, 3, 0]]
    """
    sizes = np.asarray(lengths)
    order = np.argsort(-sizes, kind="stable")
    start = 0
    while start < len(order):
        count = max(1, budget // int(sizes[order[start]]))
        yield order[start : start + count]
        start += count
