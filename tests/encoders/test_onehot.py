"""One-hot words against scikit-learn's counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest

from spaceport.encoders.onehot import OneHot
from spaceport.errors import InputError
from spaceport.sources.base import Source

TEXTS = ["the cat and the dog", "the cow, the cat", "and cat", "dog and cow and cat"]


class Texts(Source):
    modality: ClassVar[str] = "texts"

    def read(self) -> Iterator[pa.RecordBatch]:
        names = [str(row) for row in range(len(TEXTS))]
        yield pa.record_batch({"id": names, "content": TEXTS})

    def size(self) -> int:
        return sum(map(len, TEXTS))


def test_vectors_are_the_identity_of_the_most_frequent_words() -> None:
    words, vectors = OneHot(dimension=3).fit(Texts()).entities()
    assert words == ["and", "cat", "the"]  # 4 each: alphabetical
    np.testing.assert_array_equal(vectors, np.eye(3))


def test_texts_are_the_shares_of_their_words() -> None:
    from sklearn.feature_extraction.text import CountVectorizer

    encoder = OneHot(dimension=5).fit(Texts())
    counts = CountVectorizer(vocabulary=encoder.entities()[0]).transform(TEXTS).toarray()
    expected = counts / counts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(encoder.encode(TEXTS), expected, rtol=1e-6)


def test_more_dimensions_than_words_names_the_size() -> None:
    with pytest.raises(InputError, match="`dimension` is 6, but the vocabulary has only 5 words"):
        OneHot(dimension=6).fit(Texts())


def test_the_identity_is_not_stored() -> None:
    assert "vectors" not in OneHot(dimension=3).fit(Texts()).state()[0]
