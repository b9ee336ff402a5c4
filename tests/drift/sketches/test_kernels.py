"""The inner loops against NumPy in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from spaceport.drift.sketches import kernels
from spaceport.geometry.base import normalize

WIDTHS = 8


def true_waves(angles: Any) -> Any:
    """By definition, from the float32 angles: (n, widths, 2, L)."""
    wide = angles.astype(np.float64)[:, None, :] * 2.0 ** np.arange(WIDTHS)[:, None]
    return np.stack([np.cos(wide), np.sin(wide)], axis=2)


def angles_of(scale: float, seed: int = 0) -> Any:
    return (scale * np.random.default_rng(seed).standard_normal((50, 37))).astype(np.float32)


@pytest.mark.parametrize(
    ("scale", "error"), [(1e-6, 1e-13), (1, 1e-12), (1e3, 1e-11), (1e6, 1e-9), (1e9, 1e-5)]
)
def test_sums_of_waves_are_those_of_cosines_and_sines(scale: float, error: float) -> None:
    angles = angles_of(scale)
    blocks = np.arange(50) % 4
    sums = np.zeros((4, WIDTHS, 2, 37))
    kernels.add_waves(angles, blocks, sums)
    wanted = true_waves(angles)
    for block in range(4):
        assert np.abs(sums[block] - wanted[blocks == block].sum(axis=0)).max() < 13 * error


def test_waves_of_rows_are_cosines_and_sines() -> None:
    angles = angles_of(3)
    found = np.empty((50, WIDTHS, 2, 37), np.float32)
    kernels.waves(angles, WIDTHS, found)
    assert np.abs(found - true_waves(angles)).max() < 1e-7


@pytest.mark.parametrize("turns", range(-9, 10))
def test_every_quarter_of_the_circle_and_its_edges(turns: int) -> None:
    edge = np.float32(turns * np.pi / 4)
    near = np.array([[np.nextafter(edge, np.float32(-9)), edge, np.nextafter(edge, np.float32(9))]])
    found = np.empty((1, WIDTHS, 2, 3), np.float32)
    kernels.waves(near.astype(np.float32), WIDTHS, found)
    assert np.abs(found - true_waves(near)).max() < 1e-7


@pytest.mark.parametrize("far", [1e17, 1e30, 3e38, -3e38])
def test_angles_without_a_phase_give_finite_waves(far: float) -> None:
    found = np.empty((1, WIDTHS, 2, 1), np.float32)
    kernels.waves(np.array([[far]], np.float32), WIDTHS, found)
    assert np.abs(found).max() < 2


def test_the_error_of_float32_doublings_would_be_seen() -> None:
    angles = angles_of(3)
    cosines, sines = np.cos(angles), np.sin(angles)
    for _ in range(WIDTHS - 1):
        cosines, sines = 1 - 2 * sines * sines, 2 * sines * cosines
    assert np.abs(cosines - true_waves(angles)[:, -1, 0]).max() > 1e-6


@pytest.mark.parametrize("kernel", ["add_rows", "add_outer"])
def test_rows_and_their_products_go_to_their_places(kernel: str) -> None:
    rng = np.random.default_rng(1)
    rows, places = rng.standard_normal((40, 5)).astype(np.float32), rng.integers(0, 6, 40)
    sums = np.zeros((7, 5) if kernel == "add_rows" else (7, 5, 5))
    add: Callable[..., None] = getattr(kernels, kernel)
    add(rows, places, sums)
    wide = rows.astype(np.float64)
    each = wide if kernel == "add_rows" else wide[:, :, None] * wide[:, None, :]
    wanted = np.stack([each[places == place].sum(axis=0) for place in range(7)])
    assert np.abs(sums - wanted).max() < (1e-13 if kernel == "add_rows" else 1e-5)
    assert not sums[6].any()


def test_unit_rows_are_those_of_geometry() -> None:
    rows = np.random.default_rng(2).standard_normal((30, 11)).astype(np.float32)
    rows[3] = 0
    rows[4] *= 1e30
    rows[5] *= 1e-30
    found = np.empty_like(rows)
    assert kernels.unit(rows, found)
    assert np.abs(found - normalize(rows)).max() < 1e-7
    assert not found[3].any()


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_unit_tells_what_is_not_finite(broken: float) -> None:
    rows = np.ones((5, 11), np.float32)
    rows[2, 7] = broken
    assert not kernels.unit(rows, np.empty_like(rows))
