"""Finding and opening files: globs, folders, archives, compression, encodings.

Everything that can go wrong with a file on its way in is turned here into an error of two lines.
"""

from __future__ import annotations

import bz2
import codecs
import glob
import gzip
import lzma
import os
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import IO, BinaryIO, cast

from spaceport.errors import InputError, NotFoundError, ParameterError

__all__ = [
    "Found",
    "decoded",
    "existing",
    "find",
    "members",
    "opened",
    "packed",
    "text_codec",
    "valid",
    "walk",
]

BLOCK = 1 << 20
_COMPRESSIONS = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\x00", lzma.open))
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Found:
    """A file, and its name relative to the folder or pattern that it was found by."""

    path: Path
    name: str


def find(paths: Sequence[str]) -> list[Found]:
    """Find the files that `paths` mean: files, folders (all below, sorted) and glob patterns.

    Names are unique: the second file of one name is called ``name#2``.

    Raises
    ------
    NotFoundError
        A path that does not exist (near names are told), or a pattern that matches nothing.
    InputError
        A folder that cannot be read, or that holds no file.
    """
    times: Counter[str] = Counter()
    named = []
    for found in (found for path in paths for found in _expand(path)):
        times[found.name] += 1
        again = f"#{times[found.name]}" if times[found.name] > 1 else ""
        named.append(Found(found.path, found.name + again))
    return named


def _expand(path: str) -> list[Found]:
    if glob.has_magic(path) and not os.path.exists(path):
        matches = sorted(glob.glob(os.path.expanduser(path), recursive=True))
        if not matches:
            raise NotFoundError(f"No file matches {path}.", "Check the pattern and the folder.")
        return [found for match in matches if not _hidden(match) for found in _expand(match)]
    there = existing(path)
    if there.is_dir():
        return walk(there)
    return [Found(there, there.name)]


def existing(path: str) -> Path:
    """Give `path` if something is there, else an error that tells near names."""
    there = Path(path).expanduser()
    try:
        there.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(f"There is no file or folder {path}.", _near(there)) from error
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}.", "Check its permissions."
        ) from error
    return there


def walk(folder: Path) -> list[Found]:
    """All files below `folder`, sorted by relative path; hidden ones (a leading dot) are left out."""

    def refuse(error: OSError) -> None:
        raise InputError(
            f"The folder {error.filename} cannot be read: {error.strerror}.",
            "Check its permissions.",
        ) from error

    found = []
    for parent, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not _hidden(name)]
        paths = [Path(parent, name) for name in files if not _hidden(name)]
        found += [Found(path, path.relative_to(folder).as_posix()) for path in paths]
    if not found:
        raise InputError(f"The folder {folder} holds no files.", "Name a folder with files in it.")
    return sorted(found, key=lambda file: file.name)


def members(file: Found) -> Iterator[tuple[str, BinaryIO]]:
    """Yield the name and the open bytes of `file`, or of each file of a tar archive, in its order."""
    with opened(file.path) as stream:
        if not file.path.name.lower().endswith(_ARCHIVES):
            yield file.name, stream
            return
        try:
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for member in archive:
                    content = archive.extractfile(member) if member.isfile() else None
                    if content is not None and not _hidden(member.name):
                        yield f"{file.name}/{member.name}", cast(BinaryIO, content)
        except tarfile.TarError as error:
            raise InputError(
                f"{file.path} is no whole tar archive: {error}.", "Fetch or pack it again."
            ) from error


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open the bytes of a file, unpacked where gzip, bzip2 or xz packed them (told by content)."""
    try:
        with _unpacking(path) as stream:
            yield cast(BinaryIO, stream)
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise InputError(
            f"{path} is truncated or damaged: {error}.", "Fetch or compress the file again."
        ) from error
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or error}.",
            "Check the file and its permissions.",
        ) from error


def packed(path: Path) -> bool:
    """Whether gzip, bzip2 or xz packed the file, so that its size says little."""
    with path.open("rb") as raw:
        return raw.read(6).startswith(tuple(magic for magic, _ in _COMPRESSIONS))


def _unpacking(path: Path) -> IO[bytes]:
    with path.open("rb") as raw:
        head = raw.read(6)
    for magic, unpack in _COMPRESSIONS:
        if head.startswith(magic):
            return cast(IO[bytes], unpack(path, "rb"))
    return path.open("rb")


def text_codec(encoding: str) -> codecs.CodecInfo:
    """Look `encoding` up."""
    try:
        return codecs.lookup(encoding)
    except LookupError as error:
        raise ParameterError(
            f"There is no encoding {encoding!r}.", "Try utf-8, utf-16, latin-1 or cp1252."
        ) from error


def decoded(stream: BinaryIO, encoding: str, name: object) -> Iterator[str]:
    """Yield the text of `stream` in blocks of about a million characters, a leading mark left out.

    Raises
    ------
    InputError
        Bytes that are no text in `encoding` (the offset and a guess are told), or a binary file.
    """
    decoder = text_codec(encoding).incrementaldecoder()
    read, head = 0, b""
    while True:
        block = stream.read(BLOCK)
        head = head or block[:4096]
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            offset = read + len(block) - len(error.object) + error.start
            raise _undecodable(error, name, encoding, offset, head) from error
        if "\0" in text:
            raise _binary(name, head)
        if text:
            yield text.removeprefix("\ufeff") if not read else text
        if not block:
            return
        read += len(block)


def valid(text: str) -> str:
    r"""Put U+FFFD for halves of surrogate pairs, which a literal can spell and UTF-8 cannot hold.

    Examples
    --------
    >>> valid("cut \ud83d short") == "cut \ufffd short"
    True
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _undecodable(
    error: UnicodeDecodeError, name: object, encoding: str, offset: int, head: bytes
) -> InputError:
    marked = _marked(head)
    if not marked and b"\0" in bytes(error.object):
        return _binary(name, head)
    legacy = any(0x80 <= byte < 0xA0 for byte in error.object)
    guess = marked or ("cp1252" if legacy else "latin-1")
    return InputError(
        f"{name} is not {encoding}: byte {error.object[error.start]:#04x} at offset {offset} fits no character.",
        f"Say which encoding it is; encoding={guess!r} is a guess.",
    )


def _binary(name: object, head: bytes) -> InputError:
    guess = _marked(head) or _halves(head)
    if guess:
        return InputError(
            f"{name} holds NUL bytes.", f"It looks like {guess}: say encoding={guess!r}."
        )
    return InputError(
        f"{name} looks binary: it holds NUL bytes.", "Give text; an archive must be unpacked first."
    )


def _marked(head: bytes) -> str | None:
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), None)


def _halves(head: bytes) -> str | None:
    """UTF-16 of Latin text without a mark has NUL in every second byte and nowhere else."""
    for offset, encoding in ((0, "utf-16-be"), (1, "utf-16-le")):
        half, other = head[offset::2], head[1 - offset :: 2]
        if half and half.count(0) > 0.9 * len(half) and not other.count(0):
            return encoding
    return None


def _hidden(path: str) -> bool:
    return os.path.basename(path).startswith(".")


def _near(path: Path) -> str:
    beside: Iterable[str] = ()
    if path.parent.is_dir() and os.access(path.parent, os.R_OK | os.X_OK):
        beside = sorted(entry.name for entry in path.parent.iterdir())
    near = get_close_matches(path.name, list(beside), n=3)
    return f"Did you mean {' or '.join(near)}?" if near else "Check the path."
