"""The verdict of several tests together, as one calibrated p-value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy.typing as npt

from spaceport.drift._joint import joint
from spaceport.drift._pooled import Pooled
from spaceport.drift.base import DriftTest, Evidence, p_value
from spaceport.methods import parse

__all__ = ["PANEL", "Verdict", "compare", "judge"]

PANEL = ("centroid", "mmd", "cells")


@dataclass(frozen=True)
class Verdict:
    """What the panel found.

    Attributes
    ----------
    p : float
        Of all members together.
    alpha : float
    evidence : tuple of Evidence
        Of each member.
    """

    p: float
    alpha: float
    evidence: tuple[Evidence, ...]

    @property
    def drift(self) -> bool:
        """The p-value is at most alpha."""
        return self.p <= self.alpha


def compare(
    reference: npt.ArrayLike,
    current: npt.ArrayLike,
    *,
    alpha: float = 0.05,
    tests: Sequence[str] = PANEL,
    permutations: int = 999,
    seed: int = 0,
    metric: str = "euclidean",
) -> Verdict:
    """Tell whether `current` comes from where `reference` does.

    Parameters
    ----------
    reference : array-like of shape (n, d)
    current : array-like of shape (m, d)
    alpha : float
        The false-alarm rate: how often drift is told where there is none.
    tests : sequence of str
        The panel, each in its one-line form.
    permutations, seed, metric
        As in `DriftTest.__call__`.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> compare(rng.standard_normal((200, 4)), rng.standard_normal((100, 4))).drift
    False
    """
    return judge(Pooled.of_rows(reference, current, permutations, seed, metric), alpha, tests)


def judge(pooled: Pooled, alpha: float = 0.05, tests: Sequence[str] = PANEL) -> Verdict:
    """Let the panel look at what was pooled."""
    members: list[DriftTest] = [parse("drift", test) for test in tests]
    statistics = [member.statistics(pooled) for member in members]
    splits = pooled.splits
    evidence = tuple(
        Evidence(member.spec, float(found[0]), p_value(found), splits.rows, splits.permutations)
        for member, found in zip(members, statistics, strict=True)
    )
    return Verdict(p_value(joint(statistics)), alpha, evidence)
