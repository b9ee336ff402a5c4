"""GloVe's text layout: a word and its d numbers per line, fields with blanks between, no header.

Source: Pennington, Socher, Manning 2014; https://nlp.stanford.edu/projects/glove.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from spaceport.arrays import Matrix
from spaceport.errors import InputError
from spaceport.sources._files import opened
from spaceport.sources.formats._words import fields_of, is_number, lines, rows_of, write_lines
from spaceport.sources.formats.base import (
    Format,
    Request,
    Rows,
    batch_rows,
    writable_words,
    writing,
)

__all__ = ["GLOVE"]

_WIDEST = 1 << 16


def _matches(head: bytes) -> bool:
    """A first line of a word and two numbers or more, no tabs between."""
    row = head.partition(b"\n")[0]
    fields = fields_of(row)
    return len(fields) > 2 and b"\t" not in row and all(map(is_number, fields[1:]))


def _read(request: Request) -> Iterator[Rows]:
    path = request.path
    with opened(path) as stream:
        rest = lines(stream, _WIDEST)
        first = next(rest, None)
        if first is None or len(fields_of(first.data)) < 2:
            raise InputError(
                f"{path} does not start with a word and numbers.", "Say another format=."
            )
        dimension = len(fields_of(first.data)) - 1
        rest = chain([first], rest)
        while batch := list(islice(rest, batch_rows(dimension))):
            yield rows_of(path, batch, dimension, request.errors)


def _write(path: Path, ids: Sequence[str], batches: Iterable[Matrix]) -> None:
    writable_words(ids, "glove")
    with writing(path) as stream:
        write_lines(stream, ids, batches, header=False)


GLOVE = Format("glove", (".txt",), _matches, _read, _write)
