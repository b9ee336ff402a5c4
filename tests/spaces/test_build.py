"""Builds: what is encoded, what is kept, and which kind of version comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import spaceport as sp
from spaceport.encoders.hashing import Hashing
from spaceport.errors import InputError, ParameterError
from spaceport.spaces.canaries import CANARIES

ANIMALS = {
    "1": "a cat sat on the mat",
    "2": "a dog ran in the park",
    "3": "the cat and the dog",
    "4": "birds sing in the morning",
    "5": "fish swim in the sea",
    "6": "a horse ran by the sea",
}


@pytest.fixture
def store(tmp_path: Path) -> sp.Spaceport:
    return sp.open(tmp_path / "store")


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that the hashing encoder is given."""
    seen: list[str] = []
    real = Hashing.encode_batch

    def counting(self: Hashing, items: Sequence[str], role: str = "document") -> Any:
        seen.extend(items)
        return real(self, items, role)

    monkeypatch.setattr(Hashing, "encode_batch", counting)
    return seen


def table(
    tmp_path: Path, rows: dict[str, str], kind: str = "pet", name: str = "animals.csv"
) -> sp.sources.texts:
    path = tmp_path / name
    lines = ["key,text,kind", *(f"{key},{text},{kind}" for key, text in rows.items())]
    path.write_text("\n".join(lines) + "\n")
    return sp.sources.texts(str(path), column="text", id="key", label="kind")


def hashing() -> Hashing:
    return Hashing(dimension=32)


def test_a_first_version_holds_what_the_encoder_gives(store: sp.Spaceport, tmp_path: Path) -> None:
    version = store.build("animals", hashing(), table(tmp_path, ANIMALS))
    assert version.reference == "animals@1.0.0"
    assert version.ids == list(ANIMALS)
    assert np.array_equal(version.vectors(), hashing().encode(list(ANIMALS.values())))
    assert np.array_equal(
        version.vectors(["3", "1"]), hashing().encode([ANIMALS["3"], ANIMALS["1"]])
    )
    assert version.metadata(["text"]).column("text").to_pylist() == list(ANIMALS.values())
    assert version.contract.normalized
    assert version.contract.fingerprint == hashing().fingerprint
    assert store.verify("animals") == []


def test_a_build_without_a_change_publishes_nothing(
    store: sp.Spaceport, tmp_path: Path, encoded: list[str]
) -> None:
    store.build("animals", hashing(), table(tmp_path, ANIMALS))
    encoded.clear()
    version, built = store.built("animals", hashing(), table(tmp_path, ANIMALS))
    assert built.change.kind == "none"
    assert [v.reference for v in store.versions("animals")] == ["animals@1.0.0"]
    assert version.reference == "animals@1.0.0"
    assert len(encoded) <= CANARIES


def test_only_what_is_new_or_changed_is_encoded(
    store: sp.Spaceport, tmp_path: Path, encoded: list[str]
) -> None:
    many = {str(i): f"text number {i} about subject {i % 7}" for i in range(200)}
    store.build("many", hashing(), table(tmp_path, many))
    encoded.clear()
    later = {k: v for k, v in many.items() if k != "5"} | {
        "7": "something else",
        "200": "brand new",
    }
    version, built = store.built("many", hashing(), table(tmp_path, later))
    assert (built.change.kind, version.reference) == ("minor", "many@1.1.0")
    assert built.plan is not None
    d = built.plan.difference
    assert (d.added, d.changed, d.removed, len(d.kept)) == (["200"], ["7"], ["5"], 198)
    assert {"something else", "brand new"} <= set(encoded)
    assert len(encoded) <= 2 + 1 + 3 * CANARIES  # the new, one to learn the dimension, canaries
    assert sorted(version.ids) == sorted(later)
    assert np.array_equal(version.vectors(list(later)), hashing().encode(list(later.values())))


def test_the_old_version_stays_as_it_was(store: sp.Spaceport, tmp_path: Path) -> None:
    store.build("animals", hashing(), table(tmp_path, ANIMALS))
    before = store["animals@1.0.0"].vectors().copy()
    store.build("animals", hashing(), table(tmp_path, {**ANIMALS, "1": "gone", "9": "new"}))
    old = sp.open(store.path)["animals@1.0.0"]
    assert old.ids == list(ANIMALS)
    assert np.array_equal(old.vectors(), before)
    assert store.verify("animals@1.0.0") == []


def test_other_metadata_is_a_patch_and_encodes_nothing_again(
    store: sp.Spaceport, tmp_path: Path, encoded: list[str]
) -> None:
    many = {str(i): f"text number {i}" for i in range(100)}
    first = store.build("many", hashing(), table(tmp_path, many))
    encoded.clear()
    version, built = store.built("many", hashing(), table(tmp_path, many, kind="number"))
    assert (built.change.kind, version.reference) == ("patch", "many@1.0.1")
    assert len(encoded) <= 1 + 3 * CANARIES
    assert np.array_equal(version.vectors(first.ids), first.vectors())
    assert set(version.metadata(["kind"]).column("kind").to_pylist()) == {"number"}


def test_another_label_or_no_kept_text_is_a_patch(
    store: sp.Spaceport, tmp_path: Path, encoded: list[str]
) -> None:
    first = store.build("animals", hashing(), table(tmp_path, ANIMALS))
    path = str(tmp_path / "animals.csv")
    plain = sp.sources.texts(path, column="text", id="key")
    encoded.clear()
    second = store.build("animals", hashing(), plain)
    assert (second.reference, second.label) == ("animals@1.0.1", None)
    assert second.record.lance_version == first.record.lance_version
    third = store.build("animals", hashing(), plain, keep_text=False)
    assert (third.reference, third.texts) == ("animals@1.0.2", None)
    assert np.array_equal(third.vectors(first.ids), first.vectors())
    assert store.build("animals", hashing(), plain, keep_text=False).reference == "animals@1.0.2"
    assert store.verify("animals@1.0.0") == store.verify("animals") == []


def test_another_seed_is_a_major(store: sp.Spaceport, tmp_path: Path) -> None:
    store.build("animals", hashing(), table(tmp_path, ANIMALS))
    version = store.build("animals", Hashing(dimension=32, seed=1), table(tmp_path, ANIMALS))
    assert version.reference == "animals@2.0.0"


def test_another_dimension_is_a_major(store: sp.Spaceport, tmp_path: Path) -> None:
    store.build("animals", hashing(), table(tmp_path, ANIMALS))
    assert (
        store.build("animals", Hashing(dimension=16), table(tmp_path, ANIMALS)).reference
        == "animals@2.0.0"
    )


def test_another_metric_is_a_major(store: sp.Spaceport, tmp_path: Path) -> None:
    store.build("animals", hashing(), table(tmp_path, ANIMALS))
    version = store.build("animals", hashing(), table(tmp_path, ANIMALS), metric="dot")
    assert version.reference == "animals@2.0.0"


def test_a_mere_change_of_the_fingerprint_is_no_major(
    store: sp.Spaceport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.build("animals", hashing(), table(tmp_path, ANIMALS))
    monkeypatch.setattr(Hashing, "revision", 99)
    version = store.build("animals", hashing(), table(tmp_path, {**ANIMALS, "7": "a new one"}))
    assert version.reference == "animals@1.1.0"


def test_saboteur_a_model_that_moved_beneath_the_same_parameters_is_a_major(
    store: sp.Spaceport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.build("animals", hashing(), table(tmp_path, ANIMALS))
    real = Hashing.encode_batch
    monkeypatch.setattr(
        Hashing,
        "encode_batch",
        lambda self, items, role="document": np.roll(real(self, items), 1, 1),
    )
    version, built = store.built("animals", hashing(), table(tmp_path, ANIMALS))
    assert version.reference == "animals@2.0.0"
    assert "canary moved" in built.change.reason


def test_a_fitted_encoder_is_taken_over_so_that_coordinates_stay(
    store: sp.Spaceport, tmp_path: Path
) -> None:
    lsa = lambda: sp.encoders.lsa(dimension=3, minimum_count=1)  # noqa: E731
    first = store.build("animals", lsa(), table(tmp_path, ANIMALS))
    later = store.build(
        "animals", lsa(), table(tmp_path, {**ANIMALS, "7": "the cat ran by the sea"})
    )
    assert later.reference == "animals@1.1.0"
    assert np.array_equal(later.vectors(first.ids), first.vectors())
    assert later.contract.fingerprint == first.contract.fingerprint


def test_refit_learns_anew(store: sp.Spaceport, tmp_path: Path) -> None:
    lsa = lambda: sp.encoders.lsa(dimension=3, minimum_count=1)  # noqa: E731
    store.build("animals", lsa(), table(tmp_path, ANIMALS))
    more = table(
        tmp_path,
        {**ANIMALS, "7": "a whale swims in the deep blue sea", "8": "the whale and the fish"},
    )
    assert store.build("animals", lsa(), more, refit=True).reference == "animals@2.0.0"


def test_a_space_of_words_is_learnt_whole_and_not_twice(
    store: sp.Spaceport, tmp_path: Path
) -> None:
    text = tmp_path / "text.txt"
    text.write_text("\n".join(ANIMALS.values()))
    first = store.build(
        "words", sp.encoders.onehot(dimension=5, minimum_count=1), sp.sources.corpus(str(text))
    )
    assert first.contract.modality == "words"
    assert first.ids[0] == "the"
    again, built = store.built(
        "words", sp.encoders.onehot(dimension=5, minimum_count=1), sp.sources.corpus(str(text))
    )
    assert (built.change.kind, again.reference) == ("none", "words@1.0.0")
    text.write_text("other words stand here now, other words")
    other = store.build(
        "words", sp.encoders.onehot(dimension=2, minimum_count=1), sp.sources.corpus(str(text))
    )
    assert other.reference == "words@2.0.0"


def test_vectors_from_elsewhere(store: sp.Spaceport) -> None:
    X = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    ids = [f"i{n}" for n in range(50)]
    first = store.publish("mine", ids, X, {"n": list(range(50))})
    assert np.array_equal(first.vectors(ids), X)
    assert store.publish("mine", ids, X, {"n": list(range(50))}).reference == "mine@1.0.0"
    nudged = X.copy()
    nudged[0] = -X[0]
    assert store.publish("mine", ids, nudged, {"n": list(range(50))}).reference == "mine@1.1.0"
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(8, 8)))[0]
    assert (
        store.publish("mine", ids, nudged @ rotation, {"n": list(range(50))}).reference
        == "mine@2.0.0"
    )


def test_a_source_that_breaks_publishes_nothing(store: sp.Spaceport, tmp_path: Path) -> None:
    store.build("animals", hashing(), table(tmp_path, ANIMALS))
    path = tmp_path / "animals.csv"
    path.write_text(path.read_text() + "1,again the same id,pet\n")
    with pytest.raises(InputError, match="repeated"):
        store.build("animals", hashing(), sp.sources.texts(str(path), column="text", id="key"))
    assert [v.reference for v in store.versions("animals")] == ["animals@1.0.0"]
    assert store.gc() == []


def test_words_need_an_encoder_that_learns_them(store: sp.Spaceport, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("a b c")
    with pytest.raises(ParameterError, match="learns no entities"):
        store.build("words", hashing(), sp.sources.corpus(str(text)))


def test_one_item_and_identical_items_can_be_published(store: sp.Spaceport) -> None:
    assert len(store.publish("one", ["a"], [[1.0, 2.0]])) == 1
    same = store.publish("same", list("abcdefghijklmnopqrst"), [[1.0, 2.0]] * 20)
    assert len(same.nearest("a", k=5)) == 5
