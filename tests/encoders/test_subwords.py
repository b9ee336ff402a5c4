"""Subwords: the n-grams by hand, the fit against a dense solution, unseen inflections near their stem."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar
from zlib import crc32

import numpy as np
import pyarrow as pa
import pytest

from encoders.samples import SAMPLES
from spaceport.encoders import _subwords
from spaceport.encoders._subwords import fit_ngrams, ngrams, spelled
from spaceport.encoders.base import load
from spaceport.encoders.onehot import OneHot
from spaceport.encoders.word2vec import Word2Vec
from spaceport.errors import CorruptError
from spaceport.methods import load as method
from spaceport.sources.base import Source
from spaceport.testing.encoders import CHECKS


class Texts(Source):
    modality: ClassVar[str] = "texts"

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    def read(self) -> Any:
        names = [str(row) for row in range(len(self.texts))]
        yield pa.record_batch({"id": names, "content": self.texts})

    def size(self) -> int:
        return sum(map(len, self.texts))


@pytest.mark.parametrize("word", ["", "a", "ab", "where", "naïve", "雪", "a" * 50])
def test_ngrams_are_all_pieces_of_three_to_six(word: str) -> None:
    marked = f"<{word}>"
    pieces = {marked[i:j] for i in range(len(marked)) for j in range(i + 3, i + 7)}
    expected = sorted(piece for piece in pieces if 3 <= len(piece) <= 6)
    assert sorted(set(ngrams(word))) == expected


def test_rows_are_shares_of_the_buckets() -> None:
    words = ["where", "here", "", "\ud800x"]
    A = spelled(words, 50).toarray()
    expected = np.zeros((4, 50))
    for row, word in enumerate(words):
        for piece in ngrams(word):
            expected[row, crc32(piece.encode("utf-8", "surrogatepass")) % 50] += 1
    expected /= np.maximum(expected.sum(axis=1, keepdims=True), 1)
    np.testing.assert_allclose(A, expected, rtol=1e-6)


def test_the_fit_is_the_ridge_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    """With enough rounds, conjugate gradients end where a dense solver does."""
    monkeypatch.setattr(_subwords, "_ROUNDS", 300)
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcde"), 5)) for _ in range(60)]
    V = rng.normal(size=(60, 20)).astype(np.float32)
    A = spelled(words, 80).toarray().astype(np.float64)
    ridge = _subwords._RIDGE
    expected = np.linalg.solve(A.T @ A + ridge * np.eye(80), A.T @ V)
    np.testing.assert_allclose(fit_ngrams(words, V, 80), expected, atol=2e-3)
    without = np.linalg.lstsq(A, V, rcond=None)[0]
    assert np.abs(without - expected).max() > 0.1  # the saboteur: no ridge


def inflected() -> Texts:
    """Verbs of two subjects; some of their forms never stand in the text."""
    rng = np.random.default_rng(0)
    topics = [
        (["walk", "jump", "climb", "stroll"], ["street", "hill", "path", "road", "stair", "track"]),
        (["cook", "roast", "toast", "fry"], ["kitchen", "oven", "pan", "spoon", "bread", "soup"]),
    ]
    texts = []
    for _ in range(1500):
        stems, nouns = topics[rng.integers(2)]
        form = str(rng.choice(stems)) + str(rng.choice(["", "s", "er"]))
        texts.append(" ".join([form, *rng.choice(nouns, 5)]))
    return Texts(texts)


def test_unseen_inflections_lie_near_their_stem() -> None:
    told: dict[str, Any] = {
        "dimension": 12,
        "minimum_count": 1,
        "threads": 1,
        "learning_rate": 0.05,
    }
    encoder = Word2Vec(**told, subwords=True, buckets=5000).fit(inflected())
    stems = ["walk", "jump", "climb", "stroll", "cook", "roast", "toast"]
    unseen = [stem + ending for stem in stems for ending in ("ed", "ing")]
    assert not set(unseen) & set(encoder.entities()[0])
    made, known = (encoder.encode(words) for words in (unseen, stems))
    units = [X / np.linalg.norm(X, axis=1, keepdims=True) for X in (made, known)]
    similarity = units[0] @ units[1].T
    walking = np.arange(len(unseen)) < 8
    own = np.where(walking[:, None], [True] * 4 + [False] * 3, [False] * 4 + [True] * 3)
    worst_own = np.where(own, similarity, np.inf).min(axis=1)
    best_other = np.where(own, -np.inf, similarity).max(axis=1)
    assert (worst_own > best_other).all()
    assert not Word2Vec(**told).fit(inflected()).encode(unseen).any()  # without: nothing


def test_unknown_words_count_in_a_text() -> None:
    encoder = OneHot(3, subwords=True, buckets=100).fit(Texts(["walk walker talk"]))
    walk, walked, both = encoder.encode(["walk", "walked", "walk walked walked"])
    np.testing.assert_allclose(both, (walk + 2 * walked) / 3, rtol=1e-5)
    np.testing.assert_allclose(
        walked, (spelled(["walked"], 100) @ encoder.ngram_vectors_)[0], rtol=1e-5
    )


def test_sif_takes_unknown_words_as_the_rarest() -> None:
    told: dict[str, Any] = {"weighting": "sif", "sif": 0.01, "subwords": True, "buckets": 100}
    encoder = OneHot(2, **told).fit(Texts(["walk walk walk talk"]))
    found = encoder.encode(["walk talked"])[0]
    made = (spelled(["talked"], 100) @ encoder.ngram_vectors_)[0]
    np.testing.assert_allclose(found, (np.array([0.01 / 0.76, 0]) + made) / 2, rtol=1e-5)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", ["word2vec", "glove", "ppmi_svd", "onehot"])
def test_conformance_with_phrases_and_subwords(name: str, check: Any) -> None:
    told: dict[str, Any] = {"dimension": 6, "minimum_count": 1, "phrases": 2.0, "subwords": True}
    if name in ("word2vec", "glove"):
        told |= {"epochs": 1, "reproducible": True}
    check(lambda: method("encoders", name)(**told, buckets=200), SAMPLES["words"]())


def test_ngrams_of_another_encoder_are_refused(tmp_path: Path) -> None:
    encoder = OneHot(2, subwords=True, buckets=100).fit(Texts(["walk talk"]))
    arrays, values = encoder.state()
    wrong = {**arrays, "ngram_vectors": arrays["ngram_vectors"][1:]}
    encoder.state = lambda: (wrong, values)  # type: ignore[method-assign]
    encoder.save(tmp_path)
    with pytest.raises(CorruptError, match="n-grams"):
        load(tmp_path)


def test_phrases_are_joined_in_training_and_in_texts() -> None:
    rng = np.random.default_rng(0)
    words = ["sea", "hill", "town", "old", "ship"]
    texts = [
        " ".join([*rng.choice(words, 4), "New York", *rng.choice(words, 4)]) for _ in range(100)
    ]
    encoder = OneHot(6, phrases=5.0).fit(Texts(texts))
    known, _ = encoder.entities()
    assert set(known) == {*words, "new_york"}
    assert encoder.counts_[known.index("new_york")] == 100
    found = encoder.encode(["the new york ship", "york new"])
    expected = np.zeros((2, 6))
    expected[0, [known.index("new_york"), known.index("ship")]] = 0.5
    np.testing.assert_allclose(found, expected)
