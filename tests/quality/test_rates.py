"""Shares, their intervals and their differences, beside SciPy's and the papers'."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from spaceport.quality.rates import fisher, holm, newcombe, wilson


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_rates_against_scipy(k: int, rest: int, other: int, other_rest: int) -> None:
    n, m = k + rest, other + other_rest
    if n:
        exact = stats.binomtest(k, n).proportion_ci(method="wilson")
        low, high = wilson(k, n)
        assert (float(low), float(high)) == pytest.approx((exact.low, exact.high), abs=1e-12)
    if n and m:
        p = stats.fisher_exact([[k, rest], [other, other_rest]]).pvalue
        assert fisher(k, n, other, m) == pytest.approx(min(p, 1))
        low, high = newcombe(k, n, other, m)
        assert low - 1e-12 <= k / n - other / m <= high + 1e-12


def test_newcombes_examples() -> None:
    paper = {
        (56, 70, 48, 80): (0.0524, 0.3339),
        (9, 10, 3, 10): (0.1705, 0.8090),
        (6, 7, 2, 7): (0.0582, 0.8062),
        (5, 56, 0, 29): (-0.0381, 0.1926),
    }
    for table, ends in paper.items():  # his table II, method 10
        assert newcombe(*table) == pytest.approx(ends, abs=6e-5)


def test_fisher_without_rows() -> None:
    assert fisher(0, 0, 3, 5) == 1


@given(st.lists(st.floats(0, 1), max_size=5))
def test_holm_is_the_closed_test_of_bonferroni(values: list[float]) -> None:
    places = range(len(values))
    sets = [s for size in places for s in combinations(places, size + 1)]
    expected = [
        max(min(1, len(s) * min(values[i] for i in s)) for s in sets if place in s)
        for place in places
    ]
    assert holm(values) == pytest.approx(expected)
