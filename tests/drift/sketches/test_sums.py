"""A sketch's sums against their definition in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from drift.sketches.planted import basis, names, rows
from spaceport.drift.sketches.sketch import Sketch
from spaceport.errors import InputError
from spaceport.geometry.cells import assign

N = 3000
BLOCKS = 16


@pytest.fixture(params=["euclidean", "cosine"])
def metric(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sketch(metric: str) -> Sketch:
    return Sketch.of(basis(metric), rows()[:N], names()[:N], room=100, blocks=BLOCKS)


@pytest.fixture
def blocks() -> Any:
    import pyarrow as pa

    from spaceport.hashes import hashes

    return hashes(pa.array(names()[:N])) % BLOCKS


def by_block(features: Any, blocks: Any) -> Any:
    wide = np.asarray(features, np.float64)
    return np.stack([wide[blocks == block].sum(axis=0) for block in range(BLOCKS)])


@pytest.mark.parametrize("name", ["vectors", "waves", "squares", "cells0", "cells1"])
def test_sums_by_block_are_those_of_the_features(sketch: Sketch, blocks: Any, name: str) -> None:
    ready = sketch.basis.ready(rows()[:N])
    wanted = by_block(sketch.basis.features(name, ready), blocks)
    assert sketch.sums[name].shape == wanted.shape
    assert np.abs(sketch.sums[name] - wanted).max() < 1e-5
    assert (sketch.sizes == np.bincount(blocks.astype(int), minlength=BLOCKS)).all()


@pytest.mark.parametrize("level", [0, 1])
def test_shifts_are_sums_of_coordinates_by_block_and_cell(
    sketch: Sketch, blocks: Any, level: int
) -> None:
    ready = sketch.basis.ready(rows()[:N])
    hot = sketch.basis.features(f"cells{level}", ready)
    z = sketch.basis.projected(ready)
    wanted = by_block((hot[:, :, None] * z[:, None, :]).reshape(N, -1), blocks)
    assert np.abs(sketch.sums[f"shifts{level}"] - wanted).max() < 1e-5


def test_moments_are_those_of_the_rows(sketch: Sketch) -> None:
    wide = sketch.basis.ready(rows()[:N]).astype(np.float64)
    assert sketch.moments.count == sketch.count == N
    assert np.allclose(sketch.moments.mean, wide.mean(axis=0), atol=1e-12)
    scatter = np.cov(wide.T, ddof=0) * N
    assert np.abs(sketch.moments.scatter - scatter).max() < 3e-6 * scatter.trace()
    assert (sketch.moments.scatter == sketch.moments.scatter.T).all()


def test_cells_keep_their_sums_and_squares(sketch: Sketch, metric: str) -> None:
    ready = sketch.basis.ready(rows()[:N])
    cells = assign(ready, sketch.basis.cells[1], metric)
    wide = ready.astype(np.float64)
    for cell in range(len(sketch.basis.cells[1])):
        inside = wide[cells == cell]
        assert sketch.cell_counts[cell] == len(inside)
        assert np.allclose(sketch.cell_sums[cell], inside.sum(axis=0), atol=1e-9)
        far = np.square(inside - sketch.basis.origin).sum()
        assert np.isclose(sketch.cell_squares[cell], far, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("apart", [0.0, 1e3, 1e5])
def test_the_scatter_keeps_its_digits_far_from_the_origin(apart: float) -> None:
    moved = rows()[:N] + np.float32(apart)
    found = Sketch.of(basis(), moved, names()[:N]).moments.scatter
    wide = moved.astype(np.float64)
    wanted = np.cov(wide.T, ddof=0) * N
    assert np.abs(found - wanted).max() < 1e-5 * wanted.trace()


@pytest.mark.parametrize("size", [1e20, 3e38])
def test_rows_whose_squares_are_no_numbers_are_refused(size: float) -> None:
    long = rows()[:20].copy()
    long[3] = size
    with pytest.raises(InputError, match="squares are no float32 numbers"):
        _ = Sketch.of(basis(), long, names()[:20]).totals
