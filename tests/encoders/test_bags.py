"""Bags of words and n-grams beside a plain count of them."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaceport.encoders._bags import Features, hashes, numbered

BUCKETS = 50
VOCABULARY = ["sea", "hill", "né"]
TEXTS = st.lists(st.lists(st.sampled_from([*VOCABULARY, "town", "雪"]), max_size=6), max_size=8)


def fallen(words):
    """The bucket of a run of words, in Python's own whole numbers."""
    found = crc32(words[0].encode())
    for word in words[1:]:
        found = (found * 116_049_371 + crc32(word.encode())) % 2**64
    return found % BUCKETS


def runs(words, longest):
    return [
        words[start : start + length]
        for length in range(2, longest + 1)
        for start in range(len(words) - length + 1)
    ]


def told(texts):
    words, ids = numbered(texts)
    rows = np.array(
        [VOCABULARY.index(w) if w in VOCABULARY else -1 for w in words] or [-1], np.int32
    )
    return ids, rows, hashes(words)


@given(TEXTS, st.integers(1, 4), st.sets(st.integers(0, BUCKETS - 1)))
def test_bags_are_the_rows_of_known_words_and_runs(texts, longest, used):
    features = Features.of(np.array(sorted(used), np.int64), 3, longest, BUCKETS)
    bags = features.bags(*told(texts))
    assert len(bags) == len(texts)
    row = {bucket: 3 + place for place, bucket in enumerate(sorted(used))}
    for place, words in enumerate(texts):
        wanted = [VOCABULARY.index(word) for word in words if word in VOCABULARY]
        wanted += [row[f] for f in map(fallen, runs(words, longest)) if f in row]
        given_rows = bags.rows[bags.ends[place] : bags.ends[place + 1]]
        assert sorted(given_rows.tolist()) == sorted(wanted)


@given(TEXTS, st.integers(2, 3), st.integers(1, 4))
def test_buckets_that_runs_fall_into_often_enough_have_a_row(texts, longest, least):
    ids, _, made = told(texts)
    features = Features.seen(ids, made, 3, longest, BUCKETS, least)
    found = [fallen(run) for words in texts for run in runs(words, longest)]
    assert features.used.tolist() == sorted({f for f in found if found.count(f) >= least})
    assert features.size == 3 + len(features.used)


def test_taken_bags_stand_in_the_order_asked_for():
    texts = [["sea"], [], ["hill", "sea"], ["né"]]
    bags = Features.of(np.array([], np.int64), 3, 1, 1).bags(*told(texts))
    taken = bags.take(np.array([3, 2, 1, 2]))
    assert taken.rows.tolist() == [2, 1, 0, 1, 0]
    assert taken.ends.tolist() == [0, 1, 3, 3, 5]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_thinned_bags_lose_the_share_at_random_and_nothing_else(share):
    texts = [["sea", "hill", "né"]] * 2000
    bags = Features.of(np.array([], np.int64), 3, 1, 1).bags(*told(texts))
    thinned = bags.thinned(share, np.random.default_rng(0))
    left = np.add.reduceat(np.append(thinned.rows >= 0, False), thinned.ends[:-1])
    assert len(thinned) == 2000
    for row in range(3):  # within five standard deviations of a binomial share
        kept = (thinned.rows == row).sum() / 2000
        assert abs(kept - (1 - share)) <= 5 * np.sqrt(share * (1 - share) / 2000)
    assert share == 0 or left.min() < 3
    inside = [
        thinned.rows[a:b].tolist() for a, b in zip(thinned.ends, thinned.ends[1:], strict=False)
    ]
    assert all(set(rows) <= {0, 1, 2} and rows == sorted(rows) for rows in inside)
