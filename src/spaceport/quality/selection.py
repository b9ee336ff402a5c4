"""Choosing among ways of making vectors: which scores best on the same items, and which as good as that.

A choice uses up the items that it was made on: the best of many scores is partly luck. So the winner is
to be scored once more on items that the choice never saw.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, generator, integer
from spaceport.errors import InputError, ParameterError
from spaceport.quality.probe import Accuracy, linear_probe_answers, nearest_neighbor_answers
from spaceport.quality.ranks import rank_correlations, resampled_correlations

__all__ = [
    "PROBES",
    "Estimate",
    "Standing",
    "chosen",
    "cross_validated",
    "of_answers",
    "of_cosines",
]

Double: TypeAlias = npt.NDArray[np.float64]
Answers: TypeAlias = Callable[[Matrix, npt.NDArray[Any], Matrix], npt.NDArray[Any]]

VOTERS = 10


def _vote(train: Matrix, labels: npt.NDArray[Any], test: Matrix) -> npt.NDArray[Any]:
    return nearest_neighbor_answers(train, labels, test, VOTERS)


PROBES: dict[str, Answers] = {"linear": linear_probe_answers, "neighbors": _vote}
"""What reads a label off vectors: a logistic regression, or the vote of the 10 nearest by cosine."""

_Z = 1.959964  # of a 95 % interval


@dataclass(frozen=True)
class Estimate:
    """A measured number with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Standing:
    """How one of several candidates did.

    Attributes
    ----------
    score : Estimate
    behind : Estimate
        The best candidate's score less this one's, on the same items.
    gain : Estimate
        Its score less that of the last candidate, on the same items.
    """

    score: Estimate
    behind: Estimate
    gain: Estimate

    @property
    def tied(self) -> bool:
        """Whether the interval of what it is behind holds zero."""
        return self.behind.low <= 0


def cross_validated(
    X: Matrix, codes: npt.ArrayLike, score: str = "linear", folds: int = 3, seed: int = 0
) -> npt.NDArray[np.bool_]:
    """Whether each item's label is told rightly by a probe that learnt from the other folds, (n,).

    Parameters
    ----------
    X : ndarray of shape (n, d)
    codes : array-like of shape (n,), int
        Classes with `folds` items each, or more; they are dealt out to the folds evenly.
    score : {"linear", "neighbors"}
        A key of `PROBES`.
    folds, seed : int

    Examples
    --------
    >>> X = np.repeat(np.eye(2, dtype=np.float32), 6, axis=0)
    >>> cross_validated(X, [0] * 6 + [1] * 6, "neighbors").tolist() == [True] * 12
    True
    """
    if score not in PROBES:
        raise ParameterError(
            f"`score` must be one of {', '.join(PROBES)}. Got {score!r}.", "Choose one."
        )
    wanted = np.asarray(codes)
    fold = _dealt(wanted, integer(folds, "folds", 2), seed)
    right = np.zeros(len(wanted), bool)
    for held in (fold == place for place in range(folds)):
        right[held] = PROBES[score](X[~held], wanted[~held], X[held]) == wanted[held]
    return right


def _dealt(codes: npt.NDArray[Any], folds: int, seed: int) -> npt.NDArray[np.int64]:
    """The fold of each item, the items of a class dealt out in turn."""
    random = generator(seed)
    fold = np.empty(len(codes), np.int64)
    for code in np.unique(codes):
        rows = random.permutation(np.flatnonzero(codes == code))
        if len(rows) < folds:
            raise InputError(
                f"A class has {len(rows)} items, and there are {folds} folds.",
                "Leave rare classes out, or give more items of them.",
            )
        fold[rows] = np.arange(len(rows)) % folds
    return fold


def of_answers(right: npt.ArrayLike) -> list[Standing]:
    """Standings by the share of right answers.

    ::

        p ± …   Wilson's interval
        d = (b - c) / n,   d ± z √(b + c - (b - c)² / n) / n

    with b the items that only the best candidate answers rightly, and c those that only the other one
    does: what both answer alike says nothing of their difference (McNemar 1947, Psychometrika 12).

    Parameters
    ----------
    right : array-like of shape (c, n), bool
        Of c candidates, each answer to the same n items.

    Examples
    --------
    >>> first, second = of_answers([[True] * 90 + [False] * 10, [True] * 70 + [False] * 30])
    >>> round(second.behind.value, 3), round(second.behind.low, 3), second.tied
    (0.2, 0.122, False)
    """
    answers = np.asarray(right, bool)
    shares = [Accuracy(int(mine.sum()), len(mine)) for mine in answers]
    best = answers[answers.sum(axis=1).argmax()]
    return [
        Standing(Estimate(share.value, *share.interval), _gap(best, mine), _gap(mine, answers[-1]))
        for mine, share in zip(answers, shares, strict=True)
    ]


def _gap(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> Estimate:
    """How much larger the share of right answers is among `first`."""
    n = len(first)
    ahead, back = int((first & ~second).sum()), int((second & ~first).sum())
    half = float(_Z * np.sqrt(ahead + back - (ahead - back) ** 2 / n) / n)
    gap = (ahead - back) / n
    return Estimate(gap, gap - half, gap + half)


def of_cosines(
    found: npt.ArrayLike, judged: npt.ArrayLike, draws: int = 500, seed: int = 0
) -> list[Standing]:
    """Standings by Spearman's rank correlation with people's judgements.

    The intervals are the middle 95 % of the correlations, and of their differences, over `draws`
    samples of the pairs with replacement, the same samples for all candidates (Efron 1979).

    Parameters
    ----------
    found : array-like of shape (c, n)
        Of c candidates, the cosines of the same n pairs.
    judged : array-like of shape (n,)
        How alike people find the two of each pair, on any scale.

    Raises
    ------
    InputError
        Fewer than three pairs, or all judgements are equal.
    """
    wanted = np.asarray(judged, np.float64)
    if len(np.unique(wanted)) < 2 or len(wanted) < 3:
        raise InputError(
            f"{len(wanted)} pairs have {len(np.unique(wanted))} different scores: no ranks to compare.",
            "Give three pairs or more with differing scores.",
        )
    rows = np.asarray(found, np.float64)
    values = [float(rank_correlations(row, wanted)[0]) for row in rows]
    samples = resampled_correlations(rows, wanted, draws, seed)
    best = int(np.argmax(values))
    return [
        Standing(
            _estimate(value, sample),
            _estimate(values[best] - value, samples[best] - sample),
            _estimate(value - values[-1], sample - samples[-1]),
        )
        for value, sample in zip(values, samples, strict=True)
    ]


def _estimate(value: float, sample: Double) -> Estimate:
    low, high = np.percentile(sample, [2.5, 97.5])
    return Estimate(value, float(low), float(high))


def chosen(standings: Sequence[Standing], costs: Sequence[tuple[float, ...]]) -> int:
    """The place of the least costly among those that are as good as the best.

    Of equal costs the higher score wins.

    Examples
    --------
    >>> standings = of_answers([[True] * 50 + [False], [True] * 49 + [False] * 2])
    >>> chosen(standings, [(6,), (1,)])
    1
    """
    tied = [place for place, standing in enumerate(standings) if standing.tied]
    return min(tied, key=lambda place: (costs[place], -standings[place].score.value))
