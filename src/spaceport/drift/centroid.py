"""Distance of the two centroids, with the null that makes it a test.

::

    euclidean:  T = || mean(current) - mean(reference) ||
    cosine:     T = 1 - cos(mean(current), mean(reference))
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from spaceport.drift._pooled import Double, Pooled
from spaceport.drift.base import DriftTest
from spaceport.errors import ParameterError

__all__ = ["Centroid"]


class Centroid(DriftTest):
    """Compares the means; strong where all rows move one way, blind to what leaves the mean alone.

    Parameters
    ----------
    distance : {"euclidean", "cosine"}

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> here, there = rng.standard_normal((200, 5)), rng.standard_normal((100, 5)) + 0.5
    >>> Centroid()(here, there).p
    0.001
    """

    modality: ClassVar[str] = "vectors"

    def __init__(self, distance: str = "euclidean") -> None:
        if distance not in ("euclidean", "cosine"):
            raise ParameterError(
                f"`distance` must be 'euclidean' or 'cosine'. Got {distance!r}.", "Choose one."
            )
        self.distance = distance

    def statistics(self, pooled: Pooled) -> Double:
        """Distance of the means under each split, (P + 1,)."""
        apart = pooled.differences("vectors")
        if self.distance == "euclidean":
            far: Double = np.linalg.norm(apart, axis=1)
            return far
        current = pooled.current_mean("vectors")
        reference = current - apart
        lengths = np.linalg.norm(current, axis=1) * np.linalg.norm(reference, axis=1)
        products = (current * reference).sum(axis=1)
        turned: Double = 1 - products / np.where(lengths > 0, lengths, 1)
        return turned
