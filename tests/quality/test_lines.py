"""Files of one thing a line: read packed too, refused in two lines."""

from __future__ import annotations

import gzip

import pytest

from spaceport.errors import InputError, NotFoundError
from spaceport.quality import analogies, similarity, translation
from spaceport.quality.lines import lines

READERS = [analogies.read_questions, similarity.read_pairs, translation.read_dictionary]


def test_empty_lines_are_left_out_and_numbers_stay(tmp_path) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes("\ufeffcat chat\r\n\r\n dog\tchien \n".encode())
    assert list(lines(path)) == [(1, "cat chat"), (3, " dog\tchien")]
    packed = tmp_path / "words.txt.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert list(lines(packed)) == list(lines(path))


@pytest.mark.parametrize("read", READERS)
def test_a_file_that_is_not_there_tells_near_names(tmp_path, read) -> None:
    (tmp_path / "pairs.tsv").write_text("cat\tchat\n")
    with pytest.raises(NotFoundError, match=r"There is no file or folder .*pair\.tsv") as error:
        read(tmp_path / "pair.tsv")
    assert "pairs.tsv" in error.value.remedy


@pytest.mark.parametrize("read", READERS)
def test_another_encoding_is_told(tmp_path, read) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_bytes("chat\tété\n".encode("latin-1"))
    with pytest.raises(InputError, match="utf-8"):
        read(path)
