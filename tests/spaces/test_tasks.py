"""What is judged on which items: parts that share nothing, and classes that are left out."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from spaceport import sources
from spaceport.errors import InputError, NotFoundError, ParameterError
from spaceport.quality.probe import linear_probe_accuracy
from spaceport.spaces.judgements import PairTask
from spaceport.spaces.tasks import LabelTask


def written(path, rows, names=("text", "kind"), column="text"):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([names, *rows])
    return sources.texts(path, column=column)


ANIMALS = [(f"text {i}", ("cat", "dog")[i % 2]) for i in range(80)]


def vectors(task, items, gap=3.0, seed=0):
    """Vectors from which the class can be read."""
    kinds = dict(ANIMALS)
    codes = np.array([kinds[item] == "dog" for item in items], float)
    noise = np.random.default_rng(seed).normal(size=(len(items), 4))
    return (noise + gap * codes[:, None] * [1, 0, 0, 0]).astype(np.float32)


def test_the_parts_share_no_item_and_keep_the_classes(tmp_path) -> None:
    task = LabelTask(written(tmp_path / "a.csv", ANIMALS), "kind")
    assert {*task.items} | {*task.held} == {text for text, _ in ANIMALS}
    assert (len(task.items), len(task.held)) == (60, 20)
    assert np.bincount(task.held_codes).tolist() == [10, 10]
    kinds = dict(ANIMALS)
    assert [("cat", "dog")[code] for code in task.codes] == [kinds[item] for item in task.items]
    assert task.facts["always the commonest class"] == 0.5


def test_standings_by_what_was_planted(tmp_path) -> None:
    task = LabelTask(written(tmp_path / "a.csv", ANIMALS), "kind")
    good, none = vectors(task, task.items), vectors(task, task.items, gap=0)
    best, worst = task.standings([good, none])
    assert best.score.value > 0.85
    assert 0.25 < worst.score.value < 0.75
    assert not worst.tied


def test_the_proof_learns_from_the_first_part_only(tmp_path) -> None:
    task = LabelTask(written(tmp_path / "a.csv", ANIMALS), "kind")
    X, Q = vectors(task, task.items), vectors(task, task.held, seed=1)
    proof = task.confirmed([X, X], [Q, -Q])
    wanted = linear_probe_accuracy(X, task.codes, Q, task.held_codes).value
    assert proof[0].score.value == wanted
    assert proof[1].score.value == linear_probe_accuracy(X, task.codes, -Q, task.held_codes).value
    assert proof[0].gain.value == pytest.approx(wanted - proof[1].score.value)


def test_another_file_as_the_second_part(tmp_path) -> None:
    test = written(
        tmp_path / "b.csv", [("new", "cat"), ("newer", "dog"), ("odd", "hen"), ("x", "")]
    )
    task = LabelTask(written(tmp_path / "a.csv", ANIMALS), "kind", test)
    assert len(task.items) == 80
    assert (task.held, task.held_codes.tolist()) == (["new", "newer"], [0, 1])
    hens = written(tmp_path / "c.csv", [("new", "hen")])
    with pytest.raises(InputError, match="No item of .* has a label that was learnt"):
        LabelTask(written(tmp_path / "a.csv", ANIMALS), "kind", hens)


def test_what_is_left_out_is_counted(tmp_path) -> None:
    more = [
        ("rare 1", "hen"),
        ("rare 2", "hen"),
        ("rare 3", "hen"),
        ("bare", ""),
        ("text 0", "dog"),
    ]
    task = LabelTask(written(tmp_path / "a.csv", [*ANIMALS, *more]), "kind")
    assert task.facts["in classes of fewer than four"] == 3
    assert task.facts["without a label"] == 1
    assert task.facts["with a content seen before"] == 1
    assert len(task.items) + len(task.held) == 80


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([(f"t{i}", "cat") for i in range(20)], "1 classes of `kind` have 4 items or more, of 1"),
        (
            [(f"t{i}", f"k{i}") for i in range(20)],
            "0 classes of `kind` have 4 items or more, of 20",
        ),
        ([(f"t{i}", i + 0.5) for i in range(20)], "holds measurements, for example 0.5"),
    ],
)
def test_labels_that_cannot_be_judged_by(tmp_path, rows, told) -> None:
    with pytest.raises(InputError, match=told):
        LabelTask(written(tmp_path / "a.csv", rows), "kind")


def test_names_that_are_not_there(tmp_path) -> None:
    source = written(tmp_path / "a.csv", ANIMALS)
    with pytest.raises(NotFoundError, match="no column `kin`"):
        LabelTask(source, "kin")
    with pytest.raises(ParameterError, match="linear, neighbors"):
        LabelTask(source, "kind", score="tree")


NAMES = ("one", "two", "score")
PAIRS = [(f"a {i % 7}", f"b {i}", i % 6) for i in range(40)]


def test_pairs_are_parted_and_each_text_is_encoded_once(tmp_path) -> None:
    task = PairTask(written(tmp_path / "p.csv", PAIRS, NAMES, "one"), "two", "score")
    assert (task.facts["chosen on"], task.facts["confirmed on"]) == (30, 10)
    assert len(task.items) == len({*task.items})
    told = {(task.items[a], task.items[b]) for a, b in task._places.T}
    held = {(task.held[a], task.held[b]) for a, b in task._held_places.T}
    assert told | held == {(a, b) for a, b, _ in PAIRS}
    assert not told & held


def test_pairs_are_judged_by_their_own_two_texts(tmp_path) -> None:
    source = written(tmp_path / "p.csv", PAIRS, NAMES, "one")
    task = PairTask(source, "two", "score", test=source)
    judged = {(a, b): score for a, b, score in PAIRS}
    angle = dict.fromkeys(task.items, np.pi / 2)
    for (_, b), score in judged.items():
        angle[b] = np.pi / 2 + (5 - score) / 5  # the more alike, the nearer
    good = np.array([[np.cos(angle[t]), np.sin(angle[t])] for t in task.items], np.float32)
    best, worst = task.standings([good, np.roll(good, 1, axis=0)])
    assert best.score.value == pytest.approx(1)
    assert not worst.tied
    assert task.confirmed([good], [good])[0].score.value == pytest.approx(1)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (("a", "b", "much"), "41 of 41 values of `score` are no numbers; the first is '0'"),
        (("a", "b", ""), "1 of 41 values of `score` are no numbers; the first is None"),
        (("a", "", "3"), "1 of 41 pairs have no text in `two`"),
    ],
)
def test_pairs_that_cannot_be_judged(tmp_path, row, told) -> None:
    source = written(tmp_path / "p.csv", [*PAIRS, row], NAMES, "one")
    with pytest.raises(InputError, match=told):
        PairTask(source, "two", "score")


def test_too_few_pairs(tmp_path) -> None:
    source = written(tmp_path / "p.csv", PAIRS[:5], NAMES, "one")
    with pytest.raises(InputError, match="Of 5 pairs 1 would be held out"):
        PairTask(source, "two", "score")
