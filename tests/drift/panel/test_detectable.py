"""What a window is said to show: planted, it is found four times in five or more."""

from __future__ import annotations

import numpy as np
import pytest

from drift.panel.worlds import BASIS, clustered
from spaceport.drift._joint import joint
from spaceport.drift._pooled import Pooled
from spaceport.drift.base import p_value
from spaceport.drift.panel.comparing import PANEL, _joined, judge
from spaceport.drift.panel.detectable import Detectable, detectable, local_level
from spaceport.drift.panel.effects import variance

N, M, RUNS = 300, 150, 70


def sides(seed: int) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    return clustered(rng, N)[0], clustered(rng, M)[0], rng


@pytest.fixture(scope="module")
def told() -> Detectable:
    found = []
    for seed in range(4):
        X, Y, _ = sides(1000 + seed)
        pooled = Pooled.of_rows(X, Y, 499, seed, basis=BASIS)
        level = local_level(_joined(pooled, PANEL)[2], 0.05)
        found.append(detectable(pooled, level, variance(pooled), seed))
    return Detectable(*(float(np.mean([getattr(f, k) for f in found])) for k in ("mean", "mix")))


def power(told: Detectable, times: float, kind: str) -> float:
    spread = np.sqrt(variance(Pooled.of_rows(*sides(0)[:2], 1, basis=BASIS)))
    drifted = 0
    for seed in range(RUNS):
        X, Y, rng = sides(seed)
        if kind == "mean":
            way = rng.standard_normal(6)
            Y = Y + times * told.mean * spread * way / np.linalg.norm(way)
        else:
            rows, whose = clustered(rng, 3000)
            new = rng.random(M) < times * told.mix
            Y[new] = rows[whose == rng.integers(0, 12)][: new.sum()]
        drifted += judge(Pooled.of_rows(X, Y, 199, seed, basis=BASIS)).drift
    return drifted / RUNS


@pytest.mark.parametrize("kind", ["mean", "mix"])
def test_planted_it_is_found(told: Detectable, kind: str) -> None:
    assert power(told, 1.0, kind) >= 0.65  # .8, less three standard errors
    assert power(told, 0.4, kind) < 0.6


def test_longer_windows_show_less() -> None:
    def reach(n: int, m: int) -> Detectable:
        rng = np.random.default_rng(0)
        pooled = Pooled.of_rows(clustered(rng, n)[0], clustered(rng, m)[0], 299, 0, basis=BASIS)
        return detectable(pooled, 0.02, variance(pooled))

    short, long = reach(200, 50), reach(2000, 2000)
    assert long.mean < short.mean / 2
    assert long.mix < short.mix / 2


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_a_member_at_its_level_makes_the_panel_alarm(alpha: float) -> None:
    rng = np.random.default_rng(0)
    shared = rng.standard_normal(1000)
    members = [shared + rng.standard_normal(1000) for _ in range(3)]
    level = local_level(members, alpha)
    assert alpha / 3 - 0.002 <= level <= alpha
    members[1][0] = np.sort(members[1])[-max(1, int(level * 1000) - 1)]
    assert p_value(joint(members)) <= alpha + 0.002
