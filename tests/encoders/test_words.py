"""What all word encoders share: texts as means of words, saving, errors."""

from __future__ import annotations

import string
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaceport.encoders.base import load
from spaceport.encoders.onehot import OneHot
from spaceport.encoders.word2vec import Word2Vec
from spaceport.errors import CorruptError, InputError, ParameterError
from spaceport.sources.base import Source


class Texts(Source):
    modality: ClassVar[str] = "texts"

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    def read(self) -> Iterator[pa.RecordBatch]:
        names = [str(row) for row in range(len(self.texts))]
        yield pa.record_batch({"id": names, "content": self.texts})

    def size(self) -> int:
        return sum(map(len, self.texts))


TEXTS = ["the cat and the dog", "The cow, the cat", "naïve cat", "a dog and a cow and a cat"]


def trained(**params: object) -> Word2Vec:
    return Word2Vec(dimension=5, minimum_count=1, threads=1, epochs=3, **params).fit(Texts(TEXTS))


@pytest.mark.parametrize("weighting", ["mean", "sif"])
@given(st.lists(st.text("catdogwhe ", max_size=30), min_size=1, max_size=5))
def test_a_text_is_the_weighted_mean_of_its_known_words(weighting: str, texts: list[str]) -> None:
    encoder = MADE[weighting]
    words, vectors = encoder.entities()
    share = encoder.counts_ / encoder.counts_.sum()
    texts = [*texts, "cat dog cat nothing"]
    expected = np.zeros((len(texts), 5))
    for row, text in enumerate(texts):
        known = [words.index(word) for word in text.split() if word in words]
        for word in known:
            weight = 0.01 / (0.01 + share[word]) if weighting == "sif" else 1
            expected[row] += weight * vectors[word] / len(known)
    found = encoder.encode(texts)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)


MADE = {"mean": trained(), "sif": trained(weighting="sif", sif=0.01)}


def test_a_text_without_a_known_word_is_zero() -> None:
    found = MADE["mean"].encode(["", "zebra", "cat"])
    assert not found[:2].any()
    assert found[2].any()


@pytest.mark.parametrize("encoder", [*MADE.values(), OneHot(4).fit(Texts(TEXTS))], ids=repr)
def test_save_and_load(encoder: Word2Vec | OneHot, tmp_path: Path) -> None:
    encoder.save(tmp_path)
    back = load(tmp_path)
    assert back.fingerprint == encoder.fingerprint
    assert back.entities()[0] == encoder.entities()[0]
    np.testing.assert_array_equal(back.entities()[1], encoder.entities()[1])
    np.testing.assert_array_equal(back.encode(TEXTS), encoder.encode(TEXTS))
    np.testing.assert_array_equal(back.counts_, encoder.counts_)


def test_an_encoder_that_learnt_nothing_saves_too(tmp_path: Path) -> None:
    Word2Vec().save(tmp_path)
    assert load(tmp_path).fingerprint == Word2Vec().fingerprint
    with pytest.raises(InputError, match="has not learnt anything"):
        load(tmp_path).encode(["a"])


def test_arrays_that_do_not_belong_together(tmp_path: Path) -> None:
    encoder = trained()
    arrays, values = encoder.state()
    encoder.state = lambda: ({**arrays, "counts": arrays["counts"][1:]}, values)
    encoder.save(tmp_path)
    with pytest.raises(CorruptError):
        load(tmp_path)


def test_facts() -> None:
    facts = trained().facts()
    total = sum(len(text.split()) for text in TEXTS)
    assert facts["words"] == 3 * total
    assert facts["epochs"] == 3
    assert facts["words_per_second"] == pytest.approx(facts["words"] / facts["seconds"])
    assert facts["reading_seconds"] > 0


def test_case_and_pattern_are_parameters() -> None:
    encoder = OneHot(3, lowercase=False, token_pattern=r"\S+").fit(Texts(["The the the The cow,"]))
    assert set(encoder.entities()[0]) == {"The", "the", "cow,"}


def test_the_dimension_must_fit_the_vocabulary() -> None:
    with pytest.raises(InputError, match="`dimension` is 100, but the vocabulary has only 7 words"):
        Word2Vec(minimum_count=1).fit(Texts(TEXTS))
    with pytest.raises(InputError, match="No word stands 50 times"):
        Word2Vec(minimum_count=50).fit(Texts(TEXTS))
    with pytest.raises(InputError, match="holds no word"):
        Word2Vec().fit(Texts(["", string.punctuation]))


@pytest.mark.parametrize(
    "params",
    [
        {"dimension": 0},
        {"minimum_count": 0},
        {"weighting": "max"},
        {"sif": 0},
        {"window": 0},
        {"negatives": 0},
        {"epochs": 0},
        {"sample": -1.0},
        {"sample": float("nan")},
        {"learning_rate": 0.0},
        {"threads": 0},
        {"architecture": "glove"},
        {"seed": -1},
        {"token_pattern": "("},
    ],
)
def test_parameters_are_checked(params: dict[str, object]) -> None:
    with pytest.raises(ParameterError) as caught:
        Word2Vec(**params)
    assert str(caught.value).count("\n") == 1
