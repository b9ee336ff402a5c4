"""The share of the items that has moved, at least: a lower bound of the total variation.

::

    TV = max over events A of Q(A) - P(A)   >=   Q(A) - P(A) for any A that is told beforehand

with P what the reference comes from and Q the current sample: no change that leaves a share 1 - TV of the
items as they were can show a larger difference. The rows are cut into four. Two parts teach scores of how
current a row looks, the third chooses the event {score > t} whose difference is surest, and the fourth
judges it; each part judges once. The counts that were judged are two shares, and the interval of their
difference is Newcombe's. `low` bounds the TV whatever the scores are; `value` is what was found.

The scores, one for each way in which the panel looks: a linear discriminant with a ridge; the witness
of the MMD at each bandwidth, ``phi_b(x) . (mean phi_b(current) - mean phi_b(reference))``; the logarithm of
the ratio of the cells' shares; and that plus a discriminant inside each cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, generator
from spaceport.drift._pooled import Double
from spaceport.drift.panel.effects import Effect
from spaceport.drift.sketches.basis import Basis
from spaceport.quality.rates import Z, newcombe

__all__ = ["moved"]

Mask = npt.NDArray[np.bool_]
Score = Callable[["_Rows"], npt.NDArray[np.floating[Any]]]

_PARTS = 4
_RIDGE = 0.1
_PRIOR = 8.0
_EVENTS = np.concatenate([[1, 2, 3, 5, 7], np.arange(10, 91, 5), [93, 95, 97, 98, 99]]) / 100


def moved(rows: Matrix, current: Mask, basis: Basis, seed: int = 0) -> Effect:
    """Share of the items that has moved, at least, with its 95 % interval.

    Parameters
    ----------
    rows : ndarray of shape (n, d), float32
        Rows of both samples as `Basis.ready` gives them.
    current : ndarray of shape (n,), bool
    basis : Basis
        What the scores may look at; it must not know which rows are current.
    seed : int
        Of the parts.
    """
    every, counts = _Rows.of(rows, current, basis), np.zeros(4)
    parts = _parts(current, seed)
    for turn in range(_PARTS):
        places = (parts - turn) % _PARTS
        learnt, chosen, judged = every[places < 2], every[places == 2], every[places == 3]
        score, bar = _surest(list(_scores(learnt, basis)), chosen)
        counts += _hits(score(judged) > bar, judged.current)
    hits, n_current, other, n_reference = counts
    low, high = newcombe(hits, n_current, other, n_reference)
    value = float(hits / n_current - other / n_reference)
    return Effect("moved", max(0.0, value), max(0.0, float(low)), max(0.0, float(high)))


class _Rows:
    """Rows with what is known of them."""

    def __init__(self, rows: Matrix, current: Mask, waves: Matrix, cells: npt.NDArray[np.int32]):
        self.rows, self.current, self.waves, self.cells = rows, current, waves, cells

    @classmethod
    def of(cls, rows: Matrix, current: Mask, basis: Basis) -> _Rows:
        fine = basis.assign(rows, len(basis.cells) - 1)
        return cls(rows, current, basis.features("waves", rows), fine)

    def __getitem__(self, which: Mask) -> _Rows:
        return _Rows(self.rows[which], self.current[which], self.waves[which], self.cells[which])

    def apart(self, features: Matrix) -> Double:
        """mean(current) - mean(reference)."""
        there = features[self.current].mean(axis=0, dtype=np.float64)
        apart: Double = there - features[~self.current].mean(axis=0, dtype=np.float64)
        return apart


def _parts(current: Mask, seed: int) -> npt.NDArray[np.intp]:
    """A quarter of each sample in each part, at random."""
    rng, parts = generator(seed), np.empty(len(current), np.intp)
    for side in (current, ~current):
        count = int(side.sum())
        parts[side] = rng.permutation(np.arange(count) % _PARTS)
    return parts


def _scores(learnt: _Rows, basis: Basis) -> Iterator[Score]:
    """Learn each way to tell the current rows."""
    linear = _discriminant(learnt).astype(np.float32)
    yield lambda asked: asked.rows @ linear
    witness = learnt.apart(learnt.waves).astype(np.float32).reshape(basis.widths, -1)
    for width, weights in enumerate(witness):
        yield partial(_witnessed, weights, slice(width * len(weights), (width + 1) * len(weights)))
    ratios, middles, slopes = _by_cell(learnt, len(basis.cells[-1]))
    yield lambda asked: ratios[asked.cells]

    def inside(asked: _Rows) -> Double:
        off = asked.rows - middles[asked.cells]
        found: Double = ratios[asked.cells] + (off * slopes[asked.cells]).sum(axis=1)
        return found

    yield inside


def _witnessed(weights: Matrix, span: slice, asked: _Rows) -> Double:
    return np.asarray(asked.waves[:, span] @ weights, np.float64)


def _discriminant(learnt: _Rows) -> Double:
    """(S + ridge)^-1 (mean(current) - mean(reference)), S the covariance within the samples."""
    sides = [learnt.rows[side].astype(np.float64) for side in (learnt.current, ~learnt.current)]
    scatter = sum((side - side.mean(axis=0)).T @ (side - side.mean(axis=0)) for side in sides)
    covariance = np.asarray(scatter) / len(learnt.rows)
    d = len(covariance)
    ridge = _RIDGE * np.trace(covariance) / d * np.eye(d) + 1e-12 * np.eye(d)
    weights: Double = np.linalg.solve(covariance + ridge, learnt.apart(learnt.rows))
    return weights


def _by_cell(learnt: _Rows, count: int) -> tuple[Double, Double, Double]:
    """Of each cell: log ratio of shares (c,), middle (c, d), slope of a discriminant (c, d)."""
    sums, sizes = [], []
    for side in (learnt.current, ~learnt.current):
        rows, cells = learnt.rows[side], learnt.cells[side]
        sizes.append(np.bincount(cells, minlength=count).astype(float))
        added = np.zeros((count, rows.shape[1]))
        np.add.at(added, cells, rows)
        sums.append(added)
    shares = [(size + 0.5) / (size.sum() + 0.5 * count) for size in sizes]
    total = np.maximum(sizes[0] + sizes[1], 1)
    middles = (sums[0] + sums[1]) / total[:, None]
    # a mean of few rows is drawn towards the middle
    means = [
        (added + _PRIOR * middles) / (size + _PRIOR)[:, None]
        for added, size in zip(sums, sizes, strict=True)
    ]
    off = learnt.rows - middles[learnt.cells]
    variance = max(float(np.square(off).mean()), 1e-12)
    return np.log(shares[0] / shares[1]), middles, (means[0] - means[1]) / variance


def _surest(scores: list[Score], chosen: _Rows) -> tuple[Score, float]:
    """The score and the bar whose event is the surest to be commoner among the current rows."""
    best, found = -np.inf, (scores[0], 0.0)
    for score in scores:
        values = score(chosen)
        for bar in np.unique(np.quantile(values, _EVENTS)):
            hits, n, other, m = _hits(values > bar, chosen.current)
            p, q = (hits + 1) / (n + 2), (other + 1) / (m + 2)
            surely = p - q - Z * np.sqrt(p * (1 - p) / n + q * (1 - q) / m)
            if surely > best:
                best, found = surely, (score, float(bar))
    return found


def _hits(event: Mask, current: Mask) -> Double:
    """How many current rows are in the event, of how many; the same of the reference."""
    n = int(current.sum())
    hits = int((event & current).sum())
    return np.array([hits, n, int(event.sum()) - hits, len(current) - n], float)
