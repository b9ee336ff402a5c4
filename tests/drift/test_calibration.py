"""False alarms where nothing drifts, of every test and of all of them together, counted.

The long form, with 400 runs in each of 18 settings, is ``python -m benchmarks.drift.calibration``.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, kstest

from spaceport.drift._joint import joint
from spaceport.drift._pooled import Pooled
from spaceport.drift.base import p_value
from spaceport.drift.centroid import Centroid
from spaceport.methods import load, names

RUNS, LEVEL, PERMUTATIONS = 120, 0.05, 39
TESTS = {name: load("drift", name)() for name in names("drift")}
MOST = int(binom.ppf(1 - 1e-4, RUNS, LEVEL))


def p_values(sample, runs: int = RUNS) -> dict[str, np.ndarray]:
    """Of each test, and of all together: `sample(rng)` gives reference and current."""
    found: dict[str, list[float]] = {}
    for seed in range(runs):
        pooled = Pooled.of_rows(*sample(np.random.default_rng(seed)), PERMUTATIONS, seed)
        each = {name: test.statistics(pooled) for name, test in TESTS.items()}
        each["all together"] = joint(list(each.values()))
        for name, statistics in each.items():
            found.setdefault(name, []).append(p_value(statistics))
    return {name: np.array(values) for name, values in found.items()}


def clustered(rng: np.random.Generator):
    """Unequal clusters in 24 dimensions, heavy tails, a window a third of the reference."""
    centers = 2 * np.random.default_rng(0).standard_normal((6, 24))
    which = rng.choice(6, 160, p=[0.4, 0.3, 0.15, 0.1, 0.04, 0.01])
    rows = centers[which] + rng.standard_t(3, (160, 24))
    return rows[:120], rows[120:]


def check(found: dict[str, np.ndarray]) -> None:
    for name, values in found.items():
        alarms = int((values <= LEVEL).sum())
        assert alarms <= MOST, f"{name}: {alarms} false alarms in {len(values)} runs"
        assert kstest(values, "uniform", alternative="greater").pvalue > 1e-4, name
        assert values.min() >= 1 / (PERMUTATIONS + 1)


def test_made_data() -> None:
    check(p_values(clustered))


def test_real_word_vectors(data) -> None:
    path = data / "pretrained-formats" / "lee_fasttext.vec"
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    vectors = np.array([line.split()[-10:] for line in lines], np.float32)

    def halves(rng: np.random.Generator):
        few = vectors[rng.permutation(len(vectors))[:150]]
        return few[:90], few[90:]

    check(p_values(halves))


@pytest.mark.parametrize("frames", [1, 30])
def test_the_trap_of_rows_that_are_no_draws_of_their_own(frames: int) -> None:
    """Thirty frames of a sign are one draw: divided by sign, nothing drifts, and the test must alarm."""
    alarms = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        signs = rng.standard_normal((240 // frames, 8)).repeat(frames, axis=0)
        rows = signs + 0.3 * rng.standard_normal(signs.shape)
        alarms += Centroid()(rows[:150], rows[150:], permutations=39, seed=seed).p <= LEVEL
    assert (alarms > 30) if frames > 1 else (alarms <= 9)
