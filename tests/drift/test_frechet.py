"""The Fréchet distance beside SciPy's matrix square root, in every split, from rows and from blocks."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

from spaceport.drift._pooled import Pooled, Splits
from spaceport.drift.frechet import Frechet, spread_apart
from spaceport.drift.sketches.basis import Basis


def theirs(a: np.ndarray, b: np.ndarray) -> float:
    apart = a.mean(axis=0) - b.mean(axis=0)
    S, T = (np.cov(x.T, bias=True) for x in (a, b))
    root = scipy.linalg.sqrtm(S @ T)
    return float(apart @ apart + np.trace(S + T - 2 * root.real))


@pytest.mark.parametrize("offset", [0, 40])
def test_it_is_scipys_in_every_split(offset: float) -> None:
    rng = np.random.default_rng(0)
    here = rng.standard_normal((90, 5)) * [3, 2, 1, 1, 0.5] + offset
    there = rng.standard_normal((60, 5)) + 0.3 + offset
    pooled = Pooled.of_rows(here, there, 10, seed=2)
    z = pooled.basis.projected(pooled.rows).astype(float)
    wanted = [theirs(z[inside], z[~inside]) for inside in pooled.splits.inside]
    assert Frechet().statistics(pooled) == pytest.approx(wanted, rel=2e-3)


def test_fewer_rows_leave_fewer_axes() -> None:
    rng = np.random.default_rng(0)
    pooled = Pooled.of_rows(rng.standard_normal((50, 9)), rng.standard_normal((13, 9)), 10)
    z = pooled.basis.projected(pooled.rows)[:, :3].astype(float)
    wanted = [theirs(z[inside], z[~inside]) for inside in pooled.splits.inside]
    assert Frechet().statistics(pooled) == pytest.approx(wanted, rel=2e-3)


def test_a_direction_without_variance_costs_nothing() -> None:
    S = np.diag([4.0, 1.0, 0.0])[None]
    T = np.diag([1.0, 0.0, 0.0])[None]
    assert spread_apart(S, T) == pytest.approx([1 + 1])
    assert spread_apart(S, S) == pytest.approx([0], abs=1e-12)


def test_roots_of_dense_singular_covariances() -> None:
    rng = np.random.default_rng(0)
    A, B = (rng.standard_normal((6, 3)) for _ in range(2))
    S, T = A @ A.T, B @ B.T  # of rank 3 in 6 dimensions
    shared = np.linalg.svd(A.T @ B)[1].sum()  # tr (S T)^(1/2) = |A' B| in the nuclear norm
    wanted = np.trace(S + T) - 2 * shared
    assert spread_apart(S[None], T[None]) == pytest.approx([wanted], rel=1e-4)


def test_blocks_tell_what_their_rows_tell() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((600, 4)).astype(np.float32)
    rows[400:] *= 1.4
    basis = Basis.fit(rows)
    blocks = np.arange(600) // 10
    sums = {
        name: np.stack([basis.features(name, rows[blocks == b]).sum(axis=0) for b in range(60)])
        for name in ("vectors", "squares")
    }
    splits = Splits.draw(np.full(60, 10.0), np.arange(60) >= 40, 99, 0)
    found = Frechet().statistics(Pooled(basis, splits, sums=sums))
    whole = Pooled.of_rows(rows[:400], rows[400:], 99, basis=basis)
    assert found[0] == pytest.approx(Frechet().statistics(whole)[0], rel=1e-3)
    assert (found[1:] < found[0]).all()
