"""Whether classes are predicted as often as before; needs no labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import generator, integer
from spaceport.errors import InputError
from spaceport.quality.rates import fisher

__all__ = ["ClassShift", "class_shift"]


@dataclass(frozen=True)
class ClassShift:
    """How much the predicted classes changed.

    Attributes
    ----------
    p : float
        That both samples have one mix of classes.
    moved : float
        Half the sum of |share after − share before|: the share of rows that had to change their class.
    classes : list of (class, before, after)
        Shares, the largest change first.
    """

    p: float
    moved: float
    classes: list[tuple[str, float, float]]

    def to_dict(self) -> dict[str, Any]:
        """What JSON can hold."""
        return asdict(self)


def class_shift(
    before: Mapping[str, int], after: Mapping[str, int], permutations: int = 999, seed: int = 0
) -> ClassShift:
    """Test whether the classes are predicted as often as before.

    Pearson's χ² against its distribution when the rows are divided anew between both samples (multivariate
    hypergeometric), p = (k + 1)/(permutations + 1): exact however rare a class is. For two classes Fisher's
    exact test.

    Parameters
    ----------
    before, after : mapping of str to int
        How often each class was predicted.
    permutations, seed : int

    Raises
    ------
    InputError
        A side without rows.

    Examples
    --------
    >>> found = class_shift({"cat": 50, "dog": 50}, {"cat": 30, "dog": 60, "emu": 10})
    >>> found.p, round(found.moved, 3), found.classes[0]
    (0.001, 0.2, ('cat', 0.5, 0.3))
    """
    integer(permutations, "permutations", 1)
    names = sorted(name for name in {*before, *after} if before.get(name) or after.get(name))
    counts = np.array([[side.get(n, 0) for n in names] for side in (before, after)], np.int64)
    totals = counts.sum(axis=1)
    if not totals.all():
        raise InputError("A side has no predictions.", "Give a window with predictions.")
    shares = counts / totals[:, None]
    apart = np.abs(shares[1] - shares[0])
    order = np.lexsort((np.arange(len(names)), -apart))
    classes = [(names[c], float(shares[0, c]), float(shares[1, c])) for c in order.tolist()]
    if len(names) <= 2:
        p = fisher(int(counts[1, 0]), int(totals[1]), int(counts[0, 0]), int(totals[0]))
    else:
        p = _permuted(counts, permutations, seed)
    return ClassShift(p, float(apart.sum() / 2), classes)


def _permuted(counts: npt.NDArray[np.int64], permutations: int, seed: int) -> float:
    pooled, after = counts.sum(axis=0), counts[1]
    draws = generator(seed).multivariate_hypergeometric(
        pooled, int(after.sum()), size=permutations, method="marginals"
    )
    expected_counts = pooled * (after.sum() / pooled.sum())
    # Of one table's margins, χ² is a multiple of Σ (x − e)²/e, so this orders tables alike.
    apart = ((np.vstack([after, draws]) - expected_counts) ** 2 / expected_counts).sum(axis=1)
    least = apart[0] * (1 - 1e-12)
    return float(((apart[1:] >= least).sum() + 1) / (permutations + 1))
