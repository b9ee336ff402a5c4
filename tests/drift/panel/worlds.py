"""Planted data: clusters whose shares and means are known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spaceport.drift.sketches.basis import Basis

CENTERS = 6 * np.random.default_rng(7).standard_normal((12, 6))


def clustered(
    rng: np.random.Generator, n: int, shares: npt.ArrayLike | None = None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Rows around twelve centers, and whose each is."""
    p = np.full(12, 1 / 12) if shares is None else np.asarray(shares)
    whose = rng.choice(12, n, p=p)
    return CENTERS[whose] + 0.5 * rng.standard_normal((n, 6)), whose


def basis() -> Basis:
    """Whose fine cells are the clusters."""
    rows, _ = clustered(np.random.default_rng(1), 600)
    fine = CENTERS.astype(np.float32)
    return Basis.fit(rows, cells=[fine[:3], fine])


BASIS = basis()
