"""A store's files by other means than the store's own, and a store opened anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from spaceport.storage.database import Database
from spaceport.storage.store import Store


class Hands(Protocol):
    """Reach into a store's place."""

    def names(self) -> set[str]: ...
    def read(self, name: str) -> bytes: ...
    def write(self, name: str, data: bytes) -> None: ...
    def remove(self, name: str) -> None: ...


class InFolder:
    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> set[str]:
        files = (path for path in self.root.rglob("*") if not path.is_dir())
        return {path.relative_to(self.root).as_posix() for path in files}

    def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_bytes(data)

    def remove(self, name: str) -> None:
        (self.root / name).unlink()


class InBucket:
    def __init__(self, client: Any, uri: str) -> None:
        self._client = client
        self._bucket, _, self._prefix = uri.removeprefix("s3://").partition("/")

    def names(self) -> set[str]:
        found: set[str] = set()
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket):
            found |= {item["Key"] for item in page.get("Contents", ())}
        start = f"{self._prefix}/"
        assert all(name.startswith(start) for name in found), "an object beside the store's prefix"
        return {name.removeprefix(start) for name in found if not name.endswith("/")}

    def read(self, name: str) -> bytes:
        data: bytes = self._client.get_object(**self._at(name))["Body"].read()
        return data

    def write(self, name: str, data: bytes) -> None:
        self._client.put_object(**self._at(name), Body=data)

    def remove(self, name: str) -> None:
        self._client.delete_object(**self._at(name))

    def _at(self, name: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": f"{self._prefix}/{name}"}


def again(store: Store) -> Store:
    """The same store, opened anew."""
    return Store(store.place, Database(store._foundation.database.url))


def spoil(hands: Hands, name: str) -> None:
    """Flip one bit in the middle of a file."""
    data = bytearray(hands.read(name))
    data[len(data) // 2] ^= 1
    hands.write(name, bytes(data))


Publish = Callable[..., Any]
