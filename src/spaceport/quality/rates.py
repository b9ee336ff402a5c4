"""Shares of rows: their intervals, and whether two of them differ.

::

    wilson      (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n)                    p = k/n
    newcombe    d − √((p − l)² + (v − q)²)  to  d + √((u − p)² + (q − w)²)             d = p − q
                with (l, u) and (w, v) the Wilson intervals of p and q, w < q < v
    fisher      the exact conditional test of a 2 × 2 table, two-sided

Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. J. Am. Stat.
Assoc. 22, 209-212. Newcombe, R. G. (1998). Interval estimation for the difference between independent
proportions. Statistics in Medicine 17, 873-890, method 10. Fisher, R. A. (1935). The logic of inductive
inference. J. R. Stat. Soc. 98, 39-54. Holm, S. (1979). A simple sequentially rejective multiple test
procedure. Scand. J. Statist. 6, 65-70.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Z", "fisher", "holm", "newcombe", "wilson"]

Double: TypeAlias = npt.NDArray[np.float64]

Z = 1.959963984540054
"""The normal quantile of a 95 % interval."""


def wilson(successes: npt.ArrayLike, rows: npt.ArrayLike) -> tuple[Double, Double]:
    """The 95 % interval of a share, from 0 to 1 where there are no rows.

    Parameters
    ----------
    successes, rows : array-like of one shape

    Returns
    -------
    low, high : ndarray of that shape, float64

    Examples
    --------
    >>> low, high = wilson([0, 5, 0], [10, 10, 0])
    >>> low.round(3), high.round(3)
    (array([0.   , 0.237, 0.   ]), array([0.278, 0.763, 1.   ]))
    """
    k, n = np.asarray(successes, np.float64), np.asarray(rows, np.float64)
    known = np.maximum(n, 1)
    p = k / known
    middle = (p + Z**2 / (2 * known)) / (1 + Z**2 / known)
    half = Z * np.sqrt(p * (1 - p) / known + Z**2 / (4 * known**2)) / (1 + Z**2 / known)
    low = np.where(n > 0, np.where(k <= 0, 0.0, middle - half), 0.0)
    high = np.where(n > 0, np.where(k >= n, 1.0, middle + half), 1.0)
    return np.clip(low, 0, 1), np.clip(high, 0, 1)


def newcombe(
    k: npt.ArrayLike, n: npt.ArrayLike, other_k: npt.ArrayLike, other_n: npt.ArrayLike
) -> tuple[Double, Double]:
    """The 95 % interval of the difference k/n − other_k/other_n.

    Examples
    --------
    >>> [float(end.round(4)) for end in newcombe(56, 70, 48, 80)]  # the paper's example (a)
    [0.0524, 0.3339]
    """
    p, q = _share(k, n), _share(other_k, other_n)
    low, high = wilson(k, n)
    other_low, other_high = wilson(other_k, other_n)
    below = np.sqrt((p - low) ** 2 + (other_high - q) ** 2)
    above = np.sqrt((high - p) ** 2 + (q - other_low) ** 2)
    return p - q - below, p - q + above


def fisher(k: int, n: int, other_k: int, other_n: int) -> float:
    """The p-value that two samples have one share; 1 where one of them is empty.

    Examples
    --------
    >>> round(fisher(8, 10, 1, 6), 5)  # SciPy's example
    0.03497
    """
    from scipy.stats import fisher_exact

    if not n or not other_n or k + other_k in (0, n + other_n):
        return 1.0
    table = [[k, n - k], [other_k, other_n - other_k]]
    return float(min(fisher_exact(table).pvalue, 1.0))


def holm(p: Sequence[float]) -> list[float]:
    """P-values adjusted for their number: those at most α are wrong in any with probability at most α.

    Examples
    --------
    >>> [round(each, 3) for each in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, np.float64)
    order = np.argsort(values, kind="stable")
    steps = values[order] * (len(values) - np.arange(len(values)))
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(each) for each in adjusted]


def _share(k: npt.ArrayLike, n: npt.ArrayLike) -> Double:
    rows = np.asarray(n, np.float64)
    share: Double = np.divide(
        np.asarray(k, np.float64), rows, out=np.zeros(rows.shape), where=rows > 0
    )
    return share
