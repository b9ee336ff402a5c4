"""Moments of paired rows (x, y) as one mergeable value: rotations, CKA and instability come from it.

Kept are the means, the scatters, and what debiased CKA needs beside them, all about the means::

    S_ab = Σ a bᵀ        C_ac = Σ |a|² c        Q_ab = Σ |a|² |b|²         a, b, c each x or y

When a mean moves by δ (its rows by -δ) they become, with t_a = Σ |a|²::

    C_ac - t_a δ_c - 2 S_ca δ_a - n |δ_a|² δ_c
    Q_ab - 2 δ_b·C_ab - 2 δ_a·C_ba + |δ_b|² t_a + |δ_a|² t_b + 4 δ_aᵀ S_ab δ_b + n |δ_a|² |δ_b|²

so `a + b` are those of both streams, O(n (p + q)²) in time and never n × n in memory. A block of rows
is centered, multiplied in its own precision and added up in float64.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import matrix
from spaceport.errors import InputError
from spaceport.geometry.alignment import Map
from spaceport.geometry.moments import Moments
from spaceport.threads import in_order, one_thread

__all__ = ["JointMoments", "over"]

Double: TypeAlias = npt.NDArray[np.float64]
Rows: TypeAlias = npt.NDArray[Any]

_ROWS = 4096
_BOTH = (0, 1)


@dataclass(frozen=True, eq=False)
class JointMoments:
    """The joint moments of n pairs of rows; `a + b` are those of both collections.

    Attributes
    ----------
    left, right : Moments
        Of the rows x in p dimensions and y in q dimensions.
    cross : ndarray of shape (p, q), float64
        Σ (x - mean) (y - mean)ᵀ.
    cubic : tuple of four ndarrays, float64
        Σ |x|² x, Σ |x|² y, Σ |y|² x, Σ |y|² y, of the centered rows.
    quartic : ndarray of shape (2, 2), float64
        Σ |x|⁴, Σ |x|² |y|² and Σ |y|⁴, of the centered rows.

    Examples
    --------
    >>> both = JointMoments.of([[1], [3]], [[1, 0], [3, 2]]) + JointMoments.of([[2]], [[5, 1]])
    >>> both.count, both.cross
    (3, array([[2., 2.]]))
    """

    left: Moments
    right: Moments
    cross: Double
    cubic: tuple[Double, Double, Double, Double]
    quartic: Double

    @classmethod
    def of(cls, X: npt.ArrayLike, Y: npt.ArrayLike) -> JointMoments:
        """Take the moments of the pairs of rows of `X` (n, p) and `Y` (n, q), on one thread.

        float64 stays so where both are; everything else is taken as float32.

        Raises
        ------
        InputError
            Another number of rows, or what `arrays.matrix` refuses.
        """
        left, right = _checked(X, Y)
        total = cls.none(left.shape[1], right.shape[1])
        for start in range(0, len(left), _ROWS):
            rows = slice(start, start + _ROWS)
            total = total + _of_block(left[rows], right[rows])
        return total

    @classmethod
    def none(cls, p: int, q: int) -> JointMoments:
        """Give the moments of no pairs at all."""
        cubic = (np.zeros(p), np.zeros(q), np.zeros(p), np.zeros(q))
        return cls(Moments.none(p), Moments.none(q), np.zeros((p, q)), cubic, np.zeros((2, 2)))

    @property
    def count(self) -> int:
        """How many pairs: n."""
        return self.left.count

    @property
    def spreads(self) -> tuple[float, float]:
        """Σ |x - mean|² and Σ |y - mean|²."""
        return float(np.trace(self.left.scatter)), float(np.trace(self.right.scatter))

    @property
    def swapped(self) -> JointMoments:
        """The same pairs the other way round."""
        xx, xy, yx, yy = self.cubic
        return JointMoments(
            self.right, self.left, self.cross.T, (yy, yx, xy, xx), self.quartic[::-1, ::-1]
        )

    def products(self, centering: bool = True) -> tuple[Double, Double, Double]:
        """Σ x xᵀ, Σ x yᵀ and Σ y yᵀ, about the means or about the origin."""
        if centering:
            return self.left.scatter, self.cross, self.right.scatter
        between = self.cross + self.count * np.outer(self.left.mean, self.right.mean)
        return self.left.gram, between, self.right.gram

    def rotation(self, centering: bool = True, scaling: bool = True) -> Map:
        """The map that `alignment.procrustes` would learn from the same rows, from the sums alone.

        Raises
        ------
        InputError
            The sides have nothing in common: Σ x yᵀ is zero.
        """
        own, between, other = self.products(centering)
        if not between.any():
            raise InputError(
                "The rows have nothing in common: Xᵀ Y is zero.", "Give rows that are not zero."
            )
        with one_thread():
            U, values, Vt = np.linalg.svd(between, full_matrices=False)
        R = U @ Vt
        along, whole = float(values.sum()), float(np.trace(other))
        size = float(np.einsum("pq,pq->", R, own @ R))
        scale = along / size if scaling else 1.0
        rest = max(0.0, (scale * scale * size - 2 * scale * along + whole) / whole)
        zero = np.zeros(R.shape[0]), np.zeros(R.shape[1])
        origin, target = (self.left.mean, self.right.mean) if centering else zero
        return Map(R, scale, origin, target, rest)

    def unexplained(self) -> float:
        """Share of the spread of y that no linear map of x reaches, whatever its matrix.

        1 - (1 - adjusted R²) would be biased down by the p numbers fitted for each column, so the
        residual is divided by n - r - 1 and the whole by n - 1, r being the rank of x (Wherry 1931).
        1 where there are no more pairs than that.
        """
        with one_thread():
            values, vectors = np.linalg.eigh(self.left.scatter)
        kept = values > max(values[-1], 0) * 1e-9
        reached = vectors[:, kept].T @ self.cross / np.sqrt(values[kept])[:, None]  # (r, q)
        whole = self.spreads[1]
        free = self.count - int(kept.sum()) - 1
        if free <= 0 or whole <= 0:
            return 1.0 if whole > 0 else 0.0
        rest = max(0.0, 1 - float((reached**2).sum()) / whole)
        return min(1.0, rest * (self.count - 1) / free)

    def __add__(self, other: JointMoments) -> JointMoments:
        left, right = self.left + other.left, self.right + other.right
        one, two = self._about(left.mean, right.mean), other._about(left.mean, right.mean)
        cubic = tuple(a + b for a, b in zip(one[1], two[1], strict=True))
        return JointMoments(left, right, one[0] + two[0], cubic, one[2] + two[2])  # type: ignore[arg-type]

    def _about(self, x: Double, y: Double) -> tuple[Double, list[Double], Double]:
        """Cross, cubic and quartic sums about other means."""
        n = self.count
        if not n:
            return self.cross, list(self.cubic), self.quartic
        moved = (x - self.left.mean, y - self.right.mean)
        sizes = [float(d @ d) for d in moved]
        scatter = ((self.left.scatter, self.cross), (self.cross.T, self.right.scatter))
        cubic, quartic = [], np.empty((2, 2))
        for a in _BOTH:
            for c in _BOTH:
                sent = scatter[c][a] @ moved[a]
                before, back = self.cubic[2 * a + c], self.cubic[2 * c + a]
                cubic.append(
                    before - self.spreads[a] * moved[c] - 2 * sent - n * sizes[a] * moved[c]
                )
                quartic[a, c] = (
                    self.quartic[a, c]
                    - 2 * (moved[c] @ before + moved[a] @ back)
                    + sizes[c] * self.spreads[a]
                    + sizes[a] * self.spreads[c]
                    + 4 * (moved[c] @ sent)
                    + n * sizes[a] * sizes[c]
                )
        cross = self.cross + n * np.outer(*moved)
        return cross, cubic, quartic


def over(blocks: Iterable[tuple[npt.ArrayLike, npt.ArrayLike]], threads: int = 2) -> JointMoments:
    """Joint moments of a stream of blocks (b, p), (b, q), multiplied on `threads` threads.

    The bytes of the result do not depend on `threads`; see `moments.over`.

    Raises
    ------
    InputError
        No blocks, or what `JointMoments.of` refuses.

    Examples
    --------
    >>> over([([[1], [3]], [[1], [3]])]).cross
    array([[2.]])
    """
    total = None
    with one_thread():
        for part in in_order(lambda block: JointMoments.of(*block), blocks, threads):
            total = part if total is None else total + part
    if total is None:
        raise InputError("There are no rows to take moments of.", "Give at least one block.")
    return total


def _checked(X: npt.ArrayLike, Y: npt.ArrayLike) -> tuple[Rows, Rows]:
    given = np.asarray(X), np.asarray(Y)
    single = matrix(given[0], "X"), matrix(given[1], "Y")
    if len(single[0]) != len(single[1]):
        raise InputError(
            f"`X` has {len(single[0])} rows and `Y` has {len(single[1])}.",
            "Row i of both stands for the same thing.",
        )
    return given if all(side.dtype == np.float64 for side in given) else single


def _of_block(left: Rows, right: Rows) -> JointMoments:
    (x, x_mean), (y, y_mean) = _centered(left), _centered(right)
    sizes = [np.einsum("nd,nd->n", rows, rows) for rows in (x, y)]
    cubic = [(size @ rows).astype(np.float64) for size in sizes for rows in (x, y)]
    wide = np.stack(sizes).astype(np.float64)  # (2, n)
    return JointMoments(
        Moments(len(x), x_mean, (x.T @ x).astype(np.float64)),
        Moments(len(y), y_mean, (y.T @ y).astype(np.float64)),
        (x.T @ y).astype(np.float64),
        (cubic[0], cubic[1], cubic[2], cubic[3]),
        wide @ wide.T,
    )


def _centered(rows: Rows) -> tuple[Rows, Double]:
    """Rows less their mean, in two steps: the second takes off what rounding the first one left."""
    share = np.full(len(rows), 1 / len(rows), rows.dtype)
    rough = share @ rows  # some times as fast as mean()
    shifted = rows - rough
    rest = share @ shifted
    shifted -= rest
    return shifted, rough.astype(np.float64) + rest
