"""Chunks that are remembered give the rows that the tokenizer gives for the whole text."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spaceport.encoders import _chunks
from spaceport.encoders._chunks import Chunks, plain

tokenizers = pytest.importorskip("tokenizers", reason="needs the extra `static`")

BLANKS = [" ", "  ", "\t", "\n", "\r\n", "\x0b", "\x0c", "\x00", "\x1c", "\x85", "\u00a0", "\u2003"]
BLANKS += ["\u2028", "\u3000", "\u200b", "\u180e", "\ufeff", "\u0301", ""]
PARTS = [
    "sea",
    "SEA",
    "hill,town",
    "naïve",
    "nai\u0308ve",
    "雪",
    "new\u0301",
    "[MASK]",
    "[MA",
    "SK]",
]
PARTS += ["don't", "x" * 101, "\U0001f680", "ẞ", "İ", "Σς", "\ufffd", "\ue000", "ﬁ", "\u0301"]
TEXTS = st.lists(
    st.lists(st.sampled_from([*PARTS, *BLANKS]) | st.text(max_size=4), max_size=12).map("".join),
    max_size=6,
)
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def bert(**normalizer):
    """A WordPiece tokenizer that knows some words, and letters."""
    letters = [chr(code) for code in range(33, 127)] + ["雪", "é", "ς", "σ", "ß", "ﬁ"]
    words = ["sea", "hill", "town", "naive", "##s", "new", "mask"]
    tokens = [*SPECIAL, *words, *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = {token: place for place, token in enumerate(dict.fromkeys(tokens))}
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = tokenizers.normalizers.BertNormalizer(**normalizer)
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    made.add_special_tokens(SPECIAL)
    return made


def bytes_of_words():
    """A tokenizer to which the blank before a word belongs."""
    made = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token=None))
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=300, show_progress=False,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    made.train_from_iterator(["sea hill town sea hill sea"], trainer)
    return made


MADE = {
    "lower": bert(),
    "cased": bert(lowercase=False),
    "accents": bert(strip_accents=False),
    "together": bert(handle_chinese_chars=False),
    "unclean": bert(clean_text=False),
    "bytes": bytes_of_words(),
}


def rows(read, place):
    chunks = read.chunks[read.text_ends[place] : read.text_ends[place + 1]]
    return [
        int(row)
        for chunk in chunks
        for row in read.rows[read.chunk_ends[chunk] : read.chunk_ends[chunk + 1]]
    ]


def whole(fast, text):
    """What the tokenizer says of the whole text, without special and unknown tokens."""
    left = {fast.token_to_id(token) for token in SPECIAL}
    return [id for id in fast.encode(text, add_special_tokens=False).ids if id not in left]


REMEMBERING = {name: Chunks(fast.to_str()) for name, fast in MADE.items()}


@pytest.mark.parametrize("name", list(MADE))
@given(TEXTS)
@example(["sea\x00hill", "\x00", "sea\x0bhill \x1c town"])
@example(["", " ", "sea", ""])
def test_rows_are_the_tokenizers(name, texts):
    read = REMEMBERING[name].read(texts)
    assert len(read.text_ends) == len(texts) + 1
    for place, text in enumerate(texts):
        assert rows(read, place) == whole(MADE[name], text)


def test_only_tokenizers_of_berts_kind_are_cut():
    def short(made):
        return Chunks(made.to_str())._apart

    assert {name: short(made) for name, made in MADE.items()} == {
        "lower": True,
        "cased": True,
        "accents": True,
        "together": True,
        "unclean": True,
        "bytes": False,
    }
    blank = bert()
    blank.add_tokens(["new york"])
    assert not short(blank)


def test_an_added_token_over_a_blank_is_found():
    made = bert()
    made.add_tokens(["new york"])
    read = Chunks(made.to_str()).read(["sea new york"])
    assert rows(read, 0) == [made.token_to_id("sea"), made.token_to_id("new york")]


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_a_large_table_finds_each_chunk(threads):
    """More chunks than the hash table has slots at first, so that it grows several times."""
    chunks, random = Chunks(MADE["lower"].to_str()), np.random.default_rng(0)
    texts = [
        " ".join(f"sea{number}" for number in random.integers(0, 20_000, 9)) for _ in range(4000)
    ]
    for _ in range(2):
        read = chunks.read(texts, threads)
        assert chunks._met.size == len({part for text in texts for part in text.split()})
        for place in range(0, 4000, 97):
            assert rows(read, place) == whole(MADE["lower"], texts[place])


def test_a_lone_surrogate_is_a_question_mark():
    read = Chunks(MADE["lower"].to_str()).read(["sea\ud800 hill", "sea? hill"])
    assert rows(read, 0) == rows(read, 1)


def test_counts_are_those_of_all_rows():
    chunks = Chunks(MADE["lower"].to_str())
    chunks.read(["town hill unheard"])
    texts = ["sea sea hills", "", "sea's"]
    wanted = np.bincount(
        [row for text in texts for row in whole(MADE["lower"], text)], minlength=chunks.size
    )
    np.testing.assert_array_equal(chunks.read(texts).counts(chunks.size), wanted)


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(_chunks, "_MOST", 50)
    chunks = Chunks(MADE["lower"].to_str())
    for start in range(0, 400, 10):
        texts = [f"sea{number} hill" for number in range(start, start + 10)]
        read = chunks.read(texts)
        assert [rows(read, place) for place in range(10)] == [
            whole(MADE["lower"], text) for text in texts
        ]
        assert chunks._met.size <= 50 + 20


def test_several_threads_may_read_at_once():
    chunks = Chunks(MADE["lower"].to_str())
    batches = [[f"sea{a}{b} hill{b}" for b in range(50)] for a in range(40)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(chunks.read, batches))
    for read, texts in zip(found, batches, strict=True):
        assert [rows(read, place) for place in range(50)] == [
            whole(MADE["lower"], text) for text in texts
        ]


def test_a_plain_tokenizer_neither_cuts_nor_fills_up():
    made = bert()
    made.enable_truncation(2)
    made.enable_padding(length=9)
    again = tokenizers.Tokenizer.from_str(plain(made.to_str()))
    assert len(again.encode("sea hill town new").ids) == 4
    told, kept = json.loads(made.to_str()), json.loads(plain(made.to_str()))
    assert {key for key in told if told[key] != kept[key]} == {"truncation", "padding"}
