"""The index of a large version's ids is published with it and read instead of made."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pytest

from spaceport.errors import CorruptError, NotFoundError
from spaceport.storage import index as indexes
from spaceport.storage import writer as writers
from spaceport.storage.index import IdIndex
from spaceport.storage.store import Record, Store
from storage.hands import Hands, again, spoil

Publish = Callable[..., Record]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(writers, "INDEXED", 3)
    indexes._kept.clear()
    yield
    indexes._kept.clear()


@pytest.fixture
def never_made(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on the index is only read."""

    def forbid() -> None:
        def made(_: object) -> None:
            raise AssertionError("made anew")

        monkeypatch.setattr("spaceport.storage.vectors.IdIndex", made)

    return forbid


def test_each_version_has_its_own(
    store: Store, first: Publish, minor: Publish, never_made: Callable[[], None]
) -> None:
    one = first(store)
    two = minor(store, "words", ["cat"], ["king", "duke"])
    never_made()
    fresh = again(store)
    assert fresh.vectors(one).take(["queen", "cat"]).column("id").to_pylist() == ["queen", "cat"]
    taken = fresh.vectors(two).take(["duke", "dog"], ["vector"])
    whole = fresh.vectors(two).matrix()
    np.testing.assert_array_equal(taken.column("vector").to_pylist(), whole[[3, 0]])
    with pytest.raises(NotFoundError):
        fresh.vectors(two).take(["cat"])
    assert [fresh.verify(record) for record in (one, two)] == [[], []]


def test_a_small_version_has_none(
    store: Store, first: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "INDEXED", 4)
    record = first(store)
    assert writers.INDEX not in store.files(record)
    assert store.vectors(record).take(["cat"]).num_rows == 1


def test_a_spoilt_one_is_refused(store: Store, hands: Hands, first: Publish) -> None:
    record = first(store)
    spoil(hands, f"{record.folder}/{writers.INDEX}")
    indexes._kept.clear()
    with pytest.raises(CorruptError, match="SHA-256"):
        again(store).vectors(record).take(["cat"])
    assert len(store.verify(record)) == 1


def test_it_comes_back_as_it_was_and_fits_its_version() -> None:
    ids = pa.array([f"item-{k}" for k in range(1000)])
    index = IdIndex([ids])
    back = IdIndex.from_bytes(index.to_bytes(), 1000, "x")
    for mine, theirs in zip(index.candidates(ids), back.candidates(ids), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    with pytest.raises(CorruptError, match="999"):
        IdIndex.from_bytes(index.to_bytes(), 999, "x")


def test_the_last_few_are_kept() -> None:
    reads = []

    def read(name: str) -> IdIndex:
        def now() -> IdIndex:
            reads.append(name)
            return IdIndex([pa.array([name])])

        return indexes.kept(name, now)

    names = [f"{k}" for k in range(indexes.KEPT)]
    for name in [*names, *names, "new", names[1], names[0]]:
        read(name)
    assert reads == [*names, "new", names[0]]
