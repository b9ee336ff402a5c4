"""Files of questions, judgements and dictionaries: one thing a line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from spaceport.sources._files import decoded, existing, opened

__all__ = ["lines"]


def lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not empty, with their numbers from 1, stripped at their ends.

    Parameters
    ----------
    path : path-like
        A text file in UTF-8, also packed by gzip, bzip2 or xz; small enough to be held in memory.

    Raises
    ------
    NotFoundError
        There is no such file.
    InputError
        It is no text in UTF-8, or cannot be read.
    """
    there = existing(os.fspath(path))
    with opened(there) as stream:
        text = "".join(decoded(stream, "utf-8", there))
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield number, line.rstrip()
