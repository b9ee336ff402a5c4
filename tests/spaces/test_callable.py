"""Builds whose encoder cannot be learnt from: a user's function, and vectors made elsewhere."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import spaceport as sp
from spaceport.errors import InputError

TEXTS = {str(n): f"{n} {'a' * n} {'b' * (n * n % 7)}" for n in range(1, 25)}


def letters(texts: Sequence[str]) -> list[list[float]]:
    return [[text.count("a") + 1, text.count("b") + 1, len(text)] for text in texts]


def same_letters(texts: Sequence[str]) -> list[list[float]]:
    return letters(texts)


def other_letters(texts: Sequence[str]) -> list[list[float]]:
    return [[row[1], row[0], row[2]] for row in letters(texts)]


def encoder(function: Any, revision: str = "1") -> Any:
    return sp.encoders.callable(function, revision=revision, modality="texts")


@pytest.fixture
def store(tmp_path: Path) -> sp.Spaceport:
    return sp.open(tmp_path / "store")


def table(tmp_path: Path, texts: dict[str, str]) -> Any:
    path = tmp_path / "texts.csv"
    path.write_text("key,text\n" + "".join(f"{key},{text}\n" for key, text in texts.items()))
    return sp.sources.texts(str(path), column="text", id="key")


def test_a_second_build_with_the_same_function_publishes_nothing(
    store: sp.Spaceport, tmp_path: Path
) -> None:
    version = store.build("letters", encoder(letters), table(tmp_path, TEXTS))
    assert np.array_equal(version.vectors(), np.array(letters(list(TEXTS.values())), np.float32))
    again, built = store.built("letters", encoder(same_letters), table(tmp_path, TEXTS))
    assert (again.reference, built.change.kind) == ("letters@1.0.0", "none")


def test_only_what_is_new_goes_through_the_function(store: sp.Spaceport, tmp_path: Path) -> None:
    store.build("letters", encoder(letters), table(tmp_path, TEXTS))
    asked = encoder(letters)
    more = {**TEXTS, "new": "ab ab"}
    version, built = store.built("letters", asked, table(tmp_path, more))
    assert (version.reference, built.change.kind) == ("letters@1.1.0", "minor")
    assert np.array_equal(version.vectors(["new"]), np.array([[3, 3, 5]], np.float32))
    assert built.plan is not None
    assert built.plan.difference.added == ["new"]
    assert built.plan.settled


def test_a_changed_function_under_the_same_revision_is_found_by_the_canaries(
    store: sp.Spaceport, tmp_path: Path
) -> None:
    store.build("letters", encoder(letters), table(tmp_path, TEXTS))
    version, built = store.built("letters", encoder(other_letters), table(tmp_path, TEXTS))
    assert version.reference == "letters@2.0.0"
    assert "a canary moved" in built.change.reason
    assert np.array_equal(
        version.vectors(), np.array(other_letters(list(TEXTS.values())), np.float32)
    )


def test_another_revision(store: sp.Spaceport, tmp_path: Path) -> None:
    store.build("letters", encoder(letters), table(tmp_path, TEXTS))
    version, built = store.built("letters", encoder(other_letters, "2"), table(tmp_path, TEXTS))
    assert (version.reference, built.change.kind) == ("letters@2.0.0", "major")
    # a revision that changes no number is the same coordinates: measured, not claimed
    version, built = store.built("letters", encoder(other_letters, "3"), table(tmp_path, TEXTS))
    assert (version.reference, built.change.kind) == ("letters@2.0.1", "patch")


def test_the_card_names_the_function(store: sp.Spaceport, tmp_path: Path) -> None:
    version = store.build("letters", encoder(letters), table(tmp_path, TEXTS))
    facts = {fact.name: fact.value for fact in version.card}
    assert facts["encoder"] == "callable(revision='1', modality='texts')"
    assert facts["encoding function"].endswith("test_callable.letters")


def test_a_new_process_is_told_to_give_the_function_again(
    store: sp.Spaceport, tmp_path: Path
) -> None:
    store.build("letters", encoder(letters), table(tmp_path, TEXTS))
    script = (
        "import sys, spaceport as sp\n"
        "version = sp.open(sys.argv[1])['letters']\n"
        "print(version.encoder)\n"
        "try:\n    version.encode(['ab'])\nexcept sp.SpaceportError as error:\n    print(error)\n"
        "version.encoder.bind(lambda texts: [[2, 2, len(text)] for text in texts])\n"
        "print(version.encode(['ab']).tolist())\n"
    )
    told = [sys.executable, "-c", script, str(store.path)]
    done = subprocess.run(told, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines() == [
        "callable(revision='1', modality='texts')",
        "callable(revision='1', modality='texts') was read back without its function: code is never saved.",
        "Give it again: encoder.bind(function).",
        "[[2.0, 2.0, 2.0]]",
    ]


@pytest.fixture
def vectors(tmp_path: Path) -> Any:
    """Make the encoder of a file with a vector for each of some ids, moved by a number."""

    def made(ids: Sequence[str], by: float = 0.0) -> Any:
        rows = np.array([np.sin(np.arange(1, 9) * float(int(id))) + by for id in ids])
        np.savez(tmp_path / "vectors.npz", ids=np.array(ids), vectors=rows)
        return sp.encoders.precomputed(str(tmp_path / "vectors.npz"))

    return made


def test_precomputed_vectors_become_a_space(
    store: sp.Spaceport, tmp_path: Path, vectors: Any
) -> None:
    given = vectors(list(TEXTS)[::-1])
    version = store.build("texts", given, table(tmp_path, TEXTS))
    wanted = np.array([np.sin(np.arange(1, 9) * n) for n in range(1, 25)], np.float32)
    assert np.array_equal(version.vectors(), wanted)
    assert version.nearest(TEXTS["3"], k=1).ids == ["3"]
    _, built = store.built("texts", vectors(list(TEXTS)[::-1]), table(tmp_path, TEXTS))
    assert built.change.kind == "none"
    with pytest.raises(InputError, match="1 of 1 items have no vector"):
        version.nearest("something else")


def test_precomputed_vectors_with_new_and_removed_items(
    store: sp.Spaceport, tmp_path: Path, vectors: Any
) -> None:
    some = {key: TEXTS[key] for key in list(TEXTS)[:20]}
    store.build("texts", vectors(list(TEXTS)), table(tmp_path, some))
    # the file is the same, the items are others: the first canary's item is gone
    others = {key: TEXTS[key] for key in list(TEXTS)[1:]}
    version, built = store.built("texts", vectors(list(TEXTS)), table(tmp_path, others))
    assert (version.reference, built.change.kind) == ("texts@1.1.0", "minor")
    assert sorted(version.ids) == sorted(others)
    fewer = {key: TEXTS[key] for key in list(TEXTS)[4:]}
    version, built = store.built("texts", vectors(list(TEXTS)), table(tmp_path, fewer))
    assert (version.reference, built.change.kind) == ("texts@1.2.0", "minor")
    wanted = np.sin(np.arange(1, 9) * 24.0).astype(np.float32)
    assert np.array_equal(version.vectors(["24"])[0], wanted)


def test_other_precomputed_vectors_are_new_coordinates(
    store: sp.Spaceport, tmp_path: Path, vectors: Any
) -> None:
    store.build("texts", vectors(list(TEXTS)), table(tmp_path, TEXTS))
    version, built = store.built("texts", vectors(list(TEXTS), by=1.0), table(tmp_path, TEXTS))
    assert (version.reference, built.change.kind) == ("texts@2.0.0", "major")
    assert "100% of 24 shared items moved" in built.change.reason


def test_a_file_with_the_same_vectors_and_more_is_the_same_coordinates(
    store: sp.Spaceport, tmp_path: Path, vectors: Any
) -> None:
    store.build("texts", vectors(list(TEXTS)), table(tmp_path, TEXTS))
    version, built = store.built("texts", vectors([*TEXTS, "99"]), table(tmp_path, TEXTS))
    assert (version.reference, built.change.kind) == ("texts@1.0.1", "patch")
