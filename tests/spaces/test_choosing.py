"""Choosing a layer: a planted one is found, nothing is chosen on the proof, and it can be published."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `torch`")

import spaceport as sp  # noqa: E402
from networks import tiny  # noqa: E402
from spaceport import methods  # noqa: E402
from spaceport.errors import NotFoundError, ParameterError  # noqa: E402
from spaceport.quality.probe import linear_probe_accuracy  # noqa: E402

FILLER = ["the", "sat", "on", "mat", "more", "make", "longer", "others", "here", "comma"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A network whose last layer gives every position of every text the same values."""
    folder = tmp_path_factory.mktemp("model")
    made = tiny.save(folder, "bert", seed=3)
    with torch.no_grad():
        made.encoder.layer[-1].output.LayerNorm.weight.fill_(0)
    made.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def animals(tmp_path_factory):
    """Texts that speak of a cat or of a dog, at the third place."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("texts") / "animals.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(("text", "kind"))
        for i in range(160):
            animal = ("cat", "dog")[i % 2]
            words = rng.choice(FILLER, 6).tolist()
            lines.writerow((" ".join([*words[:2], animal, *words[2:]]), animal))
    return sp.sources.texts(path, column="text", label="kind")


@pytest.fixture(scope="module")
def choice(model, animals):
    return sp.choose_layer(model, animals, poolings=["cls", "max"], dimensions=[8], device="cpu")


def test_the_planted_layers_win_and_the_lost_one_does_not(choice) -> None:
    rows = {(row.where, row.pooling): row for row in choice.rows}
    assert len(rows) == (4 + 2) * 2
    for lost in [("0", "cls"), ("last", "cls"), ("last", "max")]:
        assert rows[lost].score < 0.7  # before the first layer the first position knows no other
        assert not rows[lost].tied
    assert rows["0", "max"].score > 0.95
    assert (choice.best.where, choice.best.pooling, choice.best.layer) == ("0", "max", 0)
    assert rows["concatenate last 2", "max"].dimension == 32


def test_the_proof_is_the_score_on_items_that_the_choice_never_saw(choice, model, animals) -> None:
    from spaceport.spaces.tasks import LabelTask

    task = LabelTask(animals, "kind")
    assert (choice.facts["chosen on"], choice.facts["confirmed on"]) == (120, 40)
    mine, highest, usual = choice.proof
    for each in (mine, usual):
        encoder = sp.encoders.activations(
            model, where=each.where, pooling=each.pooling, device="cpu"
        )
        wanted = linear_probe_accuracy(
            encoder.encode(task.items), task.codes, encoder.encode(task.held), task.held_codes
        )
        assert (each.score, (each.low, each.high)) == (wanted.value, wanted.interval)
    assert (usual.what, usual.where, usual.pooling) == ("last layer's mean", "last", "mean")
    assert mine.gain == pytest.approx(mine.score - usual.score)
    assert mine.gain_low > 0
    assert highest.what == "highest score"


def test_the_highest_where_that_is_preferred(model, animals) -> None:
    told = {"poolings": ["max"], "score": "neighbors", "device": "cpu"}
    cheap, highest = (
        sp.choose_layer(model, animals, prefer=prefer, **told) for prefer in ("cheapest", "highest")
    )
    assert highest.rows[0].score == cheap.rows[0].score
    assert highest.best.score == max(row.score for row in highest.rows) >= cheap.best.score
    assert highest.proof[0].where == highest.proof[1].where == highest.best.where


def test_shorter_vectors(choice) -> None:
    told = [(each.dimension, each.how) for each in choice.shorter]
    assert told == [(16, "all"), (8, "first values"), (8, "main directions")]
    assert choice.shorter[0].score == choice.best.score


def test_the_encoder_is_the_chosen_one_and_round_trips(choice) -> None:
    again = methods.parse("encoders", choice.encoder.spec)
    assert (again.params()["where"], again.params()["pooling"]) == ("0", "max")
    assert again.params()["device"] == "cpu"
    assert again.encode(["a cat"]).shape == (1, 16)


def test_publishing_puts_the_measurement_on_the_card(choice, animals, tmp_path) -> None:
    store = sp.open(tmp_path / "store")
    version = choice.publish(store, "animals", animals)
    assert version.reference == "animals@1.0.1"
    assert len(version) == 160
    fact = next(fact for fact in version.card if fact.name == "layer")
    assert fact.value["proof"][0]["where"] == "0"
    assert "last layer's mean" in fact.text
    json.dumps(fact.value, allow_nan=False)


def test_pairs_are_judged_by_cosines(model, tmp_path) -> None:
    rng = np.random.default_rng(1)
    path = tmp_path / "pairs.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(("one", "two", "alike"))
        for _ in range(120):
            words = rng.choice(FILLER, 8)
            kept = int(rng.integers(0, 9))
            other = [*words[:kept], *rng.choice(["cat", "dog", "naïve"], 8 - kept)]
            lines.writerow((" ".join(words), " ".join(other), kept))
    source = sp.sources.texts(path, column="one")
    found = sp.choose_layer(
        model, source, pairs=("two", "alike"), poolings=["mean"], sample=100, device="cpu"
    )
    rows = {row.where: row for row in found.rows}
    assert rows["0"].score > 0.8
    assert abs(rows["last"].score) < 0.3
    assert found.task == "Spearman with alike"
    assert found.proof[0].gain_low > 0.3


def test_what_cannot_be_asked_for(model, animals) -> None:
    bare = sp.sources.texts(animals.path, column="text")
    for told, message in [
        ({}, "not told what the layers are to be judged by"),
        ({"label": "kind", "poolings": ["none"]}, "must make one vector"),
        ({"label": "kind", "poolings": ["men"]}, "Did you mean mean"),
        ({"label": "kind", "prefer": "fast"}, "cheapest or highest"),
        ({"label": "kind", "max_token": 3}, "Did you mean max_tokens"),
        ({"label": "kind", "where": "last"}, "`where` is no parameter"),
        ({"label": "kind", "poolings": ["mean"], "dimensions": [500]}, "at most 16"),
    ]:
        with pytest.raises(ParameterError, match=message):
            sp.choose_layer(model, bare, **told)
    with pytest.raises(NotFoundError, match="There is no model `nowhere`"):
        sp.choose_layer("nowhere", animals)
