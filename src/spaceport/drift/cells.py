"""What moved between cells, and what moved within them.

::

    counts:  t_c = (share of current in c - share of reference in c)^2 / pooled share of c
             T = sum_c t_c   and   T = max_c standardized( t_c )
    shift:   T = max_c standardized( n_a n_b / (n_a + n_b) ||mean(current in c) - mean(reference in c)||^2 )

at each resolution of the cells, joined under the same splits. The third is a centroid distance made
local: when one cluster of forty moves, the mean of all rows hardly does. Where what moved is a cell of its own,
few rows in one cell of forty, the largest of the counts tells, and their sum does not.
"""

from __future__ import annotations

from typing import ClassVar

from spaceport.drift._by_cell import count_statistics, shift_statistics
from spaceport.drift._joint import joint, standardized
from spaceport.drift._pooled import Double, Pooled
from spaceport.drift.base import DriftTest

__all__ = ["Cells"]


class Cells(DriftTest):
    """Compares the shares of the cells and the means inside them; names the place.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> centers = 9 * rng.standard_normal((6, 5))
    >>> here, there = (centers[rng.integers(0, 6, n)] + rng.standard_normal((n, 5)) for n in (400, 200))
    >>> there[:60] = centers[0] + rng.standard_normal((60, 5))
    >>> Cells()(here, there).p
    0.001
    """

    modality: ClassVar[str] = "vectors"

    def statistics(self, pooled: Pooled) -> Double:
        """Counts and shifts of every level, joined, (P + 1,)."""
        members = []
        for level in range(len(pooled.basis.cells)):
            counts = count_statistics(pooled, level)
            members += [counts.sum(axis=1), standardized(counts).max(axis=1)]
            shifts = shift_statistics(pooled, level)
            if shifts.shape[1]:
                members.append(standardized(shifts).max(axis=1))
        return joint(members)
