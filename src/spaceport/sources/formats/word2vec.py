"""The two layouts of word2vec: a header ``n d``, then n rows of a word and its d numbers.

Binary: the word, a blank, d little-endian float32, and from some writers a line feed. Text: fields
with blanks between them, which is also what fastText calls ``.vec``.

Source: the program word2vec.c of Mikolov et al. 2013, https://code.google.com/archive/p/word2vec.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np

from spaceport.arrays import Matrix
from spaceport.errors import InputError
from spaceport.sources._files import opened, packed
from spaceport.sources.formats._words import (
    fields_of,
    is_number,
    lines,
    rows_of,
    words_of,
    write_lines,
)
from spaceport.sources.formats.base import (
    Format,
    Request,
    Rows,
    batch_rows,
    checked,
    claim,
    counted,
    writable_words,
    writing,
)

__all__ = ["BINARY", "TEXT"]

_LONGEST_HEADER = 64
_LONGEST_WORD = 1 << 16
_BLOCK = 1 << 20


def header(head: bytes) -> tuple[int, int] | None:
    r"""The two numbers of the first line, if it holds two numbers and nothing else.

    Examples
    --------
    >>> header(b"20 300\none 0.1"), header(b"one 0.1 0.2\n")
    ((20, 300), None)
    """
    fields = head[:_LONGEST_HEADER].partition(b"\n")[0].split()
    if len(fields) != 2 or not all(field.isdigit() for field in fields):
        return None
    return int(fields[0]), int(fields[1])


def _is_text(head: bytes) -> bool:
    """A header, and a first row whose fields are numbers as far as they can be seen."""
    if header(head) is None:
        return False
    row, ended, _ = head.partition(b"\n")[2].partition(b"\n")
    fields = fields_of(row)[1:] if ended or b"\0" not in row else [b"\0"]
    seen = fields if ended else fields[:-1]
    return bool(fields) and all(map(is_number, seen))


def _is_binary(head: bytes) -> bool:
    return header(head) is not None and not _is_text(head)


def _read_text(request: Request) -> Iterator[Rows]:
    path = request.path
    with opened(path) as stream:
        rows, dimension, offset = _said(path, stream, 2)
        rest = lines(stream, dimension, 2, offset)
        found = 0
        while batch := list(islice(rest, batch_rows(dimension))):
            found += len(batch)
            if found > rows:
                counted(path, rows, found, more=True)
            yield rows_of(path, batch, dimension, request.errors)
        counted(path, rows, found)


def _said(path: Path, stream: BinaryIO, least: int) -> tuple[int, int, int]:
    """Rows, dimension and the header's length; a number takes `least` bytes or more."""
    line = stream.readline(_LONGEST_HEADER)
    said = header(line)
    if said is None:
        raise InputError(
            f"{path} does not start with a header `rows dimension`.", "Say another format=."
        )
    room = None if packed(path) else path.stat().st_size - len(line)
    claim(path, *said, least * said[1] + 1, room)
    return *said, len(line)


def _read_binary(request: Request) -> Iterator[Rows]:
    path = request.path
    with opened(path) as stream:
        rows, dimension, offset = _said(path, stream, 4)
        reader = _BinaryRows(stream, dimension, offset)
        for start in range(0, rows, batch_rows(dimension)):
            wanted = min(batch_rows(dimension), rows - start)
            words, offsets, vectors = reader.take(wanted)
            counted(path, rows, rows if len(words) == wanted else start + len(words))
            yield Rows(words_of(path, words, offsets, request.errors), vectors)
        counted(path, rows, rows, more=reader.more())


class _BinaryRows:
    """Rows of the binary layout, through a buffer that remembers where it stands in the file."""

    def __init__(self, stream: BinaryIO, dimension: int, offset: int) -> None:
        self._stream = stream
        self._dimension = dimension
        self._start = offset
        self._at = 0
        self._buffer = b""

    def take(self, count: int) -> tuple[list[bytes], list[int], Matrix]:
        """Read `count` words with their offsets and vectors, fewer at the end of the file."""
        words: list[bytes] = []
        offsets: list[int] = []
        vectors: list[Matrix] = []
        while len(words) < count and (blank := self._next_blank()) >= 0:
            raw = self._buffer[self._at : blank]
            word = raw.lstrip(b"\n")
            words.append(word)
            offsets.append(self._start + blank - len(word))
            vectors.append(np.frombuffer(self._buffer, "<f4", self._dimension, blank + 1))
            self._at = blank + 1 + 4 * self._dimension
        stacked = np.array(vectors, dtype=np.float32).reshape(len(words), self._dimension)
        return words, offsets, stacked

    def _next_blank(self) -> int:
        """Where the next word ends, its vector being in the buffer too; -1 if the file ends before."""
        while True:
            blank = self._buffer.find(b" ", self._at)
            if 0 <= blank <= len(self._buffer) - 1 - 4 * self._dimension:
                return blank
            if blank < 0 and len(self._buffer) - self._at > _LONGEST_WORD:
                return -1
            block = self._stream.read(_BLOCK)
            if not block:
                return -1
            self._start += self._at
            self._buffer, self._at = self._buffer[self._at :] + block, 0

    def more(self) -> bool:
        """Whether anything but a line feed is left."""
        return bool((self._buffer[self._at :] + self._stream.read(2)).strip(b"\n"))


def _write_text(path: Path, ids: Sequence[str], batches: Iterable[Matrix]) -> None:
    writable_words(ids, "word2vec-text")
    with writing(path) as stream:
        write_lines(stream, ids, batches, header=True)


def _write_binary(path: Path, ids: Sequence[str], batches: Iterable[Matrix]) -> None:
    writable_words(ids, "word2vec")
    with writing(path) as stream:
        start = 0
        for vectors in checked(batches, len(ids)):
            if not start:
                stream.write(f"{len(ids)} {vectors.shape[1]}\n".encode())
            words = ids[start : start + len(vectors)]
            start += len(vectors)
            rows = zip(words, vectors.astype("<f4"), strict=True)
            stream.write(
                b"".join(word.encode() + b" " + row.tobytes() + b"\n" for word, row in rows)
            )


TEXT = Format("word2vec-text", (".vec", ".txt"), _is_text, _read_text, _write_text)
BINARY = Format("word2vec", (".bin",), _is_binary, _read_binary, _write_binary)
