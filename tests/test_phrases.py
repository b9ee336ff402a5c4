"""Phrases: the same set as gensim's, joined from the left, however the corpus is cut."""

from __future__ import annotations

import numpy as np
import pytest
from gensim.models.phrases import Phrases
from hypothesis import given
from hypothesis import strategies as st

from spaceport import phrases
from spaceport.phrases import find_phrases, join_phrases, join_words
from spaceport.vocabulary import END, TokenFile, write


def corpus_of(texts: list[list[str]]) -> TokenFile:
    ids: dict[str, int] = {}
    tokens = [[ids.setdefault(word, len(ids)) for word in text] + [END] for text in texts]
    return write(ids, [np.array(part, np.int32) for part in tokens])


def texts_of(corpus: TokenFile) -> list[list[str]]:
    texts: list[list[str]] = [[]]
    for token in corpus.tokens(0, corpus.length).tolist():
        if token == END:
            texts.append([])
        else:
            texts[-1].append(corpus.words[token])
    return texts[:-1]


def planted(seed: int = 0) -> list[list[str]]:
    """Random words, in which a few pairs stand together far too often."""
    rng = np.random.default_rng(seed)
    words = [f"w{i}" for i in range(40)]
    pairs = [("new", "york"), ("york", "city"), ("hot", "dog"), ("dog", "hot")]
    texts = []
    for _ in range(400):
        text = rng.choice(words, 6).tolist()
        for place in rng.choice(6, 2, replace=False).tolist():
            text[place:place] = pairs[rng.integers(4)]
        texts.append(text)
    return texts


def word2phrase(
    worda_count: int,
    wordb_count: int,
    bigram_count: int,
    len_vocab: int,
    min_count: int,
    corpus_word_count: int,
) -> float:
    """The score of the authors' program, for gensim, whose own has the size of the vocabulary for N."""
    if bigram_count < min_count:
        return -1.0
    return (bigram_count - DISCOUNT) / worda_count / wordb_count * corpus_word_count


DISCOUNT = 3


@pytest.mark.parametrize("threshold", [0.5, 2.0, 4.0, 1e9])
@pytest.mark.parametrize(("chunk", "pairs"), [(1 << 20, 1 << 24), (7, 1500), (2, 2500)])
def test_the_same_phrases_as_gensim(
    threshold: float, chunk: int, pairs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phrases, "_CHUNK", chunk)
    monkeypatch.setattr(phrases, "_PAIRS", pairs)
    texts = planted()
    model = Phrases(texts, min_count=4, threshold=threshold, scoring=word2phrase)
    with corpus_of(texts) as corpus:
        found = find_phrases(corpus, threshold, DISCOUNT, 4)
        first, second = np.divmod(found, len(corpus.words))
        words = corpus.words
        joined = {
            f"{words[a]}_{words[b]}" for a, b in zip(first.tolist(), second.tolist(), strict=True)
        }
        assert joined == set(model.export_phrases())
        with join_phrases(corpus, threshold, DISCOUNT, 4) as rewritten:
            assert texts_of(rewritten) == [list(text) for text in model[texts]]
    assert bool(joined) == (threshold < 1e9)


def test_counts_are_those_of_the_joined_corpus() -> None:
    with (
        corpus_of(planted()) as corpus,
        join_phrases(corpus, 5.0, minimum_count=4) as joined,
    ):
        told = [word for text in texts_of(joined) for word in text]
        assert joined.total == len(told) < corpus.total
        assert dict(zip(joined.words, joined.counts.tolist(), strict=True)) == {
            word: told.count(word) for word in joined.words
        }


def test_phrases_do_not_reach_over_the_end_of_a_text() -> None:
    with corpus_of([["new"], ["york"]] * 50) as corpus:
        assert not len(find_phrases(corpus, 0.0))


def test_known_phrases_are_joined_whatever_they_score() -> None:
    texts = [["in", "new", "york", "city"], ["a_b", "c"], ["a", "b_c"]]
    with (
        corpus_of(texts) as corpus,
        join_phrases(corpus, 1e9, known=["new_york", "other_words", "a_b_c"]) as joined,
    ):
        assert texts_of(joined) == [["in", "new_york", "city"], ["a_b_c"], ["a_b_c"]]
        assert len(set(joined.words)) == len(joined.words)


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=12), min_size=1, max_size=6))
def test_a_text_is_joined_as_the_corpus_is(texts: list[list[str]]) -> None:
    texts = [text for text in texts if text] or [["a"]]
    known = {"a_b", "b_a", "c_c", "b_c"}
    with corpus_of(texts) as corpus, join_phrases(corpus, 1e9, known=known) as joined:
        assert texts_of(joined) == [join_words(text, known) for text in texts]
