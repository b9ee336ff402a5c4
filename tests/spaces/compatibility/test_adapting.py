"""`align` from end to end: what is learnt, measured, refused, published and used again."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import spaceport as sp
from spaceport.errors import CorruptError, InputError, MismatchError, NotFoundError, ParameterError
from spaceport.sources.base import Source
from spaceport.spaces.compatibility import trial as trials
from spaceport.spaces.compatibility.adapted import Through, find
from spaceport.spaces.compatibility.adapting import align
from spaceport.spaces.compatibility.pairing import pair
from spaceport.spaces.compatibility.trial import trial


def rows(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


def turn(d, seed=1):
    return np.linalg.qr(rows(d, d, seed).astype(float))[0]


IDS = [f"item {number}" for number in range(400)]


@pytest.fixture
def store(tmp_path):
    return sp.open(tmp_path / "store")


@pytest.fixture
def turned(store):
    """Two majors of one space: the second is the first, turned."""
    X = rows(400, 12)
    store.publish("news", IDS, X)
    store.publish("news", IDS, X @ turn(12))
    return store


def test_a_planted_rotation_is_recovered_and_used(turned):
    made = turned.align("news@2", "news@1")
    assert (made.spec, made.recall, made.forced) == ("procrustes()", 1.0, False)
    assert repr(made) == "news@2.0.0 → news@1.0.0 · procrustes() · recall@10 1.000"
    assert made.facts["mrr"] == 1
    assert made.facts["raw_recall"] < 0.1
    assert {each["spec"] for each in made.facts["candidates"]} == {
        "affine()", "procrustes()", "residual()",
    }  # fmt: skip
    old, new = turned["news@1"], turned["news@2"]
    sent = old.adapt(new.vectors())
    np.testing.assert_allclose(sent, old.vectors(), atol=1e-4)
    assert isinstance(sent.coordinates, Through)
    assert sent.coordinates.through == repr(made)
    assert sent.coordinates.agrees(old.coordinates)
    assert old.nearest(sent[7], k=1).ids == ["item 7"]


def test_what_is_published_is_found_again_with_its_facts(turned):
    made = turned.align("news@2", "news@1", "procrustes()")
    (listed,) = turned.adapters("news")
    assert listed.facts == made.facts
    assert listed.artifact.kind == "adapter"
    assert (listed.artifact.of, listed.artifact.onto) == ("news@2.0.0", "news@1.0.0")
    np.testing.assert_array_equal(listed.adapter(rows(5, 12)), made.adapter(rows(5, 12)))
    assert find(turned.store, turned["news@2"], turned["news@1"]).artifact == made.artifact
    assert find(turned.store, turned["news@2"].coordinates, turned["news@1"]) is not None
    assert find(turned.store, turned["news@1"], turned["news@2"]) is None
    assert turned.verify("news@2") == []


def test_an_adapter_serves_every_minor_of_both_majors(turned):
    turned.align("news@2", "news@1")
    X = np.asarray(turned["news@2"].vectors())
    turned.publish("news", [*IDS, "new"], np.vstack([X, rows(1, 12, 5)]))
    minor = turned["news"]
    assert minor.reference == "news@2.1.0"
    assert find(turned.store, minor, turned["news@1"]) is not None


def test_below_the_bar_it_is_refused_and_nothing_is_published(store):
    store.publish("news", IDS, rows(400, 12))
    store.publish("news", IDS, rows(400, 12, 9))
    with pytest.raises(InputError) as refused:
        store.align("news@2", "news@1")
    assert str(refused.value).count("\n") == 1
    assert "the bar is 0.95" in str(refused.value)
    assert "--force" in str(refused.value)
    assert store.adapters("news") == []


def test_forced_it_says_so_for_ever(store):
    store.publish("news", IDS, rows(400, 12))
    store.publish("news", IDS, rows(400, 12, 9))
    made = store.align("news@2", "news@1", force=True)
    assert made.forced
    assert repr(made).endswith("FORCED below 0.95")
    (listed,) = store.adapters("news")
    assert listed.forced
    assert listed.facts["bar"] == 0.95
    sent = store["news@1"].adapt(store["news@2"].vectors(IDS[:1]))
    assert "FORCED below 0.95" in sent.coordinates.through


def test_above_the_bar_force_marks_nothing(turned):
    assert not turned.align("news@2", "news@1", force=True).forced


def test_one_that_reached_its_bar_is_preferred_to_a_later_forced_one(turned):
    good = turned.align("news@2", "news@1", "procrustes()")
    bad = turned.align("news@2", "news@1", "affine(rank=1)", force=True)
    assert bad.forced
    assert find(turned.store, turned["news@2"], turned["news@1"]).artifact == good.artifact
    later = turned.align("news@2", "news@1", "procrustes(scaling=False)")
    assert find(turned.store, turned["news@2"], turned["news@1"]).artifact == later.artifact


def test_the_same_coordinates_need_no_adapter(turned):
    with pytest.raises(ParameterError, match="nothing to adapt"):
        turned.align("news@2", "news@2")


def test_no_shared_items(turned):
    turned.publish("other", [f"o{each}" for each in IDS], rows(400, 12))
    with pytest.raises(NotFoundError, match="share no ids"):
        turned.align("other", "news@1")


def test_too_few_pairs_says_how_many_it_needs(store):
    store.publish("news", IDS[:60], rows(60, 12))
    store.publish("news", IDS[:60], rows(60, 9, 3))
    with pytest.raises(InputError, match="needs 68: 18 to learn from, 50 to be judged on"):
        store.align("news@2", "news@1")


def test_exactly_enough_pairs_do(store):
    X = rows(68, 12)
    store.publish("news", IDS[:68], X)
    store.publish("news", IDS[:68], X @ turn(12)[:, :9])
    assert store.align("news@1", "news@2", "procrustes()", bar=0).facts["pairs"] == 18


def test_across_spaces_and_dimensions(store):
    hidden = rows(400, 6)
    wide = store.publish("wide", IDS, hidden @ turn(12)[:6])
    store.publish("narrow", IDS, 3 * hidden @ turn(6, 2) + 1)
    made = store.align("wide", "narrow")
    assert made.recall == 1
    assert made.facts["raw_recall"] is None
    assert made.adapter.dimensions == (12, 6)
    assert store["narrow"].adapt(wide.vectors()).shape == (400, 6)


def test_unit_rows_stay_unit_rows_and_zero_rows_zero(store):
    X = rows(400, 12)
    X[5] = 0
    unit = X / np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1e-9)
    store.publish("news", IDS, unit)
    noisy = unit @ turn(12) + 0.1 * rows(
        400, 12, 4
    )  # sent back by a rotation, lengths would differ
    store.publish("news", IDS, 2 * noisy * X.any(axis=1, keepdims=True))
    made = store.align("news@2", "news@1", "procrustes()", bar=0)
    assert made.facts["unknown"] == 1
    assert made.facts["normalized"]
    sent = store["news@1"].adapt(store["news@2"].vectors())
    lengths = np.linalg.norm(sent, axis=1)
    assert lengths[5] == 0
    np.testing.assert_allclose(np.delete(lengths, 5), 1, atol=1e-5)


def test_what_is_judged_on_is_not_learnt_from(store):
    """Every item twice, under two ids: the copy of a held-out item must not be learnt from."""
    X = np.repeat(rows(200, 12), 2, axis=0)
    store.publish("news", IDS, X)
    new = store.publish("news", IDS, X @ turn(12))
    on = trial(pair(store["news@1"], new))
    learnt = {row.tobytes() for row in on.X}
    assert not any(row.tobytes() in learnt for row in on.asked)
    assert len(on.X) + len(on.asked) < 400


def test_held_out_rows_and_pairs_stand_beside_each_other(turned):
    on = trial(pair(turned["news@1"], turned["news@2"]), seed=3)
    np.testing.assert_allclose(on.X, on.Y @ turn(12), atol=1e-4)
    np.testing.assert_allclose(on.asked, on.truth @ turn(12), atol=1e-4)
    np.testing.assert_array_equal(on.index[on.own], on.truth)
    assert len(on.asked) == 80


def test_a_sampled_index_holds_the_items_asked_for(turned, monkeypatch):
    monkeypatch.setattr(trials, "INDEX", 150)
    on = trial(pair(turned["news@1"], turned["news@2"]))
    assert 150 <= len(on.index) < 240
    np.testing.assert_array_equal(on.index[on.own], on.truth)
    assert turned.align("news@2", "news@1").facts["index"] == len(on.index)


def test_at_most_so_many_pairs(turned):
    assert turned.align("news@2", "news@1", pairs=100).facts["pairs"] <= 100


def test_the_pairs_digest_tells_the_pairs(turned):
    two = pair(turned["news@1"], turned["news@2"])
    first, again, other = (trial(two, seed=seed).facts["pairs_sha256"] for seed in (0, 0, 1))
    assert first == again != other
    assert len(first) == 64


def test_a_method_may_be_a_text_an_object_or_several(turned):
    assert turned.align("news@2", "news@1", "affine(ridge=0.001)").spec == "affine(ridge=0.001)"
    assert turned.align("news@2", "news@1", sp.adapters.procrustes(scaling=False)).spec == (
        "procrustes(scaling=False)"
    )
    both = turned.align("news@2", "news@1", ["procrustes()", "affine(rank=2)"])
    assert len(both.facts["candidates"]) == 2
    assert both.spec == "procrustes()"
    with pytest.raises(NotFoundError):
        turned.align("news@2", "news@1", "procrustean()")
    with pytest.raises(ParameterError, match="at most 1"):
        turned.align("news@2", "news@1", bar=95.0)


def test_the_one_that_finds_more_is_taken_where_it_bends(store):
    X = rows(2500, 4)
    ids = [str(number) for number in range(2500)]
    store.publish("news", ids, np.hstack([np.abs(X), X]) @ turn(8))
    store.publish("news", ids, X)
    methods = ["procrustes()", "residual(hidden=64, learning_rate=0.01)"]
    made = store.align("news@2", "news@1", methods, bar=0)
    assert made.spec.startswith("residual")


def test_what_a_judge_says_is_kept(turned):
    made = align(turned, "news@2", "news@1", judge=lambda of, onto, adapter: {"spam": 0.9})
    assert made.facts["tasks"] == {"spam": 0.9}


def test_plain_vectors_must_say_whose_they_are(turned):
    turned.align("news@2", "news@1")
    plain = np.asarray(turned["news@2"].vectors())
    with pytest.raises(ParameterError, match="whose coordinates"):
        turned["news@1"].adapt(plain)
    np.testing.assert_allclose(
        turned["news@1"].adapt(plain, of="news@2"), turned["news@1"].vectors(), atol=1e-4
    )
    with pytest.raises(InputError, match="dimension 12"):
        turned["news@1"].adapt(plain[:, :5], of="news@2")
    with pytest.raises(MismatchError):
        turned["news@1"].adapt(turned["news@2"].vectors(), of="news@1")


def test_without_an_adapter_the_command_is_named(turned):
    with pytest.raises(MismatchError, match="spaceport align news@2.0.0 --onto news@1.0.0"):
        turned["news@1"].adapt(turned["news@2"].vectors())
    own = turned["news@1"].vectors()
    np.testing.assert_array_equal(turned["news@1"].adapt(own), own)


def test_vectors_of_other_coordinates_are_not_sent(turned):
    made = turned.align("news@2", "news@1")
    with pytest.raises(MismatchError):
        made(turned["news@1"].vectors())


def test_a_spoiled_adapter_is_refused(turned):
    made = turned.align("news@2", "news@1")
    path = turned.store.file(made.artifact, "adapter.safetensors")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    with pytest.raises(CorruptError):
        turned["news@1"].adapt(turned["news@2"].vectors())


class Texts(Source):
    modality, unique_ids = "texts", True

    def read(self):
        rng = np.random.default_rng(0)
        words = np.array([f"word{number}" for number in range(60)])
        texts = [" ".join(rng.choice(words, 12)) for _ in IDS]
        yield pa.record_batch({"id": IDS, "content": texts})

    def size(self):
        return 100


@pytest.fixture
def texts(store):
    store.build("news", sp.encoders.hashing(dimension=48), Texts())
    store.build("news", sp.encoders.hashing(dimension=48, seed=7), Texts())
    return store


def test_an_encoder_serves_the_version_before(texts):
    old, new = texts["news@1"], texts["news@2"]
    made = texts.align("news@2", "news@1", bar=0.3)
    text = old.texts[3]
    sent = old.encode([text], through="news@2")
    assert sent.coordinates.through == repr(made)
    np.testing.assert_array_equal(sent, made(new.encode([text])))
    assert old.nearest("word1 " + text, k=1, through="news@2").ids == [IDS[3]]
    same = old.encode([text], through="news@1")
    np.testing.assert_array_equal(same, old.encode([text]))


def test_a_text_of_nothing_known_stays_nothing(texts):
    texts.align("news@2", "news@1", bar=0.3)
    assert not np.asarray(texts["news@1"].encode([""], through="news@2")).any()


def test_through_a_version_without_an_adapter_is_refused_before_anything_runs(texts, monkeypatch):
    monkeypatch.setattr(type(texts["news@2"]), "encoder", property(lambda self: pytest.fail("ran")))
    with pytest.raises(MismatchError, match="No adapter"):
        texts["news@1"].encode(["a"], through="news@2")
