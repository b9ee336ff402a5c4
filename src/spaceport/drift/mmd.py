"""Maximum mean discrepancy by random Fourier features, over several bandwidths at once.

::

    MMD_b^2 = || mean(phi_b(current)) - mean(phi_b(reference)) ||^2
    phi_b(x) = [cos(x w / b), sin(x w / b)] / sqrt(L),   w ~ N(0, I), L of them
    T = max_b (MMD_b^2 - its mean over the splits) / its standard deviation over the splits

for the Gaussian kernel exp(-|x - y|^2 / 2b^2) of eight widths, a factor 2 apart, from twice the median
distance down. One median width alone has no power where a change stays inside one cluster.

Gretton, A. et al. (2012). A kernel two-sample test. JMLR 13, section 5. Rahimi, A. & Recht, B. (2007). Random
features for large-scale kernel machines. NeurIPS, section 3. Biggs, F., Schrab, A. & Gretton, A. (2023).
MMD-FUSE. NeurIPS.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from spaceport.drift._joint import standardized
from spaceport.drift._pooled import Double, Pooled
from spaceport.drift.base import DriftTest

__all__ = ["MMD"]


class MMD(DriftTest):
    """Compares the whole distributions at several scales; cost is linear in the rows.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> here, wider = rng.standard_normal((300, 2)), 1.5 * rng.standard_normal((300, 2))
    >>> MMD()(here, wider).p < 0.01
    True
    """

    modality: ClassVar[str] = "vectors"

    def statistics(self, pooled: Pooled) -> Double:
        """Largest standardized MMD^2 of the bandwidths under each split, (P + 1,)."""
        apart = pooled.differences("waves")
        by_width = apart.reshape(len(apart), pooled.basis.widths, -1)
        squares: Double = standardized(np.square(by_width).sum(axis=2)).max(axis=1)
        return squares
