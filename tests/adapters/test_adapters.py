"""What each adapter promises, beside oracles: a planted map, SciPy, scikit-learn, an SVD."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from sklearn.linear_model import Ridge

import spaceport as sp
from spaceport.adapters._sums import Sums
from spaceport.adapters.base import from_bytes, load
from spaceport.errors import CorruptError, InputError, ParameterError


def rows(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


def turn(d, seed=1):
    return np.linalg.qr(rows(d, d, seed).astype(float))[0]


def off(sent, wanted):
    """How far rows are from where they belong, as a share of their spread."""
    return np.linalg.norm(sent - wanted) / np.linalg.norm(wanted - wanted.mean(axis=0))


@pytest.mark.parametrize("name", ["procrustes", "affine", "residual"])
def test_a_planted_rotation_is_found_whole(name):
    X = rows(700, 16)
    Y = 3 * X @ turn(16) + 5
    adapter = getattr(sp.adapters, name)().fit(X[200:], Y[200:])
    assert off(adapter(X[:200]), Y[:200]) < 1e-5


@pytest.mark.parametrize(("p", "q"), [(10, 10), (10, 6), (6, 10)])
def test_procrustes_is_scipys(p, q):
    X, Y = rows(80, p), rows(80, q, 2)
    learnt = sp.adapters.procrustes(centering=False, scaling=False).fit(X, Y).arrays_["matrix"]
    width = max(p, q)  # SciPy's takes equal dimensions: the narrow side is filled with zeros
    wide = [np.pad(side, ((0, 0), (0, width - side.shape[1]))).astype(float) for side in (X, Y)]
    R = orthogonal_procrustes(*wide)[0][:p, :q]
    if p == q:
        np.testing.assert_allclose(learnt, R, atol=1e-5)
    assert np.trace(learnt.T @ X.T @ Y) == pytest.approx(np.trace(R.T @ X.T @ Y), rel=1e-5)


def test_scaling_keeps_the_targets_spread():
    X = rows(4000, 8)
    Y = 4 * X @ turn(8) + 6 * rows(4000, 8, 3) + 9  # mostly noise: least squares would shrink
    sent = sp.adapters.procrustes().fit(X, Y)(X)
    assert sent.std() == pytest.approx(Y.std(), rel=0.01)
    assert sp.adapters.affine().fit(X, Y)(X).std() == pytest.approx(Y.std(), rel=0.01)
    assert sp.adapters.affine(scaling=False).fit(X, Y)(X).std() < 0.7 * Y.std()


def test_full_rank_affine_is_scikit_learns_ridge():
    X, Y = rows(300, 9) @ np.diag(np.arange(1, 10)), rows(300, 5, 4)
    adapter = sp.adapters.affine(rank=5, ridge=0.2, scaling=False).fit(X, Y)
    single = X.astype(np.float32).astype(float)
    centered = single - single.mean(axis=0)
    strength = 0.2 * np.trace(centered.T @ centered) / 9
    oracle = Ridge(alpha=strength).fit(single, Y)
    np.testing.assert_allclose(adapter(X), oracle.predict(single), atol=1e-5)


@pytest.mark.parametrize("rank", [1, 3, 5])
def test_low_rank_affine_is_the_svd_of_the_fitted_values(rank):
    X, Y = rows(200, 8), rows(200, 6, 5)
    ridge = 0.3
    adapter = sp.adapters.affine(rank=rank, ridge=ridge, scaling=False).fit(X, Y)
    A, B = X - X.mean(axis=0, dtype=float), Y - Y.mean(axis=0, dtype=float)
    strength = ridge * (A**2).sum() / 8
    longer = np.vstack([A, np.sqrt(strength) * np.eye(8)])  # the ridge as rows of its own
    filled = np.vstack([B, np.zeros((8, 6))])
    solution = np.linalg.lstsq(longer, filled, rcond=None)[0]
    V = np.linalg.svd(longer @ solution, full_matrices=False)[2][:rank].T
    np.testing.assert_allclose(adapter(X) - Y.mean(axis=0), A @ solution @ V @ V.T, atol=1e-4)
    assert np.linalg.matrix_rank(adapter.arrays_["matrix"], tol=1e-4) == rank


def test_a_planted_low_rank_map_is_found():
    X = rows(900, 20)
    plan = rows(20, 3, 6) @ rows(3, 15, 7)
    Y = X @ plan + 0.05 * rows(900, 15, 8)
    adapter = sp.adapters.affine().fit(X[300:], Y[300:])
    assert adapter.facts()["rank"] == adapter.rank_ == 3
    assert off(adapter(X[:300]), X[:300] @ plan) < 0.02


def test_the_ridge_grows_with_the_noise():
    X, plan = rows(60, 20), rows(20, 20, 6)
    chosen = [
        sp.adapters.affine().fit(X, X @ plan + noise * rows(60, 20, 9)).ridge_
        for noise in (0.0, 3.0, 30.0)
    ]
    assert chosen[0] < chosen[1] < chosen[2]


def test_chosen_by_what_is_held_out_and_not_by_the_fit():
    """With as many dimensions as pairs least squares fits everything and sends new rows nowhere."""
    X = rows(260, 50)
    Y = X @ turn(50) + 0.3 * rows(260, 50, 10)
    held, fit = slice(0, 200), slice(200, 260)
    adapter = sp.adapters.affine().fit(X[fit], Y[fit])
    A, B = X[fit] - X[fit].mean(axis=0), Y[fit] - Y[fit].mean(axis=0)
    free = (X[held] - X[fit].mean(axis=0)) @ np.linalg.lstsq(A, B, rcond=None)[0]
    assert off(adapter(X[held]), Y[held]) < off(free + Y[fit].mean(axis=0), Y[held])


def test_the_residual_network_bends_where_lines_cannot():
    X = rows(3000, 4)
    Y = np.hstack([np.abs(X), X]) @ turn(8)
    held, fit = slice(0, 500), slice(500, 3000)
    bent = sp.adapters.residual(hidden=64, learning_rate=0.01).fit(X[fit], Y[fit])
    straight = [
        getattr(sp.adapters, name)().fit(X[fit], Y[fit]) for name in ("procrustes", "affine")
    ]
    assert off(bent(X[held]), Y[held]) < 0.2
    assert min(off(each(X[held]), Y[held]) for each in straight) > 0.4
    assert bent.facts()["rest explained"] > 0.9
    assert 1 <= bent.facts()["epochs"] <= 60


def test_the_residual_network_is_left_out_where_there_is_nothing_to_learn():
    X = rows(400, 6)
    Y = X @ turn(6) + 0.5 * rows(400, 6, 11)
    adapter = sp.adapters.residual().fit(X, Y)
    np.testing.assert_allclose(adapter(X), sp.adapters.procrustes().fit(X, Y)(X), atol=1e-5)
    assert adapter.explained_ <= 0


def test_sums_add_up_and_come_off_again():
    X, Y = rows(50, 3).astype(float), rows(50, 2, 1).astype(float)
    whole, part = Sums.of(X, Y), Sums.of(X[:20], Y[:20])
    rest = whole - part
    assert (part + rest).count == 50
    G, C, squares = rest.about(np.ones(3), -np.ones(2))
    np.testing.assert_allclose(G, (X[20:] - 1).T @ (X[20:] - 1))
    np.testing.assert_allclose(C, (X[20:] - 1).T @ (Y[20:] + 1))
    assert squares == pytest.approx(((Y[20:] + 1) ** 2).sum())
    np.testing.assert_allclose(rest.centered()[0] / 30, np.cov(X[20:].T, bias=True))


def test_parameters_that_cannot_be():
    for spoiled in ({"rank": 0}, {"ridge": 0.0}, {"ridge": -1.0}, {"seed": -1}):
        with pytest.raises(ParameterError):
            sp.adapters.affine(**spoiled)
    with pytest.raises(ParameterError, match="at most 3"):
        sp.adapters.affine(rank=4).fit(rows(9, 5), rows(9, 3))
    for spoiled in ({"hidden": 0}, {"learning_rate": 0.0}, {"decay": -1.0}):
        with pytest.raises(ParameterError):
            sp.adapters.residual(**spoiled)


def test_no_rows_are_no_rows():
    adapter = sp.adapters.procrustes().fit(rows(9, 4), rows(9, 3))
    assert adapter(np.zeros((0, 4), np.float32)).shape == (0, 3)
    assert adapter(rows(20_000, 4)).shape == (20_000, 3)


def test_a_block_more_than_once_sends_alike():
    adapter = sp.adapters.residual(hidden=4, epochs=2).fit(rows(200, 4), np.abs(rows(200, 4)))
    many = rows(9_000, 4, 3)
    np.testing.assert_allclose(adapter(many)[8_190:8_200], adapter(many[8_190:8_200]), atol=1e-5)


@pytest.fixture
def saved(tmp_path):
    sp.adapters.procrustes().fit(rows(30, 4), rows(30, 3)).save(tmp_path)
    return tmp_path


def test_a_spoiled_file_is_refused_in_two_lines(saved):
    described, weights = (
        (saved / name).read_bytes() for name in ("adapter.json", "adapter.safetensors")
    )
    told = described.decode()
    spoiled = [
        (described[:-9], weights),
        (b"[]", weights),
        (b'"x"', weights),
        (told.replace("procrustes", "procrustean").encode(), weights),
        (told.replace("centering", "center").encode(), weights),
        (told.replace("4,", "5,").encode(), weights),
        (told.replace("3\n", "2\n").encode(), weights),
        (told.replace("dimensions", "sizes").encode(), weights),
        (described, weights[:-4]),
        (described, weights[:-4] + np.float32("nan").tobytes()),
        (described, weights.replace(b'"matrix"', b'"matrox"')),
        (described, b""),
    ]
    for number, (one, other) in enumerate(spoiled):
        assert (one, other) != (described, weights), number
        with pytest.raises(CorruptError) as refused:
            from_bytes(one, other)
        assert str(refused.value).count("\n") == 1, number
    assert from_bytes(described, weights).dimensions == (4, 3)


def test_a_missing_file(saved):
    (saved / "adapter.json").unlink()
    with pytest.raises(CorruptError, match="cannot be read"):
        load(saved)


def test_what_has_not_learnt_is_not_saved(tmp_path):
    with pytest.raises(InputError, match="not learnt"):
        sp.adapters.procrustes().save(tmp_path)
    assert not list(tmp_path.iterdir())
