"""Files that lie many in one place: a folder, a tar or zip archive."""

from __future__ import annotations

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple, TypeAlias

import pyarrow as pa

from spaceport.errors import InputError, ParameterError
from spaceport.sources._files import Found, members, valid, walk

__all__ = ["BYTES", "ROWS", "Chunk", "Content", "chunks", "total_size"]

ROWS, BYTES = 1024, 1 << 26
"""Where a chunk ends."""

_LARGEST = 1 << 30
_TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")

Content: TypeAlias = bytes | str
"""A file's bytes, or (a string) why there are none."""


class Chunk(NamedTuple):
    """Some files: where each stands, its content, and columns that are known without a look into it."""

    places: list[str]
    files: list[Content]
    columns: dict[str, pa.Array]


def chunks(path: Path, endings: Collection[str]) -> Iterator[Chunk]:
    """Yield the files of a folder or an archive, or the one file that `path` is.

    Chunks hold at most 1,024 files, and end when 64 MB are in them. Files without one of `endings` and
    hidden ones are passed over. Archives are streamed and never unpacked to the disk; a member's name
    is only a name. The columns are ``id`` (the relative path) and ``folder`` (the last part of the
    parent's path).

    Raises
    ------
    ParameterError
        The name does not tell what it is.
    InputError
        No file with one of `endings`, or an archive that is damaged.
    """
    none = True
    for chunk in _grouped(_files(path, endings)):
        none = False
        yield chunk
    if none:
        raise InputError(
            f"{path} holds no file that ends in {', '.join(sorted(endings))}.",
            "Check the path, or the files' endings.",
        )


def total_size(path: Path, endings: Collection[str]) -> int:
    """Bytes of the file, or of the folder's files with one of `endings`, as they lie on disk."""
    if not path.is_dir():
        return path.stat().st_size
    return sum(f.path.stat().st_size for f in walk(path) if _ends(f.name, endings))


def _files(path: Path, endings: Collection[str]) -> Iterator[tuple[str, Content]]:
    name = path.name.lower()
    if path.is_dir():
        return _folder(walk(path), endings)
    if name.endswith(_TARS):
        return _tar(path, endings)
    if name.endswith(".zip"):
        return _zip(path, endings)
    if _ends(name, endings):
        return _folder([Found(path, path.name)], endings)
    raise ParameterError(
        f"{path} is no folder, and its name does not tell what it is.",
        f"Give a folder, {', '.join(_TARS)}, .zip, .parquet, or a file that ends in "
        f"{', '.join(sorted(endings))}.",
    )


def _folder(files: Iterable[Found], endings: Collection[str]) -> Iterator[tuple[str, Content]]:
    for found in files:
        if _ends(found.name, endings):
            try:
                with found.path.open("rb") as stream:
                    yield found.name, _limited(stream)
            except OSError as error:
                yield found.name, error.strerror or str(error)


def _tar(path: Path, endings: Collection[str]) -> Iterator[tuple[str, Content]]:
    try:
        for name, stream in members(Found(path, path.name)):
            inside = name.removeprefix(f"{path.name}/").removeprefix("./")
            if _ends(inside, endings):
                yield inside, _limited(stream)
    except (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise _damaged(path, "tar", error) from error


def _zip(path: Path, endings: Collection[str]) -> Iterator[tuple[str, Content]]:
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if _ends(member.filename, endings):
                    yield member.filename, _member(archive, member)
    except (zipfile.BadZipFile, OSError) as error:
        raise _damaged(path, "zip", error) from error


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Content:
    if member.flag_bits & 1:
        return "it is encrypted"
    try:
        with archive.open(member) as stream:
            return _limited(stream)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error) as error:
        return str(error)


def _damaged(path: Path, kind: str, error: Exception) -> InputError:
    return InputError(f"{path} is no whole {kind} archive: {error}.", "Fetch or pack it again.")


def _limited(stream: IO[bytes]) -> Content:
    data = stream.read(_LARGEST + 1)
    return data if len(data) <= _LARGEST else f"it is larger than {_LARGEST:,} bytes"


def _ends(name: str, endings: Collection[str]) -> bool:
    return PurePosixPath(name).suffix.lower() in endings and not _hidden(name)


def _hidden(name: str) -> bool:
    return any(part.startswith(".") and part != ".." for part in name.split("/"))


def _grouped(files: Iterable[tuple[str, Content]]) -> Iterator[Chunk]:
    names: list[str] = []
    contents: list[Content] = []
    weight = 0
    for name, content in files:
        names.append(valid(name))
        contents.append(content)
        weight += len(content)
        if len(names) == ROWS or weight > BYTES:
            yield _named(names, contents)
            names, contents, weight = [], [], 0
    if names:
        yield _named(names, contents)


def _named(names: list[str], contents: list[Content]) -> Chunk:
    folders = [PurePosixPath(name).parent.name or None for name in names]
    columns = {"id": pa.array(names, pa.string()), "folder": pa.array(folders, pa.string())}
    return Chunk(names, contents, columns)
