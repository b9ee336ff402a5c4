"""A version as its users see it: search, algebra, card, map, export."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import spaceport as sp
from spaceport.errors import CorruptError, InputError, NotFoundError, ParameterError

WORDS = ["king", "queen", "man", "woman", "prince", "princess"]
FEMALE_YOUNG_ROYAL = np.array(
    [[0, 0, 1], [1, 0, 1], [0, 0, 0.1], [1, 0, 0.1], [0, 1, 1], [1, 1, 1]], np.float32
)


@pytest.fixture
def words(tmp_path: Path) -> sp.Version:
    store = sp.open(tmp_path / "store")
    return store.publish("words", WORDS, FEMALE_YOUNG_ROYAL, {"letters": [len(w) for w in WORDS]})


@pytest.fixture
def texts(tmp_path: Path) -> sp.Version:
    path = tmp_path / "t.csv"
    rows = [
        "cats and dogs,pet",
        "dogs bark loudly,pet",
        "stocks fell today,news",
        "markets and stocks rose,news",
    ]
    path.write_text("text,kind\n" + "\n".join(rows) + "\n")
    source = sp.sources.texts(str(path), column="text", label="kind")
    return sp.open(tmp_path / "store").build("texts", sp.encoders.hashing(dimension=64), source)


def test_nearest_agrees_with_brute_force_and_leaves_the_item_out(words: sp.Version) -> None:
    X = FEMALE_YOUNG_ROYAL / np.linalg.norm(FEMALE_YOUNG_ROYAL, axis=1, keepdims=True)
    order = [WORDS[i] for i in np.argsort(-(X @ X[0]), kind="stable") if i != 0]
    found = words.nearest("king", k=5)
    assert found.ids == order
    assert found.similarities == pytest.approx(np.sort(np.delete(X @ X[0], 0))[::-1], abs=1e-6)
    assert found.table.column_names == ["id", "similarity", "letters"]
    assert found.rows()[0]["letters"] == len(order[0])


def test_a_vector_can_be_asked_for_and_then_nothing_is_left_out(words: sp.Version) -> None:
    assert words.nearest(FEMALE_YOUNG_ROYAL[0], k=1).ids == ["king"]
    assert len(words.nearest([0, 0, 1], k=100)) == len(WORDS)
    with pytest.raises(InputError, match="dimension 3. Got 2"):
        words.nearest([1.0, 0.0])


def test_an_analogy_with_a_planted_answer(words: sp.Version) -> None:
    assert words.analogy("king", "woman", minus="man", k=1).ids == ["queen"]
    assert words.analogy("prince", "woman", minus=["man"], k=1, method="3cosmul").ids == [
        "princess"
    ]


def test_an_unknown_id_offers_near_spellings(words: sp.Version) -> None:
    with pytest.raises(NotFoundError, match="Did you mean queen"):
        words.nearest("quen")
    with pytest.raises(NotFoundError, match="Did you mean woman"):
        words.analogy("king", "womn", minus="man")


def test_a_text_is_encoded(texts: sp.Version) -> None:
    assert texts.nearest("loud dogs bark", k=1).rows()[0]["text"] == "dogs bark loudly"
    assert np.array_equal(
        texts.encode(["dogs"]), sp.encoders.hashing(dimension=64).encode(["dogs"])
    )
    assert texts.label == "kind"
    assert texts.texts is not None


def test_imported_vectors_cannot_encode(words: sp.Version) -> None:
    assert words.encoder is None
    with pytest.raises(ParameterError, match="without an encoder"):
        words.encode(["king"])


def test_the_card_says_what_is_so(words: sp.Version) -> None:
    facts = {fact.name: fact for fact in words.card}
    assert facts["rows"].value == 6
    assert facts["dimension"].value == 3
    assert facts["vector bytes"].value == 6 * 3 * 4
    lengths = np.linalg.norm(FEMALE_YOUNG_ROYAL, axis=1)
    assert facts["length of rows"].value == pytest.approx(
        [lengths.mean(), lengths.min(), lengths.max()]
    )
    assert 1 < facts["effective rank"].value <= 3
    assert all(fact.how for fact in words.card)


def test_export_and_import_give_the_same_vectors(words: sp.Version, tmp_path: Path) -> None:
    for to in ("word2vec", "word2vec-text", "glove", "npz", "safetensors", "parquet", "arrow"):
        path = tmp_path / f"words-{to}"
        words.export(path, to)
        source = sp.sources.vectors(str(path), format=to)
        again = sp.open(tmp_path / "other").built(f"from-{to}", None, source)[0]
        assert again.ids == WORDS
        assert np.array_equal(again.vectors(), FEMALE_YOUNG_ROYAL)


def test_a_changed_byte_is_found_when_it_is_read(words: sp.Version) -> None:
    path = next((words.cache.parent.parent / "spaces").rglob("card.json"))
    data = bytearray(path.read_bytes())
    data[10] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptError, match="card.json"):
        _ = words.card


def test_the_map_uses_the_versions_own_graph_and_cells(texts: sp.Version, tmp_path: Path) -> None:
    pytest.importorskip("umap")
    from spaceport.spaces.mapping import page

    drawn = page(texts)
    assert drawn.title == texts.reference
    assert drawn.color == "kind"
    assert drawn.positions.shape == (4, 2)
    assert set(drawn.columns) == {"kind"}
    texts.map(tmp_path / "map.html")
    told = (tmp_path / "map.html").read_text()
    assert texts.reference in told
    assert "src=" not in told.split("<script")[0]


def test_a_map_is_projected_once(texts: sp.Version, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("umap")
    from spaceport.maps.base import Projection
    from spaceport.spaces.mapping import page

    first = page(texts).positions

    def again(*_: object) -> None:
        raise AssertionError("projected again")

    monkeypatch.setattr(Projection, "positions", again)
    assert np.array_equal(page(texts).positions, first)
    with pytest.raises(AssertionError, match="projected again"):
        page(texts, method="umap(seed=7)")


def test_a_broken_cache_is_made_again(texts: sp.Version) -> None:
    pytest.importorskip("umap")
    from spaceport.spaces.mapping import page

    first = page(texts).positions
    (cached,) = texts.cache.iterdir()
    cached.write_bytes(cached.read_bytes()[:20])
    assert np.array_equal(page(texts).positions, first)
    assert len(list(texts.cache.iterdir())) == 1


def test_aliases_move_and_roll_back(tmp_path: Path) -> None:
    store = sp.open(tmp_path / "store")
    store.publish("s", ["a", "b"], [[1, 0], [0, 1]])
    store.publish("s", ["a", "b", "c"], [[1, 0], [0, 1], [1, 1]])
    store.promote("s@1.0.0", "production", "first")
    store.promote("s@1.1.0", "production", "second")
    assert store["s@production"].reference == "s@1.1.0"
    assert store.rollback("s", "production").reference == "s@1.0.0"
    assert store.aliases("s") == {"production": "s@1.0.0"}
    assert [move.note for move in store.history("s", "production")][:2] == ["first", "second"]
    with pytest.raises(NotFoundError):
        store.rollback("s", "production")
