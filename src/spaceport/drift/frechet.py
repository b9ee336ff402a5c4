"""Fréchet distance of the Gaussians that have the samples' means and covariances.

::

    T = |m_c - m_r|^2 + tr(S_c + S_r - 2 (S_c S_r)^(1/2))
    tr (S_c S_r)^(1/2) = sum of the singular values of A' B,   S_c = A A',  S_r = B B'

of the coordinates z = (x - origin) axes along the leading principal axes of the pool: as many as a
quarter of the smaller sample's rows, and at most 32. The number itself grows as samples shrink, so that it
means nothing without splits of the same sizes.

Dowson, D. & Landau, B. (1982). The Fréchet distance between multivariate normal distributions. Journal of
Multivariate Analysis 12(3), equation 4. Chong, M. & Forsyth, D. (2020). Effectively unbiased FID and inception
score and where to find them. CVPR, section 3.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from spaceport.arrays import integer
from spaceport.drift._pooled import Double, Pooled
from spaceport.drift.base import DriftTest
from spaceport.threads import one_thread

__all__ = ["Frechet"]

_ROWS_PER_AXIS = 4
_NONE_LEFT = 1e-6  # of an axis's variance: below, float32 sums tell nothing


class Frechet(DriftTest):
    """Compares means and covariances; strong where the spread changes. Needs no rows.

    Parameters
    ----------
    components : int
        How many of the leading axes at most.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> here, wider = rng.standard_normal((300, 8)), 1.3 * rng.standard_normal((200, 8))
    >>> Frechet()(here, wider).p
    0.001
    """

    modality: ClassVar[str] = "vectors"

    def __init__(self, components: int = 32) -> None:
        self.components = integer(components, "components", 1)

    def statistics(self, pooled: Pooled) -> Double:
        """Squared distance under each split, (P + 1,)."""
        used = self._axes(pooled)
        axes, origin = pooled.basis.axes[:, :used].astype(float), pooled.basis.origin
        apart = pooled.differences("vectors") @ axes  # (P + 1, r)
        mean = (pooled.current_mean("vectors") - origin) @ axes
        squares = pooled.differences("squares")
        second = _square(pooled.current_mean("squares"), used)
        current = second - _outer(mean)
        reference = second - _square(squares, used) - _outer(mean - apart)
        with one_thread():  # many small ones
            found: Double = np.square(apart).sum(axis=1) + spread_apart(current, reference)
        return found

    def _axes(self, pooled: Pooled) -> int:
        most = min(pooled.splits.rows) // _ROWS_PER_AXIS
        return max(1, min(self.components, int(pooled.basis.axes.shape[1]), most))


def spread_apart(current: Double, reference: Double) -> Double:
    """tr(S_c + S_r - 2 (S_c S_r)^(1/2)) of pairs of covariances, each (s, r, r); gives (s,).

    Examples
    --------
    >>> spread_apart(np.diag([4.0, 9.0])[None], np.diag([1.0, 1.0])[None])
    array([5.])
    """
    both = np.swapaxes(_roots(current), 1, 2) @ _roots(reference)
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(np.swapaxes(both, 1, 2) @ both), 0)).sum(axis=1)
    apart: Double = np.trace(current + reference, axis1=1, axis2=2) - 2 * shared
    return apart


def _roots(covariances: Double) -> Double:
    """Lower A with A A' = S (Cholesky, column by column); a direction without variance becomes zero."""
    roots = np.zeros_like(covariances)
    for j in range(covariances.shape[1]):
        known = roots[:, j:, :j] @ roots[:, j, :j, None]  # (s, r - j, 1)
        column = covariances[:, j:, j] - known[..., 0]
        enough = column[:, 0] > _NONE_LEFT * covariances[:, j, j]
        pivot = np.sqrt(np.where(enough, column[:, 0], np.inf))
        roots[:, j:, j] = column / pivot[:, None]
    return roots


def _square(upper: Double, used: int) -> Double:
    """Upper triangles, (s, r (r + 1) / 2), as the leading parts of symmetric matrices."""
    side = int(np.sqrt(2 * upper.shape[1]))
    above, right = np.triu_indices(side)
    whole = np.empty((len(upper), side, side))
    whole[:, above, right] = upper
    whole[:, right, above] = upper
    return whole[:, :used, :used]


def _outer(means: Double) -> Double:
    products: Double = means[:, :, None] * means[:, None, :]
    return products
