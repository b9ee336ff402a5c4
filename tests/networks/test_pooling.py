"""Pooling and what follows it, each beside its formula written out item by item."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaceport.errors import InputError, ParameterError
from spaceport.networks.pooling import POOLINGS, after, check, fits, pool


@pytest.fixture
def values():
    rng = np.random.default_rng(0)
    lengths = np.array([5, 1, 3])
    values = rng.normal(size=(3, 5, 4)).astype(np.float32)
    return values, np.arange(5)[None, :] < lengths[:, None]


def by_hand(rows, pooling):
    if pooling == "cls":
        return rows[0]
    if pooling == "last token":
        return rows[-1]
    if pooling == "max":
        return rows.max(0)
    weights = np.arange(1, len(rows) + 1) if pooling == "weighted mean" else np.ones(len(rows))
    return (weights[:, None] * rows).sum(0) / weights.sum()


@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "last token", "weighted mean"])
def test_each_pooling_is_its_formula(values, pooling):
    given, real = values
    wanted = [by_hand(rows[there], pooling) for rows, there in zip(given, real, strict=True)]
    assert np.allclose(pool(given, real, pooling), wanted, atol=1e-6)
    whole = [by_hand(rows, pooling) for rows in given]
    assert np.allclose(pool(given, None, pooling), whole, atol=1e-6)


@given(st.sampled_from(["mean", "cls", "max", "last token", "weighted mean"]), st.floats(-1e6, 1e6))
def test_what_stands_in_padding_changes_nothing(pooling, planted):
    rng = np.random.default_rng(1)
    values = rng.normal(size=(2, 4, 3)).astype(np.float32)
    real = np.array([[True, True, False, False], [True] * 4])
    other = values.copy()
    other[~real] = planted
    assert np.array_equal(pool(values, real, pooling), pool(other, real, pooling))


def test_positions_in_the_middle_may_be_left_out(values):
    given, _ = values
    real = np.array([[False, True, True, False, False]] * 3)
    assert np.allclose(pool(given, real, "mean"), given[:, 1:3].mean(1), atol=1e-6)
    assert np.array_equal(pool(given, real, "last token"), given[:, 2])


def test_maps_are_pooled_over_space():
    maps = np.random.default_rng(2).normal(size=(2, 3, 4, 5)).astype(np.float32)
    assert np.allclose(pool(maps, None, "mean"), maps.mean((2, 3)), atol=1e-6)
    assert np.allclose(pool(maps, None, "max"), maps.max((2, 3)))
    assert np.array_equal(pool(maps, None, "flatten"), maps.reshape(2, -1))


@pytest.mark.parametrize("pooling", [name for name in POOLINGS if name != "none"])
def test_vectors_are_left_alone(pooling):
    vectors = np.random.default_rng(3).normal(size=(4, 6)).astype(np.float32)
    assert np.array_equal(pool(vectors, None, pooling), vectors)


def test_after_in_its_order():
    vectors = np.random.default_rng(4).normal(3, 2, (5, 8)).astype(np.float32)
    torch = pytest.importorskip("torch", reason="the oracle: needs the extra `torch`")
    normed = torch.nn.functional.layer_norm(torch.from_numpy(vectors), (8,)).numpy()
    assert np.allclose(
        after(vectors, layer_norm=True, dimension=None, unit=False), normed, atol=1e-5
    )
    short = after(vectors, layer_norm=True, dimension=3, unit=True)
    wanted = normed[:, :3] / np.linalg.norm(normed[:, :3], axis=1, keepdims=True)
    assert np.allclose(short, wanted, atol=1e-5)
    assert np.allclose(np.linalg.norm(short, axis=1), 1, atol=1e-6)


def test_a_vector_of_zeros_stays_one():
    zeros = np.zeros((1, 3), np.float32)
    assert not after(zeros, layer_norm=True, dimension=None, unit=True).any()


def test_names():
    assert [check(name) for name in POOLINGS] == list(POOLINGS)
    with pytest.raises(ParameterError, match="Got 'maen'.\nDid you mean mean"):
        check("maen")


def test_values_whose_padding_cannot_be_told_are_refused():
    real = np.ones((2, 5), bool)
    fits(np.zeros((2, 5, 3)), real, "mean", "layer")
    fits(np.zeros((2, 3)), real, "flatten", "pooler")
    fits(np.zeros((2, 3, 4, 4)), None, "flatten", "stage")
    for shape in [(2, 4, 3), (2, 2, 5, 5), (10, 5, 3), (2, 5, 3, 1)]:
        with pytest.raises(InputError, match="for items of 5 positions"):
            fits(np.zeros(shape), real, "mean", "layer")
    with pytest.raises(ParameterError, match="side by side"):
        fits(np.zeros((2, 5, 3)), real, "flatten", "layer")
