"""Two scores of the same items: their difference, and how far chance alone could move it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spaceport.arrays import generator
from spaceport.errors import InputError

__all__ = ["Difference", "compare"]

DRAWS = 2000
_BLOCK = 1 << 20  # numbers drawn at once


@dataclass(frozen=True)
class Difference:
    """The mean of one set of scores, and how it differs from another on the same items.

    Attributes
    ----------
    value : float
        The mean.
    change : float
        `value` minus the other mean.
    low, high : float
        95 % interval of `change`.
    items : int
    """

    value: float
    change: float
    low: float
    high: float
    items: int


def compare(before: npt.ArrayLike, after: npt.ArrayLike, seed: int = 0) -> Difference:
    """Compare the scores of n items before and after, item by item.

    The interval goes from the 2.5th to the 97.5th percentile of the mean of ``after − before`` over
    2,000 sets of n items drawn with replacement (Efron 1979, paired). Where the items agree, chance is
    small, however uncertain each of the two scores is alone.

    Parameters
    ----------
    before, after : array-like of shape (n,)
        A number for each item; the larger the better.
    seed : int

    Examples
    --------
    >>> found = compare([1, 1, 0, 1] * 25, [1, 1, 0, 0] * 25)
    >>> found.value, found.change, found.low <= -0.25 <= found.high
    (0.5, -0.25, True)
    """
    old, new = np.asarray(before, np.float64), np.asarray(after, np.float64)
    if old.shape != new.shape or old.ndim != 1 or not len(old):
        raise InputError(
            f"Scores of shape {old.shape} and {new.shape} cannot be paired.",
            "Give one number for each item, the same items in the same order.",
        )
    steps, count = new - old, len(old)
    random = generator(seed)
    size = max(_BLOCK // count, 1)
    means = [
        steps[random.integers(count, size=(min(size, DRAWS - start), count))].mean(axis=1)
        for start in range(0, DRAWS, size)
    ]
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5])
    return Difference(float(new.mean()), float(steps.mean()), float(low), float(high), count)
