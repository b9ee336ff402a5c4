"""A statistic of two distribution functions along each of several axes, under every split."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from spaceport.arrays import Matrix
from spaceport.drift._pooled import Double, Splits
from spaceport.threads import in_order, workers

__all__ = ["along"]


def along(kernel: Callable[..., Any], coordinates: Matrix, splits: Splits) -> Double:
    """Run `kernel` along each column of `coordinates`, (u, r); gives (P + 1, r)."""
    inside = np.ascontiguousarray(splits.inside.T).view(np.uint8)  # (u, P + 1)

    def column(axis: int) -> Double:
        order = np.argsort(coordinates[:, axis], kind="stable")
        found: Double = kernel(coordinates[order, axis], order, inside)
        return found

    axes = range(coordinates.shape[1])
    return np.stack(list(in_order(column, axes, workers(None))), axis=1)
