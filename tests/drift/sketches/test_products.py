"""What comes of a row depends on the row alone; cells are those nearest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from spaceport.drift.sketches.basis import Basis
from spaceport.geometry.cells import assign

METRICS = ["cosine", "dot", "euclidean"]


def rows_of(n: int, d: int = 23, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    return (4 + 2 * rng.standard_normal((n, d))).astype(np.float32)


@pytest.fixture(params=METRICS)
def basis(request: pytest.FixtureRequest) -> Basis:
    return Basis.fit(rows_of(600), request.param, seed=1)


@pytest.mark.parametrize("d", [23, 384])
def test_a_row_alone_and_in_company_has_the_same_features(d: int) -> None:
    """A product of one row is another routine of BLAS, with another order of adding up."""
    basis = Basis.fit(rows_of(600, d), "cosine", seed=1)
    rows = basis.ready(rows_of(2500, d, seed=3))
    for company in (1, 2, 7, 500, 1023, 1024, 1025, 2500):
        last = rows[:company][-1:]
        for name in ("waves", "cells0", "cells1", "squares"):
            among, alone = basis.features(name, rows[:company])[-1], basis.features(name, last)[0]
            assert (among == alone).all(), (name, company)


def test_features_are_those_of_the_formulas(basis: Basis) -> None:
    rows = basis.ready(rows_of(200, seed=4))
    y = rows.astype(np.float64) - basis.origin
    angles = (y @ basis.frequencies)[:, None, :] * 2.0 ** np.arange(basis.widths)[:, None]
    wanted = np.stack([np.cos(angles), np.sin(angles)], axis=2).reshape(200, -1)
    wanted /= np.sqrt(basis.frequencies.shape[1])
    assert np.abs(basis.features("waves", rows) - wanted).max() < 1e-4
    z = y @ basis.axes
    assert np.abs(basis.projected(rows) - z).max() < 1e-4
    above, right = np.triu_indices(z.shape[1])
    assert np.allclose(basis.features("squares", rows), z[:, above] * z[:, right], atol=1e-3)


@pytest.mark.parametrize("level", [0, 1])
def test_cells_are_the_nearest_centroids(basis: Basis, level: int) -> None:
    rows = basis.ready(rows_of(3000, seed=5))
    found = basis.assign(rows, level)
    wanted = assign(rows, basis.cells[level], basis.metric)
    wide, centroids = rows.astype(np.float64), basis.cells[level].astype(np.float64)
    if basis.metric == "cosine":
        centroids = centroids / np.linalg.norm(centroids, axis=1, keepdims=True)
    far = np.linalg.norm(wide[:, None] - centroids, axis=2)
    excess = far[np.arange(3000), found] - far[np.arange(3000), wanted]
    assert (found == wanted).mean() > 0.999
    assert excess.max() < 1e-5
    assert (basis.features(f"cells{level}", rows).argmax(axis=1) == found).all()


def test_a_space_far_from_zero_keeps_its_waves() -> None:
    rows = rows_of(500)
    near, far = Basis.fit(rows, seed=1), Basis.fit(rows + np.float32(4096), seed=1)
    assert np.allclose(near.frequencies, far.frequencies, rtol=1e-3)
    apart = near.features("waves", rows) - far.features("waves", rows + np.float32(4096))
    assert np.abs(apart).max() < 0.05  # rows of a size of 4,096 are known to a few ten-thousandths
