"""Translation scores: counted by hand, and chance for a saboteur."""

from __future__ import annotations

import numpy as np
import pytest

from spaceport.errors import InputError, ParameterError
from spaceport.quality.translation import read_dictionary, sentence_retrieval, word_translation

RETRIEVALS = ("csls", "cosine")


@pytest.fixture
def planted():
    """Two hundred words whose translations lie nearly where they do."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 20))
    return X, X + 0.1 * rng.normal(size=X.shape)


@pytest.mark.parametrize("retrieval", RETRIEVALS)
def test_a_planted_translation_is_found_and_a_shuffled_one_is_not(planted, retrieval):
    X, Y = planted
    left, right = [f"a{i}" for i in range(200)], [f"b{i}" for i in range(200)]
    true = {f"a{i}": [f"b{i}"] for i in range(200)}
    order = np.random.default_rng(1).permutation(200)
    shuffled = {f"a{i}": [f"b{j}"] for i, j in enumerate(order)}
    score = word_translation(left, X, right, Y, true, retrieval=retrieval)
    chance = word_translation(left, X, right, Y, shuffled, retrieval=retrieval)
    assert score.precision[1].value > 0.98
    assert chance.precision[1].value < 0.04
    assert chance.precision[5].value < 0.09


def test_any_of_several_answers_is_right_and_unknown_words_are_not_asked():
    words, others = ["cat", "dog"], ["gato", "gata", "perro"]
    X, Y = [[1, 0, 0], [0, 1, 0]], [[0.9, 0, 0.1], [1, 0, 0], [1, 0.9, 0]]
    dictionary = {"cat": ["felino", "gata"], "dog": ["gato"], "owl": ["gato"], "cow": ["vaca"]}
    score = word_translation(words, X, others, Y, dictionary, k=(1, 3), retrieval="cosine")
    assert (score.covered, score.total) == (2, 4)
    assert [score.precision[k].correct for k in (1, 3)] == [1, 2]


def test_sentences_find_each_other_both_ways(planted):
    X, Y = planted
    pairs = [(f"l{i}", f"r{i}") for i in range(200)]
    score = sentence_retrieval(X, Y, pairs)
    assert score.forward.value > 0.98
    assert score.backward.value > 0.98
    turned = sentence_retrieval(X, np.roll(Y, 1, axis=0), pairs)
    assert turned.forward.value < 0.04


def test_sentences_may_have_several_translations():
    X, Y = [[1, 0], [0, 1]], [[0, 1], [1, 0]]
    pairs = [("Run!", "Cours !"), ("Flee!", "Courez !")]
    assert sentence_retrieval(X, Y, pairs, retrieval="cosine").forward.correct == 0
    known = [("Run!", "Courez !")]
    score = sentence_retrieval(X, Y, pairs, known, retrieval="cosine")
    assert (score.forward.correct, score.backward.correct) == (1, 1)


def test_a_dictionary_has_words_on_several_lines_and_in_several_fields(tmp_path):
    path = tmp_path / "d.tsv"
    path.write_text("cat\tgato\tgata\n\ncat\tgato montés\ndog perro\n")
    wanted = {"cat": ["gato", "gata", "gato montés"], "dog": ["perro"]}
    assert read_dictionary(path) == wanted


def test_refusals(tmp_path):
    path = tmp_path / "d.tsv"
    path.write_text("cat\tgato\nlonely\n")
    with pytest.raises(InputError, match="Line 2"):
        read_dictionary(path)
    path.write_text("\n")
    with pytest.raises(InputError, match="no entries"):
        read_dictionary(path)
    with pytest.raises(InputError, match="None of the 1 words"):
        word_translation(["a"], [[1]], ["b"], [[1]], {"a": ["c"]})
    with pytest.raises(ParameterError, match="no retrieval `dot`"):
        word_translation(["a"], [[1]], ["b"], [[1]], {"a": ["b"]}, retrieval="dot")
    with pytest.raises(InputError, match="for 2 pairs"):
        sentence_retrieval([[1.0]], [[1.0]], [("a", "b"), ("c", "d")])
