"""Probes: planted classes are found, noise is not, and nothing leaks from what is held out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.stats import binomtest
from sklearn.neighbors import KNeighborsClassifier

from spaceport.errors import InputError, ParameterError
from spaceport.quality.probe import (
    Accuracy,
    linear_probe_accuracy,
    nearest_neighbor_accuracy,
    probe,
    split,
)


def planted(n: int = 300, classes: int = 3, d: int = 8, gap: float = 4.0, seed: int = 0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    centers = gap * np.eye(classes, d)
    return rng.normal(size=(n, d)) + centers[labels], [f"c{label}" for label in labels]


@pytest.mark.parametrize(("correct", "total"), [(0, 10), (5, 10), (10, 10), (812, 1000), (1, 3)])
def test_the_interval_is_wilsons(correct: int, total: int) -> None:
    ci = binomtest(correct, total).proportion_ci(0.95, method="wilson")
    assert Accuracy(correct, total).interval == pytest.approx((ci.low, ci.high), abs=1e-6)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    draws = np.random.default_rng(0).binomial(200, 0.7, 2000)
    covered = [low <= 0.7 <= high for low, high in (Accuracy(int(c), 200).interval for c in draws)]
    assert 0.93 < np.mean(covered) < 0.97


def test_planted_classes_are_read_and_noise_is_not() -> None:
    X, labels = planted()
    noise = np.random.default_rng(1).normal(size=X.shape)
    good, bad = probe(X, labels, baseline=noise), probe(noise, labels, baseline=X)
    assert good.linear.value > 0.95
    assert good.nearest.value > 0.95
    assert good.baseline is not None
    assert good.baseline.value < 0.6
    assert bad.linear.value < 0.6
    assert bad.baseline is not None
    assert bad.baseline.value > 0.95
    assert good.majority.value < 0.6


def test_labels_shuffled_among_the_items_leave_nothing_to_read() -> None:
    X, labels = planted()
    shuffled = list(np.random.default_rng(2).permutation(labels))
    scores = probe(X, shuffled)
    assert abs(scores.linear.value - 1 / 3) < 0.2
    assert abs(scores.nearest.value - 1 / 3) < 0.2


def test_what_is_held_out_is_not_learnt_from() -> None:
    """Random vectors: whoever saw the held-out items would know them by their nearest neighbor."""
    X = np.random.default_rng(3).normal(size=(400, 20))
    labels = np.random.default_rng(4).integers(0, 2, 400)
    train, test = split(labels)
    assert not set(train) & set(test)
    assert sorted([*train, *test]) == list(range(400))
    seen = nearest_neighbor_accuracy(X, labels, X[test], labels[test])
    assert seen.value == 1.0
    assert probe(X, labels.tolist(), k=1).nearest.value < 0.7


def test_the_split_divides_each_class_alike_and_repeats() -> None:
    labels = [0] * 100 + [1] * 10 + [2] * 2 + [3]
    train, test = split(labels, share=0.2, seed=7)
    assert np.bincount(np.array(labels)[test], minlength=4).tolist() == [20, 2, 1, 0]
    assert np.array_equal(split(labels, 0.2, 7)[1], test)
    assert not np.array_equal(split(labels, 0.2, 8)[1], test)
    assert len(train) + len(test) == len(labels)


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_neighbors_vote_as_scikit_learn_lets_them(k: int, metric: str) -> None:
    X, labels = planted(gap=1.5)
    known = KNeighborsClassifier(k, metric=metric).fit(X[:200], labels[:200])
    ours = nearest_neighbor_accuracy(X[:200], labels[:200], X[200:], labels[200:], k, metric)
    theirs = int((known.predict(X[200:]) == labels[200:]).sum())
    assert abs(ours.correct - theirs) <= (0 if k == 1 else 3)  # ties are broken otherwise


def test_of_equal_votes_the_nearest_wins() -> None:
    train, labels = [[1.0, 0], [1, 0.1], [1, 3]], ["near", "far", "other"]
    assert nearest_neighbor_accuracy(train, labels, [[1, 0]], ["near"], k=2).correct == 1


def test_sparse_features_are_probed_as_dense_ones() -> None:
    X, labels = planted(d=30)
    counts = np.floor(np.abs(X))
    both = [linear_probe_accuracy(F[:200], labels[:200], F[200:], labels[200:]).correct
            for F in (counts, csr_array(counts))]  # fmt: skip
    assert abs(both[0] - both[1]) <= 2
    assert probe(X, labels, baseline=csr_array(counts)).baseline is not None


def test_scale_does_not_matter_to_the_linear_probe() -> None:
    X, labels = planted(gap=2)
    stretched = X * np.logspace(-3, 3, X.shape[1])
    both = [linear_probe_accuracy(F[:200], labels[:200], F[200:], labels[200:]).correct
            for F in (X, stretched)]  # fmt: skip
    assert both[0] == both[1]


def test_missing_labels_and_lonely_classes_are_left_out_and_counted() -> None:
    X, labels = planted(n=100, classes=2)
    told: list[object] = [*labels, None, float("nan"), "only one"]
    scores = probe(np.vstack([X, X[:3]]), told)
    assert (scores.unlabeled, scores.alone, scores.classes) == (2, 1, 2)
    assert scores.train + scores.linear.total == 100


def test_bad_input_is_two_lines() -> None:
    X = np.eye(6)
    with pytest.raises(InputError, match="length 6. Got 2"):
        probe(X, ["a", "b"])
    with pytest.raises(InputError, match="measurements"):
        probe(X, [0.1, 0.2, 0.3, 0.1, 0.2, 0.3])
    with pytest.raises(InputError, match="1 labels stand at two items"):
        probe(X, ["a", "a", "a", "b", "c", "d"])
    with pytest.raises(ParameterError, match="`share` must be between"):
        split([0, 0, 1, 1], share=1.0)
