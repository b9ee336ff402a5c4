"""What encoders of interactions share: reading, weights, recommending, saving, errors."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import csr_array

from encoders.planted import Histories, tastes
from spaceport.encoders import _histories
from spaceport.encoders._interactions import InteractionEncoder
from spaceport.encoders.als import ALS
from spaceport.encoders.base import load
from spaceport.encoders.bpr import BPR
from spaceport.encoders.pure_svd import PureSVD
from spaceport.errors import InputError, NotFoundError, ParameterError

METHODS = {
    "als": lambda: ALS(8, 5, regularization=0.02),
    "bpr": lambda: BPR(8, 60, learning_rate=0.05, reproducible=True),
    "pure_svd": lambda: PureSVD(4),
}


@pytest.fixture(scope="module", params=METHODS)
def encoder(request):
    titles = {"i3": "Three", "i4": "Four", "elsewhere": "Not there"}
    return METHODS[request.param]().fit(Histories(tastes(), titles))


def dense_scores(encoder):
    return encoder.user_vectors_.astype(float) @ encoder.item_vectors_.astype(float).T


def test_the_best_unseen_items_in_order(encoder):
    scores = dense_scores(encoder)
    for row in (0, 7, 119):
        items, given = encoder.recommend(f"u{row}", k=12)
        seen = set(encoder.seen_[[row]].indices)
        order = [i for i in np.argsort(-scores[row], kind="stable") if i not in seen][:12]
        np.testing.assert_allclose(given, scores[row, order], atol=1e-5)
        wanted = [encoder.items_[i] for i in order]
        assert sum(a == b for a, b in zip(items, wanted, strict=True)) >= 10  # near ties aside
        everything, _ = encoder.recommend(f"u{row}", k=1000, exclude_seen=False)
        assert sorted(everything) == sorted(encoder.items_)
        unseen, _ = encoder.recommend(f"u{row}", k=1000)
        assert set(everything) - set(unseen) == {encoder.items_[i] for i in seen}


def test_scores_of_rows(encoder):
    rows = np.array([5, 2, 5])
    np.testing.assert_allclose(encoder.scores(rows), dense_scores(encoder)[rows], atol=1e-5)


def test_a_new_history_gets_items_of_its_taste(encoder):
    for taste in (0, 1):
        history = [f"i{2 * place + taste}" for place in range(8)]
        items, _ = encoder.recommend(history, k=5)
        assert sum(int(item[1:]) % 2 == taste for item in items) >= 4
        assert not set(items) & set(history)
        heavy, _ = encoder.recommend(dict.fromkeys(history, 5.0), k=5)
        assert sum(int(item[1:]) % 2 == taste for item in heavy) >= 4


def test_a_history_is_its_encoding(encoder):
    values = {"i1": 2.0, "i5": 4.0, "i9": 1.0}
    row = [{"item": item, "value": value} for item, value in values.items()]
    vector = encoder.encode([[*row, {"item": "unknown", "value": 3.0}]])[0]
    items, scores = encoder.recommend(values, k=3, exclude_seen=False)
    rows = [encoder.items_.index(item) for item in items]
    np.testing.assert_allclose(scores, encoder.item_vectors_[rows] @ vector, rtol=1e-4, atol=1e-6)
    assert not encoder.encode([[]]).any()


def test_similar_items_by_cosine(encoder):
    Y = encoder.item_vectors_.astype(float)
    unit = Y / np.linalg.norm(Y, axis=1, keepdims=True)
    row = encoder.items_.index("i7")
    cosines = unit @ unit[row]
    items, given = encoder.similar("i7", k=4)
    assert items == [encoder.items_[i] for i in np.argsort(-cosines)[1:5]]
    np.testing.assert_allclose(given, np.sort(cosines)[::-1][1:5], atol=1e-5)
    assert len(encoder.similar("i7", k=1000)[0]) == len(encoder.items_) - 1


def test_an_item_next_to_nothing_is_not_similar_to_everything():
    """One play by one listener can leave a vector whose squares are below the smallest float32."""
    encoder = METHODS["als"]().fit(Histories(tastes()))
    small, large = encoder.items_.index("i3"), encoder.items_.index("i7")
    encoder.item_vectors_[small] = encoder.item_vectors_[large] * np.float32(1e-24)
    items, given = encoder.similar("i7", k=1000)
    assert given.max() <= 1 + 1e-5
    assert given[items.index("i3")] == 0
    assert not np.any(encoder.similar("i3", k=5)[1])


def test_an_item_is_explained_by_items_of_its_taste(encoder):
    shares = encoder.explain("u0", encoder.recommend("u0", 1)[0][0], k=100)
    assert [share for _, share in shares] == sorted((s for _, s in shares), reverse=True)
    assert {item for item, _ in shares} == {encoder.items_[i] for i in encoder.seen_[[0]].indices}
    top = [int(item[1:]) % 2 for item, _ in shares[:3]]
    assert top.count(0) >= 2
    assert len(encoder.explain(["i0", "i2", "i4"], "i6", k=2)) == 2


def test_entities_and_their_columns(encoder):
    ids, vectors = encoder.entities()
    columns = encoder.entity_columns()
    assert ids[0] == "user:u0"
    assert ids[120] == f"item:{encoder.items_[0]}"
    assert len(ids) == len(vectors) == 180
    place = ids.index("item:i3")
    assert columns["kind"][119:121] == ["user", "item"]
    assert columns["title"][place].as_py() == "Three"
    assert columns["title"][0].as_py() is None
    matrix = tastes()
    assert columns["events"][:120].tolist() == np.diff(matrix.indptr).tolist()
    assert columns["events"][place] == (matrix.toarray()[:, 3] > 0).sum()
    assert encoder.titles_ == {"i3": "Three", "i4": "Four"}


def test_saved_and_loaded_it_recommends_the_same(encoder, tmp_path):
    encoder.save(tmp_path)
    loaded = load(tmp_path)
    assert loaded.recommend("u5")[0] == encoder.recommend("u5")[0]
    assert loaded.explain("u5", "i7") == encoder.explain("u5", "i7")
    assert loaded.titles_ == encoder.titles_
    assert (loaded.seen_ != encoder.seen_).nnz == 0
    arrays, values = encoder.state()
    arrays["item_vectors"] = arrays["item_vectors"][1:]
    with pytest.raises(ValueError, match="the arrays have the shapes"):
        METHODS[encoder.name]().restore(arrays, values)


def test_unknown_names(encoder):
    with pytest.raises(NotFoundError, match="There is no user 'u999'.\nDid you mean u99"):
        encoder.recommend("u999")
    with pytest.raises(NotFoundError, match="There is no item 'i77'.\nDid you mean i7"):
        encoder.similar("i77")
    with pytest.raises(NotFoundError, match="There is no item 'x'"):
        encoder.recommend(["i3", "x"])
    with pytest.raises(NotFoundError, match="There is no item 'x'"):
        encoder.explain("u3", "x")
    with pytest.raises(InputError, match="The history has no items.\nGive a history"):
        encoder.recommend([])
    with pytest.raises(ParameterError, match="`k` must be an int"):
        encoder.recommend("u3", k=0)


def test_a_user_without_interactions():
    matrix = tastes()
    longer = csr_array((matrix.data, matrix.indices, [*matrix.indptr, matrix.nnz]), shape=(121, 60))
    for method in METHODS.values():
        encoder = method().fit(Histories(longer))
        assert not encoder.user_vectors_[-1].any()
        with pytest.raises(InputError, match="The user 'u120' has no items"):
            encoder.recommend("u120")


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_before_fit(method):
    for call in (
        lambda e: e.recommend("u1"),
        lambda e: e.similar("i1"),
        lambda e: e.entities(),
        lambda e: e.scores(np.array([0])),
    ):
        with pytest.raises(InputError, match="has not learnt anything yet"):
            call(method())


def test_reading_keeps_every_value_in_its_place():
    matrix = tastes()
    users, items, read = _histories.read(Histories(matrix))
    assert users == [f"u{row}" for row in range(120)]
    order = [int(item[1:]) for item in items]
    assert (read.toarray() == matrix.toarray()[:, order]).all()
    assert read.dtype == np.float32


def test_a_slice_of_histories_is_read_from_its_own_start():
    lists = next(Histories(tastes()).read()).column("content")
    items = pa.array([f"i{place}" for place in range(60)])
    whole = _histories.histories(lists, items).toarray()
    assert (_histories.histories(lists[10:15], items).toarray() == whole[10:15]).all()


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf"), None])
def test_values_that_are_no_weights(bad):
    row = [{"item": "a", "value": 1.0}, {"item": "b", "value": bad}]
    with pytest.raises(InputError, match=r"1 of 2 values are negative or no number.*'b'\.\nGive"):
        _histories.histories([row], pa.array(["a", "b"]))


def test_nothing_but_empty_histories():
    with pytest.raises(InputError, match="has 3 users, none with an item"):
        ALS().fit(Histories(csr_array((3, 4), dtype=np.float32)))


@pytest.mark.parametrize(
    ("weighting", "wanted"),
    [("value", [0, 2, 6]), ("log", [0, 2 * np.log(2), 2 * np.log(4)]), ("binary", [0, 2, 2])],
)
def test_weights(weighting, wanted):
    values = csr_array((np.array([0, 1, 3], np.float32), [0, 1, 2], [0, 3]), shape=(1, 4))
    weights = _histories.weigh(values, weighting, alpha=2)
    np.testing.assert_allclose(weights.data, wanted, rtol=1e-6)
    assert weights.dtype == np.float32
    assert values.data.tolist() == [0, 1, 3]


def test_shares_of_a_method_without_its_own_are_what_the_score_falls_by():
    class Mean(InteractionEncoder):
        def learn(self, matrix):
            Y = np.eye(matrix.shape[1], dtype=np.float32)
            return self.fold_in(matrix), Y, {}

        def fold_in(self, matrix):
            total = np.maximum(np.asarray(matrix.sum(axis=1)), 1)[:, None]
            return (matrix.toarray() / total).astype(np.float32)

    encoder = Mean(60).fit(Histories(tastes()))
    history = csr_array(np.eye(1, 60, dtype=np.float32) + np.eye(1, 60, 3, dtype=np.float32))
    np.testing.assert_allclose(encoder.shares(history, 3), [0.5 - 1, 0.5 - 0])
