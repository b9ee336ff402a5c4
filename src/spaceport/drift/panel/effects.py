"""How large a drift is, in plain units, each with its interval.

::

    changed   half the sum of |share of current in a cell - share of reference in it|, fine cells
    mean      || mean(current) - mean(reference) || / sd,     sd^2 = trace of the pooled covariance
    within    the same inside a cell, by the cell's own spread: the cell where it is largest

What is seen of a length is too large: noise has a length of its own. With d the difference that was seen
and N its covariance, |d|^2 has mean t^2 + tr N and variance 2 tr N^2 + 4 t^2 u'Nu where t is the true
length and u its direction (d's is taken); a Gamma distribution with these moments is inverted for the
interval, and sqrt(max(0, |d|^2 - tr N)) is the estimate. `changed` is inverted over draws of the noise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from spaceport.arrays import Matrix, generator
from spaceport.drift._pooled import Double, Pooled

__all__ = [
    "CellSide",
    "Effect",
    "cell_sides",
    "changed",
    "inside_shift",
    "length",
    "mean_shift",
    "variance",
    "within_cells",
]

LEVEL = 0.95
_LEAST = 8
_DRAWS = 400
_STEPS = 24


@dataclass(frozen=True)
class Effect:
    """One effect with its 95 % interval.

    Attributes
    ----------
    name : str
        ``moved``, ``changed``, ``mean`` or ``within``.
    value, low, high : float
        Shares of the items, or standard deviations; never below zero.
    cell : int, optional
        Where, of ``within``.
    """

    name: str
    value: float
    low: float
    high: float
    cell: int | None = None


def mean_shift(pooled: Pooled) -> Effect:
    """How far the mean moved, in standard deviations of the rows (their root mean square distance)."""
    noise = _noise(pooled, "vectors")
    found = length(pooled.differences("vectors")[0], noise)
    low, value, high = (float(each / np.sqrt(variance(pooled))) for each in found)
    return Effect("mean", value, low, high)


def within_cells(pooled: Pooled, level: int) -> Effect | None:
    """The largest shift inside a cell, by the cell's own spread; intervals hold for all cells at once.

    None where no cell has eight rows on both sides.
    """
    sides = [
        (cell, here, there)
        for cell, here, there in cell_sides(pooled, level)
        if min(here.rows, there.rows) >= _LEAST
    ]
    together = 1 - (1 - LEVEL) / max(len(sides), 1)
    effects = []
    for cell, here, there in sides:
        value, low, high = inside_shift(here, there, together)
        effects.append(Effect("within", value, low, high, cell))
    return max(effects, key=lambda effect: (effect.low, effect.value), default=None)


def inside_shift(
    here: CellSide, there: CellSide, level: float = LEVEL
) -> tuple[float, float, float]:
    """How far the rows of a cell moved, by their own spread: value, low and high end.

    Zero, and an interval that has no end, where there are too few of them.
    """
    rows = here.rows + there.rows
    if min(here.rows, there.rows) < 2:
        return 0.0, 0.0, np.inf
    covariance = (here.scatter + there.scatter) / max(rows - 2, 1)
    spread = float(np.sqrt(np.trace(covariance)))
    if spread == 0:
        return 0.0, 0.0, np.inf
    noise = covariance * (1 / here.rows + 1 / there.rows)
    low, value, high = (each / spread for each in length(there.mean - here.mean, noise, level))
    return value, low, high


def changed(pooled: Pooled, level: int, seed: int = 0) -> Effect:
    """Share of the items that would have to change cells to make one sample's shares the other's."""
    name = f"cells{level}"
    apart = pooled.differences(name)[0]
    seen = float(np.abs(apart).sum() / 2)
    if seen == 0:
        return Effect("changed", 0.0, 0.0, 0.0)
    noise = _draws(pooled, name, seed)
    low, value, high = (_inverted(apart / seen, seen, noise, q) for q in (0.975, 0.5, 0.025))
    return Effect("changed", value, low, high)


def length(apart: Double, noise: Double, level: float = LEVEL) -> tuple[float, float, float]:
    """Low end, estimate and high end of the true length of a vector that was seen with noise.

    Parameters
    ----------
    apart : ndarray of shape (k,)
    noise : ndarray of shape (k, k)
        Its covariance.
    level : float

    Examples
    --------
    >>> low, value, high = length(np.array([3.0, 0.0]), 0.01 * np.eye(2))
    >>> round(low, 2), round(value, 2), round(high, 2)
    (2.8, 3.0, 3.19)
    """
    from scipy.special import gammainc

    square = float(apart @ apart)
    first, second = float(np.trace(noise)), float(np.square(noise).sum())
    if first <= 0 or square <= 0:
        return (float(np.sqrt(square)),) * 3
    along = float(apart @ noise @ apart) / square

    def at_least(truth: float) -> float:
        mean, variance = truth**2 + first, 2 * second + 4 * truth**2 * along
        return 1 - float(gammainc(mean**2 / variance, square * mean / variance))

    outer = (1 + level) / 2
    most = float(np.sqrt(square) + 10 * np.sqrt(first))
    low = _root(lambda truth: at_least(truth) - (1 - outer), most)
    high = _root(lambda truth: at_least(truth) - outer, most)
    return low, float(np.sqrt(max(0.0, square - first))), high


def _root(rising: Callable[[float], float], most: float) -> float:
    """Where a rising function crosses zero; 0 where it is above from the start."""
    low, high = 0.0, float(most)
    if rising(low) >= 0:
        return 0.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


def _inverted(direction: Double, seen: float, noise: Double, share: float) -> float:
    """The true half L1 length for which `share` of the draws fall below what was seen."""

    def above(truth: float) -> float:
        lengths = np.abs(truth * direction + noise).sum(axis=1) / 2
        return float(np.quantile(lengths, share)) - seen

    return _root(above, 2 * seen + float(np.abs(noise).sum(axis=1).max()))


def _scores(pooled: Pooled, name: str) -> Iterator[tuple[Double, float]]:
    """Of each sample: its units' standardized scores about its own mean, and its rows."""
    sums, sizes = pooled.sums(name), pooled.splits.sizes
    for inside in (~pooled.splits.current, pooled.splits.current):
        mine, rows = sums[inside].astype(np.float64), sizes[inside]
        mean = mine.sum(axis=0) / rows.sum()
        slack = np.sqrt(len(rows) / max(len(rows) - 1, 1))
        yield (mine - np.outer(rows, mean)) / np.sqrt(rows)[:, None] * slack, float(rows.sum())


def variance(pooled: Pooled) -> float:
    """Total variance of a row about the mean of its sample."""
    squares = units = 0.0
    for scores, _ in _scores(pooled, "vectors"):
        squares += float(np.square(scores).sum())
        units += len(scores)
    return max(squares / units, 1e-300)


def _noise(pooled: Pooled, name: str) -> Double:
    """Covariance of the difference of the means, (F, F)."""
    parts = [scores.T @ scores / (len(scores) * rows) for scores, rows in _scores(pooled, name)]
    noise: Double = parts[0] + parts[1]
    return noise


def _draws(pooled: Pooled, name: str, seed: int) -> Double:
    """Draws of the noise of the difference of the means, (draws, F): Gaussian multipliers."""
    rng = generator(seed)
    total: Double = np.zeros((_DRAWS, 1))
    for scores, rows in _scores(pooled, name):
        total = total + rng.standard_normal((_DRAWS, len(scores))) @ scores / np.sqrt(
            rows * len(scores)
        )
    return total


@dataclass(frozen=True, eq=False)
class CellSide:
    """The rows of one sample in one cell: how many, their mean, and their scatter (k, k)."""

    rows: float
    mean: Double
    scatter: Double


def cell_sides(pooled: Pooled, level: int) -> Iterator[tuple[int, CellSide, CellSide]]:
    """Give (cell, the reference's rows in it, the current ones)."""
    if pooled.rows is None:
        yield from _sides_of_blocks(pooled, level)
        return
    cells, current = pooled.cells(level), pooled.splits.current
    for cell in np.unique(cells):
        inside = cells == cell
        here, there = (_side_of_rows(pooled.rows[inside & side]) for side in (~current, current))
        yield int(cell), here, there


def _side_of_rows(single: Matrix) -> CellSide:
    rows = single.astype(np.float64)
    mean = rows.mean(axis=0) if len(rows) else np.zeros(rows.shape[1])
    return CellSide(float(len(rows)), mean, (rows - mean).T @ (rows - mean))


def _sides_of_blocks(pooled: Pooled, level: int) -> Iterator[tuple[int, CellSide, CellSide]]:
    counts = pooled.sums(f"cells{level}").astype(np.float64)  # (u, c)
    sums = pooled.sums(f"shifts{level}").reshape(*counts.shape, -1)  # (u, c, r)
    current = pooled.splits.current
    for cell in np.flatnonzero(counts.any(axis=0)):
        here, there = (
            _side_of_blocks(counts[side, cell], sums[side, cell]) for side in (~current, current)
        )
        yield int(cell), here, there


def _side_of_blocks(counts: Double, sums: Double) -> CellSide:
    """Scatter of a row, from that of the blocks' sums about what their rows would add up to."""
    there = counts > 0
    counts, sums = counts[there], sums[there].astype(np.float64)
    rows = float(counts.sum())
    mean = sums.sum(axis=0) / max(rows, 1)
    scores = (sums - np.outer(counts, mean)) / np.sqrt(counts)[:, None]
    scatter = scores.T @ scores * (max(rows - 1, 0) / max(len(counts) - 1, 1))
    return CellSide(rows, mean, scatter)
