"""Sliced Wasserstein distance: how far mass must be carried, along random directions.

::

    W_l = integral |F_current,l(t) - F_reference,l(t)| dt   of the coordinates x u_l,  |u_l| = 1
    T = mean_l W_l,   l = 1 .. L

Bonneel, N., Rabin, J., Peyré, G. & Pfister, H. (2015). Sliced and Radon Wasserstein barycenters of measures.
Journal of Mathematical Imaging and Vision 51, section 3. Vallender, S. (1974). Calculation of the Wasserstein
distance between probability distributions on the line. Theory of Probability and its Applications 18(4).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from spaceport.arrays import Matrix, generator, integer
from spaceport.drift._along import along
from spaceport.drift._pooled import Double, Pooled
from spaceport.drift.base import DriftTest

__all__ = ["Wasserstein"]


class Wasserstein(DriftTest):
    """Compares the distributions along random directions, in the vectors' own unit of length.

    Parameters
    ----------
    directions : int
        The L.
    seed : int
        Of the directions.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> here, wider = rng.standard_normal((200, 3)), 1.6 * rng.standard_normal((150, 3))
    >>> Wasserstein()(here, wider).p
    0.001
    """

    modality: ClassVar[str] = "vectors"
    needs_rows: ClassVar[bool] = True

    def __init__(self, directions: int = 64, seed: int = 0) -> None:
        self.directions = integer(directions, "directions", 1)
        self.seed = integer(seed, "seed", 0)

    def statistics(self, pooled: Pooled) -> Double:
        """Mean distance over the directions under each split, (P + 1,)."""
        mean: Double = self.by_direction(pooled).mean(axis=1)
        return mean

    def by_direction(self, pooled: Pooled) -> Double:
        """Distance along each direction under each split, (P + 1, directions)."""
        from spaceport.drift.kernels.distribution import areas_between

        rows = self.rows_of(pooled)
        return along(areas_between, rows @ self.drawn(rows.shape[1]), pooled.splits)

    def drawn(self, dimension: int) -> Matrix:
        """Give the directions as columns of unit length, (d, directions) float32."""
        normal = generator(self.seed).standard_normal((dimension, self.directions))
        unit: Matrix = (normal / np.linalg.norm(normal, axis=0)).astype(np.float32)
        return unit
