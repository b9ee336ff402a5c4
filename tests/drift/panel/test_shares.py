"""Intervals of shares, and rates of false discoveries, beside SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, false_discovery_control

from spaceport.drift.panel.discoveries import adjusted
from spaceport.drift.panel.shares import newcombe, wilson


@pytest.mark.parametrize(("k", "n"), [(0, 9), (3, 10), (50, 1000), (7, 7)])
def test_wilson_is_scipys(k: int, n: int) -> None:
    expected = binomtest(k, n).proportion_ci(method="wilson")
    assert [float(end) for end in wilson(k, n)] == pytest.approx([expected.low, expected.high])


def test_newcombe_is_the_papers() -> None:
    # Newcombe 1998, table II, method 10: (a) 56/70 - 48/80, (c) 6/7 - 2/7, (e) 5/56 - 0/29
    for counts, ends in (
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((6, 7, 2, 7), (0.0582, 0.8062)),
        ((5, 56, 0, 29), (-0.0381, 0.1926)),
    ):
        assert [float(end) for end in newcombe(*counts)] == pytest.approx(ends, abs=6e-5)


def test_rates_are_scipys() -> None:
    p = np.random.default_rng(0).random(50) ** 2
    assert adjusted(p) == pytest.approx(false_discovery_control(p))
