"""Changes of shares: Fisher's test as the oracle, and the rate of false discoveries."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import fisher_exact

from spaceport.errors import InputError
from spaceport.monitoring.cell_shares import share_changes


def test_two_cells_against_fishers_one_sided_tests() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        (a, b), (c, d) = rng.integers(1, 30, (2, 2)).tolist()
        tails = [fisher_exact([[c, d], [a, b]], side).pvalue for side in ("less", "greater")]
        found = share_changes([a, b], [c, d])
        assert found.q == pytest.approx([min(1, 2 * min(tails))] * 2)


def test_shares_and_their_change() -> None:
    found = share_changes([10, 30], [30, 10])
    assert found.before.tolist() == [0.25, 0.75]
    assert found.after.tolist() == [0.75, 0.25]
    assert found.change.tolist() == [0.5, -0.5]


def discoveries(moved: int, adjusted: bool) -> float:
    """Mean share of false ones among those named, over 200 draws of 40 cells."""
    rng = np.random.default_rng(1)
    shares = np.full(40, 1 / 40)
    after = shares.copy()
    after[:moved] *= 4
    rates = []
    for _ in range(200):
        q = share_changes(
            rng.multinomial(4000, shares), rng.multinomial(1000, after / after.sum())
        ).q
        named = np.flatnonzero(q <= 0.05 if adjusted else q <= 0.5)
        rates.append(np.mean(named >= moved) if len(named) else 0.0)
    return float(np.mean(rates))


def test_false_discoveries_are_as_rare_as_stated() -> None:
    # Where nothing moved every discovery is false. (Where some cells grew, the others' shares
    # must shrink: those are no false discoveries.)
    assert discoveries(0, adjusted=True) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_saboteur_without_the_adjustment_there_are_many() -> None:
    assert discoveries(0, adjusted=False) > 0.1


def test_cells_that_nobody_is_in() -> None:
    found = share_changes([0, 10, 5], [0, 10, 5])
    assert found.q.tolist() == [1.0, 1.0, 1.0]


def test_what_cannot_be_compared() -> None:
    for pair in (([1, 2], [1, 2, 3]), ([0, 0], [1, 2]), ([[1]], [[1]])):
        with pytest.raises(InputError, match="cannot be compared"):
            share_changes(*pair)
