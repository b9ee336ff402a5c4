"""A rotation: distances and angles stay as they are.

::

    y = s (x - m) R + t,    R = U Vᵀ where (X - m)ᵀ (Y - t) = U S Vᵀ

s = √(Σ |y - t|² / Σ |(x - m) R|²), so that rows keep the spread that the target has about its mean. The
least-squares s would be smaller wherever the two spaces differ, and would draw all rows toward t and so
toward each other. Reflections count as rotations. Between different dimensions R has orthonormal rows
(p < q) or columns (p > q). The safe choice: it has so little freedom that a few hundred pairs do, and rows
far from the pairs are turned like all others. `geometry.alignment.procrustes` has the sources.
"""

from __future__ import annotations

from typing import ClassVar

from spaceport.adapters._spread import spread
from spaceport.adapters.base import Adapter, Arrays, Double, linear
from spaceport.geometry import alignment

__all__ = ["Procrustes"]


class Procrustes(Adapter):
    """The rotation that lays one space onto another, between any dimensions.

    Parameters
    ----------
    centering : bool
        Move the mean of X to the mean of Y.
    scaling : bool
        Let lengths change by one factor, s.

    Examples
    --------
    >>> quarter = Procrustes().fit([[1, 0], [0, 1], [-1, 0]], [[0, 1], [-1, 0], [0, -1]])
    >>> quarter([[2, 1]]).round(3)
    array([[-1.,  2.]], dtype=float32)
    """

    freedom: ClassVar[int] = 0

    def __init__(self, centering: bool = True, scaling: bool = True) -> None:
        self.centering = centering
        self.scaling = scaling

    def learn(self, X: Double, Y: Double) -> Arrays:
        """Learn m, s R and t from pairs, (n, p) and (n, q)."""
        found = alignment.procrustes(X, Y, centering=self.centering)
        sent = (X - found.origin) @ found.matrix
        scale = spread(sent, Y - found.target) if self.scaling else 1.0
        return linear(found.origin, scale * found.matrix, found.target)
