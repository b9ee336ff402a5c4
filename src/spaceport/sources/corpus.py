"""Running text to learn words from: plain files, compressed files, archives, folders and globs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import ClassVar

import pyarrow as pa

from spaceport.errors import InputError, ParameterError
from spaceport.sources._files import decoded, find, members, text_codec
from spaceport.sources.base import ROWS, Source

__all__ = ["Corpus"]

LONGEST = 1 << 20
_MARKUP = ("<doc ", "</doc>")
_SCHEMA = pa.schema([("id", pa.string()), ("content", pa.string())])


class Corpus(Source):
    r"""Running text, one item per line that is not blank; streamed, never wholly in memory.

    How a line becomes words is no matter of the source: that rule is `spaceport.tokens.Tokenizer`,
    and it is a parameter of the encoders.

    Parameters
    ----------
    *paths : str or path
        Files, folders (all files below, sorted by path, hidden ones left out) and glob patterns.
        gzip, bzip2 and xz are unpacked; a tar archive stands for the files in it. A file that is
        named twice is read twice.
    markup : {"auto", "none", "wikiextractor"}
        ``"wikiextractor"`` leaves out the lines ``<doc …>`` and ``</doc>``; ``"auto"`` does so in
        each file whose first line that is not blank starts with ``<doc ``.
    encoding : str
        Of all the files.

    Notes
    -----
    The id of an item is ``file:line``, the line counted from 1 in the unpacked file. A line of more
    than about a million characters is cut at white space; its parts are ``file:1``, ``file:1.2``, …
    White space around a line is left out.

    Raises
    ------
    NotFoundError
        No such path, or a pattern without a match.
    InputError
        No text at all, a binary file, another encoding, a truncated file.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     written = Path(folder, "two.txt").write_text("the king\n\nthe queen\n")
    ...     next(Corpus(folder).batches()).to_pylist()
    [{'id': 'two.txt:1', 'content': 'the king'}, {'id': 'two.txt:3', 'content': 'the queen'}]
    """

    modality: ClassVar[str] = "words"
    unique_ids: ClassVar[bool] = True

    def __init__(
        self, *paths: str | os.PathLike[str], markup: str = "auto", encoding: str = "utf-8"
    ) -> None:
        self.paths = tuple(os.fspath(path) for path in paths)
        self.markup = markup
        self.encoding = encoding
        if not paths:
            raise ParameterError("`corpus` was given no path.", "Name files, folders or patterns.")
        if markup not in ("auto", "none", "wikiextractor"):
            raise ParameterError(
                f"`markup` must be auto, none or wikiextractor. Got {markup!r}.",
                "Choose one of them.",
            )
        text_codec(encoding)

    def size(self) -> int:
        """Bytes of the files as they lie on disk."""
        return sum(file.path.stat().st_size for file in find(self.paths))

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield the lines with their ids."""
        for name, blocks in self._files():
            for rows in _numbered(name, blocks):
                for start in range(0, len(rows), ROWS):
                    ids, contents = zip(*rows[start : start + ROWS], strict=True)
                    yield pa.record_batch([pa.array(ids), pa.array(contents)], schema=_SCHEMA)

    def contents(self) -> Iterator[list[str]]:
        """Yield only the lines, without ids and without Arrow; the quick way for word encoders.

        Raises
        ------
        InputError
            No text at all.
        """
        empty = True
        for _, blocks in self._files():
            for lines, _ in blocks:
                if kept := [line for line in lines if line]:
                    empty = False
                    yield kept
        if empty:
            raise InputError(f"{self.spec} holds no items.", "Check the path and the format.")

    def _files(self) -> Iterator[tuple[str, Iterator[tuple[list[str], bool]]]]:
        """Yield each file's name and its lines, stripped; blank and markup lines are empty."""
        for file in find(self.paths):
            for name, stream in members(file):
                yield name, _cleaned(_lines(decoded(stream, self.encoding, name)), self.markup)


def _lines(blocks: Iterable[str], longest: int = LONGEST) -> Iterator[tuple[list[str], bool]]:
    """Yield lists of lines; True where the last of a list is cut and goes on in the next list."""
    rest = ""
    for block in blocks:
        lines = (rest + block).split("\n")
        rest = lines.pop()
        cut = len(rest) > longest
        if cut:
            head, rest = _cut(rest)
            lines.append(head)
        if lines:
            yield lines, cut
    yield [rest], False


def _cut(text: str) -> tuple[str, str]:
    """Cut at the last white space, or at the end where that would leave most of the text behind."""
    parts = text.rsplit(None, 1)
    if text[-1].isspace() or len(parts) < 2 or 2 * len(parts[1]) > len(text):
        return text, ""
    return parts[0], parts[1]


def _cleaned(
    blocks: Iterator[tuple[list[str], bool]], markup: str
) -> Iterator[tuple[list[str], bool]]:
    for lines, cut in blocks:
        stripped = [line.strip() for line in lines]
        if markup == "auto" and (first := next(filter(None, stripped), None)):
            markup = "wikiextractor" if first.startswith("<doc ") else "none"
        if markup == "wikiextractor":
            stripped = ["" if line.startswith(_MARKUP) else line for line in stripped]
        yield stripped, cut


def _numbered(
    name: str, blocks: Iterator[tuple[list[str], bool]]
) -> Iterator[list[tuple[str, str]]]:
    """Yield (id, line) of the lines that are not empty."""
    number, part = 1, 1
    for lines, cut in blocks:
        rows = []
        last = number + len(lines) - 1
        for at, line in enumerate(lines, number):
            if line:
                rows.append((f"{name}:{at}" + (f".{part}" if part > 1 else ""), line))
            if at < last or not cut:
                part = 1
        number, part = (last, part + 1) if cut else (last + 1, 1)
        yield rows
