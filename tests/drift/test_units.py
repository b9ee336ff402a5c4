"""Which units are compared, and that their splits keep the level whatever the sizes of the blocks."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom, kstest

from spaceport.drift._pooled import Pooled, Splits
from spaceport.drift._units import choose, ways
from spaceport.drift.base import p_value
from spaceport.drift.centroid import Centroid
from spaceport.drift.mmd import MMD
from spaceport.drift.sketches.basis import Basis
from spaceport.drift.sketches.sketch import Sketch

D = 4


def draw(n: int, seed: int) -> Any:
    return np.random.default_rng(seed).standard_normal((n, D)).astype(np.float32)


@cache
def basis() -> Basis:
    return Basis.fit(draw(500, 1), cells=(draw(3, 2), draw(6, 3)))


def sketch_of(n: int, seed: int, room: int = 256, blocks: int = 64, move: float = 0) -> Sketch:
    ids = [f"{seed}.{place}" for place in range(n)]
    return Sketch.of(basis(), draw(n, seed) + np.float32(move), ids, room=room, blocks=blocks)


@pytest.mark.parametrize(
    ("reference", "current", "name", "rows"),
    [
        ((5000, 4096), (200, 256), "rows", (4096, 200)),
        ((200, 256), (200, 256), "rows", (200, 200)),
        ((200, 256), (90000, 256), "rows", (200, 256)),
        ((20000, 8192), (1500, 256), "bags", (8192, 1500)),
        ((1500, 256), (20000, 8192), "bags", (1500, 8192)),
        ((20000, 256), (15000, 256), "blocks", (20000, 15000)),
        ((20000, 256), (80000, 256), "blocks", (20000, 80000)),
        ((150000, 256), (9000, 256), "turned", (150000, 9000)),
        ((150000, 1024), (3000, 256), "bags", (1024, 3000)),
    ],
)
def test_the_way_that_loses_least_is_taken(
    reference: tuple[int, int], current: tuple[int, int], name: str, rows: tuple[int, int]
) -> None:
    left, right = (
        sketch_of(n, seed, room) for seed, (n, room) in enumerate((reference, current), 7)
    )
    way = choose(left, right)
    assert (way.name, way.rows) == (name, rows)
    splits = Pooled.of_sketches(left, right, 19).splits
    assert splits.rows == rows
    assert (splits.turned is not None) == (name == "turned")


def test_many_splits_take_fewer_of_the_rows_that_the_reference_keeps() -> None:
    left, right = sketch_of(5000, 7, 4096), sketch_of(200, 8)
    few = Pooled.of_sketches(left, right, 9999)
    assert few.splits.rows == (25_000_000 // 10_000 - 200, 200)
    assert few.rows is not None
    assert np.allclose(few.rows[:2300], left.rows[:2300])
    least = Pooled.of_sketches(left, right, 24_999)
    assert least.splits.rows == (1024, 200)


def test_every_way_sees_the_difference_of_the_means_of_its_rows() -> None:
    left, right = sketch_of(20000, 5, 8192), sketch_of(9000, 6, 4096, move=1)
    wanted = {
        "blocks": right.moments.mean - left.moments.mean,
        "turned": right.moments.mean - left.moments.mean,
    }
    sides = {
        "bags": [
            right.moments.mean - left.rows.mean(axis=0),
            right.rows.mean(axis=0) - left.moments.mean,
        ]
    }
    for way in ways(left, right):
        assert way.units is not None
        pooled = Pooled.of_units(basis(), *way.units(), 19, 0, way.turned)
        found = pooled.differences("vectors")[0]
        against = [wanted[way.name]] if way.name in wanted else sides[way.name]
        assert min(np.abs(found - other).max() for other in against) < 1e-5
        assert pooled.splits.rows == way.rows


def test_turned_splits_have_the_length_of_the_observed_one_and_leave_the_mean_alone() -> None:
    sizes = np.array([100.0] * 8 + [7.0] * 5)
    splits = Splits.turn(sizes, np.arange(13) >= 8, 50, 3)
    scaled = splits.weights * np.sqrt(sizes)
    assert np.allclose(np.linalg.norm(scaled, axis=1), np.sqrt(1 / 800 + 1 / 35), rtol=1e-5)
    assert np.abs(scaled @ np.sqrt(sizes)).max() < 1e-5
    assert np.allclose(splits.weights[0], np.where(np.arange(13) < 8, -1 / 800, 1 / 35))


def p_values(turned: bool, runs: int = 200) -> Any:
    """Of centroid and MMD: blocks of 1,280 rows against blocks of 128, nothing drifted."""
    reference = sketch_of(10240, 1000, blocks=8)
    found = []
    for run in range(runs):
        if run % 10 == 0:
            reference = sketch_of(10240, 1000 + run, blocks=8)
        current = sketch_of(1024, 5000 + run, blocks=8)
        way = next(way for way in ways(reference, current) if way.turned)
        assert way.units is not None
        pooled = Pooled.of_units(basis(), *way.units(), 99, run, turned)
        found.append([p_value(test.statistics(pooled)) for test in (Centroid(), MMD())])
    return np.array(found).T


def test_turned_blocks_of_two_sizes_keep_the_level() -> None:
    for found in p_values(turned=True):
        alarms = int((found <= 0.05).sum())
        assert binom.sf(alarms - 1, len(found), 0.05) > 1e-3
        assert kstest(found, "uniform", alternative="greater").pvalue > 1e-3


def test_permuting_blocks_of_two_sizes_would_be_seen() -> None:
    """The larger blocks are most of the pooled mean, so a split that mixes the two varies differently."""
    centroid, mmd = p_values(turned=False, runs=100)
    worst = max(
        kstest(found, "uniform").statistic for found in (centroid, mmd)
    )  # either way: too many alarms, or none
    assert worst > 0.25


def test_a_shift_is_found_by_every_way() -> None:
    left, right = sketch_of(20000, 5, 8192), sketch_of(9000, 6, 4096, move=0.2)
    found = list(ways(left, right))
    assert {way.name for way in found} == {"bags", "blocks", "turned"}
    for way in found:
        assert way.units is not None
        pooled = Pooled.of_units(basis(), *way.units(), 99, 0, way.turned)
        assert p_value(Centroid().statistics(pooled)) == 0.01, way.name
