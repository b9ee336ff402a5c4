"""A place that is a bucket of an S3 server, or what lies below a prefix there."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from spaceport.errors import ParameterError, StoreError
from spaceport.safe import check_name
from spaceport.storage.files import Entry, listing, measure
from spaceport.storage.places import Place
from spaceport.storage.s3 import explanation, file_system, lance_options

__all__ = ["Bucket"]

_URI = re.compile(
    r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?P<prefix>(?:/[A-Za-z0-9!_.()=-]+)*)/?"
)
CHUNK = 4 << 20
AT_ONCE = 8


class Bucket(Place):
    """Objects of a bucket; an object is there whole once the server has said so.

    What is put here is read back and hashed before the catalog may list it: a server's checksum is
    not the SHA-256 of the whole object everywhere.

    Parameters
    ----------
    path : str
        ``bucket/prefix``.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    @classmethod
    def parse(cls, uri: str) -> Bucket:
        """Read ``s3://bucket/prefix``.

        Raises
        ------
        ParameterError
            Another scheme, or characters that mean something to a server on the way.

        Examples
        --------
        >>> print(Bucket.parse("s3://models/spaces/"))
        s3://models/spaces
        """
        found = _URI.fullmatch(uri)
        if found is None or {".", ".."} & set(uri.split("/")):
            raise ParameterError(
                f"{uri} is neither a folder nor a bucket that can hold a store.",
                "Write s3://bucket/prefix, with letters, digits and !_.()=- in the prefix.",
            )
        return cls(found["bucket"] + found["prefix"])

    def __truediv__(self, inside: str) -> Bucket:
        return Bucket(self._key(inside))

    def __str__(self) -> str:
        return f"s3://{self.path}"

    @property
    def uri(self) -> str:
        """``s3://bucket/prefix``."""
        return str(self)

    @property
    def options(self) -> dict[str, str]:
        """Endpoint and region; no keys."""
        return lance_options()

    @property
    def disk(self) -> Path:
        """Where passing files go."""
        return Path(tempfile.gettempdir())

    def listing(self) -> dict[str, int]:
        """Every object below."""
        start = len(self.path) + 1
        return {
            info.path[start:]: info.size for info in self._infos(recursive=True) if info.is_file
        }

    def folders(self) -> list[str]:
        """What stands before the next ``/``."""
        return sorted(info.base_name for info in self._infos(recursive=False) if not info.is_file)

    def size(self, name: str) -> int | None:
        """Bytes of an object."""
        with self.working():
            (info,) = self._files.get_file_info([self._key(name)])
        return info.size if info.is_file else None

    def read(self, name: str) -> bytes:
        """Read an object whole."""
        with self.working(), self._files.open_input_stream(self._key(name)) as stream:
            data: bytes = stream.read()
            return data

    def measure(self, name: str) -> Entry:
        """Read an object through; nothing but the hash is kept."""
        digest, size = hashlib.sha256(), 0
        for chunk in self._chunks(name):
            digest.update(chunk)
            size += len(chunk)
        return Entry(name, size, digest.hexdigest())

    def fetch(self, entry: Entry, local: Path) -> Path:
        """Copy the object, unless the copy of an earlier call is what it should be."""
        path = local / check_name(entry.path)
        if path.is_file() and measure(path, entry.path) == entry:
            return path
        self._copy(entry, path)
        return path

    def make(self) -> None:
        """Leave it to the first object: prefixes are no things of their own."""

    def write(self, name: str, data: bytes) -> None:
        """Put an object in one request."""
        with self.working(), self._files.open_output_stream(self._key(name)) as stream:
            stream.write(data)

    def stage(self, local: Path) -> Path:
        """Make a folder for what `bring` puts here."""
        local.mkdir(parents=True)
        return local

    def bring(self, staged: Path) -> list[Entry]:
        """Put the files here, and read each back."""
        with ThreadPoolExecutor(AT_ONCE, "spaceport-bring") as pool:
            names = sorted(listing(staged))
            return list(pool.map(lambda name: self._bring(staged, name), names))

    def forget(self, staged: Path) -> None:
        """Remove the folder, and the one that held it if nothing else is in it."""
        shutil.rmtree(staged, ignore_errors=True)
        with suppress(OSError):
            staged.parent.rmdir()

    def seal(self, name: str) -> Entry:
        """Read the object back."""
        return self.measure(name)

    def settle(self, names: Iterable[str]) -> None:
        """Have nothing to do: an object and its name are one."""

    def prune(self, names: Iterable[str]) -> None:
        """Delete objects."""
        with self.working(), ThreadPoolExecutor(AT_ONCE, "spaceport-prune") as pool:
            list(pool.map(self._delete, names))

    def tidy(self) -> None:
        """Have nothing to do: prefixes are no things of their own."""

    def drop(self) -> None:
        """Have nothing to do, either."""

    @contextmanager
    def writable(self) -> Iterator[str]:
        """Give the URI: Lance puts objects only where there are none (If-None-Match)."""
        yield str(self)

    def explain(self, error: Exception) -> StoreError | None:
        """Tell a server that is down, refuses, or has no such bucket."""
        return explanation(error, str(self))

    @property
    def _files(self) -> Any:
        return file_system(self.path.partition("/")[0])

    def _key(self, name: str) -> str:
        return f"{self.path}/{check_name(name)}"

    def _infos(self, recursive: bool) -> list[Any]:
        from pyarrow.fs import FileSelector

        selector = FileSelector(self.path, recursive=recursive, allow_not_found=True)
        with self.working():
            infos: list[Any] = self._files.get_file_info(selector)
            if not infos:
                self._check_bucket()
        return infos

    def _check_bucket(self) -> None:
        """Tell an empty place from a bucket that there is not."""
        (info,) = self._files.get_file_info([self.path.partition("/")[0]])
        if info.type.name == "NotFound":
            raise OSError("NO_SUCH_BUCKET")

    def _chunks(self, name: str) -> Iterator[bytes]:
        with self.working(), self._files.open_input_stream(self._key(name)) as stream:
            while chunk := stream.read(CHUNK):
                yield chunk

    def _bring(self, staged: Path, name: str) -> Entry:
        entry = measure(staged / name, name)
        with (
            self.working(),
            (staged / name).open("rb") as file,
            self._files.open_output_stream(self._key(name)) as stream,
        ):
            while chunk := file.read(CHUNK):
                stream.write(chunk)
        if self.measure(name) != entry:
            raise StoreError(
                f"{self}/{name} did not arrive as it was sent.",
                "Run it again; nothing was published.",
            )
        return entry

    def _copy(self, entry: Entry, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            try:
                for chunk in self._chunks(entry.path):
                    file.write(chunk)
                file.flush()
                if measure(Path(file.name), entry.path) != entry:
                    raise self.corrupt(entry.path, "is not what the catalog lists")
                os.replace(file.name, path)
            except FileNotFoundError as error:
                raise self.corrupt(entry.path, "is missing") from error
            finally:
                Path(file.name).unlink(missing_ok=True)

    def _delete(self, name: str) -> None:
        try:
            self._files.delete_file(f"{self.path}/{name}")  # whatever its name is
        except FileNotFoundError:
            return
