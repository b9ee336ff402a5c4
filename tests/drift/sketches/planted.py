"""Rows, ids and bases for the tests of sketches."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from spaceport.drift.sketches.basis import Basis

D = 7


@cache
def rows(n: int = 9000, seed: int = 0) -> Any:
    """Three clusters, (n, 7) float32."""
    rng = np.random.default_rng(seed)
    centers = 3 * rng.standard_normal((3, D))
    found = (centers[rng.integers(0, 3, n)] + rng.standard_normal((n, D))).astype(np.float32)
    found.setflags(write=False)
    return found


@cache
def names(n: int = 9000) -> list[str]:
    """Ids."""
    return [f"événement {place}" for place in range(n)]


@cache
def basis(metric: str = "euclidean") -> Basis:
    """A small basis of those rows."""
    return Basis.fit(rows()[:500], metric, seed=2)
