"""Kolmogorov and Smirnov's distance along each principal component of the pool.

::

    z = (x - origin) axes,   D_j = max_t |F_current,j(t) - F_reference,j(t)|
    T = max_j D_j

The components are those of both samples together. Each D_j has the same distribution where nothing
drifted, so that the largest of them can be compared with the largest under the same splits: this corrects
for the number of components and loses less than Bonferroni, since it knows how they hang together.

Smirnov, N. (1939). On the estimation of the discrepancy between empirical curves of distribution for two
independent samples. Bull. Math. Univ. Moscou 2. Westfall, P. H. & Young, S. S. (1993). Resampling-Based Multiple
Testing, section 2.3. Rabanser, S., Günnemann, S. & Lipton, Z. (2019). Failing loudly. NeurIPS, section 3.2.
"""

from __future__ import annotations

from typing import ClassVar

from spaceport.arrays import integer
from spaceport.drift._along import along
from spaceport.drift._pooled import Double, Pooled
from spaceport.drift.base import DriftTest

__all__ = ["KS"]


class KS(DriftTest):
    """Compares the distributions along single axes; strong where one direction changes, in any way.

    Parameters
    ----------
    components : int
        How many of the leading principal components; the basis holds at most 32.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> here, there = 3 * rng.standard_normal((200, 2)), 3 * rng.standard_normal((150, 2))
    >>> there[:, 0] = np.abs(there[:, 0])
    >>> KS()(here, there).p
    0.001
    """

    modality: ClassVar[str] = "vectors"
    needs_rows: ClassVar[bool] = True

    def __init__(self, components: int = 32) -> None:
        self.components = integer(components, "components", 1)

    def statistics(self, pooled: Pooled) -> Double:
        """Largest distance of the components under each split, (P + 1,)."""
        largest: Double = self.by_component(pooled).max(axis=1)
        return largest

    def by_component(self, pooled: Pooled) -> Double:
        """Distance along each component under each split, (P + 1, components)."""
        from spaceport.drift.kernels.distribution import largest_gaps

        coordinates = pooled.basis.projected(self.rows_of(pooled))[:, : self.components]
        return along(largest_gaps, coordinates, pooled.splits)
