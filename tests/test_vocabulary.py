"""The pass that finds and counts words, against `collections.Counter` and the texts themselves."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaceport import vocabulary as module
from spaceport.errors import InputError, ParameterError, StoreError
from spaceport.sources.base import Source
from spaceport.vocabulary import DROPPED, END, Vocabulary, read, write


class Texts(Source):
    modality: ClassVar[str] = "words"

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    def read(self) -> Iterator[pa.RecordBatch]:
        for start in range(0, len(self.texts), 3):
            part = self.texts[start : start + 3]
            names = [str(start + row) for row in range(len(part))]
            yield pa.record_batch({"id": names, "content": pa.array(part, pa.string())})

    def size(self) -> int:
        return sum(map(len, self.texts))


WORDS = st.lists(st.lists(st.sampled_from(["a", "b", "c", "dd", "é", "雪"])), min_size=1).filter(
    any
)


@given(WORDS)
def test_counts_order_and_text_come_back(sentences: list[list[str]]) -> None:
    truth = Counter(word for sentence in sentences for word in sentence)
    with read(Texts([" ".join(sentence) for sentence in sentences]), str.split) as corpus:
        vocabulary, rows = corpus.cut()
        tokens = corpus.tokens(0, corpus.length)
        parts = np.concatenate([corpus.tokens(start, 2) for start in range(0, corpus.length, 2)])
        assert corpus.tokens(corpus.length, 5).size == 0
    assert dict(zip(vocabulary.words, vocabulary.counts.tolist(), strict=True)) == truth
    assert vocabulary.words == sorted(truth, key=lambda word: (-truth[word], word))
    assert vocabulary.total == truth.total() == corpus.total
    assert [vocabulary.index[word] for word in vocabulary.words] == list(range(len(truth)))
    np.testing.assert_array_equal(parts, tokens)
    found: list[list[str]] = [[]]
    for token in tokens:
        if token == END:
            found.append([])
        else:
            found[-1].append(vocabulary.words[rows[token]])
    assert found == [*sentences, []]


def test_a_corpus_of_many_flushes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FLUSH", 7)
    words = [f"w{row % 13}" for row in range(500)]
    with read(Texts([" ".join(words[i : i + 5]) for i in range(0, 500, 5)]), str.split) as corpus:
        assert corpus.length == 600
        assert dict(zip(corpus.words, corpus.counts.tolist(), strict=True)) == Counter(words)


def test_cut_by_count_and_size() -> None:
    with read(Texts(["b a b c a b d"]), str.split) as corpus:
        vocabulary, rows = corpus.cut(minimum_count=2)
        assert vocabulary.words == ["b", "a"]
        assert rows.tolist() == [0, 1, DROPPED, DROPPED]
        assert corpus.cut(maximum_size=3)[0].words == ["b", "a", "c"]
        with pytest.raises(InputError, match="No word stands 4 times: the most frequent of 4, 'b'"):
            corpus.cut(minimum_count=4)
        with pytest.raises(ParameterError, match="maximum_size"):
            corpus.cut(maximum_size=0)


def test_no_word_at_all() -> None:
    with pytest.raises(InputError, match="holds no word"):
        read(Texts(["", "  "]), str.split)


def test_vectors_are_no_text() -> None:
    class Vectors(Texts):
        modality = "vectors"

    with pytest.raises(InputError, match="holds vectors, not text"):
        read(Vectors(["a"]), str.split)


def test_a_full_disk_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    full = open("/dev/full", "wb", buffering=0)  # noqa: SIM115 - the code under test closes it
    monkeypatch.setattr(module.tempfile, "TemporaryFile", lambda buffering: full)
    with pytest.raises(StoreError, match="No space is left") as caught:
        read(Texts(["a b"]), str.split)
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.ENOSPC
    assert full.closed


def test_an_error_in_the_source_closes_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    make = module.tempfile.TemporaryFile
    monkeypatch.setattr(
        module.tempfile, "TemporaryFile", lambda **kw: opened.append(make(**kw)) or opened[-1]
    )
    with pytest.raises(ZeroDivisionError):
        read(Texts(["a"]), lambda text: [str(1 // 0)])
    assert opened[0].closed


def test_a_corpus_is_added_to_a_vocabulary() -> None:
    known = Vocabulary(["cat", "dog", "owl"], np.array([9, 2, 1]))
    with read(Texts(["dog dog dog dog dog dog dog dog owl", "emu emu ant"]), str.split) as corpus:
        vocabulary, rows = corpus.extend(known, minimum_count=2)
        assert vocabulary.words == ["dog", "cat", "emu", "owl"]
        assert vocabulary.counts.tolist() == [10, 9, 2, 2]
        assert {word: int(row) for word, row in zip(corpus.words, rows, strict=True)} == {
            "dog": 0,
            "owl": 3,
            "emu": 2,
            "ant": DROPPED,
        }


def test_a_written_corpus_is_read_back() -> None:
    parts = [np.array([0, 1, END], np.int32), np.array([2, 0, END], np.int32)]
    with write(["a", "b", "c", "unused"], parts, seconds=3.0) as corpus:
        assert corpus.tokens(0, 10).tolist() == [0, 1, END, 2, 0, END]
        assert corpus.counts.tolist() == [2, 1, 1, 0]
        assert (corpus.total, corpus.seconds) == (4, 3.0)
