"""GloVe: planted topics, the same bytes, going on with more text, odd input."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from spaceport import progress
from spaceport.encoders._adagrad import (
    expected_biases,
    start,
)
from spaceport.encoders._cooccurrence import Counting
from spaceport.encoders.base import load
from spaceport.encoders.glove import GloVe
from spaceport.errors import CorruptError, InputError, ParameterError
from spaceport.sources.base import Source

Floats = npt.NDArray[Any]


class Texts(Source):
    modality: ClassVar[str] = "texts"

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    def read(self) -> Any:
        names = [str(row) for row in range(len(self.texts))]
        yield pa.record_batch({"id": names, "content": self.texts})

    def size(self) -> int:
        return sum(map(len, self.texts))


TOPICS = [[f"a{i}" for i in range(12)], [f"b{i}" for i in range(12)]]


def planted(seed: int = 0, sentences: int = 1500, extra: str = "") -> Texts:
    """Sentences that take six words from one of two topics and one from any, and fillers from none."""
    rng = np.random.default_rng(seed)
    topics = [[*topic, *([topic[0][0] + extra] if extra else [])] for topic in TOPICS]
    texts = []
    for _ in range(sentences):
        own = rng.choice(topics[rng.integers(2)], 6)
        texts.append(" ".join([*own, rng.choice(np.concatenate(topics)), "the", "of"]))
    return Texts(texts)


def purity(words: list[str], vectors: Floats) -> float:
    """Share of the topic words whose five nearest topic words are of their topic."""
    rows = [row for row, word in enumerate(words) if word[1:].isdigit()]
    topic = np.array([words[row][0] for row in rows])
    units = vectors[rows] / np.linalg.norm(vectors[rows], axis=1, keepdims=True)
    similarity = units @ units.T
    np.fill_diagonal(similarity, -np.inf)
    nearest = np.argsort(-similarity, axis=1)[:, :5]
    return float((topic[nearest] == topic[:, None]).all(axis=1).mean())


def nearest(words: list[str], vectors: Floats, word: str, k: int) -> list[str]:
    """The k words most similar to `word`, by cosine."""
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    order = np.argsort(-units @ units[words.index(word)])
    return [words[row] for row in order[1 : k + 1].tolist()]


def fitted(source: Source, **params: Any) -> GloVe:
    told = {"dimension": 16, "minimum_count": 1, "epochs": 25, "window": 5, "memory": 1}
    return GloVe(**{**told, **params}).fit(source)


@pytest.mark.parametrize(
    "mode",
    [
        {"threads": 1},
        {"threads": 2},
        {"reproducible": True},
        {"vectors": "word"},
        {"symmetric": False},
    ],
    ids=str,
)
def test_words_of_a_topic_come_out_as_neighbors(mode: dict[str, Any]) -> None:
    assert purity(*fitted(planted(), **mode).entities()) == 1


def test_the_planted_answer_catches_words_in_any_order() -> None:
    source = planted()
    words = np.random.default_rng(1).permutation(" ".join(source.texts).split())
    texts = [" ".join(words[at : at + 9]) for at in range(0, len(words), 9)]
    assert purity(*fitted(Texts(texts)).entities()) < 0.5


def test_vectors_are_sums_or_words() -> None:
    both, one = (fitted(planted(sentences=50), vectors=kind, threads=1) for kind in ("sum", "word"))
    np.testing.assert_array_equal(one.vectors_, one.factors_.words[:, :16])
    np.testing.assert_allclose(both.vectors_, one.vectors_ + one.factors_.contexts[:, :16])


# --- the same bytes ---


def test_reproducible_gives_the_same_bytes_from_any_threads() -> None:
    source = planted(sentences=600)
    runs = [fitted(source, reproducible=True, threads=threads) for threads in (1, 2, 1, 2, 5, None)]
    assert len({run.entities()[1].tobytes() for run in runs}) == 1
    assert len({run.fingerprint for run in runs}) == 1
    other = fitted(source, reproducible=True, seed=2)
    assert other.entities()[1].tobytes() != runs[0].entities()[1].tobytes()


def test_the_memory_changes_no_number() -> None:
    source = planted(sentences=100)
    small, large = (fitted(source, threads=1, memory=memory) for memory in (1, 64))
    assert small.entities()[1].tobytes() == large.entities()[1].tobytes()
    assert small.fingerprint == large.fingerprint


def test_threads_are_in_the_fingerprint_where_they_may_matter() -> None:
    one, two = ({"threads": threads} for threads in (1, 2))
    assert GloVe(**one).fingerprint != GloVe(**two).fingerprint
    assert (
        GloVe(**one, reproducible=True).fingerprint == GloVe(**two, reproducible=True).fingerprint
    )


# --- going on ---


def test_training_goes_on_with_more_text(tmp_path: Path) -> None:
    """New words find their topic among the known ones; known words stay near where they were."""
    encoder = fitted(planted(sentences=1500), threads=1)
    before = dict(zip(*encoder.entities(), strict=True))
    counts = dict(zip(encoder.entities()[0], encoder.counts_.tolist(), strict=True))
    encoder.save(tmp_path)
    resumed = load(tmp_path)
    assert isinstance(resumed, GloVe)
    more = planted(seed=1, sentences=500, extra="99")
    assert resumed.partial_fit(more) is resumed
    words, vectors = resumed.entities()
    assert set(words) == {*before, "a99", "b99"}
    for new in ("a99", "b99"):
        assert set(nearest(words, vectors, new, 5)) <= {w for w in words if w[0] == new[0]}
    again = Counter(" ".join(more.texts).split())
    assert dict(zip(words, resumed.counts_.tolist(), strict=True)) == {
        word: counts.get(word, 0) + again[word] for word in words
    }
    after = dict(zip(words, vectors, strict=True))
    anew = dict(zip(*fitted(more, threads=1, seed=5).entities(), strict=True))
    moved, strange = (
        np.mean([np.linalg.norm(new[word] - before[word]) for word in before])
        for new in (after, anew)
    )
    assert moved < strange / 3
    live = encoder.partial_fit(more)
    assert live.fingerprint == resumed.fingerprint  # nothing is lost by saving


def test_the_sums_of_adagrad_are_carried_on() -> None:
    """The same text twice in two calls moves words less the second time."""
    source = planted(sentences=300)
    encoder = fitted(source, threads=1, epochs=5)
    first, told = encoder.factors_, Counting(5, True, True, 1)
    begun = start(expected_biases(encoder.counts_, told), 16, [1]).words
    encoder.partial_fit(source)
    assert (encoder.factors_.word_squares >= first.word_squares).all()
    assert (encoder.factors_.word_squares > first.word_squares).any()
    steps = [
        np.linalg.norm(b - a)
        for a, b in ((begun, first.words), (first.words, encoder.factors_.words))
    ]
    assert steps[1] < steps[0] / 2


def test_partial_fit_without_a_fit_is_a_fit_and_fit_starts_anew() -> None:
    source = planted(sentences=100)
    one = fitted(source, threads=1)
    other = GloVe(**one.params()).partial_fit(source)
    assert other.fingerprint == one.fingerprint
    assert other.fit(source).fingerprint == one.fingerprint


def test_known_phrases_stay_joined_in_more_text() -> None:
    rng = np.random.default_rng(0)
    words = ["old", "ship", "sea", "the", "hill", "bay"]
    texts = [
        " ".join([*rng.choice(words, 3), "new york", *rng.choice(words, 3)]) for _ in range(99)
    ]
    encoder = fitted(Texts(texts), dimension=4, phrases=4.0, epochs=1)
    assert "new_york" in encoder.entities()[0]
    before = encoder.counts_[encoder.vocabulary_.index["new_york"]]
    encoder.partial_fit(Texts(["a new york morning"]))
    assert encoder.counts_[encoder.vocabulary_.index["new_york"]] == before + 1


# --- saved, small and odd ---


def test_save_and_load_keep_everything(tmp_path: Path) -> None:
    encoder = fitted(planted(sentences=100))
    encoder.save(tmp_path)
    back = load(tmp_path)
    assert isinstance(back, GloVe)
    assert back.fingerprint == encoder.fingerprint
    np.testing.assert_array_equal(back.vectors_, encoder.vectors_)
    np.testing.assert_array_equal(back.factors_.context_squares, encoder.factors_.context_squares)


def test_arrays_that_do_not_belong_together(tmp_path: Path) -> None:
    encoder = fitted(planted(sentences=50))
    arrays, values = encoder.state()
    wrong = {**arrays, "contexts": arrays["contexts"][1:]}
    encoder.state = lambda: (wrong, values)  # type: ignore[method-assign]
    encoder.save(tmp_path)
    with pytest.raises(CorruptError, match="shape"):
        load(tmp_path)


@pytest.mark.parametrize("dimension", [1, 14, 15, 17])
@pytest.mark.parametrize("text", ["one", "one one one", "one two", "one two three four " * 9])
def test_tiny_corpora_and_odd_dimensions(dimension: int, text: str) -> None:
    words = [f"w{i}" for i in range(dimension)]
    _, vectors = fitted(Texts([text, *words]), dimension=dimension, epochs=2).entities()
    assert np.isfinite(vectors).all()


def test_progress_counts_every_entry() -> None:
    seen: list[progress.Report] = []
    with progress.using(seen.append):
        encoder = fitted(planted(sentences=100), epochs=3)
    training = [report for report in seen if report.name == "training"]
    assert training[-1].done == training[-1].total == 3 * encoder.facts()["entries"]
    counting = [report for report in seen if report.name == "counting pairs"]
    assert counting[-1].done == counting[-1].total == 100 * 10


def test_facts() -> None:
    facts = fitted(planted(sentences=100), epochs=3).facts()
    assert facts["updates_per_second"] == pytest.approx(3 * facts["entries"] / facts["seconds"])
    assert facts["seconds_per_epoch"] == pytest.approx(facts["seconds"] / 3)
    assert facts["pairs"] == 100 * (5 + 5 + 5 + 5 + 4 + 3 + 2 + 1)
    assert len(facts["loss"]) == 3
    assert facts["loss"][2] < facts["loss"][0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"window": 0},
        {"x_max": 0},
        {"alpha": -1},
        {"memory": 0},
        {"vectors": "both"},
        {"epochs": 0},
        {"threads": 0},
    ],
    ids=str,
)
def test_parameters_out_of_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        GloVe(**wrong)


def test_training_that_runs_away_is_told() -> None:
    with pytest.raises(InputError, match="Training ran away"):
        fitted(planted(sentences=50), learning_rate=1e30, threads=1)
