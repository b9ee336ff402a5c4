"""The fingerprint and its parts: what changes the numbers changes both, and nothing else does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import spaceport as sp
from encoders.small_transformer import saved
from spaceport.encoders.base import Encoder
from spaceport.spaces.given import Given

TEXTS = ["a naive café", "the sea and the hill", "new town 12"]


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Names of the parts that differ, with a dot before what is inside."""
    found: set[str] = set()
    for part in before.keys() | after.keys():
        one, other = before.get(part), after.get(part)
        if isinstance(one, dict) and isinstance(other, dict):
            names = one.keys() | other.keys()
            found |= {f"{part}.{name}" for name in names if one.get(name) != other.get(name)}
        elif one != other:
            found.add(part)
    return found


def pair(method: type[Encoder], one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    first, second = method(**one), method(**other)
    differ = changed(first.identity(), second.identity())
    assert bool(differ) == (first.fingerprint != second.fingerprint)
    return differ


def test_a_parameter_is_named_and_a_neutral_one_is_not() -> None:
    small = {"dimension": 8}
    assert pair(sp.encoders.hashing, small, {"dimension": 9}) == {"parameters.dimension"}
    assert pair(sp.encoders.hashing, small, small) == set()
    assert pair(sp.encoders.als, {"threads": 1}, {"threads": 2}) == set()
    assert pair(sp.encoders.als, {"seed": 1}, {"seed": 2}) == {"parameters.seed"}


def test_what_was_learnt_is_named_by_its_array() -> None:
    X = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
    ids = [str(row) for row in range(40)]
    one = sp.encoders.pca(dimension=2).fit(Given(ids, X, {}))
    same = sp.encoders.pca(dimension=2).fit(Given(ids, X, {}))
    assert changed(one.identity(), same.identity()) == set()
    other = sp.encoders.pca(dimension=2).fit(Given(ids, X * 2, {}))
    assert "arrays.mean" in changed(one.identity(), other.identity())
    assert one.fingerprint != other.fingerprint


def test_a_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = sp.encoders.hashing()
    monkeypatch.setattr(type(encoder), "libraries", ("numpy",))
    before, fingerprint = encoder.identity(), encoder.fingerprint
    monkeypatch.setattr("spaceport.encoders.base.version", lambda name: "0.0")
    assert changed(before, encoder.identity()) == {"libraries.numpy"}
    assert encoder.fingerprint != fingerprint


def test_the_identity_is_json() -> None:
    told = sp.encoders.lsa(dimension=4).identity()
    assert json.loads(json.dumps(told)) == told
    assert told["method"] == "lsa"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pytest.importorskip("torch", reason="needs the extra `torch`")
    return Path(saved(tmp_path / "model"))


def network(folder: Path, **told: Any) -> Encoder:
    encoder: Encoder = sp.encoders.activations(str(folder), **told)
    return encoder


def test_a_model_that_is_renamed_or_moved_is_the_same(folder: Path, tmp_path: Path) -> None:
    before = network(folder)
    moved = tmp_path / "elsewhere" / "another-name"
    shutil.copytree(folder, moved)
    after = network(moved)
    assert before.fingerprint == after.fingerprint
    assert changed(before.identity(), after.identity()) == set()


def swap_tokenizer(folder: Path) -> None:
    other = saved(folder.parent / "other", lowercase=False)
    shutil.copy(Path(other) / "tokenizer.json", folder / "tokenizer.json")


def edit_tokenizer(folder: Path) -> None:
    path = folder / "tokenizer.json"
    told = json.loads(path.read_text())
    first, second = "sea", "hill"
    words = told["model"]["vocab"]
    words[first], words[second] = words[second], words[first]
    path.write_text(json.dumps(told))


def edit_weight(folder: Path) -> None:
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))


def edit_config(folder: Path) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "layer_norm_eps": 0.1}))


def add_limit(folder: Path) -> None:
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 4}')


@pytest.mark.parametrize(
    ("change", "file"),
    [
        (swap_tokenizer, "tokenizer.json"),
        (edit_tokenizer, "tokenizer.json"),
        (edit_weight, "model.safetensors"),
        (edit_config, "config.json"),
        (add_limit, "sentence_bert_config.json"),
    ],
)
def test_a_file_that_changes_the_numbers_is_named(
    folder: Path, change: Callable[[Path], None], file: str
) -> None:
    before = network(folder)
    fingerprint, identity = before.fingerprint, before.identity()
    change(folder)
    after = network(folder)
    assert after.fingerprint != fingerprint
    assert identity["state"]["files"].get(file) != after.identity()["state"]["files"][file]


@pytest.mark.parametrize(
    "told",
    [{"where": "1"}, {"pooling": "cls"}, {"query_prompt": "query: "}, {"max_tokens": 8}],
)
def test_a_parameter_of_a_network_is_named(folder: Path, told: dict[str, Any]) -> None:
    before, after = network(folder), network(folder, **told)
    (name,) = told
    assert changed(before.identity(), after.identity()) == {f"parameters.{name}"}
    assert before.fingerprint != after.fingerprint


def test_what_is_never_read_changes_neither_numbers_nor_fingerprint(folder: Path) -> None:
    before = network(folder)
    vectors = before.encode(TEXTS)
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    (folder / "README.md").write_text("another text")
    after = network(folder)
    assert after.fingerprint == before.fingerprint
    assert np.array_equal(after.encode(TEXTS), vectors)
