"""Pairs of samples whose truth is known, from one generator each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["WORLDS", "World", "mixture", "sphere"]

Double: TypeAlias = npt.NDArray[np.float64]
World: TypeAlias = Callable[[np.random.Generator], tuple[Double, Double]]

_D, _CLUSTERS = 384, 20
_SCALES = np.arange(1, _D + 1) ** -0.5


def mixture(rng: np.random.Generator, spread: float, n: int = 500) -> tuple[Double, Double]:
    """Four Gaussians at (+-20, +-20); of one of the current ones the deviation is `spread`.

    The mixture of Biggs, Schrab & Gretton (2023), MMD-FUSE, section 6.
    """

    def drawn(last: float) -> Double:
        whose = rng.integers(0, 4, n)
        centers = np.array([[-20, -20], [-20, 20], [20, -20], [20, 20]], float)
        scale = np.where(whose == 3, last, 1.0)[:, None]
        moved: Double = centers[whose] + scale * rng.standard_normal((n, 2))
        return moved

    return drawn(1.0), drawn(spread)


def sphere(
    rng: np.random.Generator, change: str = "none", n: int = 1000, m: int = 500, d: int = _D
) -> tuple[Double, Double]:
    """Clusters on the unit sphere with a decaying spectrum; a change in the current sample.

    ``none``; ``mean``, .15 along one direction; ``moved``, one cluster by .9; ``new``, 5 % from a new
    cluster; ``mix``, ten clusters 1.3 and ten .7 times as common; ``spread``, 10 % wider. ``moved 40`` is
    ``moved`` with forty clusters.
    """
    clusters = 40 if change.endswith("40") else _CLUSTERS
    scales = _SCALES[:d]
    centers = 0.6 * rng.standard_normal((clusters + 1, d)) * scales
    way = rng.standard_normal(d)
    way /= np.linalg.norm(way)

    def drawn(count: int, drifted: bool) -> Double:
        weights = np.ones(clusters)
        if drifted and change == "mix":
            weights[: clusters // 2], weights[clusters // 2 :] = 1.3, 0.7
        whose = rng.choice(clusters, count, p=weights / weights.sum())
        if drifted and change == "new":
            whose[rng.random(count) < 0.05] = clusters
        wide = 0.55 if drifted and change == "spread" else 0.5
        rows = centers[whose] + wide * rng.standard_normal((count, d)) * scales
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        if drifted and change == "mean":
            rows += 0.15 * way
        if drifted and change.startswith("moved"):
            rows[whose == 3] += 0.9 * way
        moved: Double = rows
        return moved

    return drawn(n, False), drawn(m, True)


WORLDS: dict[str, World] = {
    "no drift, 500 + 500 x 384": partial(sphere, n=500),
    "no drift, 1000 + 500 x 384": sphere,
    "no drift, Gaussian, 1000 + 200 x 32": lambda rng: (
        rng.standard_normal((1000, 32)),
        rng.standard_normal((200, 32)),
    ),
    "one cluster of 20 moves": partial(sphere, change="moved"),
    "one cluster of 40 moves": partial(sphere, change="moved 40"),
    "new cluster, 5 %": partial(sphere, change="new"),
    "mean by .15": partial(sphere, change="mean"),
    "mixture, deviation 2": partial(mixture, spread=2.0),
}
