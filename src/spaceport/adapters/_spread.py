"""Least squares draws every row it sends toward the mean; what gives the rows their spread back."""

from __future__ import annotations

import numpy as np

from spaceport.adapters.base import Double

__all__ = ["spread"]


def spread(sent: Double, wanted: Double) -> float:
    """Factor by which rows about their mean get the spread of others about theirs; both (n, q).

    √(Σ |y|² / Σ |ŷ|²), 1 where nothing was sent.

    Examples
    --------
    >>> spread(np.array([[1.0], [-1.0]]), np.array([[3.0], [-3.0]]))
    3.0
    """
    size = float(np.sum(sent * sent))
    return float(np.sqrt(np.sum(wanted * wanted) / size)) if size else 1.0
