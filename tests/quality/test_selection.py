"""Standings: intervals that hold what they say, ties by the same items, and the cheapest of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, spearmanr

from spaceport.errors import InputError, ParameterError
from spaceport.quality.selection import (
    PROBES,
    Estimate,
    Standing,
    chosen,
    cross_validated,
    of_answers,
    of_cosines,
)

NONE = Estimate(0, 0, 0)


def answers(rng: np.random.Generator, n: int, *shares: float) -> np.ndarray:
    """Right where an item is not too hard for a candidate; the difficulty is shared by half."""
    common = rng.random(n)
    return np.stack([np.where(rng.random(n) < 0.5, common, rng.random(n)) < p for p in shares])


def test_the_score_has_wilsons_interval() -> None:
    score = of_answers([[True] * 81 + [False] * 19])[0].score
    wanted = binomtest(81, 100).proportion_ci(0.95, method="wilson")
    assert (score.low, score.high) == pytest.approx((wanted.low, wanted.high), abs=1e-6)


def test_the_gap_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    gaps = [of_answers(answers(rng, 400, 0.8, 0.7))[0].gain for _ in range(600)]
    assert 0.93 < np.mean([gap.low <= 0.1 <= gap.high for gap in gaps]) < 0.97


def test_equal_ones_are_tied_and_worse_ones_are_not() -> None:
    rng = np.random.default_rng(1)
    equal = [all(s.tied for s in of_answers(answers(rng, 400, 0.8, 0.8))) for _ in range(400)]
    worse = [of_answers(answers(rng, 400, 0.8, 0.65))[1].tied for _ in range(400)]
    assert 0.92 < np.mean(equal) < 0.98
    assert np.mean(worse) < 0.02


def test_the_same_items_tell_apart_what_overlapping_intervals_do_not() -> None:
    better = np.arange(1000) < 920
    worse = np.arange(1000) < 900
    first, second = of_answers([better, worse])
    assert second.score.high > first.score.low
    assert not second.tied
    assert second.behind.value == pytest.approx(0.02)


def test_the_last_one_is_the_reference_of_the_gain() -> None:
    rng = np.random.default_rng(2)
    given = answers(rng, 300, 0.6, 0.9, 0.7)
    standings = of_answers(given)
    assert [s.gain.value for s in standings] == pytest.approx(given.mean(1) - given[2].mean())
    assert [s.behind.value for s in standings] == pytest.approx(given[1].mean() - given.mean(1))


@pytest.mark.parametrize("score", sorted(PROBES))
def test_planted_classes_are_read_and_nothing_leaks(score: str) -> None:
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 3, 240)
    planted = (rng.normal(size=(240, 6)) + 4 * np.eye(3, 6)[codes]).astype(np.float32)
    named = np.eye(240, dtype=np.float32) + 0.01  # each item alone: only a leak could tell it
    assert cross_validated(planted, codes, score).mean() > 0.95
    assert cross_validated(named, codes, score).mean() < 0.5


def test_every_fold_holds_a_share_of_each_class(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = np.array([0] * 9 + [1] * 6)
    seen = []

    def spy(train, labels, test):
        seen.append((np.bincount(labels).tolist(), len(test)))
        return np.zeros(len(test), int)

    monkeypatch.setitem(PROBES, "spy", spy)
    right = cross_validated(np.ones((15, 2), np.float32), codes, "spy")
    assert seen == [([6, 4], 5)] * 3
    assert (right == (codes == 0)).all()


def test_too_few_of_a_class() -> None:
    with pytest.raises(InputError, match="has 2 items, and there are 3 folds"):
        cross_validated(np.ones((5, 2), np.float32), [0, 0, 0, 1, 1])
    with pytest.raises(ParameterError, match=r"linear, neighbors\. Got 'tree'"):
        cross_validated(np.ones((5, 2), np.float32), [0] * 5, "tree")


def test_correlations_with_judgements() -> None:
    rng = np.random.default_rng(4)
    judged = rng.integers(0, 6, 300).astype(float)
    good, same, bad = (judged + scale * rng.normal(size=300) for scale in (1, 1, 6))
    first, second, third = of_cosines([good, same, bad], judged)
    assert first.score.value == pytest.approx(spearmanr(good, judged).statistic)
    assert first.score.low < first.score.value < first.score.high
    assert (second.tied, third.tied) == (True, False)
    assert third.gain == Estimate(0, 0, 0)
    assert first.gain.value == pytest.approx(first.score.value - third.score.value)


def test_too_little_to_rank() -> None:
    with pytest.raises(InputError, match="4 pairs have 1 different scores"):
        of_cosines([[1, 2, 3, 4]], [2, 2, 2, 2])


def standing(value: float, behind: float) -> Standing:
    return Standing(Estimate(value, 0, 1), Estimate(behind, behind - 0.05, behind + 0.05), NONE)


def test_the_cheapest_of_the_tied_is_chosen_and_no_cheaper_one() -> None:
    standings = [standing(0.9, 0), standing(0.88, 0.02), standing(0.7, 0.2), standing(0.89, 0.01)]
    assert chosen(standings, [(6,), (3,), (0,), (3,)]) == 3
    assert chosen(standings, [(6, 1), (3, 1), (0, 0), (3, 2)]) == 1
