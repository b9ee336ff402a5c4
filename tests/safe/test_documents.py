"""Whatever JSON our writers write is read as the standard library reads it; nothing ambiguous is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaceport.errors import CorruptError, InputError
from spaceport.safe import read_json

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(VALUES, st.booleans())
def test_what_is_written_is_read(value: object, ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii)
    assert read_json(text.encode(), "x") == value == json.loads(text)


@given(st.binary(max_size=40))
def test_noise_is_read_as_the_standard_library_reads_it_or_refused(data: bytes) -> None:
    try:
        found = read_json(data, "x")
    except CorruptError:
        return
    assert found == json.loads(data.decode("utf-8"))


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def test_the_limits_are_where_they_are_said_to_be() -> None:
    read_json(nested(64), "x")
    read_json(nested(5), "x", deepest=5)
    read_json(b'"' + b"[" * 500 + b'\\""', "x")  # brackets in a string nest nothing
    read_json(b"[" + b"[]," * 500 + b"[]]", "x")
    read_json(b"[1]", "x", most=3)
    for data, limits in ((nested(65), {}), (nested(6), {"deepest": 5}), (b"[12]", {"most": 3})):
        with pytest.raises(CorruptError, match="x cannot be read: it "):
            read_json(data, "x", **limits)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"a": 1, "a": 2}', "the key 'a' stands twice"),
        (b'{"b": {"a": 1, "\\u0061": 1}}', "the key 'a' stands twice"),
        (b"[NaN]", "it holds NaN"),
        (b"[-Infinity]", "it holds -Infinity"),
        (b"[1e999]", "it holds 1e999, which is beyond any float"),
        (b'["\\ud800"]', "it is not UTF-8"),
        (b'["\xe9"]', "it is not UTF-8"),
        (b"\xef\xbb\xbf1", "BOM"),
        (b"[" * 100_000, "it nests deeper than 64 levels"),
    ],
)
def test_the_reason_is_told(data: bytes, reason: str) -> None:
    with pytest.raises(CorruptError, match=reason):
        read_json(data, "x")


def test_a_whole_surrogate_pair_is_a_letter() -> None:
    assert read_json(b'"\\ud83d\\ude00"', "x") == "\N{GRINNING FACE}"


def test_the_caller_says_what_is_raised() -> None:
    with pytest.raises(InputError, match="x cannot be read") as caught:
        read_json(b"", "x", kind=InputError, remedy="Fetch it again.")
    assert str(caught.value).endswith("\nFetch it again.")
