"""MMD by all pairs beside its definition in float64, and beside the random features."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from spaceport.drift._pooled import Pooled
from spaceport.drift.mmd import MMD, MOST_ROWS
from spaceport.errors import InputError


def pooled(n: int = 60, m: int = 40, d: int = 4, permutations: int = 9) -> Pooled:
    rng = np.random.default_rng(0)
    return Pooled.of_rows(
        rng.standard_normal((n, d)), 1.3 * rng.standard_normal((m, d)), permutations
    )


def by_definition(given: Pooled, width: int) -> np.ndarray:
    rows = given.rows.astype(float)
    sharp = np.square(given.basis.frequencies.astype(float)).mean() / 2 * 4**width
    kernel = np.exp(-sharp * np.square(rows[:, None] - rows[None]).sum(axis=2))
    found = []
    for inside in given.splits.inside:
        within = kernel[np.ix_(inside, inside)].mean() + kernel[np.ix_(~inside, ~inside)].mean()
        found.append(within - 2 * kernel[np.ix_(inside, ~inside)].mean())
    n, m = given.splits.rows
    return np.array(found) - 1 / n - 1 / m


def test_all_pairs_are_the_definition(monkeypatch) -> None:
    given = pooled()
    monkeypatch.setattr(sys.modules["spaceport.drift.mmd"], "_PAIRS", 1700)  # 17 rows at a time
    found = MMD(exact=True).by_pairs(given)
    for width in range(8):
        assert found[:, width] == pytest.approx(by_definition(given, width), abs=2e-6)


def test_the_features_come_near_all_pairs() -> None:
    given = pooled(300, 200, 8, 99)
    n, m = given.splits.rows
    exact = MMD(exact=True).by_pairs(given) + 1 / n + 1 / m
    features = MMD().by_features(given)
    for width in range(4):
        assert np.corrcoef(exact[1:, width], features[1:, width])[0, 1] > 0.5
        assert features[:, width].mean() == pytest.approx(exact[:, width].mean(), rel=0.1)


def test_both_agree_on_the_evidence() -> None:
    given = pooled(300, 200, 8, 199)
    assert MMD(exact=True).evidence(given).p == MMD().evidence(given).p == 0.005


def test_too_many_pairs_are_refused_before_the_work() -> None:
    rng = np.random.default_rng(0)
    given = Pooled.of_rows(rng.standard_normal((MOST_ROWS, 2)), rng.standard_normal((8, 2)), 1)
    with pytest.raises(InputError, match="10008 rows") as caught:
        MMD(exact=True).evidence(given)
    assert "at most 10,000" in str(caught.value)
    assert MMD().evidence(given).p > 0
