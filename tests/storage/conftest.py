"""Small versions to publish, for the tests of the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from spaceport.storage.bucket import Bucket
from spaceport.storage.names import Number
from spaceport.storage.store import Record, Store, open_store
from storage.hands import Hands, InBucket, InFolder


def rows(ids: Sequence[str], dimension: int = 8, seed: int = 0) -> pa.RecordBatch:
    """A batch with an id and a random vector for each of `ids`."""
    values = np.random.default_rng(seed).random(len(ids) * dimension, dtype=np.float32)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(values), dimension)
    return pa.record_batch({"id": pa.array(ids, pa.string()), "vector": vectors})


def first(
    store: Store, space: str = "words", ids: Sequence[str] = ("cat", "dog", "queen")
) -> Record:
    """Publish 1.0.0."""
    batch = rows(ids)
    with store.writing(space) as writer:
        (writer.folder / "card.json").write_text('{"measured": 1}')
        writer.create_vectors(batch.schema, [batch])
        return writer.publish(Number(1), contract={"metric": "cosine"}, fingerprint="a" * 64)


def minor(
    store: Store, space: str, remove: Sequence[str], add: Sequence[str], seed: int = 1
) -> Record:
    """Publish the next minor."""
    with store.writing(space) as writer:
        assert writer.latest is not None
        (writer.folder / "card.json").write_text(f'{{"measured": {seed}}}')
        added = [rows(add, writer.latest.dimension, seed)] if add else []
        writer.extend_vectors(writer.latest, remove, added)
        number = writer.latest.number.bump("minor")
        return writer.publish(number, contract={"metric": "cosine"}, fingerprint="a" * 64)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store that is not made yet."""
    return open_store(tmp_path / "store")


@pytest.fixture(params=["folder-sqlite", "folder-postgresql", "bucket-sqlite", "bucket-postgresql"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store that is not made yet, in each kind of place with each kind of catalog."""
    place, _, catalog = request.param.partition("-")
    where = request.getfixturevalue("bucket_uri") if place == "bucket" else tmp_path / "store"
    if catalog == "postgresql":
        return open_store(where, request.getfixturevalue("postgres_url"))
    return open_store(where, f"sqlite:///{tmp_path}/catalog.sqlite" if place == "bucket" else None)


@pytest.fixture
def hands(store: Store, request: pytest.FixtureRequest) -> Hands:
    """The files of `store`, by other means than its own."""
    if isinstance(store.place, Bucket):
        return InBucket(request.getfixturevalue("s3").client(), str(store.place))
    return InFolder(store.root)


@pytest.fixture(name="rows")
def _rows() -> Callable[..., pa.RecordBatch]:
    return rows


@pytest.fixture(name="first")
def _first() -> Callable[..., Record]:
    return first


@pytest.fixture(name="minor")
def _minor() -> Callable[..., Record]:
    return minor
