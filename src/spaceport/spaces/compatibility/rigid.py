"""The simplest map that explains how vectors moved: scaling, translation, rotation, or several.

For each combination the sum of squares that it leaves comes from the joint moments alone. With the
mean m, spread t = Σ |x - m|² and cross scatter S of x, and m', u of y, a map x → r x R + c leaves::

    r² t + u - 2 r tr(Rᵀ S) + n |m' - r m R - c|²

R is the identity or the rotation of best agreement. r is 1 or the ratio of the sizes √(Σ |y|² / Σ |x|²),
not the scale of least squares: that one shrinks where there is noise, and would look like a scaling
where there is none. c is 0 or makes the last term 0. What is left is divided by the numbers that were
free, n q - (parameters), so that a rotation learnt from few rows is not favored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.geometry.joint_moments import JointMoments
from spaceport.threads import one_thread

__all__ = ["Rigid", "simplest"]

Double: TypeAlias = npt.NDArray[np.float64]

_ROUNDING = 1e-6
_MARGIN = 1.05  # a simpler map may leave so much more


@dataclass(frozen=True)
class Rigid:
    """A map made of simple steps.

    Attributes
    ----------
    steps : tuple of str
        Some of ``"rotation"``, ``"scaling"``, ``"translation"``; none where vectors stayed.
    scale : float
        By how much lengths grew; 1 without scaling.
    shift : float
        How far the mean moved, in units of the new vectors' spread; 0 without translation.
    left : float
        Relative size of what it leaves: the root of the mean square of y - map(x), in units of the
        new vectors' spread.
    """

    steps: tuple[str, ...]
    scale: float
    shift: float
    left: float


def simplest(moments: JointMoments, tolerance: float) -> Rigid | None:
    """Find the map of fewest parameters that leaves hardly more than any other.

    Parameters
    ----------
    moments : JointMoments
        Of shared vectors with the same dimension on both sides.
    tolerance : float
        What leaves less than this relative size explains everything.

    Returns
    -------
    Rigid or None
        None where there are too few rows to tell a rotation from chance, or a side has no spread.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(50, 3))
    >>> simplest(JointMoments.of(X, -2 * X), 1e-3)
    Rigid(steps=('rotation', 'scaling'), scale=2.0, shift=0.0, left=0.0)
    """
    n, d = moments.count, moments.right.dimension
    spreads = moments.spreads
    if n * d <= d * (d - 1) + 2 * d or min(spreads) <= 0:
        return None
    maps = [
        _fitted(moments, turned, scaled, moved)
        for turned in (False, True)
        for scaled, moved in ((False, False), (True, False), (False, True), (True, True))
    ]
    best = min(found.left for found in maps)
    chance = (
        3 * np.sqrt(d * (d + 1)) / (n * d)
    )  # three deviations of what d (d + 1) / 2 fit of noise
    enough = max(tolerance, best * float(np.sqrt(_MARGIN + chance)))
    return next(found for found in maps if found.left <= enough)


def _fitted(moments: JointMoments, turned: bool, scaled: bool, moved: bool) -> Rigid:
    own, between, other = moments.products(centering=moved)
    R = _rotation(between) if turned else np.eye(len(between))
    ratio = float(np.sqrt(np.trace(other) / np.trace(own))) if scaled else 1.0
    apart = moments.right.mean - ratio * moments.left.mean @ R
    t, u = moments.spreads
    along = float(np.einsum("pq,pq->", R, moments.cross))
    n, d = moments.count, moments.right.dimension
    rest = ratio**2 * t + u - 2 * ratio * along + (0 if moved else n * float(apart @ apart))
    free = n * d - scaled - moved * d - turned * d * (d - 1) // 2
    left = float(np.sqrt(max(0.0, rest / free) / (u / (n * d))))
    steps = (("rotation", turned), ("scaling", scaled), ("translation", moved))
    return Rigid(
        steps=tuple(name for name, present in steps if present),
        scale=round(ratio, 6),
        shift=float(np.linalg.norm(apart) / np.sqrt(u / n)) if moved else 0.0,
        left=round(left, 9) if left > _ROUNDING else 0.0,
    )


def _rotation(between: Double) -> Double:
    with one_thread():
        U, _, Vt = np.linalg.svd(between, full_matrices=False)
    R: Double = U @ Vt
    return R
