"""Running text: lines, ids, markup, archives, very long lines."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaceport.errors import InputError, ParameterError
from spaceport.sources.corpus import LONGEST, Corpus, _lines


def items(source: Corpus) -> dict[str, str]:
    rows = [row for batch in source.batches() for row in batch.to_pylist()]
    assert len({row["id"] for row in rows}) == len(rows)
    return {row["id"]: row["content"] for row in rows}


def test_one_item_per_line_that_is_not_blank(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\n the king \r\n\n\t\nthe queen")
    assert items(Corpus(tmp_path / "a.txt")) == {"a.txt:2": "the king", "a.txt:5": "the queen"}


WIKI = '<doc id="1" url="u" title="A">\nA\n\nmore <doc x> here\n</doc>\n<doc id="2">\nB\n</doc>\n'


@pytest.mark.parametrize(
    ("markup", "lines"),
    [("auto", [2, 4, 7]), ("wikiextractor", [2, 4, 7]), ("none", [1, 2, 4, 5, 6, 7, 8])],
)
def test_wikiextractor_lines_are_markup(tmp_path: Path, markup: str, lines: list[int]) -> None:
    (tmp_path / "wiki").write_text(WIKI)
    assert list(items(Corpus(tmp_path, markup=markup))) == [f"wiki:{line}" for line in lines]


def test_markup_is_told_by_each_files_first_line(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("words\n<doc id=1>\n")
    (tmp_path / "wiki").write_text("\n \n" + WIKI)
    assert list(items(Corpus(tmp_path))) == ["plain:1", "plain:2", "wiki:4", "wiki:6", "wiki:9"]


def test_archives_and_compressed_files(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "n.tar.gz", "w:gz") as archive:
        for name in ("Dickens.txt", "sub/.hidden", "sub/Eliot.txt"):
            member = tarfile.TarInfo(name)
            content = f"by {name}\n".encode()
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    (tmp_path / "z.gz").write_bytes(gzip.compress(b"packed"))
    assert items(Corpus(tmp_path / "*.gz")) == {
        "n.tar.gz/Dickens.txt:1": "by Dickens.txt",
        "n.tar.gz/sub/Eliot.txt:1": "by sub/Eliot.txt",
        "z.gz:1": "packed",
    }


def test_a_damaged_archive(tmp_path: Path) -> None:
    (tmp_path / "n.tar").write_bytes(b"no archive" * 200)
    with pytest.raises(InputError, match="no whole tar archive"):
        items(Corpus(tmp_path / "n.tar"))


@given(st.lists(st.text("ab雪 \t\n", max_size=30), max_size=8), st.integers(1, 40))
def test_cutting_loses_nothing_but_white_space(blocks: list[str], longest: int) -> None:
    pieces = list(_lines(blocks, longest))
    joined = "".join(line for lines, _ in pieces for line in lines)
    assert "".join(joined.split()) == "".join("".join(blocks).split())
    ended = sum(len(lines) - cut for lines, cut in pieces)
    assert ended == "".join(blocks).count("\n") + 1


@given(st.lists(st.sampled_from(["a ", "bb ", "ccc\n", "d\t"]), max_size=200), st.integers(1, 9))
def test_no_word_is_cut_where_there_is_white_space(words: list[str], block: int) -> None:
    text = "".join(words)
    blocks = [text[start : start + block] for start in range(0, len(text), block)]
    lines = [line for part, _ in _lines(blocks, 12) for line in part]
    assert [word for line in lines for word in line.split()] == text.split()
    assert max(map(len, lines)) <= 12 + block


def test_a_very_long_line_is_cut_at_white_space(tmp_path: Path) -> None:
    words = [f"word{number}" for number in range(400_000)]  # 4 MB in one line
    (tmp_path / "a").write_text("first\n" + " ".join(words) + "\nlast\n")
    found = items(Corpus(tmp_path / "a"))
    assert list(found) == ["a:1", "a:2", "a:2.2", "a:2.3", "a:2.4", "a:3"]
    assert " ".join(list(found.values())[1:-1]).split() == words
    assert max(map(len, found.values())) <= 2 * LONGEST


def test_a_long_line_without_white_space_is_cut_too(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(" x" + "雪" * (3 << 20))
    found = items(Corpus(tmp_path / "a"))
    assert "".join(found.values()) == "x" + "雪" * (3 << 20)
    assert list(found) == ["a:1", "a:1.2", "a:1.3"]


def test_a_novel_in_one_line_does_not_fill_the_memory(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.gz", "wb", compresslevel=1) as stream:
        for _ in range(40):
            stream.write(b"it was the best of times " * 40_000)  # 1 MB
    tracemalloc.start()
    read = sum(len(line) for lines in Corpus(tmp_path / "a.gz").contents() for line in lines)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read > 39_000_000
    assert peak < 12_000_000


def test_a_file_named_twice_is_read_twice(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    source = Corpus(tmp_path / "a", tmp_path / "a")
    assert items(source) == {"a:1": "x", "a#2:1": "x"}
    assert source.size() == 2


def test_contents_are_the_lines_without_ids(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("\n\none\ntwo\n\n")
    assert [line for part in Corpus(tmp_path).contents() for line in part] == ["one", "two"]


@pytest.mark.parametrize("text", ["", "\n \n", "<doc id=1>\n</doc>\n"])
def test_no_text_at_all(tmp_path: Path, text: str) -> None:
    (tmp_path / "a").write_text(text)
    with pytest.raises(InputError, match="holds no items"):
        items(Corpus(tmp_path / "a"))
    with pytest.raises(InputError, match="holds no items"):
        list(Corpus(tmp_path / "a").contents())


def test_parameters_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="no path"):
        Corpus()
    with pytest.raises(ParameterError, match="`markup` must be"):
        Corpus(tmp_path, markup="wiki")
    with pytest.raises(ParameterError, match="no encoding"):
        Corpus(tmp_path, encoding="latin-99")


def test_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("Señor\n".encode("latin-1"))
    assert items(Corpus(tmp_path, encoding="latin-1")) == {"a:1": "Señor"}
    with pytest.raises(InputError, match="offset 2"):
        items(Corpus(tmp_path))


def test_the_novels(data: Path) -> None:
    source = Corpus(data / "novels-en" / "novels.tar.gz")
    with tarfile.open(data / "novels-en" / "novels.tar.gz") as archive:
        member = next(m for m in archive if m.isfile())
        content = archive.extractfile(member)
        assert content is not None
        text = content.read().decode("utf-8-sig")
    oracle = [line.strip() for line in text.split("\n") if line.strip()]
    found = []
    for lines in source.contents():
        found += lines
        if len(found) >= len(oracle):
            break
    assert found[: len(oracle)] == oracle
