"""Which items two versions share, and their vectors side by side, however the rows lie."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import spaceport as sp
from spaceport.errors import NotFoundError
from spaceport.spaces.compatibility.pairing import pair

Texts = Callable[[dict[str, str], str], sp.Version]


@pytest.fixture
def store(tmp_path: Path) -> sp.Spaceport:
    return sp.open(tmp_path / "store")


@pytest.fixture
def texts(store: sp.Spaceport, tmp_path: Path) -> Texts:
    def build(items: dict[str, str], method: str = "one") -> sp.Version:
        path = tmp_path / "items.csv"
        path.write_text("id,text\n" + "".join(f"{k},{v}\n" for k, v in items.items()))
        source = sp.sources.texts(str(path), column="text", id="id")
        return store.build("texts", sp.encoders.hashing(dimension=16, seed=len(method)), source)

    return build


def numbered(store: sp.Spaceport, space: str, ids: list[int], far: float = 0.0) -> sp.Version:
    """A version whose vectors name their item."""
    rows = np.stack([[i + 1 + far, 1 + far] for i in ids])
    return store.publish(space, [f"i{i}" for i in ids], rows)


def test_items_with_the_same_content_are_shared(texts: Texts) -> None:
    old = texts({"a": "one cat", "b": "two dogs", "c": "red"}, "x")
    new = texts({"d": "new", "c": "red", "b": "three dogs"}, "yy")
    found = pair(old, new)
    assert (found.ids, found.changed, found.added, found.removed) == (["c"], ["b"], ["d"], ["a"])
    assert found.by_content
    ids, left, right = found.sample(10)
    assert ids == ["c"]
    np.testing.assert_array_equal(left, old.vectors(["c"]))
    np.testing.assert_array_equal(right, new.vectors(["c"]))


def test_all_contents_changed_is_an_error_that_counts_them(texts: Texts) -> None:
    old, new = texts({"a": "one", "b": "two"}, "x"), texts({"a": "three", "b": "four"}, "yy")
    with pytest.raises(NotFoundError, match=r"All 2 ids that texts@.* have other contents"):
        pair(old, new)


def test_imported_vectors_are_paired_by_id_alone(store: sp.Spaceport) -> None:
    found = pair(numbered(store, "a", [1, 2, 3]), numbered(store, "b", [3, 1, 9], far=50))
    assert (found.ids, found.added, found.removed) == (["i1", "i3"], ["i9"], ["i2"])
    assert found.changed == []
    assert not found.by_content


@pytest.mark.parametrize("block", [1, 3, 8, 8192])
@pytest.mark.parametrize("order", ["same", "subset", "shuffled", "reversed"])
def test_blocks_are_aligned_whatever_the_order(store: sp.Spaceport, order: str, block: int) -> None:
    rng = np.random.default_rng(0)
    first = list(range(40))
    second = {
        "same": first,
        "subset": [i for i in range(5, 60) if i % 3],
        "shuffled": rng.permutation(50).tolist(),
        "reversed": first[::-1],
    }[order]
    found = pair(numbered(store, "a", first), numbered(store, "b", second, far=100))
    blocks = list(found.blocks(block))
    left, right = (np.concatenate(side) for side in zip(*blocks, strict=True))
    assert len(left) == len(found) == len(set(first) & set(second))
    np.testing.assert_allclose(right - left, 100)
    assert [f"i{int(row[0]) - 1}" for row in left] == found.ids
    assert all(len(a) == len(b) <= block for a, b in blocks)
    assert [len(a) for a, _ in blocks[:-1]] == [block] * (len(blocks) - 1)


def test_a_sample_is_drawn_without_replacement(store: sp.Spaceport) -> None:
    found = pair(
        numbered(store, "a", list(range(30))), numbered(store, "b", list(range(30)), far=7)
    )
    ids, left, right = found.sample(12, seed=1)
    assert len(set(ids)) == 12
    assert [f"i{int(row[0]) - 1}" for row in left] == ids
    np.testing.assert_allclose(right - left, 7)
    assert found.sample(12, seed=1)[0] == ids != found.sample(12, seed=2)[0]


def test_removed_rows_of_a_minor_are_gone(texts: Texts) -> None:
    many = {f"k{i}": f"text number {i} x{i}" for i in range(30)}
    old = texts(many, "x")
    fewer = {k: v for k, v in many.items() if k not in ("k3", "k17")} | {"z": "new one"}
    new = texts(fewer, "x")
    assert new.reference == "texts@1.1.0"
    found = pair(old, new)
    assert (found.removed, found.added, len(found)) == (["k3", "k17"], ["z"], 28)
    for left, right in found.blocks(5):
        np.testing.assert_array_equal(left, right)


def test_nothing_shared_shows_ids_of_both(store: sp.Spaceport) -> None:
    with pytest.raises(NotFoundError) as caught:
        pair(numbered(store, "a", [1, 2]), numbered(store, "b", [8, 9]))
    text = str(caught.value)
    assert "share no ids" in text
    assert "'i1', 'i2' in a@1.0.0; 'i8', 'i9' in b@1.0.0" in text
    assert text.count("\n") == 1
