"""Joint moments against NumPy in float64, merged in any split and order, and the maps drawn from them."""

from __future__ import annotations

import hashlib
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.linalg import orthogonal_procrustes
from scipy.spatial import procrustes as disparity

from spaceport.errors import InputError
from spaceport.geometry import alignment
from spaceport.geometry.joint_moments import JointMoments, over

ROWS = arrays(np.float64, st.tuples(st.integers(1, 25), st.just(5)), elements=st.floats(-50, 50))


def split(Z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return Z[:, :3], Z[:, 3:]


def told(moments: JointMoments) -> list[np.ndarray]:
    return [
        moments.left.mean,
        moments.right.mean,
        moments.left.scatter,
        moments.right.scatter,
        moments.cross,
        *moments.cubic,
        moments.quartic,
    ]


def by_numpy(X: np.ndarray, Y: np.ndarray) -> list[np.ndarray]:
    x, y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    a, b = (x**2).sum(axis=1), (y**2).sum(axis=1)
    quartic = np.array([[a @ a, a @ b], [a @ b, b @ b]])
    return [
        X.mean(axis=0),
        Y.mean(axis=0),
        x.T @ x,
        y.T @ y,
        x.T @ y,
        *(a @ x, a @ y, b @ x, b @ y),
        quartic,
    ]


def assert_alike(one: list[np.ndarray], other: list[np.ndarray], size: float = 100) -> None:
    for a, b, power in zip(one, other, (1, 1, 2, 2, 2, 3, 3, 3, 3, 4), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-11 * size**power)


@given(ROWS)
def test_they_are_numpys(Z: np.ndarray) -> None:
    assert_alike(told(JointMoments.of(*split(Z))), by_numpy(*split(Z)))


@given(ROWS, st.data())
def test_any_split_in_any_order_is_the_whole(Z: np.ndarray, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(Z)), max_size=4)))
    parts = data.draw(st.permutations([part for part in np.split(Z, cuts) if len(part)]))
    none = JointMoments.none(3, 2)
    merged = reduce(JointMoments.__add__, (JointMoments.of(*split(part)) for part in parts), none)
    assert merged.count == len(Z)
    assert_alike(told(merged), by_numpy(*split(Z)))


@given(ROWS, ROWS)
def test_adding_commutes(Z: np.ndarray, W: np.ndarray) -> None:
    one, other = JointMoments.of(*split(Z)), JointMoments.of(*split(W))
    assert_alike(told(one + other), told(other + one))


@pytest.mark.parametrize("far", [0.0, 1e3])
def test_a_large_mean_cancels_nothing(far: float) -> None:
    """float32 rows, compared with float64 on the very same numbers."""
    Z = (np.random.default_rng(0).normal(size=(9000, 5)) + far).astype(np.float32)
    X, Y = split(Z)
    for found, expected in zip(
        told(JointMoments.of(X, Y)),
        by_numpy(X.astype(np.float64), Y.astype(np.float64)),
        strict=True,
    ):
        assert np.abs(found - expected).max() < 3e-6 * max(np.abs(expected).max(), len(Z))


def test_a_stream_has_the_same_bytes_from_any_number_of_threads() -> None:
    Z = np.random.default_rng(1).normal(size=(20_000, 24)).astype(np.float32)
    found = [
        over(((part[:, :8], part[:, 8:]) for part in np.array_split(Z, 7)), threads)
        for threads in (1, 2, 3)
    ]
    digests = {hashlib.sha256(b"".join(a.tobytes() for a in told(m))).digest() for m in found}
    assert len(digests) == 1


def test_swapped_is_the_other_way_round() -> None:
    X, Y = split(np.random.default_rng(2).normal(size=(30, 5)))
    assert_alike(told(JointMoments.of(X, Y).swapped), told(JointMoments.of(Y, X)))


@pytest.fixture(scope="module")
def pairs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(300, 6)) * [3, 2, 1, 1, 1, 0.5] + 4
    turn = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    return X, 2 * X @ turn + rng.normal(size=(300, 6)) * 0.3 - 1


def test_the_rotation_is_scipys(pairs) -> None:
    X, Y = pairs
    R, _ = orthogonal_procrustes(X, Y)
    plain = JointMoments.of(X, Y).rotation(centering=False, scaling=False)
    np.testing.assert_allclose(plain.matrix, R, atol=1e-9)
    np.testing.assert_allclose(plain.residual, ((X @ R - Y) ** 2).sum() / (Y**2).sum(), rtol=1e-9)
    full = JointMoments.of(X, Y).rotation()
    assert full.residual == pytest.approx(disparity(X, Y)[2], rel=1e-9)
    x, y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    R, along = orthogonal_procrustes(x, y)
    assert full.scale == pytest.approx(along / (x**2).sum())


@pytest.mark.parametrize("widths", [(6, 6), (6, 4), (4, 6)])
@pytest.mark.parametrize("centering", [True, False])
@pytest.mark.parametrize("scaling", [True, False])
def test_it_is_the_map_learnt_from_the_rows(pairs, widths, centering: bool, scaling: bool) -> None:
    X, Y = (np.ascontiguousarray(s[:, :w], np.float32) for s, w in zip(pairs, widths, strict=True))
    learnt = alignment.procrustes(X, Y, centering=centering, scaling=scaling)
    found = JointMoments.of(X.astype(float), Y.astype(float)).rotation(centering, scaling)
    np.testing.assert_allclose(found.matrix, learnt.matrix, atol=1e-8)
    assert found.scale == pytest.approx(learnt.scale)
    assert found.residual == pytest.approx(learnt.residual, abs=1e-9)
    np.testing.assert_allclose(found(X), learnt(X), atol=1e-4)


def test_unexplained_is_what_least_squares_leaves(pairs) -> None:
    X, Y = pairs
    x, y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    rest = y - x @ np.linalg.lstsq(x, y)[0]
    expected = (rest**2).sum() / (300 - 6 - 1) / ((y**2).sum() / 299)
    assert JointMoments.of(X, Y).unexplained() == pytest.approx(expected)


def test_unexplained_of_noise_is_1_however_many_dimensions() -> None:
    """Saboteur: the plain share would be 1 - p / n = .5, as if half were explained."""
    rng = np.random.default_rng(4)
    found = JointMoments.of(rng.normal(size=(200, 100)), rng.normal(size=(200, 9))).unexplained()
    assert found == pytest.approx(1, abs=0.05)
    few = JointMoments.of(rng.normal(size=(5, 9)), rng.normal(size=(5, 2)))
    assert few.unexplained() == 1


def test_bad_input_is_two_lines() -> None:
    with pytest.raises(InputError, match="3 rows and `Y` has 2"):
        JointMoments.of(np.ones((3, 1)), np.ones((2, 1)))
    with pytest.raises(InputError, match="nothing in common"):
        JointMoments.of([[1, 0], [-1, 0]], [[0, 0], [0, 0]]).rotation()
    with pytest.raises(InputError, match="no rows"):
        over([])
