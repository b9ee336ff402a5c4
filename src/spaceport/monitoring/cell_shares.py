"""Which cells grew or shrank: shares of two samples, cell by cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spaceport.errors import InputError

__all__ = ["ShareChanges", "share_changes"]

Double = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ShareChanges:
    """How the share of each of c cells changed.

    Attributes
    ----------
    before, after : ndarray of shape (c,), float64
        Shares of the reference and of the current sample.
    q : ndarray of shape (c,), float64
        P-values adjusted for the number of cells: those at most a are wrong at a rate of a, on average.
    """

    before: Double
    after: Double
    q: Double

    @property
    def change(self) -> Double:
        """After less before, shape (c,)."""
        return self.after - self.before


def share_changes(reference: npt.ArrayLike, current: npt.ArrayLike) -> ShareChanges:
    """Compare the counts of c cells, each cell against all others.

    ``p = min(1, 2 min(P(K <= k), P(K >= k)))`` with K hypergeometric: of n current rows, how many lie in
    the cell if these are any n of all N rows, of which M lie in it (Fisher's exact test with the smaller
    tail doubled). Adjusted by Benjamini and Hochberg's procedure.

    Parameters
    ----------
    reference, current : array-like of shape (c,), whole numbers
        Rows of each cell; neither all zero.

    Raises
    ------
    InputError
        Another number of cells, or no rows.

    References
    ----------
    Benjamini & Hochberg (1995), "Controlling the false discovery rate", J. R. Stat. Soc. B 57(1).

    Examples
    --------
    >>> found = share_changes([50, 25, 25], [5, 25, 20])
    >>> found.change.round(2).tolist(), (found.q < 0.05).tolist()
    ([-0.4, 0.25, 0.15], [True, True, False])
    """
    from scipy.stats import false_discovery_control, hypergeom

    old, new = (np.asarray(counts, np.float64) for counts in (reference, current))
    if old.shape != new.shape or old.ndim != 1 or not old.sum() or not new.sum():
        raise InputError(
            f"Cells of shapes {old.shape} and {new.shape} with {old.sum():g} and {new.sum():g} rows "
            "cannot be compared.",
            "Give one count per cell for both samples, and rows to both.",
        )
    total, inside, drawn = old.sum() + new.sum(), old + new, new.sum()
    below = hypergeom.cdf(new, total, inside, drawn)
    above = hypergeom.sf(new - 1, total, inside, drawn)
    p = np.clip(2 * np.minimum(below, above), 0.0, 1.0)
    return ShareChanges(old / old.sum(), new / new.sum(), false_discovery_control(p))
