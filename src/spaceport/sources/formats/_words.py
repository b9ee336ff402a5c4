"""Lines of a word and its numbers, as the text layouts of word2vec, fastText and GloVe have them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from spaceport.arrays import Matrix
from spaceport.errors import InputError
from spaceport.sources.formats.base import Rows, checked

__all__ = ["Line", "fields_of", "is_number", "lines", "rows_of", "words_of", "write_lines"]

_SPACE = b" \t\r\n"
_BLANKS = re.compile(rb"[ \t]+")


class Line(NamedTuple):
    """A line of a file, its number from 1, and the offset of its first byte."""

    number: int
    offset: int
    data: bytes


def lines(stream: BinaryIO, dimension: int, number: int = 1, offset: int = 0) -> Iterator[Line]:
    """Yield the lines from here on; one that is far too long comes in parts, which are ragged."""
    longest = 65536 + 64 * dimension
    while data := stream.readline(longest):
        yield Line(number, offset, data)
        number, offset = number + 1, offset + len(data)


def fields_of(line: bytes) -> list[bytes]:
    r"""Cut at blanks and tabs only; words may hold any other white space.

    Examples
    --------
    >>> fields_of(b"form\x0cfeed 1  2 \r\n")
    [b'form\x0cfeed', b'1', b'2']
    """
    return _BLANKS.split(line.rstrip(_SPACE))


def is_number(field: bytes) -> bool:
    """Whether `field` reads as a number."""
    try:
        float(field)
    except ValueError:
        return False
    return b"_" not in field  # Python's way to group digits


def rows_of(path: Path, batch: Sequence[Line], dimension: int, errors: str) -> Rows:
    """Read a word and `dimension` numbers from each line.

    A word may hold blanks (GloVe's largest files have some), but its last part must not be a number:
    that is a row with a number too many.

    Raises
    ------
    InputError
        Ragged rows and fields that are no numbers (the line is told); words that are not UTF-8.
    """
    words, tails = [], []
    for line in batch:
        word, _, tail = line.data.rstrip(_SPACE).partition(b" ")
        words.append(word)
        tails.append(tail)
    vectors = None
    if all(words) and all(tail.count(b" ") == dimension - 1 for tail in tails):
        vectors = _quick(tails, dimension)
    if vectors is None:
        careful = [_careful(path, line, dimension) for line in batch]
        words = [word for word, _ in careful]
        with np.errstate(over="ignore"):
            vectors = np.array([numbers for _, numbers in careful], dtype=np.float32)
    return Rows(words_of(path, words, [line.offset for line in batch], errors), vectors)


def _quick(tails: Sequence[bytes], dimension: int) -> Matrix | None:
    """Parse all numbers in one go; None if one of them is none."""
    try:
        flat = np.fromstring(b" ".join(tails).decode("latin-1"), dtype=np.float32, sep=" ")
    except ValueError:
        return None
    return flat.reshape(len(tails), dimension) if flat.size == len(tails) * dimension else None


def _careful(path: Path, line: Line, dimension: int) -> tuple[bytes, list[float]]:
    found = fields_of(line.data)
    word, fields = b" ".join(found[:-dimension]), found[-dimension:]
    surplus = b" " in word and is_number(found[-dimension - 1])
    if not word or not found[0] or surplus:
        raise InputError(
            f"{path}, line {line.number}: {len(found) - 1} fields after the word where {dimension} are wanted.",
            "Every row needs a word and as many numbers; mend that line or say another format=.",
        )
    bad = [field for field in fields if not is_number(field)]
    if bad:
        raise InputError(
            f"{path}, line {line.number}: {bad[0][:40]!r} is no number.",
            "Mend that line or say another format=.",
        )
    return word, [float(field) for field in fields]


def words_of(path: Path, words: Sequence[bytes], offsets: Sequence[int], errors: str) -> list[str]:
    """Decode words from UTF-8; `offsets` tell where they stand.

    Raises
    ------
    InputError
        Bytes that are not UTF-8, unless `errors` is ``"replace"``.
    """
    try:
        return [word.decode("utf-8", errors) for word in words]
    except UnicodeDecodeError:
        for word, offset in zip(words, offsets, strict=True):
            try:
                word.decode("utf-8")
            except UnicodeDecodeError as error:
                raise InputError(
                    f"{path}: the word {word[:40]!r} is not UTF-8, at byte offset {offset + error.start}.",
                    "Say errors='replace' to put U+FFFD for such bytes.",
                ) from error
        raise


def write_lines(
    stream: BinaryIO, ids: Sequence[str], batches: Iterable[Matrix], header: bool
) -> None:
    """Write a word and its numbers per line; nine digits, so that every float32 comes back the same."""
    start = 0
    for vectors in checked(batches, len(ids)):
        dimension = vectors.shape[1]
        if header and not start:
            stream.write(f"{len(ids)} {dimension}\n".encode())
        row = " ".join(["%s", *["%.9g"] * dimension]) + "\n"
        words = ids[start : start + len(vectors)]
        start += len(vectors)
        rows = zip(words, vectors.tolist(), strict=True)
        stream.write("".join(row % (word, *numbers) for word, numbers in rows).encode("utf-8"))
