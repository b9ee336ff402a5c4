"""The contract of a test of drift: two samples in, evidence out.

A test gives one number, its statistic, for the split of the pooled units into reference and current
that was observed, and for P random splits of the same units. Its p-value is::

    p = (k + 1) / (P + 1),   k = how many of the P random splits are at least as far apart

which is valid, P(p <= a) <= a, for any statistic whatever, if the units of both samples are exchangeable.

Phipson, B. & Smyth, G. K. (2010). Permutation p-values should never be zero. Statistical Applications in
Genetics and Molecular Biology 9(1), section 3.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix
from spaceport.drift._pooled import Double, Pooled
from spaceport.errors import InputError
from spaceport.methods import Method

__all__ = ["DriftTest", "Evidence", "p_value"]


@dataclass(frozen=True)
class Evidence:
    """What one test found.

    Attributes
    ----------
    test : str
        The test in its one-line form.
    statistic : float
        Larger is further apart; in the test's own unit.
    p : float
        Chance of a statistic at least as large where nothing drifted.
    rows : (int, int)
        How many rows of the reference and of the current sample it looked at.
    permutations : int
        P; the smallest p there can be is 1 / (P + 1).
    """

    test: str
    statistic: float
    p: float
    rows: tuple[int, int]
    permutations: int


class DriftTest(Method, ABC):
    """Tells whether two samples come from one distribution.

    A method writes `statistics`.

    Attributes
    ----------
    modality : str
        Always ``"vectors"``.
    needs_rows : bool
        It looks at single rows, and so has nothing to say where only a sketch's sums are left.
    symmetric : bool
        The statistic is the same with reference and current exchanged.
    """

    modality: ClassVar[str] = "vectors"
    needs_rows: ClassVar[bool] = False
    symmetric: ClassVar[bool] = True

    @abstractmethod
    def statistics(self, pooled: Pooled) -> Double:
        """Give the statistic under each split; the one required method.

        Returns
        -------
        ndarray of shape (P + 1,), float64
            The first is what was observed. Larger is further apart. It must not depend on which units
            are current in any other way than through ``pooled.splits``.
        """

    def check(self, pooled: Pooled) -> None:
        """Refuse what this test cannot look at, before any work.

        Raises
        ------
        InputError
            It needs rows, and these are blocks of a sketch.
        """
        if self.needs_rows:
            self.rows_of(pooled)

    def rows_of(self, pooled: Pooled) -> Matrix:
        """Rows of the pool, (u, d); refused where there are blocks."""
        if pooled.rows is None:
            raise InputError(
                f"`{self.spec}` looks at single rows, and of these samples only sums were kept.",
                "Give the vectors themselves, or choose centroid, mmd, frechet or cells.",
            )
        return pooled.rows

    def evidence(self, pooled: Pooled) -> Evidence:
        """Give statistic and p-value of the observed split."""
        self.check(pooled)
        found = self.statistics(pooled)
        splits = pooled.splits
        return Evidence(
            self.spec, float(found[0]), p_value(found), splits.rows, splits.permutations
        )

    def __call__(
        self,
        reference: npt.ArrayLike,
        current: npt.ArrayLike,
        *,
        permutations: int = 999,
        seed: int = 0,
        metric: str = "euclidean",
    ) -> Evidence:
        """Test two samples.

        Parameters
        ----------
        reference : array-like of shape (n, d)
        current : array-like of shape (m, d)
        permutations : int
            P, random splits.
        seed : int
            Of the splits, and of everything else that is drawn.
        metric : {"euclidean", "cosine", "dot"}
            With ``cosine`` rows are brought to unit length first.

        Raises
        ------
        InputError
            NaN or infinity, other dimensions, too few rows, all rows equal.
        """
        return self.evidence(Pooled.of_rows(reference, current, permutations, seed, metric))


def p_value(statistics: Double) -> float:
    """Give (k + 1) / (P + 1) of the first of P + 1 statistics.

    Examples
    --------
    >>> p_value(np.array([3.0, 1.0, 2.0, 4.0]))
    0.5
    """
    return float(np.mean(statistics >= statistics[0]))
