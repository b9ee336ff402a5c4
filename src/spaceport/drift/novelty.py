"""Rows unlike any of the reference: distances to the nearest reference rows, under every split.

One neighbor graph of the pool serves all splits: the nearest reference row of a row is the first of its
neighbors that is of the reference in that split. With r_i, how many current rows are nearer than it, and q_i, the
rank of its distance among all u rows::

    runs:   T_1 = sum over the current rows of r_i
    tails:  T_2 = sum over the current rows of -log(1 - (q_i - 1/2) / u)

joined under the same splits. Rows of a new cluster have one another for neighbors, and so long runs, wherever
the cluster lies; single rows far out have no such company, and long distances.

Schilling, M. (1986). Multivariate two-sample tests based on nearest neighbors. JASA 81. Savage, I. (1956).
Contributions to the theory of rank order statistics: the two-sample case. Annals of Mathematical Statistics 27.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, integer
from spaceport.drift._conformal import conformal
from spaceport.drift._joint import joint
from spaceport.drift._order import by_content
from spaceport.drift._pooled import Double, Pooled
from spaceport.drift.base import DriftTest
from spaceport.geometry.neighbors import graph
from spaceport.threads import one_thread

__all__ = ["Novelty"]

_NOT_MET = 1e-4  # chance that none of a row's neighbors is of the reference
_MOST_NEIGHBORS = 256
_WALKS = 8_000_000  # at a time


class Novelty(DriftTest):
    """Looks for current rows where the reference has none; strong for a new cluster of a few percent.

    Parameters
    ----------
    seed : int
        Of the order of rows that are equally near.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> here, there = rng.standard_normal((300, 9)), rng.standard_normal((200, 9))
    >>> there[:10] += 3
    >>> Novelty()(here, there).p
    0.001
    """

    modality: ClassVar[str] = "vectors"
    needs_rows: ClassVar[bool] = True
    symmetric: ClassVar[bool] = False

    def __init__(self, seed: int = 0) -> None:
        self.seed = integer(seed, "seed", 0)

    def statistics(self, pooled: Pooled) -> Double:
        """Runs and tails, joined, (P + 1,)."""
        rows = self.rows_of(pooled)
        order = by_content(rows, self.seed)
        return joint([*runs_and_tails(rows[order], pooled.splits.inside[:, order])])

    def p_values(self, pooled: Pooled, neighbors: int = 10) -> Double:
        """Conformal p-value of each current row of the observed split, (m,)."""
        rows, current = self.rows_of(pooled), pooled.splits.current
        metric = "euclidean"  # the rows of a cosine space have unit length already
        return conformal(rows[~current], rows[current], neighbors, metric, self.seed)


def runs_and_tails(rows: Matrix, inside: npt.NDArray[np.bool_]) -> tuple[Double, Double]:
    """T_1 and T_2 of each split of `inside`, (S, u); gives (S,) twice."""
    from spaceport.drift.kernels.runs import nearest_reference

    with one_thread(openmp=True):
        near = graph(rows, _neighbors(inside), "euclidean")
    runs, tails = np.empty(len(inside)), np.empty(len(inside))
    step = max(1, _WALKS // len(rows))
    for start in range(0, len(inside), step):
        part = inside[start : start + step]
        steps, far = nearest_reference(near.indices, -near.similarities, part)
        runs[start : start + step] = (steps * part).sum(axis=1)
        tails[start : start + step] = _tails(far, part)
    return runs, tails


def _tails(far: Matrix, inside: npt.NDArray[np.bool_]) -> Double:
    u = far.shape[1]
    scores = -np.log(1 - (np.arange(u) + 0.5) / u)
    sorted_inside = np.take_along_axis(inside, np.argsort(far, axis=1), axis=1)
    total: Double = sorted_inside @ scores
    return total


def _neighbors(inside: npt.NDArray[np.bool_]) -> int:
    """How many neighbors nearly always hold one of the reference."""
    share = inside[0].mean()
    wanted = np.log(_NOT_MET) / np.log(share)
    return int(np.clip(np.ceil(wanted), 2, _MOST_NEIGHBORS))
