"""Shares of rows with their intervals.

::

    wilson      (p + z^2/2n +- z sqrt(p (1 - p)/n + z^2/4n^2)) / (1 + z^2/n),    p = k/n
    newcombe    d - sqrt((p - l)^2 + (v - q)^2)  to  d + sqrt((u - p)^2 + (q - w)^2),    d = p - q

with (l, u) and (w, v) the Wilson intervals of p and q.

Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions.
Statistics in Medicine 17, 873-890, method 10.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spaceport.drift._pooled import Double

__all__ = ["Z", "newcombe", "wilson"]

Z = 1.959963984540054
"""The normal quantile of a 95 % interval."""


def wilson(k: npt.ArrayLike, n: npt.ArrayLike, z: float = Z) -> tuple[Double, Double]:
    """The interval of a share k of n, n above zero.

    Examples
    --------
    >>> [float(end.round(3)) for end in wilson(5, 10)]
    [0.237, 0.763]
    """
    rows = np.asarray(n, np.float64)
    p = np.asarray(k, np.float64) / rows
    middle = (p + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z * np.sqrt(p * (1 - p) / rows + z**2 / (4 * rows**2)) / (1 + z**2 / rows)
    return np.clip(middle - half, 0, p), np.clip(middle + half, p, 1)


def newcombe(
    k: npt.ArrayLike, n: npt.ArrayLike, other_k: npt.ArrayLike, other_n: npt.ArrayLike, z: float = Z
) -> tuple[Double, Double]:
    """The interval of the difference k/n - other_k/other_n.

    Examples
    --------
    >>> [float(end.round(4)) for end in newcombe(56, 70, 48, 80)]  # the paper's example (a)
    [0.0524, 0.3339]
    """
    p = np.asarray(k, np.float64) / np.asarray(n, np.float64)
    q = np.asarray(other_k, np.float64) / np.asarray(other_n, np.float64)
    low, high = wilson(k, n, z)
    other_low, other_high = wilson(other_k, other_n, z)
    below: Double = p - q - np.sqrt((p - low) ** 2 + (other_high - q) ** 2)
    above: Double = p - q + np.sqrt((high - p) ** 2 + (q - other_low) ** 2)
    return below, above
