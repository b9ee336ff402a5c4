"""Finding, opening and decoding files, and every way in which that goes wrong."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from spaceport.errors import InputError, NotFoundError, ParameterError
from spaceport.sources._files import decoded, existing, find, opened, text_codec, walk


def read(path: Path, encoding: str = "utf-8") -> str:
    with opened(path) as stream:
        return "".join(decoded(stream, encoding, path.name))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.txt", "a.txt", "sub/c.txt", ".hidden", ".git/config"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    return tmp_path


@pytest.fixture
def nobody() -> Iterator[None]:
    """Root may read everything, so the test gives its rights up for a while."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield
    if root:
        os.seteuid(0)


def names(*paths: object) -> list[str]:
    return [file.name for file in find([str(path) for path in paths])]


def test_a_folder_is_walked_sorted_without_what_is_hidden(tree: Path) -> None:
    assert names(tree) == ["a.txt", "b.txt", "sub/c.txt"]


def test_globs_reach_below_and_skip_what_is_hidden(tree: Path) -> None:
    assert names(tree / "*.txt") == ["a.txt", "b.txt"]
    assert names(tree / "**" / "c*") == ["c.txt"]
    assert names(tree / "*") == ["a.txt", "b.txt", "c.txt"]


def test_a_name_that_looks_like_a_pattern_is_a_name_if_it_exists(tmp_path: Path) -> None:
    (tmp_path / "[1].txt").write_text("x")
    (tmp_path / "1.txt").write_text("y")
    assert find([str(tmp_path / "[1].txt")])[0].path.read_text() == "x"


def test_the_second_file_of_a_name_is_told_apart(tree: Path) -> None:
    assert names(tree / "a.txt", tree / "a.txt", tree) == [
        "a.txt",
        "a.txt#2",
        "a.txt#3",
        "b.txt",
        "sub/c.txt",
    ]


def test_a_missing_path_tells_near_names(tree: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no file or folder .*aa\.txt\.\nDid you mean a\.txt"):
        find([str(tree / "aa.txt")])
    with pytest.raises(NotFoundError, match="Check the path"):
        existing(str(tree / "a.txt" / "below"))


def test_a_pattern_without_a_match(tree: Path) -> None:
    with pytest.raises(NotFoundError, match=r"No file matches .*\*\.gz"):
        find([str(tree / "*.gz")])


def test_a_folder_without_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no files"):
        walk(tmp_path)


def test_a_folder_that_may_not_be_read(nobody: None) -> None:
    folder = Path("/proc/1/fd")  # belongs to root on every Linux
    if not folder.parent.exists():
        pytest.skip("this system has no /proc")
    with pytest.raises(
        InputError, match=r"cannot be read: Permission denied.\nCheck its permissions"
    ):
        walk(folder)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_compression_is_told_by_content(tmp_path: Path, pack) -> None:
    path = tmp_path / "any.name"
    path.write_bytes(pack("naïve\n".encode() * 300_000))
    assert read(path) == "naïve\n" * 300_000


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("cut", ["end", "middle", "garbled"])
def test_a_truncated_or_damaged_file(tmp_path: Path, pack, cut: str) -> None:
    whole = bytearray(pack(os.urandom(1 << 16).hex().encode()))
    middle = len(whole) // 2
    if cut == "garbled":
        whole[middle : middle + 200] = bytes(200)
    (tmp_path / "x.gz").write_bytes(whole[: {"end": -4, "middle": middle}.get(cut)])
    with pytest.raises(
        InputError, match=r"x\.gz (is truncated or damaged|cannot be read)"
    ) as caught:
        read(tmp_path / "x.gz")
    assert str(caught.value).count("\n") == 1


@pytest.mark.parametrize("offset", [0, 5, (1 << 20) - 1, (1 << 20) + 7])
def test_the_offset_of_a_wrong_byte_is_told(tmp_path: Path, offset: int) -> None:
    content = bytearray(b"a" * ((1 << 20) + 100))
    content[offset] = 0xE9
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(
        InputError, match=rf"x is not utf-8: byte 0xe9 at offset {offset} "
    ) as caught:
        read(tmp_path / "x")
    assert "encoding='latin-1' is a guess" in str(caught.value)


def test_letters_across_the_border_of_blocks(tmp_path: Path) -> None:
    text = "x" + "é" * (1 << 20)
    (tmp_path / "x").write_text(text, encoding="utf-8")
    assert read(tmp_path / "x") == text


def test_curly_quotes_are_guessed_as_cp1252(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes("“so”".encode("cp1252"))
    with pytest.raises(InputError, match="encoding='cp1252'"):
        read(tmp_path / "x")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-le", "utf-16-be"])
def test_wide_encodings_are_recognized(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "x").write_bytes("the king\n".encode(encoding) * 100)
    with pytest.raises(InputError, match=f"encoding='{encoding}'"):
        read(tmp_path / "x")


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(codecs.BOM_UTF8 + b"king")
    assert read(tmp_path / "x") == "king"
    (tmp_path / "x").write_bytes("king".encode("utf-16"))
    assert read(tmp_path / "x", "utf-16") == "king"


@pytest.mark.parametrize("content", [b"text\0text", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff"])
def test_a_binary_file_is_called_binary(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(InputError, match="x looks binary"):
        read(tmp_path / "x")


def test_an_unknown_encoding() -> None:
    with pytest.raises(ParameterError, match="no encoding 'utf-9'"):
        text_codec("utf-9")
