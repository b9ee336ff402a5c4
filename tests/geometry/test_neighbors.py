"""Neighbors against brute force in float64, with ties, duplicates and near-duplicates."""

from __future__ import annotations

import json

import numpy as np
import pytest

from spaceport.errors import CorruptError, InputError, ParameterError
from spaceport.geometry import base
from spaceport.geometry.neighbors import Index, graph, nearest
from spaceport.geometry.similarity import METRICS, normalize

RNG = np.random.default_rng(1)


def brute(X, Q, k, metric):
    """The rule in its plainest form: all similarities in float64, a stable sort."""
    if metric == "cosine":
        X, Q = normalize(X), normalize(Q)
    X, Q = X.astype(float), Q.astype(float)
    scores = np.einsum("qd,nd->qn", Q, X)
    if metric == "euclidean":
        scores = -np.sqrt(((Q[:, None] - X[None]) ** 2).sum(-1))
    order = np.argsort(-scores.astype(np.float32), axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(scores, order, axis=1)


def clusters(n, d, seed=0):
    rng = np.random.default_rng(seed)
    centers = rng.standard_normal((30, d))
    return (centers[rng.integers(30, size=n)] + 0.5 * rng.standard_normal((n, d))).astype(
        np.float32
    )


@pytest.mark.parametrize("small", [0, 1 << 30], ids=["faiss", "numpy"])
@pytest.mark.parametrize("metric", METRICS)
def test_exact_is_brute_force(metric, small, monkeypatch):
    monkeypatch.setattr(base, "_SMALL", small)
    X, Q = clusters(2000, 24), clusters(150, 24, seed=5)
    indices, scores = nearest(X, Q, 7, metric)
    wanted, values = brute(X, Q, 7, metric)
    assert (indices == wanted).mean() > 0.999
    np.testing.assert_allclose(scores, values, rtol=1e-5, atol=1e-6)
    assert indices.dtype == np.int64
    assert scores.dtype == np.float32


@pytest.mark.parametrize("small", [0, 1 << 30], ids=["faiss", "numpy"])
@pytest.mark.parametrize("metric", METRICS)
def test_identical_rows_tie_to_the_lower_index(metric, small, monkeypatch):
    monkeypatch.setattr(base, "_SMALL", small)
    rows = clusters(40, 31)
    X = rows[RNG.integers(40, size=3000)]
    indices, _ = nearest(X, rows, 12, metric)
    assert (indices == brute(X, rows, 12, metric)[0]).all()


@pytest.mark.parametrize("small", [0, 1 << 30], ids=["faiss", "numpy"])
def test_euclidean_neighbors_in_tight_groups_far_from_the_origin(small, monkeypatch):
    monkeypatch.setattr(base, "_SMALL", small)
    groups = np.repeat(RNG.choice([-1, 1], (20, 6)) * 1000.0, 60, axis=0)
    X = (groups + RNG.standard_normal(groups.shape) * 0.05).astype(np.float32)
    indices, scores = nearest(X, X[:100], 5, "euclidean")
    wanted, values = brute(X, X[:100], 5, "euclidean")
    assert (indices == wanted).mean() > 0.99
    np.testing.assert_allclose(scores, values, rtol=1e-4, atol=1e-6)


def test_one_far_row_does_not_cost_the_others_their_digits(monkeypatch):
    X = np.concatenate([RNG.standard_normal((999, 4)) * 1e-3, [[1e6] * 4]]).astype(np.float32)
    for small in (0, 1 << 30):
        monkeypatch.setattr(base, "_SMALL", small)
        indices, scores = nearest(X, X[:200], 6, "euclidean")
        wanted, values = brute(X, X[:200], 6, "euclidean")
        assert (indices == wanted).all()
        np.testing.assert_allclose(scores, values, rtol=1e-6)


def test_the_answer_does_not_depend_on_the_batch(monkeypatch):
    X = clusters(3000, 40)
    whole = nearest(X, X[:200], 9)
    alone = [nearest(X, X[i : i + 1], 9) for i in range(0, 200, 20)]
    monkeypatch.setattr(base, "_QUERIES", 33)
    got = nearest(X, X[:200], 9)
    assert (got[0] == whole[0]).all()
    assert (got[1] == whole[1]).all()
    for place, (indices, scores) in zip(range(0, 200, 20), alone, strict=True):
        assert (indices[0] == whole[0][place]).all()
        assert (scores[0] == whole[1][place]).all()


def test_more_neighbors_than_rows_gives_all_rows():
    assert nearest([[1, 0], [0, 1]], [[1, 0.1]], k=9)[0].tolist() == [[0, 1]]


def test_nothing_to_search_and_no_queries():
    with pytest.raises(InputError, match="no rows to search"):
        nearest(np.empty((0, 3)), [[1, 2, 3]], 1)
    assert nearest([[1, 2, 3]], np.empty((0, 3)), 1)[0].shape == (0, 1)
    with pytest.raises(ParameterError, match="`k` must be an int in"):
        nearest([[1, 2]], [[1, 2]], 0)


@pytest.mark.parametrize("metric", METRICS)
def test_graph_leaves_out_the_item_itself_though_others_are_identical(metric):
    X = np.concatenate([clusters(60, 9), np.tile(clusters(1, 9, seed=3), (40, 1))])
    near = graph(X, k=10, metric=metric)
    assert not (near.indices == np.arange(100)[:, None]).any()
    wanted = brute(X, X, 100, metric)[0]
    wanted = np.array([row[row != i][:10] for i, row in enumerate(wanted)])
    assert (near.indices == wanted).all()
    assert (np.diff(near.similarities, axis=1) <= 0).all()
    assert (near.method, near.recall, near.recall_queries) == ("exact", 1.0, 0)


def test_graph_of_one_item_and_of_few():
    assert graph([[1, 2]], k=3).indices.shape == (1, 0)
    assert graph([[1, 2], [3, 4]], k=3).indices.tolist() == [[1], [0]]


@pytest.mark.parametrize("metric", METRICS)
def test_graph_through_an_index_says_its_true_recall(metric):
    X = clusters(6000, 32)
    near = graph(X, k=10, metric=metric, seed=1, exact_limit=1000)
    exact = graph(X, k=10, metric=metric)
    true = np.mean(
        [len(set(a) & set(b)) / 10 for a, b in zip(near.indices, exact.indices, strict=True)]
    )
    assert near.method == "faiss IVF64,nprobe=16"
    assert near.recall_queries == 500
    assert abs(near.recall - true) < 0.02
    assert 0.5 < near.recall <= 1
    assert not (near.indices == np.arange(6000)[:, None]).any()
    assert (graph(X, k=10, metric=metric, seed=1, exact_limit=1000).indices == near.indices).all()


def test_recall_falls_where_fewer_lists_are_searched(monkeypatch):
    from spaceport.geometry import neighbors

    X = RNG.standard_normal((5000, 32)).astype(np.float32)
    high = Index.build(X, exact_limit=0).recall
    monkeypatch.setattr(neighbors, "_NPROBE", 1)
    low = Index.build(X, exact_limit=0)
    truth = nearest(X, X[:300], 10)[0]
    found = low.search(X[:300], 10)[0]
    true = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found, truth, strict=True)])
    assert low.recall < high - 0.2
    assert abs(low.recall - true) < 0.05


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("limit", [0, 10_000])
def test_an_index_comes_back_from_disk(metric, limit, tmp_path):
    X = clusters(3000, 16)
    index = Index.build(X, metric, seed=2, exact_limit=limit)
    paths = index.save(tmp_path)
    assert sorted(paths) == sorted(tmp_path.iterdir())
    again = Index.load(tmp_path)
    for one, other in zip(index.search(X[:50], 5), again.search(X[:50], 5), strict=True):
        assert (one == other).all()
    facts = ("metric", "method", "recall", "recall_queries")
    assert [getattr(again, f) for f in facts] == [getattr(index, f) for f in facts]
    assert (len(again), again.dimension) == (3000, 16)


def test_a_flat_index_is_exact():
    X = clusters(3000, 16)
    found = Index.build(X, "euclidean").search(X[:50], 5)[0]
    assert (found == nearest(X, X[:50], 5, "euclidean")[0]).all()


@pytest.mark.parametrize("name", ["index.json", "index.faiss"])
@pytest.mark.parametrize("harm", ["cut", "gone", "junk"])
def test_a_spoilt_index_is_refused(name, harm, tmp_path):
    Index.build(clusters(300, 8)).save(tmp_path)
    file = tmp_path / name
    if harm == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:30] if harm == "cut" else b"\x80\x04junk")
    with pytest.raises(CorruptError, match="cannot be read"):
        Index.load(tmp_path)


def test_an_index_of_another_metric_than_there_are_is_refused(tmp_path):
    Index.build(clusters(300, 8)).save(tmp_path)
    facts = json.loads((tmp_path / "index.json").read_text())
    (tmp_path / "index.json").write_text(json.dumps({**facts, "metric": "hamming"}))
    with pytest.raises(CorruptError, match="hamming"):
        Index.load(tmp_path)
