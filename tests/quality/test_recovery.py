"""Recovery beside its definition in loops, a planted answer, and what must not be taken for it."""

from __future__ import annotations

import numpy as np
import pytest

from spaceport.errors import InputError, ParameterError
from spaceport.quality.recovery import DEPTH, behind, recovery


def rows(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def near(query, index, metric):
    if metric == "euclidean":
        return -np.linalg.norm(index - query, axis=1)
    scores = index @ query
    return scores / np.linalg.norm(index, axis=1) if metric == "cosine" else scores


def by_hand(adapted, truth, index, k, metric, own):
    shares, hits, ranks = [], [], []
    for sent, wanted, mine in zip(adapted, truth, own, strict=True):
        found, right = (
            [row for row in np.argsort(-near(side, index, metric)) if row != mine][:k]
            for side in (sent, wanted)
        )
        shares.append(len(set(found) & set(right)) / k)
        if mine >= 0:
            scores = near(sent, index, metric)
            rank = 1 + int((scores > scores[mine]).sum())
            ranks.append(1 / rank if rank <= DEPTH else 0)
            hits.append(rank <= k)
    return np.mean(shares), np.mean(hits), np.mean(ranks)


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclidean"])
@pytest.mark.parametrize("noise", [0.3, 3.0])
def test_is_its_definition(metric, noise):
    index = rows(400, 6)
    own = np.arange(40)
    own[::4] = -1
    sent = index[:40] + noise * rows(40, 6, 1)
    found = recovery(sent, index[:40], index, k=7, metric=metric, own=own)
    neighbors, recall, mrr = by_hand(sent, index[:40], index, 7, metric, own)
    assert found.neighbors == pytest.approx(neighbors)
    assert found.recall == pytest.approx(recall)
    assert found.recall_low < recall < found.recall_high or recall == 1
    assert found.mrr == pytest.approx(mrr)
    assert (found.k, found.queries, found.index) == (7, 40, 400)


def test_a_rotation_undone_is_whole_and_one_not_undone_is_chance():
    X = rows(2000, 16)
    R = np.linalg.qr(rows(16, 16, 2))[0]
    own = np.arange(300)
    undone = recovery((X @ R)[:300] @ R.T, X[:300], X, own=own)
    assert (undone.recall, undone.neighbors) == (1, 1)
    raw = recovery((X @ R)[:300], X[:300], X, own=own)
    assert max(raw.recall, raw.neighbors, raw.mrr) < 0.03
    wrong = recovery((X @ R)[:300] @ R, X[:300], X, own=own)  # transposed
    assert max(wrong.recall, wrong.neighbors) < 0.05


def test_the_item_itself_is_none_of_its_neighbors():
    """Were it among the k, finding it would raise the share of an adapter that finds nothing else."""
    index = np.vstack([np.eye(12), np.eye(12) * 5])
    sent = recovery(index[:1], index[:1], index, k=1, metric="dot", own=[0])
    assert sent.each.tolist() == [1.0]  # the longer row of the same direction
    assert (sent.mrr, sent.recall) == (0.5, 0)
    assert recovery(index[:1], index[:1], index, k=2, metric="dot", own=[0]).recall == 1


def test_rows_that_tie_with_the_item_are_not_ahead_of_it():
    index = np.vstack([np.tile([1.0, 2.0], (5, 1)), rows(20, 2)])
    assert recovery([[1.0, 2.0]], [[1.0, 2.0]], index, own=[4]).mrr == 1


def test_beyond_the_depth_is_not_found():
    index = rows(5000, 3)
    assert recovery(-index[:20], index[:20], index, own=np.arange(20)).mrr == 0


def test_no_item_in_the_index_means_no_rank():
    found = recovery(rows(5, 4), rows(5, 4), rows(50, 4, 3))
    assert found.neighbors == 1
    assert (found.mrr, found.mrr_low, found.mrr_high) == (None, None, None)
    assert (found.recall, found.recall_low, found.recall_high) == (None, None, None)
    assert "each" not in found.facts()
    assert found.facts()["neighbors"] == 1


def test_few_rows_mean_fewer_neighbors():
    index = rows(4, 3)
    assert recovery(index, index, index, k=10, own=range(4)).k == 3


def test_the_interval_holds_the_mean_nineteen_times_of_twenty():
    index = rows(3000, 8)
    noise = 0.5 * rows(3000, 8, 5)
    whole = recovery(index + noise, index, index, own=np.arange(3000))
    held = hits = 0
    for seed in range(100):
        drawn = np.random.default_rng(seed).choice(3000, 100, replace=False)
        found = recovery(index[drawn] + noise[drawn], index[drawn], index, own=drawn)
        held += found.neighbors_low <= whole.neighbors <= found.neighbors_high
        hits += found.recall_low <= whole.recall <= found.recall_high
    assert 88 <= held <= 100
    assert 88 <= hits <= 100


def test_behind_is_the_paired_difference():
    rng = np.random.default_rng(0)
    level = rng.random(500)
    gap, half = behind(level, level - 0.1 + 0.01 * rng.standard_normal(500))
    assert gap == pytest.approx(0.1, abs=0.005)
    assert half == pytest.approx(1.96 * 0.01 / np.sqrt(500), rel=0.2)
    assert behind(np.ones(1), np.zeros(1)) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("adapted", "truth", "own"),
    [(0, 0, []), (2, 3, [0, 1]), (2, 2, [0]), (2, 2, [0, 50]), (2, 2, [-2, 0])],
)
def test_what_cannot_be_asked_is_refused(adapted, truth, own):
    with pytest.raises(InputError):
        recovery(rows(adapted, 3), rows(truth, 3), rows(50, 3), own=own)


def test_bad_arguments():
    with pytest.raises(InputError, match="dimension"):
        recovery(rows(2, 4), rows(2, 3), rows(9, 3))
    with pytest.raises(InputError, match="two rows"):
        recovery(rows(2, 3), rows(2, 3), rows(1, 3))
    with pytest.raises(ParameterError, match="metric"):
        recovery(rows(2, 3), rows(2, 3), rows(9, 3), metric="manhattan")
