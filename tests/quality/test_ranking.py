"""Ranking measures against scikit-learn, implicit and brute force; planted answers; events put in place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array, csr_matrix, random_array

from spaceport.errors import InputError, ParameterError
from spaceport.quality.ranking import held_out, popularity, ranking
from spaceport.sources.interactions import Interactions

USERS, ITEMS = 60, 40


def case(seed: int, tied: bool = False):
    """Random scores, and two matrices without a common entry."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(3, (USERS, ITEMS), p=[0.8, 0.1, 0.1])
    kind[0] = 0  # a user without anything
    kind[1] = np.where(kind[1] == 2, 1, kind[1])  # one with nothing held out
    kind[2] = 1
    kind[2, :3] = [2, 0, 0]  # one to whom only three items can be recommended
    scores = rng.normal(size=(USERS, ITEMS)).astype(np.float32)
    if tied:
        scores = np.round(scores * 2)
    return scores, csr_array(kind == 1), csr_array((kind == 2).astype(np.float32))


def brute(scores, seen, later, k):
    """The measures by their definitions, one user at a time."""
    rows, shown = [], set()
    for user in range(len(scores)):
        had = set(seen[[user]].indices.tolist())
        wanted = set(later[[user]].indices.tolist())
        if not wanted:
            continue
        order = sorted((-scores[user, i], i) for i in range(scores.shape[1]) if i not in had)[:k]
        hits = [item in wanted for _, item in order]
        shown |= {item for _, item in order}
        gain = sum(1 / np.log2(i + 2) for i, hit in enumerate(hits) if hit)
        ideal = sum(1 / np.log2(i + 2) for i in range(min(k, len(wanted))))
        precisions = [sum(hits[: i + 1]) / (i + 1) for i, hit in enumerate(hits) if hit]
        rows.append(
            (
                gain / ideal,
                sum(hits) / len(wanted),
                sum(hits) / k,
                sum(precisions) / min(k, len(wanted)),
            )
        )
    return (*np.mean(rows, axis=0), len(shown) / scores.shape[1], len(rows))


@pytest.mark.parametrize("k", [1, 3, 10, ITEMS, 100])
@pytest.mark.parametrize("tied", [False, True])
def test_brute_force_agrees(k: int, tied: bool) -> None:
    scores, seen, later = case(k, tied)
    found = ranking(lambda rows: scores[rows], seen, later, k)
    told = (found.ndcg, found.recall, found.precision, found.map, found.coverage, found.users)
    assert told == pytest.approx(brute(scores, seen, later, k), abs=1e-6)
    assert found.users + found.without == USERS
    assert found.k == k


def test_scikit_learn_agrees_on_ndcg() -> None:
    from sklearn.metrics import ndcg_score

    scores, _, later = case(5)
    none = csr_array((USERS, ITEMS))
    truth = later.toarray()
    asked = truth.any(axis=1)
    oracle = ndcg_score(truth[asked], scores[asked], k=10)
    assert ranking(lambda rows: scores[rows], none, later, 10).ndcg == pytest.approx(oracle)


def test_implicit_agrees_on_map_and_ndcg() -> None:
    evaluation = pytest.importorskip(
        "implicit.evaluation", reason="implicit is a peer, for benchmarks"
    )
    scores, seen, later = case(6)

    class Model:
        def recommend(self, users, user_items, N):
            masked = np.where(user_items.toarray() > 0, -np.inf, scores[users])
            best = np.argsort(-masked, axis=1, kind="stable")[:, :N]
            return best.astype(np.int32), np.take_along_axis(masked, best, axis=1)

    told = evaluation.ranking_metrics_at_k(
        Model(), csr_matrix(seen.toarray()), csr_matrix(later.toarray()), K=2, show_progress=False
    )
    found = ranking(lambda rows: scores[rows], seen, later, 2)
    assert found.map == pytest.approx(told["map"])
    assert found.ndcg == pytest.approx(told["ndcg"])
    most = np.minimum(np.diff(later.indptr), 2).sum()
    assert told["precision"] == pytest.approx(found.precision * 2 * found.users / most)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    scores, seen, later = case(7, tied=True)
    whole = ranking(lambda rows: scores[rows], seen, later)
    asked = []
    monkeypatch.setattr("spaceport.quality.ranking._BLOCK", 7 * ITEMS)

    def scores_of(rows):
        asked.append(len(rows))
        return scores[rows]

    assert ranking(scores_of, seen, later) == whole
    assert max(asked) == 7
    assert sum(asked) == whole.users


def test_what_was_seen_is_never_recommended() -> None:
    seen = csr_array(np.array([[1, 0, 0, 0]]))
    later = csr_array(np.array([[0, 0, 0, 1]]))
    found = ranking(lambda rows: np.array([[9.0, 1.0, 2.0, 3.0]]), seen, later, k=1)
    assert found.recall == found.ndcg == 1


def test_coverage_counts_only_what_was_recommended() -> None:
    seen = csr_array(np.array([[0, 0, 1, 1]]))
    later = csr_array(np.array([[1, 0, 0, 0]]))
    found = ranking(lambda rows: np.array([[1.0, 2.0, 3.0, 4.0]]), seen, later, k=4)
    assert (found.coverage, found.recall, found.precision) == (0.5, 1, 0.25)


def test_popularity_counts_users_not_values() -> None:
    seen = csr_array(np.array([[0.5, 0, 9], [0.1, 0, 0], [0.2, 0, 0]], np.float32))
    assert popularity(seen)(np.array([0, 2])).tolist() == [[3, 0, 1]] * 2


def test_the_truth_beats_popularity_and_noise_does_not() -> None:
    rng = np.random.default_rng(0)
    liked = rng.random(200) ** 4
    has = rng.random((300, 200)) < 0.3 * liked
    test = has & (rng.random(has.shape) < 0.3)
    seen, later = csr_array(has & ~test), csr_array(test)
    noise = rng.normal(size=has.shape)
    by = {
        "truth": ranking(lambda rows: has[rows] * 1.0, seen, later),
        "popularity": ranking(popularity(seen), seen, later),
        "noise": ranking(lambda rows: noise[rows], seen, later),
    }
    assert by["truth"].map == 1
    assert 1 > by["popularity"].ndcg > 2 * by["noise"].ndcg
    assert by["noise"].coverage == 1 > by["popularity"].coverage


def test_bad_input_is_refused() -> None:
    scores, seen, later = case(8)
    with pytest.raises(InputError, match=r"`seen` has shape \(59, 40\) and `held_out` \(60, 40\)"):
        ranking(lambda rows: scores[rows], seen[:-1], later)
    with pytest.raises(InputError, match="No user has a held-out item"):
        ranking(lambda rows: scores[rows], seen, csr_array(seen.shape))
    with pytest.raises(InputError, match="scores of shape"):
        ranking(lambda rows: scores[rows, :-1], seen, later)
    with pytest.raises(InputError, match="NaN among them"):
        ranking(lambda rows: scores[rows] * np.nan, seen, later)
    with pytest.raises(ParameterError, match="`k` must be an int"):
        ranking(lambda rows: scores[rows], seen, later, 0)


def test_events_are_put_into_the_models_own_places(tmp_path: Path) -> None:
    path = tmp_path / "test.csv"
    path.write_text("user,item\nbob,y\nann,x\nann,new\nnew,x\nnew,new\nbob,x\nbob,y\n")
    seen = csr_array(np.array([[0, 0.0], [2, 0]], np.float32))  # ann: nothing; bob: x
    placed = held_out(["ann", "bob"], ["x", "y"], seen, Interactions(path))
    assert placed.matrix.toarray().tolist() == [[1, 0], [0, 1]]
    assert (placed.events, placed.unknown_users, placed.unknown_items, placed.seen) == (6, 2, 1, 1)


def test_no_event_is_lost(tmp_path: Path) -> None:
    table = random_array((50, 30), density=0.2, rng=np.random.default_rng(1)).tocoo()
    rows = "".join(f"u{u},i{i}\n" for u, i in zip(*table.coords, strict=True))
    path = tmp_path / "test.csv"
    path.write_text("user,item\n" + rows)
    users, items = [f"u{n}" for n in range(5, 60)], [f"i{n}" for n in range(25)][::-1]
    placed = held_out(users, items, csr_array((55, 25)), Interactions(path))
    total = placed.matrix.nnz + placed.unknown_users + placed.unknown_items + placed.seen
    assert total == placed.events == table.nnz
    oracle = {(f"u{u}", f"i{i}") for u, i in zip(*table.coords, strict=True)}
    found = {(users[u], items[i]) for u, i in zip(*placed.matrix.tocoo().coords, strict=True)}
    assert found == {(u, i) for u, i in oracle if u in users and i in items}
