from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaceport.errors import ParameterError
from spaceport.tokens import Tokenizer


def oracle(text: str) -> list[str]:
    """The stated rule, character by character; a run of marks without a letter before it is no word."""
    words, word = [], ""
    for char in unicodedata.normalize("NFC", text).lower() + " ":
        mark = unicodedata.category(char) in ("Mn", "Mc")
        if char.isalnum() or (mark and word):
            word += char
        elif word:
            words.append(word)
            word = ""
    return words


@given(st.text())
def test_the_rule_is_the_one_that_is_stated(text: str) -> None:
    assert Tokenizer()(text) == oracle(text)


@pytest.mark.parametrize(
    "text", ["हिन्दी में", "नमस्ते", "naïve cafe\u0301", "Ωμέγα", "straße", "𑀅𑀸 𞤀", "ไทย"]
)
def test_words_of_many_scripts_stay_whole(text: str) -> None:
    assert Tokenizer()(text) == oracle(text)
    assert len(Tokenizer()(text)) == len(text.split())


def test_composed_and_decomposed_text_give_the_same_word() -> None:
    assert Tokenizer()("cafe\u0301") == Tokenizer()("café")


def test_ascii_and_other_text_are_cut_alike() -> None:
    plain = "It read_csv'd 3 files; v2.0!"
    assert Tokenizer()(plain + " é")[:-1] == Tokenizer()(plain)


@pytest.mark.parametrize(
    ("pattern", "what"), [("(", "not a regular expression"), ("(a)b", "capturing group")]
)
def test_a_bad_pattern_is_refused(pattern: str, what: str) -> None:
    with pytest.raises(ParameterError, match=what):
        Tokenizer(pattern)


def test_every_character_of_the_basic_plane_follows_the_rule() -> None:
    """Between letters, where a separator shows; most are split by a table of bytes, not by a pattern."""
    for code in range(0x10000):
        text = f"a{chr(code)}b"
        assert Tokenizer()(text) == oracle(text), hex(code)
