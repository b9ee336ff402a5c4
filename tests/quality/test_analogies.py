"""Analogies against gensim's own count, and by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spaceport.errors import InputError
from spaceport.quality.analogies import analogies, read_questions


def invented(count: int = 60, dimension: int = 7) -> tuple[list[str], np.ndarray, dict]:
    rng = np.random.default_rng(2)
    words = [f"{'Ab'[i % 2]}w{i}" for i in range(count)]
    vectors = rng.normal(size=(count, dimension)).astype(np.float32)
    shift = vectors[:20] + 0.8 * vectors[40]
    vectors[20:40] = shift
    asked = [
        (words[a], words[a + 20], words[b], words[b + 20])
        for a in range(9)
        for b in range(9)
        if a != b
    ]
    asked.append((words[0], words[1], words[2], "unknown"))
    return words, vectors, {"family": asked[:30], "gram1-verbs": asked[30:]}


def test_the_same_count_as_gensim(tmp_path: Path) -> None:
    KeyedVectors = pytest.importorskip("gensim.models").KeyedVectors
    words, vectors, questions = invented()
    peer = KeyedVectors(vectors.shape[1])
    peer.add_vectors(words, vectors)
    path = tmp_path / "questions.txt"
    path.write_text(
        "".join(
            f": {name}\n" + "".join(" ".join(q) + "\n" for q in asked)
            for name, asked in questions.items()
        )
    )
    for restrict in (60, 35):
        score, sections = peer.evaluate_word_analogies(str(path), restrict_vocab=restrict)
        found = analogies(words, vectors, read_questions(path), restrict=restrict)
        assert 0 < found.accuracy < 1
        assert found.accuracy == pytest.approx(score)
        for section in sections[:-1]:
            tally = found.sections[section["section"]]
            assert tally.correct == len(section["correct"])
            assert tally.covered == len(section["correct"]) + len(section["incorrect"])


def test_kinds_and_totals() -> None:
    words, vectors, questions = invented()
    found = analogies(words, vectors, questions)
    assert found.semantic == found.sections["family"]
    assert found.syntactic == found.sections["gram1-verbs"]
    assert found.overall.total == 73
    assert found.overall.covered == 72
    assert found.overall.correct == found.semantic.correct + found.syntactic.correct


def test_a_planted_shift_is_found_and_shuffled_rows_are_not() -> None:
    rng = np.random.default_rng(0)
    left = rng.normal(size=(20, 50))
    vectors = np.concatenate([left, left + 0.5])
    words = [f"{side}{i}" for side in "lr" for i in range(20)]
    asked = {
        "shift": [
            (f"l{i}", f"r{i}", f"l{j}", f"r{j}") for i in range(20) for j in range(20) if i != j
        ]
    }
    assert analogies(words, vectors, asked).accuracy == 1
    assert analogies(words, rng.permutation(vectors), asked).accuracy < 0.2


def test_case_does_not_matter_and_no_coverage_is_zero() -> None:
    words, vectors = ["King", "QUEEN", "man", "woman"], [[1, 0, 1], [1, 1, 1], [0, 0, 1], [0, 1, 1]]
    asked = {"family": [("MAN", "Woman", "king", "queen")], "none": [("a", "b", "c", "d")]}
    found = analogies(words, vectors, asked)
    assert found.accuracy == 1
    assert found.sections["none"].accuracy == 0
    assert found.overall.covered == 1


def test_of_words_that_differ_in_case_the_first_counts() -> None:
    words = ["king", "queen", "man", "woman", "serf", "King"]
    vectors = [[1, 0, 1], [1, 1, 1], [0, 0, 1], [0, 1, 1], [-1, 0, 0], [-1, -1, 0]]
    asked = {"family": [("man", "woman", "king", "queen")]}
    assert analogies(words, vectors, asked).accuracy == 1
    assert analogies(words[::-1], vectors[::-1], asked).accuracy == 0


def test_the_reader(data: Path, tmp_path: Path) -> None:
    questions = read_questions(data / "word-analogies" / "questions-words.txt")
    assert len(questions) == 14
    assert sum(map(len, questions.values())) == 19_544
    assert questions["capital-common-countries"][0] == ("Athens", "Greece", "Baghdad", "Iraq")
    for text in ("a b c d\n", ": family\na b c\n"):
        (tmp_path / "bad.txt").write_text(text)
        with pytest.raises(InputError, match="is no analogy question"):
            read_questions(tmp_path / "bad.txt")
