"""Scores of a version: planted answers come out, and the card keeps them as a patch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import spaceport as sp
from spaceport.errors import InputError, NotFoundError, ParameterError
from spaceport.spaces.raw import one_hot_columns, one_hot_words

KINDS = ("pet", "news", "sport")
WORDS = {
    "pet": ["cat", "dog", "fur", "paw", "tail"],
    "news": ["stock", "bank", "rate", "euro", "bond"],
    "sport": ["goal", "ball", "team", "race", "jump"],
}


@pytest.fixture
def store(tmp_path: Path) -> sp.Spaceport:
    return sp.open(tmp_path / "store")


@pytest.fixture
def texts(tmp_path: Path, store: sp.Spaceport) -> sp.Version:
    rng = np.random.default_rng(0)
    path = tmp_path / "t.csv"
    rows = [
        f"{' '.join(rng.choice(WORDS[KINDS[i % 3]], 4))} {i},{KINDS[i % 3]}" for i in range(150)
    ]
    path.write_text("text,kind\n" + "\n".join(rows) + "\n")
    source = sp.sources.texts(str(path), column="text", label="kind")
    return store.build("texts", sp.encoders.hashing(dimension=64), source)


def test_a_label_is_scored_beside_its_baselines_and_the_card_keeps_it(
    store: sp.Spaceport, texts: sp.Version
) -> None:
    version, facts = store.score("texts", label="kind")
    assert version.reference == "texts@1.0.1"
    assert version.record.kind == "patch"
    linear = next(fact for fact in facts if fact.name == "linear probe of kind")
    assert linear.value["accuracy"] > 0.9
    assert linear.value["baseline"] > 0.9
    assert linear.value["baseline_features"] == "one-hot words"
    assert linear.value["majority"] == pytest.approx(1 / 3)
    assert linear in version.card
    assert [f.name for f in version.card if f.name == "version"] == ["version"]
    assert np.array_equal(version.vectors(), texts.vectors())
    assert store.verify("texts") == []
    assert version.nearest("cat dog", k=1).ids == texts.nearest("cat dog", k=1).ids
    assert np.array_equal(version.graph.indices, texts.graph.indices)
    assert [f.name for f in texts.card if "probe" in f.name] == []


def test_the_same_scores_again_publish_nothing(store: sp.Spaceport, texts: sp.Version) -> None:
    store.score("texts", label="kind")
    again, _ = store.score("texts", label="kind")
    assert again.reference == "texts@1.0.1"
    assert [v.reference for v in store.versions("texts")] == ["texts@1.0.0", "texts@1.0.1"]


def test_a_patch_needs_the_latest_version(store: sp.Spaceport, texts: sp.Version) -> None:
    store.score("texts", label="kind")
    with pytest.raises(ParameterError, match="is not the latest"):
        store.score("texts@1.0.0", label="kind")
    version, facts = store.score("texts@1.0.0", label="kind", record=False)
    assert version.reference == "texts@1.0.0"
    assert facts


def test_a_build_goes_on_after_a_score(
    tmp_path: Path, store: sp.Spaceport, texts: sp.Version
) -> None:
    store.score("texts", label="kind")
    source = sp.sources.texts(str(tmp_path / "t.csv"), column="text", label="kind")
    version, built = store.built("texts", sp.encoders.hashing(dimension=64), source)
    assert (built.change.kind, version.reference) == ("none", "texts@1.0.1")


def test_labels_of_noise_score_like_chance(store: sp.Spaceport) -> None:
    rng = np.random.default_rng(1)
    labels = [KINDS[code] for code in rng.integers(0, 3, 600)]
    ids = [str(row) for row in range(600)]
    store.publish("noise", ids, rng.normal(size=(600, 8)), {"kind": labels})
    _, facts = store.score("noise", label="kind")
    for fact in facts:
        assert abs(fact.value["accuracy"] - 1 / 3) < 0.15
        assert "baseline" not in fact.value


def test_words_are_scored_by_analogies_and_similarity(tmp_path: Path, store: sp.Spaceport) -> None:
    words = ["king", "queen", "man", "woman", "prince", "princess"]
    vectors = [[0, 0, 1], [1, 0, 1], [0, 0, 0.1], [1, 0, 0.1], [0, 1, 1], [1, 1, 1]]
    store.publish("words", words, vectors)
    (tmp_path / "q.txt").write_text(": family\nking queen prince princess\nking queen cat dog\n")
    (tmp_path / "p.txt").write_text("king queen 9\nking woman 1\nman king 10\n")
    version, facts = store.score(
        "words", analogies=tmp_path / "q.txt", similarity=tmp_path / "p.txt"
    )
    told = {fact.name: fact.value for fact in facts}
    assert told["analogies"] == {"accuracy": 1.0, "covered": 1, "questions": 2}
    assert told["analogies (family)"]["covered"] == 1
    assert told["word similarity (p)"]["spearman"] == pytest.approx(1.0)
    assert {fact.name for fact in facts} <= {fact.name for fact in version.card}


def test_bad_input_is_two_lines(tmp_path: Path, store: sp.Spaceport, texts: sp.Version) -> None:
    with pytest.raises(ParameterError, match="Nothing was asked for"):
        store.score("texts")
    with pytest.raises(NotFoundError, match="no column 'knd'"):
        store.score("texts", label="knd")
    (tmp_path / "q.txt").write_text(": family\nking queen prince princess\n")
    with pytest.raises(InputError, match="None of the 1 questions"):
        store.score("texts", analogies=tmp_path / "q.txt")
    assert [v.reference for v in store.versions("texts")] == ["texts@1.0.0"]


def test_one_hot_words_are_those_of_two_texts() -> None:
    known = one_hot_words(["a cat", "a dog", "a dog a dog"]).toarray()
    assert known.tolist() == [[1, 0], [1, 1], [1, 1]]


def test_one_hot_columns_treat_each_type_by_its_rule() -> None:
    table = pa.table(
        {
            "size": [1.0, None, 3.0],
            "kind": ["a", "a", "b"],
            "when": pa.array([0, 1, None], pa.timestamp("us")),
            "void": pa.nulls(3),
            "yes": [True, False, None],
        }
    )
    wanted = [[1, 1, 0, 0, 1], [2, 1, 1, 0, 0], [3, 0, 0.5, 0, 0.5]]
    found = one_hot_columns(table).toarray()
    assert np.delete(found, 3, axis=1) == pytest.approx(np.delete(np.array(wanted), 3, axis=1))
    assert (found[:, 3] == 1).all()  # null stands three times


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    """Sixty users of two tastes, each with most of twenty items of theirs."""
    rng = np.random.default_rng(3)
    lines = ["user,item,rating"]
    for user in range(60):
        liked = rng.permutation(20)[:14] + 20 * (user % 2)
        lines += [f"u{user},i{item},{rng.integers(1, 6)}" for item in liked]
    path = tmp_path / "ratings.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_held_out_events_are_scored_beside_the_popular_items(
    ratings: Path, store: sp.Spaceport
) -> None:
    from spaceport.spaces.scoring import held_out_source

    train = sp.sources.interactions(ratings, part="train")
    version = store.build("likes", sp.encoders.als(dimension=4), train)
    held_out = held_out_source(version)
    assert held_out.params() == train.params() | {"part": "test"}
    scored, facts = store.score("likes", interactions=held_out)
    told = {fact.name: fact.value for fact in facts}
    assert told["NDCG@10"]["value"] > told["NDCG@10"]["popularity"] + 0.1
    assert told["recall@10"]["value"] > 0.8
    assert scored.record.kind == "patch"
    assert "120 held-out events of 60 users" in facts[0].how


def test_what_was_learnt_from_cannot_be_held_out(ratings: Path, store: sp.Spaceport) -> None:
    from spaceport.spaces.scoring import held_out_source

    everything = sp.sources.interactions(ratings)
    version = store.build("likes", sp.encoders.als(dimension=4), everything)
    with pytest.raises(ParameterError, match="was not built from a training part"):
        held_out_source(version)
    with pytest.raises(InputError, match="No user has a held-out item"):
        store.score("likes", interactions=everything)


def test_only_spaces_of_interactions_rank(
    ratings: Path, store: sp.Spaceport, texts: sp.Version
) -> None:
    with pytest.raises(ParameterError, match="was not learnt from interactions"):
        store.score("texts", interactions=sp.sources.interactions(ratings))
