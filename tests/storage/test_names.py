"""Names are patterns, never paths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaceport.errors import ParameterError
from spaceport.storage.names import Number, Reference, check_alias, check_space, parse

NOT_SPACES = [
    "", ".", "..", "../x", "a/b", "/etc/passwd", "a\\b", "a\0b", "Words", "wörter", "a b", "a\n", "-a",
    ".hidden", "_a", "a..b", "a" * 65, "a@b", "~", "%2e%2e", "C:", "a:b",
]  # fmt: skip


@pytest.mark.parametrize("name", NOT_SPACES)
def test_what_is_no_space_is_refused(name: str) -> None:
    with pytest.raises(ParameterError) as caught:
        check_space(name)
    assert len(str(caught.value).split("\n")) == 2


@pytest.mark.parametrize("name", ["a", "0", "words-en", "a.b_c-d", "a" * 64, "w2v.300"])
def test_what_is_a_space_is_taken(name: str) -> None:
    assert check_space(name) == name
    assert parse(name) == Reference(name, None)


@pytest.mark.parametrize(
    "alias", ["", "1", "1live", "Live", "a_b", "a.b", "-a", "a\n", "latest", "a" * 65]
)
def test_what_is_no_alias_is_refused(alias: str) -> None:
    with pytest.raises(ParameterError, match="is not an alias's name"):
        check_alias(alias)


@pytest.mark.parametrize("alias", ["1", "1.0", "1.2.3", "v1", "v1-2", "V2", "2026-01-01"])
def test_an_alias_that_reads_like_a_version_is_refused(alias: str) -> None:
    with pytest.raises(ParameterError, match="it reads like a version"):
        check_alias(alias)
    assert check_alias("vector-search") == "vector-search"


@pytest.mark.parametrize("text", ["w@", "w@1.", "w@.1", "w@1.2.3.4", "w@01", "w@-1", "w@1@2", "w@A", "w@1.x",
                                  "w@١", "w@9999999999", "@1", "w@../x", "w@1\n"])  # fmt: skip
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(ParameterError):
        parse(text)


@given(st.text())
def test_no_text_becomes_a_name_that_leaves_its_folder(text: str) -> None:
    try:
        check_space(text)
    except ParameterError:
        return
    assert not set(text) & set("/\\\0:~")
    assert ".." not in text
    assert text == text.lower().strip()
    assert text.isascii()


numbers = st.builds(Number, *[st.integers(0, 999_999_999)] * 3)


@given(numbers)
def test_a_number_survives_its_text(number: Number) -> None:
    assert Number.parse(str(number)) == number
    assert parse(f"w@{number}").prefix == (number.major, number.minor, number.patch)


@given(st.lists(numbers))
def test_numbers_are_ordered_as_triples(them: list[Number]) -> None:
    triples = [(number.major, number.minor, number.patch) for number in sorted(them)]
    assert triples == sorted(triples)


@pytest.mark.parametrize(
    ("kind", "after"), [("major", "2.0.0"), ("minor", "1.3.0"), ("patch", "1.2.4")]
)
def test_a_bump_resets_what_follows(kind: str, after: str) -> None:
    assert str(Number(1, 2, 3).bump(kind)) == after


@pytest.mark.parametrize("text", ["1", "1.2", "v1.2.3", "1.2.3 ", "1.02.3", "", "1.2.3.4"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ParameterError):
        Number.parse(text)


def test_latest_is_the_same_as_nothing() -> None:
    assert parse("w@latest") == parse("w") == Reference("w")


def test_an_unknown_kind_names_the_choices() -> None:
    with pytest.raises(ParameterError, match="major, minor, patch"):
        Number(1).bump("huge")
