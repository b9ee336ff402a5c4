r"""Maps from one space's coordinates to another's, learnt from rows that both have.

Row i of X and row i of Y stand for the same thing (a word and its translation, an item in two
versions). A `Map` sends x to::

    s (x - m) R + t        m, t the means with centering, else 0;  s 1 without scaling

`procrustes` lets R be a rotation (with reflections), so that distances and angles stay as they are;
`affine` lets it be any matrix, held back by a ridge. Everything is summed in float64.

References
----------
Schönemann, P. (1966). A Generalized Solution of the Orthogonal Procrustes Problem. Psychometrika 31.
Ten Berge, J. (1977). Orthogonal Procrustes Rotation for Two or More Matrices. Psychometrika 42.
Hoerl, A. & Kennard, R. (1970). Ridge Regression. Technometrics 12.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, matrix, positive, vector
from spaceport.errors import InputError, ParameterError
from spaceport.threads import one_thread

__all__ = ["Map", "affine", "procrustes"]

Double = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Map:
    """What sends rows of one space to another: s (x - m) R + t.

    Attributes
    ----------
    matrix : ndarray of shape (p, q), float64
        R.
    scale : float
        s.
    origin : ndarray of shape (p,), float64
        m.
    target : ndarray of shape (q,), float64
        t.
    residual : float
        How much of the rows it was learnt from it leaves unexplained: Σ |y - map(x)|² / Σ |y - t|².
    """

    matrix: Double
    scale: float
    origin: Double
    target: Double
    residual: float

    def __call__(self, X: npt.ArrayLike) -> Matrix:
        """Send the rows of `X`, shape (n, p), over; gives (n, q), float32."""
        rows = matrix(X, "X", len(self.origin)).astype(np.float64)
        return self._send(rows).astype(np.float32)

    @property
    def inverse(self) -> Map:
        """The way back: exact for a rotation of equal dimensions.

        From fewer dimensions to more it undoes the map; from more to fewer it gives the nearest rows
        that could have been sent. Its residual is that of the way there.

        Raises
        ------
        ParameterError
            R is no rotation, so nothing says what its inverse should be.
        """
        p, q = self.matrix.shape
        small = self.matrix @ self.matrix.T if p <= q else self.matrix.T @ self.matrix
        if not np.allclose(small, np.eye(min(p, q)), atol=1e-6) or self.scale == 0:
            raise ParameterError(
                "Only a rotation can be turned back.", "Learn the way back: affine(Y, X)."
            )
        return Map(self.matrix.T, 1 / self.scale, self.target, self.origin, self.residual)

    def _send(self, rows: Double) -> Double:
        sent: Double = self.scale * ((rows - self.origin) @ self.matrix) + self.target
        return sent


def procrustes(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    centering: bool = False,
    scaling: bool = False,
) -> Map:
    """Find the rotation (reflections count) that lays the rows of `X` onto those of `Y`.

    With Xᵀ W Y = U S Vᵀ the answer is R = U Vᵀ, which maximizes Σ wᵢ xᵢ R · yᵢ. For p <= q it also
    minimizes Σ wᵢ |xᵢ R - yᵢ|² among all R with orthonormal rows; for p > q, where R has orthonormal
    columns and lengths shrink, it is the rotation of best agreement (ten Berge 1977), not of least
    squares. The scale is then the best one for this R, Σ wᵢ xᵢ R · yᵢ / Σ wᵢ |xᵢ R|².

    Parameters
    ----------
    X : array-like of shape (n, p)
    Y : array-like of shape (n, q)
        Row i stands for the same thing as row i of `X`.
    weights : array-like of shape (n,), optional
        How much each row counts; none negative, not all zero.
    centering : bool
        Move the mean of X to the mean of Y.
    scaling : bool
        Let lengths change by one factor.

    Returns
    -------
    Map

    Raises
    ------
    InputError
        No rows, another number of rows or weights, or rows that are all zero.

    Notes
    -----
    With fewer rows than dimensions, or rows that span less, many rotations fit alike; which one comes
    is left to LAPACK. On what the rows span they all agree.

    Examples
    --------
    >>> quarter = procrustes([[1, 0], [0, 1]], [[0, 1], [-1, 0]])
    >>> quarter([[2, 1]]).round(3)
    array([[-1.,  2.]], dtype=float32)
    >>> quarter.inverse(quarter([[2, 1]])).round(3)
    array([[2., 1.]], dtype=float32)
    """
    left, right, share = _paired(X, Y, weights)
    origin, target = _means(left, right, share, centering)
    left, right = left - origin, right - target
    agreement = (left * share[:, None]).T @ right  # (p, q)
    if not agreement.any():
        raise InputError(
            "The rows have nothing in common: Xᵀ Y is zero.", "Give rows that are not zero."
        )
    with one_thread():
        U, _, Vt = np.linalg.svd(agreement, full_matrices=False)
    turned = left @ (U @ Vt)
    along = float(np.einsum("n,nq,nq->", share, turned, right))
    scale = along / float(np.einsum("n,nq,nq->", share, turned, turned)) if scaling else 1.0
    rest = _residual(scale * turned, right, share)
    return Map(U @ Vt, scale, origin, target, rest)


def affine(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    ridge: float = 1.0,
    weights: npt.ArrayLike | None = None,
    centering: bool = True,
) -> Map:
    """Find any matrix that sends the rows of `X` near those of `Y`, held back by a ridge.

    R minimizes Σ wᵢ |(xᵢ - m) R - (yᵢ - t)|² + λ |R|², with weights that sum to n and
    λ = `ridge` times the mean of the eigenvalues of (X - m)ᵀ W (X - m): a share of the rows' own size,
    so that it means the same for any scale and number of rows.

    Parameters
    ----------
    X : array-like of shape (n, p)
    Y : array-like of shape (n, q)
    ridge : float
        Above 0: without it the map of fewer rows than dimensions is arbitrary and collapses new rows.
    weights, centering
        As in `procrustes`.

    Returns
    -------
    Map

    Raises
    ------
    InputError
        As `procrustes`.

    Examples
    --------
    >>> doubled = affine([[1, 0], [0, 1], [3, 3]], [[2, 0], [0, 2], [6, 6]], ridge=1e-9)
    >>> doubled([[5, 1]]).round(3)
    array([[10.,  2.]], dtype=float32)
    """
    positive(ridge, "ridge")
    left, right, share = _paired(X, Y, weights)
    origin, target = _means(left, right, share, centering)
    left, right = left - origin, right - target
    gram = (left * share[:, None]).T @ left  # (p, p)
    size = np.trace(gram) / len(gram)
    if not size:
        raise InputError("All rows of `X` are the same.", "Give rows that differ.")
    wanted = (left * share[:, None]).T @ right
    with one_thread():
        solved = np.linalg.solve(gram + ridge * size * np.eye(len(gram)), wanted)
    return Map(solved, 1.0, origin, target, _residual(left @ solved, right, share))


def _paired(
    X: npt.ArrayLike, Y: npt.ArrayLike, weights: npt.ArrayLike | None
) -> tuple[Double, Double, Double]:
    """Both sides in float64, and weights that sum to n."""
    left, right = matrix(X, "X").astype(np.float64), matrix(Y, "Y").astype(np.float64)
    if len(left) != len(right) or not len(left):
        raise InputError(
            f"`X` has {len(left)} rows and `Y` has {len(right)}.",
            "Give at least one pair of rows: row i of both stands for the same thing.",
        )
    share = np.ones(len(left)) if weights is None else vector(weights, "weights").astype(np.float64)
    if len(share) != len(left) or (share < 0).any() or not share.sum() > 0:
        raise InputError(
            f"`weights` must be {len(left)} numbers, none negative, not all 0.",
            "Give one for each row, or leave them out.",
        )
    return left, right, share * (len(share) / share.sum())


def _means(left: Double, right: Double, share: Double, centering: bool) -> tuple[Double, Double]:
    if not centering:
        return np.zeros(left.shape[1]), np.zeros(right.shape[1])
    return share @ left / len(share), share @ right / len(share)


def _residual(sent: Double, right: Double, share: Double) -> float:
    whole = float(np.einsum("n,nq,nq->", share, right, right))
    missed = right - sent
    return float(np.einsum("n,nq,nq->", share, missed, missed)) / whole if whole else 0.0
