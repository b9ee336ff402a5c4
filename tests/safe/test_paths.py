"""No name leads out of a folder, on this system or on another, and no link is followed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaceport.errors import CorruptError, ParameterError
from spaceport.safe import check_name, inside
from spaceport.storage.names import check_alias, check_space, parse

BAD = (
    "", ".", "..", "/", "/a", "a/", "a//b", "a/./b", "a/../b", "../a", "a/..", "a\\b", "..\\a", "C:", "C:/a",
    "a\0", "a\n", "\ra", "a\tb", "a b", "~", "~root/a", "$HOME", "a/%2e%2e/b", "é", "a\u202eb", "file:///a",
    "con", "CON", "a/nul", "aux.json", "COM1", "lpt9.txt/a", "PRN.", ".hidden", "a/.ssh", "-rf", "a" * 513,
    "a/" + "b" * 256, None, 5, b"a", ["a"],
)  # fmt: skip
GOOD = (
    "a",
    "a/b/c.json",
    "_versions/1.manifest",
    "spaces/w.o_r-ds/2026-1.lance/data/x",
    "console",
    "a..b",
)


@pytest.mark.parametrize("name", BAD)
def test_bad_names_are_refused(tmp_path: Path, name: object) -> None:
    for look in (check_name, lambda name: inside(tmp_path, name)):
        with pytest.raises(CorruptError) as caught:
            look(name)
        assert str(caught.value).count("\n") == 1


@pytest.mark.parametrize("name", GOOD)
def test_good_names_are_joined(tmp_path: Path, name: str) -> None:
    assert inside(tmp_path, name) == tmp_path / name


@given(st.text())
def test_what_is_taken_stays_below(name: str) -> None:
    root = Path("/store")
    try:
        found = inside(root, name)
    except CorruptError:
        return
    assert found.resolve().is_relative_to(root)
    assert re.fullmatch(r"[A-Za-z0-9._/-]+", name)


def test_links_are_refused_wherever_they_stand(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_text("x")
    (tmp_path / "folder").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "link").symlink_to("file")
    (tmp_path / "dangling").symlink_to("nowhere")
    assert inside(tmp_path, "real/file").read_text() == "x"
    for name in ("folder/file", "folder", "real/link", "dangling", "dangling/x"):
        with pytest.raises(CorruptError, match="is a link"):
            inside(tmp_path, name)
    assert inside(tmp_path / "folder", "file").is_file()  # the root may be one


@pytest.mark.parametrize(
    "name", ["con", "nul.words", "com1", "../words", "a..b", "A", "é", "", "a" * 65, "a/b", "a\n"]
)
def test_no_space_has_such_a_name(name: str) -> None:
    for look in (check_space, parse):
        with pytest.raises(ParameterError):
            look(name)


@pytest.mark.parametrize(
    "name", ["latest", "1", "1.2.3", "Prod", "a b", "a/b", "..", "a\n", "", "a" * 65]
)
def test_no_alias_has_such_a_name(name: str) -> None:
    with pytest.raises(ParameterError):
        check_alias(name)
