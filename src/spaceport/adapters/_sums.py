"""What a linear map needs to know of pairs, as sums that can be added and taken off again."""

from __future__ import annotations

from dataclasses import dataclass

from spaceport.adapters.base import Double

__all__ = ["Sums"]


@dataclass(frozen=True, eq=False)
class Sums:
    r"""Sums over n pairs of rows that are near zero on average (else the means cancel digits away).

    Attributes
    ----------
    count : int
        n.
    x, y : ndarray of shape (p,) and (q,), float64
        Σ x, Σ y.
    xx, xy : ndarray of shape (p, p) and (p, q), float64
        Σ x xᵀ, Σ x yᵀ.
    yy : float
        Σ \|y\|².
    """

    count: int
    x: Double
    y: Double
    xx: Double
    xy: Double
    yy: float

    @classmethod
    def of(cls, X: Double, Y: Double) -> Sums:
        """Sum over rows, (n, p) and (n, q)."""
        return cls(len(X), X.sum(axis=0), Y.sum(axis=0), X.T @ X, X.T @ Y, float((Y * Y).sum()))

    def __add__(self, other: Sums) -> Sums:
        return self._with(other, 1)

    def __sub__(self, other: Sums) -> Sums:
        return self._with(other, -1)

    @property
    def means(self) -> tuple[Double, Double]:
        """The mean of either side."""
        return self.x / self.count, self.y / self.count

    def about(self, origin: Double, target: Double) -> tuple[Double, Double, float]:
        """Σ (x-o)(x-o)ᵀ, Σ (x-o)(y-t)ᵀ and Σ |y-t|² about any origin o and target t."""
        n = self.count
        apart = self.x[:, None] * origin + origin[:, None] * self.x
        xx = self.xx - apart + n * origin[:, None] * origin
        crossed = self.x[:, None] * target + origin[:, None] * self.y
        xy = self.xy - crossed + n * origin[:, None] * target
        return xx, xy, self.yy - 2 * float(self.y @ target) + n * float(target @ target)

    def centered(self) -> tuple[Double, Double, float]:
        """The same about the means."""
        return self.about(*self.means)

    def _with(self, other: Sums, sign: int) -> Sums:
        return Sums(
            self.count + sign * other.count,
            self.x + sign * other.x,
            self.y + sign * other.y,
            self.xx + sign * other.xx,
            self.xy + sign * other.xy,
            self.yy + sign * other.yy,
        )
