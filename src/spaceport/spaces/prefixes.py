"""Shorter vectors: the first numbers of each, where they mean the most, and what is lost with them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spaceport.arrays import Matrix, integer
from spaceport.errors import ParameterError
from spaceport.geometry.base import normalize
from spaceport.quality.overlap import draw, overlap

__all__ = ["LEAST", "ROWS", "WORTH", "cut", "halves", "losses", "wanted"]

LEAST = 8
ROWS = 20_000
WORTH = 0.5
"""What an encoder offers by itself may lose at most this share of the neighbors."""
_QUERIES = 1000
_NEIGHBORS = 10


def halves(dimension: int) -> tuple[int, ...]:
    """The half of a dimension, its quarter and its eighth, as far as they are `LEAST` or more.

    Examples
    --------
    >>> halves(100), halves(10)
    ((50, 25, 12), ())
    """
    return tuple(dimension // part for part in (2, 4, 8) if dimension // part >= LEAST)


def wanted(asked: Sequence[int], dimension: int) -> tuple[int, ...]:
    """The dimensions asked for, largest first; a ParameterError where one is not shorter than `dimension`."""
    for each in asked:
        if integer(each, "dimensions", 1) >= dimension:
            raise ParameterError(
                f"`dimensions` must be shorter than the vectors, which have {dimension}. Got {each}.",
                "Leave it out: the whole vectors may be used anyway.",
            )
    return tuple(sorted({*asked}, reverse=True))


def losses(X: Matrix, dimensions: Sequence[int], metric: str) -> tuple[float, ...]:
    """Of each dimension, the share of the 10 nearest that are lost with the first numbers alone.

    1 − `quality.overlap` of the whole vectors and the first numbers of each, on 1,000 rows among up to
    20,000, drawn with seed 0. Under ``cosine`` the shorter vectors are brought to unit length again.

    Parameters
    ----------
    X : ndarray of shape (n, d), float32
    dimensions : sequence of int
    metric : {"cosine", "dot", "euclidean"}

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(200, 4)) * [9, 9, 1e-4, 1e-4]
    >>> losses(X.astype(np.float32), [2, 1], metric="cosine")[0]
    0.0
    """
    if len(X) < 2:
        return tuple(0.0 for _ in dimensions)
    rows = X if len(X) <= ROWS else X[draw(len(X), ROWS, seed=0)]
    told = {"k": _NEIGHBORS, "queries": _QUERIES, "metric": metric}
    return tuple(
        1.0 - overlap(rows, np.ascontiguousarray(rows[:, :each]), **told).mean  # type: ignore[arg-type]  # each has its own
        for each in dimensions
    )


def cut(X: Matrix, dimension: int, unit: bool) -> Matrix:
    """The first numbers of each row of `X` (n, d), brought to unit length again where rows have it."""
    short = np.ascontiguousarray(X[:, :dimension])
    return normalize(short) if unit else short
