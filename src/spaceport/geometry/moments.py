"""Count, mean and scatter of rows as one mergeable value: PCA and whitening come from it.

::

    scatter = Σ (x - mean) (x - mean)ᵀ = gram - n mean meanᵀ          gram = Σ x xᵀ, sum = n mean
    a + b:   δ = mean_b - mean_a,   n = n_a + n_b
             mean = mean_a + δ n_b / n,   scatter = scatter_a + scatter_b + δ δᵀ n_a n_b / n

The scatter is kept and not the Gram matrix, because gram - n mean meanᵀ loses every digit where the
mean is large beside the spread. A block of rows is shifted by about its mean, multiplied in its own
precision, and added up in float64.

Chan, T., Golub, G. & LeVeque, R. (1979). Updating formulae and a pairwise algorithm for computing
sample variances. Stanford STAN-CS-79-773, equations 2.1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import integer, matrix
from spaceport.errors import InputError
from spaceport.threads import in_order, one_thread

__all__ = ["Moments", "over"]

Double: TypeAlias = npt.NDArray[np.float64]

_ROWS = 2048


@dataclass(frozen=True, eq=False)
class Moments:
    """The first two moments of n rows in d dimensions; `a + b` are those of both collections.

    Attributes
    ----------
    count : int
        n; 0 is the neutral element.
    mean : ndarray of shape (d,), float64
    scatter : ndarray of shape (d, d), float64
        Σ (x - mean) (x - mean)ᵀ, symmetric to the last bit.

    Examples
    --------
    >>> both = Moments.of([[1, 0], [3, 0]]) + Moments.of([[2, 3]])
    >>> both.count, both.sum, both.gram
    (3, array([6., 3.]), array([[14.,  6.],
           [ 6.,  9.]]))
    """

    count: int
    mean: Double
    scatter: Double

    @classmethod
    def of(cls, X: npt.ArrayLike) -> Moments:
        """Take the moments of the rows of `X`, on one thread of Python.

        Parameters
        ----------
        X : array-like of shape (n, d)
            float64 stays so; everything else is taken as float32, whose products are then added up
            over blocks of 2,048 rows in float64: off by a few millionths of the variances at most.

        Raises
        ------
        InputError
            What `arrays.matrix` refuses: NaN, infinity, other shapes.
        """
        rows = _checked(X)
        total = cls.none(rows.shape[1])
        for start in range(0, len(rows), _ROWS):
            total = total + _of_block(rows[start : start + _ROWS])
        return total

    @classmethod
    def none(cls, dimension: int) -> Moments:
        """Give the moments of no rows at all."""
        return cls(0, np.zeros(dimension), np.zeros((dimension, dimension)))

    @property
    def dimension(self) -> int:
        """How many columns the rows have: d."""
        return len(self.mean)

    @property
    def sum(self) -> Double:
        """Σ x, shape (d,)."""
        return self.count * self.mean

    @property
    def gram(self) -> Double:
        """Σ x xᵀ, shape (d, d)."""
        gram: Double = self.scatter + self.count * np.outer(self.mean, self.mean)
        return gram

    def covariance(self, ddof: int = 1) -> Double:
        """Give scatter / (n - ddof), shape (d, d).

        Raises
        ------
        InputError
            There are not more than `ddof` rows.
        """
        integer(ddof, "ddof", 0)
        if self.count <= ddof:
            raise InputError(
                f"A covariance of {self.count} rows is not defined.",
                f"Give at least {ddof + 1} rows.",
            )
        return self.scatter / (self.count - ddof)

    def variance(self, ddof: int = 1) -> Double:
        """Diagonal of the `covariance`, shape (d,), float64."""
        return np.diagonal(self.covariance(ddof)).copy()

    def whitening(self, floor: float = 1e-10) -> Double:
        """W of shape (d, r) such that the rows (x - mean) W are uncorrelated with variance 1.

        Parameters
        ----------
        floor : float
            Directions whose variance is not above this share of the largest have no scale and are
            left out: r of d remain, the one of largest variance first.
        """
        values, vectors = np.linalg.eigh(self.covariance())
        kept = np.flatnonzero(values > floor * max(values[-1], 0))[::-1]
        white: Double = vectors[:, kept] / np.sqrt(values[kept])
        return white

    def __add__(self, other: Moments) -> Moments:
        if self.dimension != other.dimension:
            raise InputError(
                f"Moments of {self.dimension} and of {other.dimension} dimensions cannot be added.",
                "Vectors of different spaces cannot be used together.",
            )
        if not self.count or not other.count:
            return self if self.count else other
        count = self.count + other.count
        apart = other.mean - self.mean
        mean = self.mean + apart * (other.count / count)
        between = np.outer(apart, apart)
        between *= self.count / count * other.count
        between += self.scatter
        between += other.scatter
        return Moments(count, mean, between)


def over(batches: Iterable[npt.ArrayLike], threads: int = 2) -> Moments:
    """Moments of a stream: batches are multiplied on `threads` threads while the next is read.

    The batches are merged in their order, and each is multiplied by one thread of BLAS, so that the
    bytes of the result do not depend on `threads`.

    Parameters
    ----------
    batches : iterable of array-like of shape (k, d)
        At most `threads` + 2 of them are held at a time.
    threads : int

    Raises
    ------
    InputError
        No batches, or what `Moments.of` refuses.

    Examples
    --------
    >>> over([[[1, 0], [3, 0]], [[2, 3]]]).mean
    array([2., 1.])
    """
    integer(threads, "threads", 1)
    total = None
    with one_thread():
        for part in in_order(Moments.of, batches, threads):
            total = part if total is None else total + part
    if total is None:
        raise InputError("There are no rows to take moments of.", "Give at least one batch.")
    return total


def _checked(X: npt.ArrayLike) -> npt.NDArray[Any]:
    given = np.asarray(X)
    single = matrix(given)
    return given if given.dtype == np.float64 else single


def _of_block(rows: npt.NDArray[Any]) -> Moments:
    """Moments of a few rows: shifted by a rough mean, so that what is multiplied is small."""
    rough = rows.mean(axis=0, dtype=np.float64).astype(rows.dtype)
    shifted = rows - rough  # (n, d)
    rest = shifted.mean(axis=0, dtype=np.float64)  # what the rough mean left
    scatter = (shifted.T @ shifted).astype(np.float64)
    scatter -= len(rows) * np.outer(rest, rest)
    return Moments(len(rows), rough + rest, scatter)
