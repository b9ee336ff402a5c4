"""The two layouts of Mikolov's word2vec: a header ``n d``, then a word and its d numbers per row.

Binary: the word, a blank, d little-endian float32, and with some writers a line feed. Text: fields
with blanks between them, which is also what fastText calls ``.vec``.

Source: the program word2vec.c of Mikolov et al., https://code.google.com/archive/p/word2vec.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np

from spaceport.arrays import Matrix
from spaceport.errors import InputError
from spaceport.sources._files import opened
from spaceport.sources.formats._words import Line, decoded_words, numbered, rows_of_lines
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
_LEAST_TEXT = 2


def header(head: bytes) -> tuple[int, int] | None:
    """The two numbers of the first line, if it holds two numbers and nothing else.

    Examples
    --------
    >>> header(b"20 300\\none 0.1"), header(b"one 0.1 0.2\\n")
    ((20, 300), None)
    """
    fields = head[:_LONGEST_HEADER].partition(b"\n")[0].split()
    if len(fields) != 2 or not all(field.isdigit() for field in fields):
        return None
    return int(fields[0]), int(fields[1])


def is_text(head: bytes) -> bool:
    """A header, and a first row whose fields are numbers as far as they can be seen."""
    said = header(head)
    if said is None:
        return False
    row = head.partition(b"\n")[2].partition(b"\n")[0]
    fields = row.split()[1:]
    if len(fields) < said[1] and len(row) + len(head.partition(b"\n")[0]) + 1 < len(head):
        return False
    seen = fields[:-1] if len(fields) < said[1] else fields
    return bool(fields) and all(_is_number(field) for field in seen)


def is_binary(head: bytes) -> bool:
    """A header, and no text after it."""
    return header(head) is not None and not is_text(head)


def read_text(request: Request) -> Iterator[Rows]:
    """Read the text layout in batches.

    Raises
    ------
    InputError
        A header that lies, ragged rows, fields that are no numbers, words that are not UTF-8.
    """
    path = request.path
    with opened(path) as stream:
        rows, dimension = _header_of(path, stream, _LEAST_TEXT)
        lines = numbered(stream, stream.tell())
        found = 0
        while batch := list(islice(lines, batch_rows(dimension))):
            found += len(batch)
            if found > rows:
                counted(path, rows, found, more=True)
            yield rows_of_lines(path, batch, dimension, request.errors)
        counted(path, rows, found)


def read_binary(request: Request) -> Iterator[Rows]:
    """Read the binary layout in batches.

    Raises
    ------
    InputError
        A header that lies, a truncated file, words that are not UTF-8.
    """
    path = request.path
    with opened(path) as stream:
        rows, dimension = _header_of(path, stream, 4 * dimension_bytes)
        yield from _binary_batches(request, stream, rows, dimension)


def _header_of(path: Path, stream: BinaryIO, number: int) -> tuple[int, int]:
    """Read the header; `number` is the least that a number takes, with its separator."""
    line = stream.readline(_LONGEST_HEADER)
    said = header(line)
    if said is None:
        raise InputError(f"{path} does not start with a header `rows dimension`.", "Say another format=.")
    raw = path.stat().st_size
    packed = is_packed(path)
    claim(path, *said, said[1] * number + 2, None if packed else raw - len(line))
    return said
