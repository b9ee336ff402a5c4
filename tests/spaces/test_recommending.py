"""Versions that learnt from interactions: recommend, similar, explain, by id and by title."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import spaceport as sp
from spaceport.errors import InputError, NotFoundError, ParameterError
from spaceport.spaces.recommending import Ranked, items_of

TASTES = ("sea", "hill")
TWINS = ("sea0", "hill0")


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> sp.Version:
    """Forty users of two tastes, twelve items of each; all items but the last two have titles."""
    folder = tmp_path_factory.mktemp("taste")
    rng = np.random.default_rng(0)
    events, items = [], [f"{taste}{n}" for taste in TASTES for n in range(12)]
    for user in range(40):
        liked = rng.choice(12, 7, replace=False)
        events += [f"u{user},{TASTES[user % 2]}{n},{1 + n % 3}" for n in liked]
    (folder / "likes.csv").write_text("\n".join(["user,item,value", *events]) + "\n")
    titles = [f'{item},"{item.title()}, The"' for item in items[:-2] if item not in TWINS]
    titles += [f"{twin},Twin" for twin in TWINS]
    (folder / "titles.csv").write_text("\n".join(["item,title", *titles]) + "\n")
    source = sp.sources.interactions(folder / "likes.csv", titles_from=str(folder / "titles.csv"))
    encoder = sp.encoders.als(dimension=2)
    return sp.open(folder / "store").build("taste", encoder, source, metric="dot")


def history(version: sp.Version, user: str) -> set[str]:
    encoder = version.encoder
    row = encoder.seen_[[encoder.users_.index(user)]]
    return {encoder.items_[place] for place in row.indices}


def test_the_space_has_users_and_items(version: sp.Version) -> None:
    assert len(version) == 40 + 24
    assert set(version.columns) >= {"kind", "events", "title"}
    assert version.contract.metric == "dot"


@pytest.mark.parametrize("name", ["u1", "user:u1"])
def test_a_user_gets_what_the_like_minded_have(version: sp.Version, name: str) -> None:
    found = version.recommend(name, k=4)
    had = history(version, "u1")
    assert not had & set(found.ids)
    assert all(id.startswith("hill") for id in found.ids)
    encoder = version.encoder
    scores = encoder.item_vectors_ @ encoder.user_vectors_[encoder.users_.index("u1")]
    unseen = [n for n, id in enumerate(encoder.items_) if id not in had]
    best = sorted(unseen, key=lambda n: -scores[n])[:4]
    assert found.ids == [encoder.items_[n] for n in best]
    assert found.numbers == pytest.approx(scores[best], abs=1e-5)
    everything = version.recommend("u1", k=24, exclude_seen=False)
    assert len(everything) == 24
    assert len(version.recommend("u1", k=100)) == 24 - len(had)


@pytest.mark.parametrize(
    "told",
    [
        ["sea1", "sea2", "sea5"],
        ["item:sea1", "Sea2, The", "sea5"],
        {"sea1": 1.0, "Sea2, The": 1.0, "item:sea5": 1.0},
        {"sea1": 0.5, "Sea1, The": 0.5, "sea2": 1.0, "sea5": 1.0},
    ],
)
def test_a_history_never_seen_is_folded_in(version: sp.Version, told: object) -> None:
    found = version.recommend(told, k=5)
    assert all(id.startswith("sea") for id in found.ids)
    assert not {"sea1", "sea2", "sea5"} & set(found.ids)
    assert found.rows() == version.recommend(["sea1", "sea2", "sea5"], k=5).rows()


def test_similar_items_share_the_taste(version: sp.Version) -> None:
    found = version.similar("sea3", k=6)
    assert "sea3" not in found.ids
    assert all(id.startswith("sea") for id in found.ids)
    vectors = version.vectors([f"item:{id}" for id in ["sea3", *found.ids]])
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert found.numbers == pytest.approx(units[1:] @ units[0], abs=1e-5)
    for name in ("item:sea3", "Sea3, The"):
        assert version.similar(name, k=6).ids == found.ids


def test_explanations_are_of_the_history_and_sum_to_the_score(version: sp.Version) -> None:
    best = version.recommend("u0", k=1)
    found = version.explain("user:u0", best.ids[0], k=100)
    assert set(found.ids) == history(version, "u0")
    assert list(found.numbers) == sorted(found.numbers, reverse=True)
    assert found.numbers.sum() == pytest.approx(best.numbers[0], abs=1e-3)
    folded = version.explain(["sea1", "Sea2, The"], "Sea3, The")
    assert set(folded.ids) == {"sea1", "sea2"}


def test_the_answer_is_a_table_with_titles(version: sp.Version) -> None:
    found = version.recommend("u0", k=30, exclude_seen=False)
    assert found.table.column_names == ["id", "score", "title"]
    titles = {row["id"]: row["title"] for row in found.rows()}
    assert titles["sea3"] == "Sea3, The"
    assert titles["hill11"] is None
    assert version.similar("sea3").table.column_names[1] == "similarity"
    assert version.explain("u0", "sea3").table.column_names[1] == "share"
    shown = Ranked(["a", "bcd"], np.array([1.5, 0.25], np.float32), "score", ["Ann", None])
    assert repr(shown) == "a    1.500  Ann\nbcd  0.250"


def test_a_title_must_be_of_one_item(version: sp.Version) -> None:
    with pytest.raises(ParameterError, match=r"2 items called 'Twin'.\nGive the id of one: "):
        version.similar("Twin")


def test_items_by_commas(version: sp.Version) -> None:
    assert items_of(version, "Sea3, The") == ["sea3"]
    assert items_of(version, "sea1, item:sea2,sea3") == ["sea1", "sea2", "sea3"]
    with pytest.raises(NotFoundError, match="no item 'lake'"):
        items_of(version, "sea1,lake")


@pytest.mark.parametrize(
    ("ask", "first", "second"),
    [
        (lambda v: v.similar("sea33"), "no item 'sea33'", "Did you mean sea3"),
        (lambda v: v.similar("hill4, t"), "no item 'hill4, t'", "Did you mean Hill4, The"),
        (lambda v: v.similar("#"), "no item '#'", "Give an item's id, or its whole title"),
        (lambda v: v.recommend("u77"), "no user 'u77'", "Did you mean u7"),
        (lambda v: v.recommend(["sea1", "lake"]), "no item 'lake'", ""),
        (lambda v: v.explain("u1", "lake"), "no item 'lake'", ""),
    ],
)
def test_what_is_not_known_is_named(version: sp.Version, ask, first: str, second: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        ask(version)
    assert first in caught.value.what
    assert second in caught.value.remedy


def test_an_empty_history_and_a_bad_k_are_refused(version: sp.Version) -> None:
    with pytest.raises(InputError, match="The history has no items"):
        version.recommend([])
    with pytest.raises(ParameterError, match="`k` must be an int"):
        version.recommend("u1", k=0)


def test_other_spaces_cannot_recommend(tmp_path: Path) -> None:
    store = sp.open(tmp_path)
    imported = store.publish("mine", ["a", "b"], [[1, 0], [0, 1]])
    with pytest.raises(ParameterError, match="was imported without an encoder"):
        imported.recommend("a")
    (tmp_path / "t.csv").write_text("text\na cat\na dog\n")
    source = sp.sources.texts(tmp_path / "t.csv", column="text")
    texts = store.build("texts", sp.encoders.hashing(dimension=8), source)
    with pytest.raises(ParameterError, match="was made by hashing, which knows no users"):
        texts.similar("a")


def test_it_is_the_same_after_it_was_read_back(version: sp.Version) -> None:
    again = sp.open(version.cache.parent.parent)[version.reference]
    assert again is not version
    assert again.recommend("u3").rows() == version.recommend("u3").rows()
    assert again.explain("u3", "sea1").rows() == version.explain("u3", "sea1").rows()


def test_the_same_file_again_changes_nothing_and_new_titles_do(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(
        "user,item\n" + "".join(f"u{n % 7},i{n % 5}\n" for n in range(30))
    )
    (tmp_path / "t.csv").write_text("id,name\ni1,One\n")
    store = sp.open(tmp_path / "store")

    def build() -> sp.Version:
        source = sp.sources.interactions(tmp_path / "x.csv", titles_from=tmp_path / "t.csv")
        return store.build("x", sp.encoders.als(dimension=2), source, metric="dot")

    first = build()
    assert build().reference == first.reference
    (tmp_path / "t.csv").write_text("id,name\ni1,First\n")
    second = build()
    assert second.reference != first.reference
    assert second.similar("First", k=1).ids == first.similar("One", k=1).ids
