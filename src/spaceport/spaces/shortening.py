"""What is left of a score where vectors are made shorter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spaceport.arrays import Matrix
from spaceport.encoders.pca import PCA
from spaceport.errors import ParameterError
from spaceport.spaces.given import Given
from spaceport.spaces.tasks import Task

__all__ = ["Shorter", "refuse_longer", "shortened"]


@dataclass(frozen=True)
class Shorter:
    """A score at one dimension.

    Attributes
    ----------
    dimension : int
    how : {"all", "first values", "main directions"}
        Nothing left out; truncated, which is fair only to a network trained for it; PCA, learnt from
        the vectors without their labels.
    score, low, high : float
        On the part that the choice was made on, with the 95 % interval.
    behind : float
        The best of these scores less this one.
    tied : bool
        Whether the interval of `behind` holds zero.
    """

    dimension: int
    how: str
    score: float
    low: float
    high: float
    behind: float
    tied: bool


def shortened(task: Task, X: Matrix, dimensions: Sequence[int]) -> list[Shorter]:
    """Score `X` (n, d) as it is and at each of `dimensions`; none where none is asked for.

    See `refuse_longer` for the dimensions that there may be.
    """
    if not dimensions:
        return []
    turned = _turned(X, max(dimensions))
    ways = [(X.shape[1], "all", X)]
    for d in sorted({*dimensions} - {X.shape[1]}, reverse=True):
        ways += [(d, "first values", X[:, :d].copy()), (d, "main directions", turned[:, :d].copy())]
    standings = task.standings([vectors for _, _, vectors in ways])
    return [
        Shorter(d, how, s.score.value, s.score.low, s.score.high, s.behind.value, s.tied)
        for (d, how, _), s in zip(ways, standings, strict=True)
    ]


def refuse_longer(dimensions: Sequence[int], rows: int, width: int) -> None:
    """See that vectors of `width` values can be made so short, and their directions be learnt.

    Raises
    ------
    ParameterError
        More dimensions than the vectors have, or than there are items.
    """
    most = min(rows - 1, width)
    if dimensions and max(dimensions) > most:
        raise ParameterError(
            f"`dimensions` must be at most {most}: {rows:,} vectors of {width} values. "
            f"Got {max(dimensions)}.",
            "Ask for shorter vectors, or draw more items.",
        )


def _turned(X: Matrix, dimension: int) -> Matrix:
    """`X` on its main directions, the largest variance first; fewer of them are a part of these."""
    given = Given([str(row) for row in range(len(X))], X, {})
    return PCA(dimension=dimension).fit(given).encode(given)
