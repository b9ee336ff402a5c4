"""An order that contents decide: the same however the rows came, and ties that know no labels."""

from __future__ import annotations

import numpy as np

from spaceport.drift._order import by_content
from spaceport.drift.sketches.basis import Basis


def test_the_order_of_the_rows_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((500, 7)).astype(np.float32)
    turned = rows[rng.permutation(500)]
    assert np.array_equal(rows[by_content(rows, 3)], turned[by_content(turned, 3)])


def test_seeds_give_orders_of_their_own() -> None:
    rows = np.random.default_rng(0).standard_normal((500, 7)).astype(np.float32)
    first, second = by_content(rows, 0), by_content(rows, 1)
    assert sorted(first) == list(range(500))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.2
    assert abs(np.corrcoef(first, rows[:, 0])[0, 1]) < 0.2


def test_of_equal_rows_each_comes_first_equally_often() -> None:
    rows = np.ones((2, 3), np.float32)
    first = sum(int(by_content(rows, seed)[0]) for seed in range(400))
    assert 150 < first < 250  # .5 within five standard errors


def test_a_basis_does_not_know_how_the_rows_came() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((300, 5)).astype(np.float32)
    one, other = Basis.fit(rows), Basis.fit(rows[rng.permutation(300)])
    assert one.digest == other.digest
