"""Several statistics under the same splits as one, exactly.

::

    p_j(s) = share of the splits whose statistic j is at least that of split s
    joint(s) = max_j -log p_j(s), ties broken by the largest standardized statistic

Each p_j(s) is that of split s among all P + 1, the observed one included, so the joint statistic is again
a function of the split alone, and its permutation p-value is exact: no Bonferroni loss.

Westfall, P. H. & Young, S. S. (1993). Resampling-Based Multiple Testing, section 2.3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spaceport.drift._pooled import Double

__all__ = ["joint", "standardized", "tail_shares"]

_TIE = 1e-6


def tail_shares(statistics: Double) -> Double:
    """Share of the splits at or above each split's statistic, (P + 1,).

    Examples
    --------
    >>> tail_shares(np.array([3.0, 1.0, 2.0, 4.0]))
    array([0.5 , 1.  , 0.75, 0.25])
    """
    ordered = np.sort(statistics)
    below = np.searchsorted(ordered, statistics, side="left")
    return 1 - below / len(statistics)


def standardized(statistics: Double) -> Double:
    """(T - mean) / sd along the splits, the first axis; constant columns become 0."""
    spread = statistics.std(axis=0)
    z: Double = (statistics - statistics.mean(axis=0)) / np.where(spread > 0, spread, np.inf)
    return z


def joint(members: Sequence[Double]) -> Double:
    """Join statistics, (P + 1,) each, to one."""
    every = np.stack(members, axis=1)  # (P + 1, J)
    shares = np.stack([tail_shares(member) for member in members], axis=1)
    # the largest z of P + 1 values is at most sqrt(P), so that ties are all it decides
    result: Double = -np.log(shares.min(axis=1)) + _TIE * standardized(every).max(axis=1)
    return result
