"""Probes: how well a simple classifier reads a label off the vectors of held-out items."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import generator, integer, matrix
from spaceport.errors import InputError, ParameterError
from spaceport.geometry.neighbors import nearest

__all__ = [
    "Accuracy",
    "Features",
    "ProbeScores",
    "linear_probe",
    "linear_probe_accuracy",
    "linear_probe_answers",
    "nearest_neighbor_accuracy",
    "nearest_neighbor_answers",
    "probe",
    "split",
]

Features: TypeAlias = Any
"""An array-like of shape (n, d), or a sparse matrix of that shape."""

Rows: TypeAlias = npt.NDArray[np.int64]

_ROUNDS = 300
_PENALTIES = (1e-2, 1e-3, 1e-4)
_CHOSEN_ON = 5000
_Z = 1.959964  # of a 95 % interval


@dataclass(frozen=True)
class Accuracy:
    """Right answers among `total` held-out items.

    Examples
    --------
    >>> Accuracy(81, 100)
    Accuracy(correct=81, total=100)
    >>> low, high = Accuracy(81, 100).interval
    >>> round(low, 3), round(high, 3)
    (0.722, 0.875)
    """

    correct: int
    total: int

    @property
    def value(self) -> float:
        """The share of right answers."""
        return self.correct / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval with 95 % confidence (Wilson 1927, p. 210)."""
        n, p, z = self.total, self.value, _Z
        center = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return float(center - half), float(center + half)


@dataclass(frozen=True)
class ProbeScores:
    """What `probe` measured, all of it on the same held-out items.

    Attributes
    ----------
    linear, nearest : Accuracy
        A logistic regression on the vectors; the vote of the `k` nearest neighbors.
    baseline : Accuracy or None
        The same regression on the raw features, where they were given.
    majority : Accuracy
        Always the label that stands most often among the training items.
    classes, train, unlabeled, alone : int
        Labels; training items; items without a label, which are left out; items left out because
        no other item has their label.
    k : int
        How many neighbors vote.
    """

    linear: Accuracy
    nearest: Accuracy
    baseline: Accuracy | None
    majority: Accuracy
    classes: int
    train: int
    unlabeled: int
    alone: int
    k: int


def probe(
    vectors: npt.ArrayLike,
    labels: Sequence[Any],
    baseline: Features | None = None,
    metric: str = "cosine",
    k: int = 10,
    share: float = 0.2,
    seed: int = 0,
) -> ProbeScores:
    """Hold a part of the items out, learn from the rest, and count the right answers.

    Parameters
    ----------
    vectors : array-like of shape (n, d)
    labels : sequence of length n
        A class each: strings, whole numbers, truth values; None or NaN where unknown.
    baseline : array-like or sparse matrix of shape (n, D), optional
        Raw features (one-hot words, one-hot categories, pixels) for the same regression.
    metric : {"cosine", "dot", "euclidean"}
        Under which neighbors are near.
    k : int
        Neighbors that vote; fewer where there are fewer training items.
    share, seed
        See `split`.

    Raises
    ------
    InputError
        Fewer than two classes have two items, or the labels look like measurements.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels = ["cat", "dog"] * 100
    >>> vectors = rng.normal(size=(200, 3)) + [[3, 0, 0], [0, 3, 0]] * 100
    >>> scores = probe(vectors, labels, baseline=rng.normal(size=(200, 2)))
    >>> scores.linear.value, scores.majority.value, scores.train
    (1.0, 0.5, 160)
    """
    X = matrix(vectors, "vectors")
    known, codes, unlabeled, alone = _coded(labels, len(X))
    train, test = split(codes, share, seed)
    told, asked = codes[train], codes[test]
    found = X[known]
    raw = None if baseline is None else _taken(baseline, known)
    return ProbeScores(
        linear=linear_probe_accuracy(found[train], told, found[test], asked),
        nearest=nearest_neighbor_accuracy(found[train], told, found[test], asked, k, metric),
        baseline=None
        if raw is None
        else linear_probe_accuracy(_taken(raw, train), told, _taken(raw, test), asked),
        majority=Accuracy(int((asked == np.bincount(told).argmax()).sum()), len(asked)),
        classes=int(codes.max()) + 1,
        train=len(train),
        unlabeled=unlabeled,
        alone=alone,
        k=min(k, len(train)),
    )


def split(labels: npt.ArrayLike, share: float = 0.2, seed: int = 0) -> tuple[Rows, Rows]:
    """Rows to learn from and rows held out, each class divided alike.

    Of a class with m items, round(share · m) are held out, at least one and at most m − 1 of them,
    drawn without replacement; a class with one item is learnt from only.

    Returns
    -------
    train, test : ndarray of int64
        Ascending.

    Examples
    --------
    >>> train, test = split([0, 0, 0, 0, 0, 1, 1], share=0.2)
    >>> len(train), len(test)
    (5, 2)
    """
    if not 0 < share < 1:
        raise ParameterError(
            f"`share` must be between 0 and 1. Got {share!r}.", "0.2 holds a fifth out."
        )
    codes = np.asarray(labels)
    random = generator(seed)
    held: list[Rows] = []
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        count = min(max(round(share * len(rows)), 1), len(rows) - 1)
        held.append(random.permutation(rows)[:count])
    test = np.sort(np.concatenate(held))
    train = np.setdiff1d(np.arange(len(codes)), test)
    return train, test


def linear_probe_accuracy(
    train: Features,
    train_labels: npt.ArrayLike,
    test: Features,
    test_labels: npt.ArrayLike,
) -> Accuracy:
    """Right answers of a logistic regression.

    Dense columns are standardized (a constant one becomes zero), sparse columns divided by their
    largest magnitude. Minimized is (1/n) Σ_i log-loss_i + λ |W|² / 2 (multinomial for more than two
    classes) by L-BFGS. λ is the one of 10⁻², 10⁻³, 10⁻⁴ that does best on a fifth of the training items
    (of 5,000 of them, where there are more), the others being learnt from.

    Parameters
    ----------
    train, test : array-like or sparse matrix of shape (n, d) and (m, d)
    train_labels, test_labels : array-like of length n and m

    References
    ----------
    Alain & Bengio 2016, "Understanding intermediate layers using linear classifier probes".

    Examples
    --------
    >>> linear_probe_accuracy([[0.0], [1.0], [9.0], [10.0]], [0, 0, 1, 1], [[2.0], [8.0]], [0, 1])
    Accuracy(correct=2, total=2)
    """
    return _counted(linear_probe_answers(train, train_labels, test), test_labels)


def linear_probe_answers(
    train: Features, train_labels: npt.ArrayLike, test: Features
) -> npt.NDArray[Any]:
    """The label that a logistic regression gives each test item, (m,); see `linear_probe_accuracy`."""
    scaler, model = linear_probe(train, train_labels)
    answers: npt.NDArray[Any] = model.predict(scaler.transform(test))
    return answers


def linear_probe(train: Features, train_labels: npt.ArrayLike) -> tuple[Any, Any]:
    """scikit-learn's scaler and logistic regression, both fitted; see `linear_probe_accuracy`."""
    from scipy.sparse import issparse
    from sklearn.preprocessing import MaxAbsScaler, StandardScaler

    scaler = MaxAbsScaler() if issparse(train) else StandardScaler()
    X, labels = scaler.fit_transform(train), np.asarray(train_labels)
    return scaler, _regression(X, labels, _penalty(X, labels))


def _penalty(X: Features, labels: npt.NDArray[Any]) -> float:
    """The λ that does best on a part of the training items; the largest in a tie."""
    rows = np.sort(generator(0).permutation(X.shape[0])[:_CHOSEN_ON])
    codes = np.unique(labels[rows], return_inverse=True)[1]
    train, test = (rows[part] for part in split(codes))
    if len(set(labels[train].tolist())) < 2:
        return _PENALTIES[0]
    models = (_regression(X[train], labels[train], penalty) for penalty in _PENALTIES)
    right = [_counted(model.predict(X[test]), labels[test]).correct for model in models]
    return _PENALTIES[int(np.argmax(right))]


def _regression(X: Features, labels: npt.NDArray[Any], penalty: float) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        # what has not converged in so many rounds predicts all the same
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=1 / (penalty * X.shape[0]), max_iter=_ROUNDS).fit(X, labels)


def nearest_neighbor_accuracy(
    train: npt.ArrayLike,
    train_labels: npt.ArrayLike,
    test: npt.ArrayLike,
    test_labels: npt.ArrayLike,
    k: int = 1,
    metric: str = "cosine",
) -> Accuracy:
    """Right answers of the vote of the `k` nearest training items, all votes equal.

    Of labels with as many votes the one whose nearest voter is nearest wins.

    Parameters
    ----------
    train, test : array-like of shape (n, d) and (m, d)
    train_labels, test_labels : array-like of length n and m
    k : int
        Where `k` is larger than n, n neighbors vote.
    metric : {"cosine", "dot", "euclidean"}

    Examples
    --------
    >>> nearest_neighbor_accuracy([[1, 0], [0, 1]], ["cat", "dog"], [[2, 1]], ["cat"])
    Accuracy(correct=1, total=1)
    """
    return _counted(nearest_neighbor_answers(train, train_labels, test, k, metric), test_labels)


def nearest_neighbor_answers(
    train: npt.ArrayLike,
    train_labels: npt.ArrayLike,
    test: npt.ArrayLike,
    k: int = 1,
    metric: str = "cosine",
) -> npt.NDArray[Any]:
    """The label that wins the vote for each test item, (m,); see `nearest_neighbor_accuracy`."""
    X, Q = matrix(train, "train"), matrix(test, "test")
    places, _ = nearest(X, Q, min(integer(k, "k", 1), len(X)), metric)
    voters = np.asarray(train_labels)[places]  # (m, k)
    return np.fromiter(map(_voted, voters), voters.dtype, len(voters))


def _counted(answers: npt.NDArray[Any], wanted: npt.ArrayLike) -> Accuracy:
    right = answers == np.asarray(wanted)
    return Accuracy(int(right.sum()), len(right))


def _voted(labels: npt.NDArray[Any]) -> Any:
    """The label that stands most often; `Counter` gives the first of those that stand as often."""
    return Counter(labels.tolist()).most_common(1)[0][0]


def _coded(labels: Sequence[Any], rows: int) -> tuple[Rows, Rows, int, int]:
    """Rows with a label that another row has too, their codes 0 … c−1, and who was left out."""
    if len(labels) != rows:
        raise InputError(f"`labels` must have length {rows}. Got {len(labels)}.", "One an item.")
    told = [None if label is None or label != label else label for label in labels]
    counts = Counter(label for label in told if label is not None)
    classes = sorted((label for label, times in counts.items() if times > 1), key=str)
    _refuse_no_classes(counts, classes)
    code = {label: place for place, label in enumerate(classes)}
    known = np.array([row for row, label in enumerate(told) if label in code], dtype=np.int64)
    codes = np.array([code[told[row]] for row in known], dtype=np.int64)
    return known, codes, rows - counts.total(), counts.total() - len(known)


def _refuse_no_classes(counts: Counter[Any], classes: Sequence[Any]) -> None:
    if any(isinstance(label, float) and not label.is_integer() for label in counts):
        raise InputError(
            f"The labels are measurements ({len(counts)} different ones), not classes.",
            "Divide them into classes, for example low, middle and high.",
        )
    if len(classes) < 2:
        raise InputError(
            f"{len(classes)} labels stand at two items or more, of {len(counts)} in all.",
            "A probe needs two classes with two items each.",
        )


def _taken(features: Features, rows: Rows) -> Features:
    from scipy.sparse import issparse

    return features.tocsr()[rows] if issparse(features) else np.asarray(features)[rows]
