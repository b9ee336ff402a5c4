"""GloVe's training: one step against the gradient, the plan of blocks, a planted matrix."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pytest

from encoders.counting import counted
from spaceport.encoders import _cooccurrence
from spaceport.encoders._adagrad import (
    Settings,
    bands_for,
    expected_biases,
    rounds,
    start,
    train_entries,
)
from spaceport.encoders._cooccurrence import Counting
from spaceport.encoders.kernels.adagrad import descend
from spaceport.encoders.kernels.lanes import aligned, inverse_root, store
from spaceport.encoders.kernels.lanes import load as read_lanes

Floats = npt.NDArray[Any]


@numba.njit
def _inverse_roots(numbers, roots):
    for at in range(0, len(numbers), 16):
        store(roots, at, inverse_root(read_lanes(numbers, at)))


def test_inverse_roots() -> None:
    numbers = np.geomspace(1e-30, 1e30, 4096).astype(np.float32)
    roots = np.zeros_like(numbers)
    _inverse_roots(numbers, roots)
    expected = 1 / np.sqrt(numbers.astype(np.float64))
    assert np.abs(roots / expected - 1).max() < 5e-6
    assert np.abs(roots / expected - 1).max() > 1e-7  # not the exact one under another name


DIMENSION, STRIDE, WORDS = 15, 32, 4


def laid_out(values: Floats, squares: Floats, bias: int, one: int) -> Floats:
    flat = aligned(WORDS * 2 * STRIDE)
    rows = flat.reshape(WORDS, 2, STRIDE)
    rows[:, 1], rows[:, 0, one] = 1, 1
    rows[:, 0, :DIMENSION], rows[:, 0, bias] = values[:, :-1], values[:, -1]
    rows[:, 1, :DIMENSION], rows[:, 1, bias] = squares[:, :-1], squares[:, -1]
    return flat


def taken(flat: Floats, part: int, bias: int) -> Floats:
    return flat.reshape(WORDS, 2, STRIDE)[:, part][:, [*range(DIMENSION), bias]]


def test_steps_are_those_of_adagrad_down_the_gradient() -> None:
    """Each entry in turn, by finite differences of its loss, in float64."""
    rng = np.random.default_rng(0)
    W, C = rng.normal(0, 0.5, (2, WORDS, DIMENSION + 1)).astype(np.float32)
    G, H = rng.uniform(1, 3, (2, WORDS, DIMENSION + 1)).astype(np.float32)
    X = laid_out(W, G, DIMENSION, DIMENSION + 1)
    Y = laid_out(C, H, DIMENSION + 1, DIMENSION)
    rows, columns = np.array([1], np.int32), np.array([2], np.int32)
    logarithm, weight, rate = np.float32(1.3), np.float32(0.4), np.float32(0.05)

    def loss(w: Floats, c: Floats) -> float:
        product = w[:-1] @ c[:-1] + w[-1] + c[-1]
        return 0.5 * float(weight) * float(product - logarithm) ** 2

    def gradient(function: Any, at: Floats) -> Floats:
        steps = np.eye(len(at)) * 1e-5
        return np.array([(function(at + h) - function(at - h)) / 2e-5 for h in steps])

    w, c = W[1].astype(np.float64), C[2].astype(np.float64)
    g = float(rate) * gradient(lambda moved: loss(moved, c), w)
    h = float(rate) * gradient(lambda moved: loss(w, moved), c)
    found = descend(
        rows, columns, np.array([logarithm]), np.array([weight]), X, Y, STRIDE, DIMENSION, rate,
        np.uint64(0),
    )  # fmt: skip
    expected_W, expected_C = W.copy(), C.copy()
    expected_W[1] = w - g / np.sqrt(G[1])
    expected_C[2] = c - h / np.sqrt(H[2])
    assert found == pytest.approx(2 * loss(w, c), rel=1e-5)
    np.testing.assert_allclose(taken(X, 0, DIMENSION), expected_W, atol=1e-6)
    np.testing.assert_allclose(taken(Y, 0, DIMENSION + 1), expected_C, atol=1e-6)
    np.testing.assert_allclose(taken(X, 1, DIMENSION)[1], G[1] + g**2, atol=1e-6)
    np.testing.assert_allclose(taken(Y, 1, DIMENSION + 1)[2], H[2] + h**2, atol=1e-6)
    assert np.abs(g).max() > 1e-3  # the step is far above the tolerance
    untouched = [0, 2, 3]
    np.testing.assert_array_equal(taken(X, 0, DIMENSION)[untouched], W[untouched])


@pytest.mark.parametrize("count", [1, 2, 3, 50])
def test_every_entry_is_used_once_in_an_order_of_the_seed(count: int) -> None:
    """With a rate of zero nothing moves, and the loss sums over all entries."""
    rng = np.random.default_rng(0)
    logarithms = rng.normal(size=count).astype(np.float32)
    zeros, ones = np.zeros((WORDS, DIMENSION + 1)), np.ones((WORDS, DIMENSION + 1))
    X, Y = (
        laid_out(zeros, ones, *places)
        for places in ((DIMENSION, DIMENSION + 1), (DIMENSION + 1, DIMENSION))
    )
    rows, columns = rng.integers(0, WORDS, (2, count)).astype(np.int32)
    told = (rows, columns, logarithms, np.ones(count, np.float32))
    found = descend(*told, X, Y, STRIDE, DIMENSION, np.float32(0), np.uint64(3))
    assert found == pytest.approx((logarithms.astype(float) ** 2).sum(), rel=1e-6)
    moved = []
    for seed in (1, 2):
        X, Y = (
            laid_out(zeros, ones, *places)
            for places in ((DIMENSION, DIMENSION + 1), (DIMENSION + 1, DIMENSION))
        )
        descend(*told, X, Y, STRIDE, DIMENSION, np.float32(0.5), np.uint64(seed))
        moved.append(X.tobytes())
    assert (moved[0] != moved[1]) == (count > 3)


def test_biases_start_where_words_in_any_order_would_put_them() -> None:
    """Counted in text that is drawn word by word, the logarithms are the sums of two biases."""
    rng = np.random.default_rng(0)
    share = np.array([0.5, 0.3, 0.2])
    tokens = rng.choice(3, 40_000, p=share).astype(np.int32)
    for symmetric, weighted in ((True, True), (False, True), (True, False)):
        told = Counting(4, symmetric, weighted, memory=8)
        found = counted([tokens.tolist()], 3, 1, told)
        biases = expected_biases(np.bincount(tokens), told)
        for (row, column), count in found.items():
            assert biases[row] + biases[column] == pytest.approx(np.log(count), abs=0.05)


@pytest.mark.parametrize("bands", [1, 2, 8, 13])
def test_rounds_cover_all_blocks_and_share_no_row(bands: int) -> None:
    plan = list(rounds(bands, 3, np.random.default_rng(0)))
    visits = [visit for together in plan for visit in together]
    assert len(set(visits)) == len(visits) == 3 * bands**2
    for together in plan:
        assert len({visit.row_band for visit in together}) == bands
        assert len({visit.column_band for visit in together}) == bands


@pytest.mark.parametrize("words", [1, 5, 8, 5000, 100_000, 3_000_000])
def test_bands_are_dealt_evenly(words: int) -> None:
    bands = bands_for(words)
    assert 1 <= bands.count <= 128
    assert bands.count >= min(8, words)
    assert (bands.count - 1) * bands.size < words <= bands.count * bands.size


def low_rank(words: int, rank: int, seed: int = 0) -> Floats:
    """ln X of that rank, symmetric, for all pairs of words."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(0, 0.7, (words, rank))
    bias = rng.normal(1, 0.3, words)
    return factors @ factors.T + bias[:, None] + bias[None, :]


class Planted:
    """Counts that are what they are told to be; the double of `Cooccurrences`."""

    def __init__(self, logarithms: Floats) -> None:
        self.bands = bands_for(len(logarithms))
        word, other = np.indices(logarithms.shape).reshape(2, -1)
        entries = np.empty(logarithms.size, dtype=_cooccurrence.ENTRY)
        entries["row"], entries["column"] = self.bands.places[word], self.bands.places[other]
        entries["count"] = np.exp(logarithms).reshape(-1)
        bands = entries["row"] // self.bands.size, entries["column"] // self.bands.size
        every = range(self.bands.count)
        self.blocks = {
            (a, b): entries[(bands[0] == a) & (bands[1] == b)] for a in every for b in every
        }

    def block(self, row_band: int, column_band: int) -> Any:
        return self.blocks[row_band, column_band]

    def sizes(self) -> Floats:
        return np.array([len(block) for block in self.blocks.values()])


@pytest.mark.parametrize(("ordered", "threads"), [(True, 1), (True, 2), (False, 2)])
def test_products_become_the_logarithms(ordered: bool, threads: int) -> None:
    """Counts whose logarithms have rank 5 are fitted by six dimensions, and not by two."""
    logarithms = low_rank(40, 5)
    left = {}
    for dimension in (6, 2):
        told = Settings(dimension, 150, 0.1, 10.0, 0.0, threads, ordered, 1)
        counts: Any = Planted(logarithms)
        factors, losses = train_entries(
            counts, start(np.zeros(40, np.float32), dimension, [1]), told
        )
        W, C = factors.words, factors.contexts
        fitted = W[:, :-1] @ C[:, :-1].T + W[:, -1:] + C[:, -1]
        left[dimension] = float(np.square(fitted - logarithms).mean())
        assert losses[-1] == pytest.approx(left[dimension], rel=0.2, abs=1e-3)
    assert left[6] < 0.02 < 0.2 < left[2]
