"""The smallest drift that samples of these sizes would have shown, four times in five.

::

    mean   a shift of all items by so many standard deviations, in a direction drawn at random
    mix    a share of the items that comes from one fine cell in place of from everywhere

The panel alarms where a member passes its own bar: the quantile of its statistic at the level that alarms
of the panel leave it. A drift of size t is planted into every random split, and the share of the splits that
then pass is the power; t is found by halving. A mean is looked for by the centroid, |e + t u|^2, and by
the shift inside the fine cells, whose statistics T_c become T_c + k_c t^2 + 2 t sqrt(k_c E[T_c] / d) z, k_c = the
product over the sum of the rows that cell c has of both; a mix is looked for by the counts of the fine
cells, with the planted rows drawn at random. What the other members add is left out, so that the power at
this size is at least about 0.8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spaceport.arrays import generator
from spaceport.drift._by_cell import shift_statistics
from spaceport.drift._joint import joint, tail_shares
from spaceport.drift._pooled import Double, Pooled

__all__ = ["Detectable", "detectable", "local_level"]

Power = Callable[[float], float]

POWER = 0.8
_STEPS = 14
_WITHIN_CELLS = 4
"""Statistics that the `cells` member joins; of its level one has at least a quarter."""


@dataclass(frozen=True)
class Detectable:
    """What would have been found, 80 % of the time.

    Attributes
    ----------
    mean : float
        A shift of the mean, in standard deviations of the rows.
    mix : float
        A share of the items; infinite where not even all of them would be enough.
    """

    mean: float
    mix: float


def local_level(members: Sequence[Double], alpha: float) -> float:
    """The p-value at which one member alone makes the panel alarm at `alpha`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> members = [rng.standard_normal(1000) for _ in range(3)]
    >>> round(local_level(members, 0.05), 3)
    0.018
    """
    together = joint(members)
    rank = max(1, int(np.floor(alpha * len(together))))
    bar = np.sort(together)[-rank]
    smallest = np.min([tail_shares(member) for member in members], axis=0)
    return float(smallest[together >= bar].max())


def detectable(pooled: Pooled, level: float, variance: float, seed: int = 0) -> Detectable:
    """What would have been found by the centroid and the fine cells.

    Parameters
    ----------
    pooled : Pooled
    level : float
        Of one member; see `local_level`.
    variance : float
        Total variance of a row.
    seed : int
        Of the directions and the cells.
    """
    rng = generator(seed)
    mean = _reach(_mean_power(pooled, level, rng), 4 * float(np.sqrt(variance)))
    mix = _reach(_mix_power(pooled, level / _WITHIN_CELLS, rng), 1.0)
    return Detectable(mean / float(np.sqrt(variance)), mix)


def _mean_power(pooled: Pooled, level: float, rng: np.random.Generator) -> Power:
    noise = pooled.differences("vectors")[1:]  # (P, d)
    directions = rng.standard_normal(noise.shape)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    squares, along = np.square(noise).sum(axis=1), (noise * directions).sum(axis=1)
    bar = np.quantile(squares, 1 - level, method="higher")
    inside = _shifts_inside(pooled, level / _WITHIN_CELLS, rng)

    def power(size: float) -> float:
        passed = squares + 2 * size * along + size**2 >= bar
        return float(np.mean(passed | inside(size)))

    return power


def _shifts_inside(
    pooled: Pooled, level: float, rng: np.random.Generator
) -> Callable[[float], npt.NDArray[np.bool_]]:
    """Which splits the largest shift inside a cell would pass, for a shift of a given size."""
    fine = len(pooled.basis.cells) - 1
    every = shift_statistics(pooled, fine, all_cells=True)
    there = every.any(axis=0)
    statistics = every[:, there]
    if not there.any():
        return lambda size: np.zeros(pooled.splits.permutations, np.bool_)
    mean, spread = statistics.mean(axis=0), statistics.std(axis=0)
    spread = np.where(spread > 0, spread, np.inf)
    bar = np.quantile(((statistics - mean) / spread).max(axis=1), 1 - level, method="higher")
    null = statistics[1:]
    d, (n, m) = pooled.basis.dimension, pooled.splits.rows
    totals = pooled.pooled_mean(f"cells{fine}") * (n + m)
    weights = totals[there] * n * m / (n + m) ** 2
    across = 2 * np.sqrt(weights * mean / d) * rng.standard_normal(null.shape)

    def passed(size: float) -> npt.NDArray[np.bool_]:
        planted = null + weights * size**2 + across * size
        wider = size**2 * n * m / (n + m) ** 2  # the pool's own variance grows
        middle, width = mean + wider, np.sqrt(spread**2 + 4 * wider * mean / d + 2 * wider**2)
        found: npt.NDArray[np.bool_] = ((planted - middle) / width).max(axis=1) >= bar
        return found

    return passed


def _mix_power(pooled: Pooled, level: float, rng: np.random.Generator) -> Power:
    name = f"cells{len(pooled.basis.cells) - 1}"
    shares = pooled.pooled_mean(name)
    there = shares > 0
    shares, noise = shares[there], pooled.differences(name)[1:, there]
    n, m = pooled.splits.rows
    bar = np.quantile((np.square(noise) / shares).sum(axis=1), 1 - level, method="higher")
    cells = rng.choice(len(shares), len(noise), p=shares / shares.sum())
    planted = np.eye(len(shares))[cells] - shares
    luck = rng.standard_normal(len(noise))

    def power(share: float) -> float:
        drawn = np.clip(share + luck * np.sqrt(share * (1 - share) / m), 0, 1)[:, None]
        apart = noise + drawn * planted
        pooled_shares = shares + drawn * planted * (m / (n + m))
        return float(np.mean((np.square(apart) / pooled_shares).sum(axis=1) >= bar))

    return power


def _reach(power: Power, most: float) -> float:
    """The smallest size that has the power; infinity where `most` has not."""
    if power(most) < POWER:
        return float(np.inf)
    low, high = 0.0, most
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if power(middle) < POWER else (low, middle)
    return high
