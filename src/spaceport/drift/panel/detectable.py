"""The smallest drift that samples of these sizes would have shown, four times in five.

::

    mean   a shift of all items by so many standard deviations, in a direction drawn at random
    mix    a share of the items that comes from one fine cell in place of from everywhere

The panel alarms at least where one member passes its own bar: the quantile of its statistic at the level
that alarms of the panel leave it. For statistics that are squared lengths of linear differences, |e + t v|^2
with e the difference under a random split and t v what is planted, the t that passes is the root of a
quadratic, one for each split; its 0.8 quantile is what is told. What the other members add is left out, so
that the power at this size is at least about 0.8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spaceport.arrays import generator
from spaceport.drift._joint import joint, tail_shares
from spaceport.drift._pooled import Double, Pooled

__all__ = ["Detectable", "detectable", "local_level"]

POWER = 0.8
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
        A share of the items; above 1 where not even all of them would be enough.
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
    """What would have been found by the centroid or by the counts of the fine cells.

    Parameters
    ----------
    pooled : Pooled
    level : float
        Of one member; see `local_level`.
    variance : float
        Total variance of a row.
    seed : int
        Of the directions.
    """
    rng = generator(seed)
    noise = pooled.differences("vectors")[1:]
    directions = rng.standard_normal(noise.shape)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    mean = _reach(noise, directions, level) / np.sqrt(max(variance, 1e-300))
    return Detectable(mean, _mix(pooled, level / _WITHIN_CELLS, rng))


def _mix(pooled: Pooled, level: float, rng: np.random.Generator) -> float:
    """Of the counts: e_c / sqrt(s_c) has the length of their statistic, s_c the pooled shares."""
    name = f"cells{len(pooled.basis.cells) - 1}"
    shares = pooled.pooled_mean(name)
    there = shares > 0
    shares = shares[there]
    if len(shares) < 2:
        return np.inf
    noise = pooled.differences(name)[1:, there] / np.sqrt(shares)
    where = rng.choice(len(shares), len(noise), p=shares / shares.sum())
    planted = (np.eye(len(shares))[where] - shares) / np.sqrt(shares)
    return _reach(noise, planted, level)


def _reach(noise: Double, planted: Double, level: float) -> float:
    """The t for which |noise + t planted|^2 passes its bar in 80 % of the splits."""
    squares = np.square(noise).sum(axis=1)
    bar = float(np.quantile(squares, 1 - level, method="higher"))
    steep = np.square(planted).sum(axis=1)
    half = (noise * planted).sum(axis=1)
    lacking = np.maximum(bar - squares, 0)
    reach = (np.sqrt(half**2 + steep * lacking) - half) / np.maximum(steep, 1e-300)
    return float(np.quantile(np.where(lacking > 0, reach, 0), POWER))
