from __future__ import annotations

import gzip
import json
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from spaceport.errors import InputError
from spaceport.maps.page.labels import bag, central, commonest, labels, scores

TOPICS = (
    ("galaxy", "telescope", "orbit", "comet"),
    ("oven", "butter", "flour", "sugar"),
    ("guitar", "chord", "melody", "drum"),
)
COMMON = ("the", "of", "and")


def planted_texts(texts_per_topic=40):
    """Texts of which four words in five are common to all topics."""
    generator = np.random.default_rng(3)
    where = np.repeat(np.arange(len(TOPICS)), texts_per_topic)
    texts = [
        " ".join([*generator.choice(COMMON, 40), *generator.choice(TOPICS[topic], 10)])
        for topic in where
    ]
    return texts, where


def words_of(found):
    return [set(label.split(", ")) for label in found]


def test_planted_topics_name_their_cells():
    texts, where = planted_texts()
    for words, topic in zip(words_of(labels(texts, where)), TOPICS, strict=True):
        assert len(words) == 2
        assert words <= set(topic)


def test_without_the_excess_stop_words_would_win():
    """The saboteur: class-based tf-idf as published, which is why ours subtracts the whole's share."""
    texts, where = planted_texts()
    counted = bag(texts)
    counts = np.array([counted.counts.toarray()[where == cell].sum(axis=0) for cell in range(3)])
    published = (
        counts / counts.sum(axis=1, keepdims=True) * np.log1p(counts.sum() / 3 / counts.sum(axis=0))
    )
    best = [counted.words[column] for column in published.argmax(axis=1)]
    assert set(best) <= set(COMMON)


def test_the_bag_is_that_of_scikit_learn():
    texts = ["The cat's 3 cats", "", "naïve cat, 雪 a b", "THE THE the"]
    counted = bag(texts)
    oracle = CountVectorizer(vocabulary=counted.words, token_pattern=r"[^\W_]+")
    np.testing.assert_array_equal(counted.counts.toarray(), oracle.fit_transform(texts).toarray())
    assert counted.words == ["the", "cat", "cats", "naïve", "雪"]  # no number, no single letter


def test_the_scores_are_the_formula_computed_word_by_word():
    texts, where = planted_texts(6)
    counted = bag(texts)
    cells = [Counter(), Counter(), Counter()]
    for text, cell in zip(texts, where, strict=True):
        cells[cell].update(text.split())
    whole = sum(cells, Counter())
    mean = whole.total() / 3
    ours = scores(counted, where, 3)
    for cell, words in enumerate(cells):
        for column, word in enumerate(counted.words):
            excess = math.sqrt(words[word] / words.total()) - math.sqrt(whole[word] / whole.total())
            expected = max(excess, 0.0) * math.log(1 + mean / whole[word])
            assert ours[cell, column] == pytest.approx(expected, abs=1e-12)


def test_kin_of_a_word_are_passed_over():
    water = "fish fish fish fishing fishing fishing river river"
    other = "node " * 15 + "edge " * 15 + "river"
    assert labels([water, other], [0, 1])[0] == "fish, river"


def test_two_cells_do_not_get_the_same_name():
    names = ["graph", "node", "tree", "graphs", "nodes", "leaf"]
    frequency = [9, 8, 7, 9, 8, 7]
    assert central(names, [0, 0, 0, 1, 1, 1], np.ones(6), frequency) == [
        "graph, node",
        "graphs, leaf",
    ]


def test_a_cell_without_telling_words_has_no_label():
    assert labels(["42 7", "cat", "dog"], [0, 2, 3], count=5) == ["", "", "cat", "dog", ""]


@pytest.mark.parametrize("wrong", [[0, 1], [0, 1, 5], [0, -1, 1], [0.0, 1.0, 1.0]])
def test_cells_that_do_not_fit_are_refused(wrong):
    with pytest.raises(InputError, match="must be 3 cells"):
        labels(["a", "b", "c"], wrong, count=2)


@given(st.lists(st.text(max_size=30), max_size=12), st.integers(1, 4))
def test_any_text_can_be_labelled(texts, cells):
    found = labels(texts, np.arange(len(texts)) % cells, count=cells)
    assert len(found) == cells


def test_a_space_of_words_is_named_by_frequent_words_near_the_middle():
    names = [f"word{chr(97 + i)}" for i in range(20)] + ["the", "tax", "bank"]
    where = [0] * 21 + [1, 1]
    closeness = [*np.linspace(0.9, 0.5, 20), 0.1, 0.8, 0.9]
    frequency = [*range(20), 10_000, 5, 4]
    assert central(names, where, closeness, frequency, words=1) == [
        "wordj",
        "tax",
    ]  # not the far-off "the"
    assert central(names, where, closeness, words=1) == ["worda", "bank"]


def test_venues_of_real_papers_are_told_apart(data):
    with gzip.open(data / "paper-abstracts" / "abstracts.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines][::12]
    venues = ["aistats", "cvpr", "nips"]
    where = [venues.index(row["venue"]) for row in rows]
    statistics, vision, _ = words_of(labels([row["abstract"] for row in rows], where, words=4))
    assert vision & {"image", "images", "object", "3d", "visual"}
    assert statistics & {
        "bound",
        "bounds",
        "stochastic",
        "regret",
        "optimal",
        "convergence",
        "gradient",
        "inference",
    }
    assert not (vision | statistics) & {"the", "of", "we", "and", "in", "is"}


def test_cells_are_named_by_the_values_of_more_than_half_their_items():
    values = ["a"] * 6 + ["b"] * 5 + ["a", "b", "c", "d"] + [None, ""] + [3, 3, 4]
    cells = [0] * 6 + [0] * 5 + [1] * 4 + [2] * 2 + [3] * 3
    assert commonest(values, cells, 5) == ["a", "a, b", "", "3", ""]
