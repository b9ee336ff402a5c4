"""Maximum mean discrepancy over several bandwidths at once, by random Fourier features or exactly.

::

    MMD_b^2 = || mean(phi_b(current)) - mean(phi_b(reference)) ||^2
    phi_b(x) = [cos(x w / b), sin(x w / b)] / sqrt(L),   w ~ N(0, I), L of them
    exact:  MMD_b^2 = 1/m + 1/n + sum_{i != j} v_i v_j exp(-|x_i - x_j|^2 / 2b^2),
            v = 1/m for current rows, -1/n for others
    T = max_b (MMD_b^2 - its mean over the splits) / its standard deviation over the splits

for the Gaussian kernel of eight widths, a factor 2 apart, from twice the median distance down. One median
width alone has no power where a change stays inside one cluster.

Gretton, A. et al. (2012). A kernel two-sample test. JMLR 13, section 5. Rahimi, A. & Recht, B. (2007). Random
features for large-scale kernel machines. NeurIPS, section 3. Biggs, F., Schrab, A. & Gretton, A. (2023).
MMD-FUSE. NeurIPS.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from spaceport.arrays import Matrix
from spaceport.drift._joint import standardized
from spaceport.drift._pooled import Double, Pooled
from spaceport.drift.base import DriftTest
from spaceport.errors import InputError
from spaceport.threads import one_thread

__all__ = ["MMD"]

MOST_ROWS = 10_000
_PAIRS = 4_000_000  # at a time


class MMD(DriftTest):
    """Compares the whole distributions at several scales; cost is linear in the rows.

    Parameters
    ----------
    exact : bool
        By all pairs of rows, at most 10,000 rows in all: for small samples, and to check the features by.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> here, wider = rng.standard_normal((300, 2)), 1.5 * rng.standard_normal((300, 2))
    >>> MMD()(here, wider).p < 0.01
    True
    """

    modality: ClassVar[str] = "vectors"

    def __init__(self, exact: bool = False) -> None:
        self.exact = exact

    def check(self, pooled: Pooled) -> None:
        """Refuse blocks, and too many rows, where every pair is wanted."""
        if self.exact and len(self.rows_of(pooled)) > MOST_ROWS:
            raise InputError(
                f"`{self.spec}` looks at every pair, and there are {len(self.rows_of(pooled))} rows.",
                f"Give at most {MOST_ROWS:,} in all, or take `mmd`.",
            )

    def statistics(self, pooled: Pooled) -> Double:
        """Largest standardized MMD^2 of the bandwidths under each split, (P + 1,)."""
        squares = self.by_pairs(pooled) if self.exact else self.by_features(pooled)
        largest: Double = standardized(squares).max(axis=1)
        return largest

    def by_features(self, pooled: Pooled) -> Double:
        """MMD^2 of each bandwidth, the widest first, by the basis's features, (P + 1, widths)."""
        apart = pooled.differences("waves")
        by_width = apart.reshape(len(apart), pooled.basis.widths, -1)
        squares: Double = np.square(by_width).sum(axis=2)
        return squares

    def by_pairs(self, pooled: Pooled) -> Double:
        """MMD^2 - 1/m - 1/n of each bandwidth, the widest first, by all pairs, (P + 1, widths).

        What is left out is the same in every split, and would drown the rest in a narrow kernel.
        """
        self.check(pooled)
        rows = self.rows_of(pooled)
        weights = np.ascontiguousarray(pooled.splits.weights.T)  # (u, P + 1)
        # w ~ N(0, I) / (widest width), so that their mean square is 1 / width^2
        sharpness = float(np.square(pooled.basis.frequencies, dtype=np.float64).mean()) / 2
        squares = np.zeros((weights.shape[1], pooled.basis.widths))
        step = max(1, _PAIRS // len(rows))
        with one_thread():  # as sums come in one order then
            for start in range(0, len(rows), step):
                part = slice(start, start + step)
                far = _squared_distances(rows[part], rows)
                far[np.arange(len(far)), np.arange(start, start + len(far))] = np.inf
                for width in range(pooled.basis.widths):
                    kernel = np.exp(-sharpness * 4**width * far)
                    products = (kernel @ weights) * weights[part]
                    squares[:, width] += products.sum(axis=0, dtype=np.float64)
        return squares


def _squared_distances(these: Matrix, others: Matrix) -> Matrix:
    center = others.mean(axis=0)
    these, others = these - center, others - center
    lengths = np.square(these).sum(axis=1)[:, None] + np.square(others).sum(axis=1)
    squared: Matrix = np.maximum(lengths - 2 * (these @ others.T), 0)
    return squared
