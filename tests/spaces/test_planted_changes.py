"""Each planted change gets the kind of version that it is, on vectors alone and with real encoders."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import ortho_group

import spaceport as sp
from encoders.small_transformer import saved
from spaceport.errors import ParameterError
from spaceport.spaces.change import BOUNDS
from spaceport.spaces.given import Given
from spaceport.spaces.identity import identity_of

ROWS, WIDTH = 600, 16
IDS = [str(row) for row in range(ROWS)]


def vectors(seed: int = 0) -> np.ndarray[Any, Any]:
    """Ten clouds, so that neighbors mean something."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(10, WIDTH)) * 2
    return (centers[np.arange(ROWS) % 10] + rng.normal(size=(ROWS, WIDTH))).astype(np.float32)


LABELS = [f"cloud {row % 10}" for row in range(ROWS)]


def rotated(X: Any) -> Any:
    return X @ ortho_group.rvs(WIDTH, random_state=0).astype(np.float32)


def shuffled(X: Any) -> Any:
    return X[np.random.default_rng(1).permutation(len(X))]


def some_changed(X: Any) -> Any:
    Y = X.copy()
    Y[:: len(X) // 6] = np.random.default_rng(2).normal(size=Y[:: len(X) // 6].shape)
    return Y


def noise(share: float) -> Callable[[Any], Any]:
    def add(X: Any) -> Any:
        steps = np.random.default_rng(3).normal(size=X.shape)
        lengths = np.linalg.norm(X, axis=1, keepdims=True)
        return X + share * lengths * steps / np.sqrt(WIDTH)

    return add


PLANTED: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "rotation": (rotated, "major", "mixed neighbors' overlap@10"),
    "reflection": (lambda X: -X, "major", "mixed neighbors' overlap@10"),
    "twice as long": (lambda X: 2 * X, "major", "the residual is 1 of the lengths"),
    "a tenth longer": (lambda X: 1.1 * X, "major", "the residual is 0.1 of the lengths"),
    "rounding": (lambda X: X.astype(np.float16), "none", "nothing changed"),
    "little noise": (noise(0.005), "minor", "interchangeable within measured bounds"),
    "much noise": (noise(0.3), "major", "mixed neighbors' overlap@10"),
    "shuffled rows": (shuffled, "major", "another item had: rows were shuffled"),
    "1 % changed": (some_changed, "minor", "same coordinates, items differ"),
    "other vectors": (lambda X: vectors(9), "major", "mixed neighbors' overlap@10"),
    "shorter": (lambda X: X[:, :8], "major", "the dimension was 16 and is now 8"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_change_gets_its_kind(tmp_path: Path, name: str) -> None:
    change, kind, reason = PLANTED[name]
    store = sp.open(tmp_path / "store")
    store.publish("x", IDS, vectors(), {"cloud": LABELS})
    _, built = store.built("x", None, Given(IDS, change(vectors()), {"cloud": LABELS}))
    if name == "rounding":
        # other bytes, and so other contents: what float16 did is within the tolerance
        assert (built.change.kind, built.evidence.moved) == ("minor", 0.0)
        return
    assert built.change.kind == kind, built.change.reason
    assert reason in built.change.reason


def test_the_evidence_is_kept_with_its_numbers_and_said(tmp_path: Path) -> None:
    store = sp.open(tmp_path / "store")
    store.publish("x", IDS, vectors())
    version, built = store.built("x", None, Given(IDS, rotated(vectors()), {}))
    told = version.record.notes["evidence"]
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    mixing = told["mixing"]
    assert mixing["within"]["mean"] > 0.99
    assert mixing["before_among_after"]["mean"] < 0.2
    assert mixing["turned"] < 1e-3 < mixing["residual"]
    assert (mixing["items"], mixing["queries"], mixing["k"]) == (600, 600, 10)
    said = "\n".join(built.measured)
    assert "600 shared items: 100.0% moved by more than 0.001" in said
    assert "after the best rotation" in said
    assert f"(bound {BOUNDS.overlap}" in said


def test_a_large_space_is_sampled_and_says_so(tmp_path: Path) -> None:
    ids = [str(row) for row in range(5000)]
    X = np.random.default_rng(0).normal(size=(5000, 4)).astype(np.float32)
    store = sp.open(tmp_path / "store")
    store.publish("x", ids, X)
    _, built = store.built("x", None, Given(ids, -X, {}))
    assert built.evidence is not None
    assert (built.evidence.shared, built.evidence.of) == (4096, 5000)
    assert "4,096 shared items (drawn from 5,000 with seed 0)" in built.measured[0]
    mixing = built.evidence.mixing
    assert mixing is not None
    assert (mixing.items, mixing.queries) == (4096, 1000)
    assert mixing.before_among_after.low <= mixing.before_among_after.high


def test_too_few_shared_items_show_nothing(tmp_path: Path) -> None:
    store = sp.open(tmp_path / "store")
    few = vectors()[:40]
    store.publish("x", IDS[:40], few)
    _, built = store.built("x", None, Given(IDS[:40], noise(0.005)(few), {}))
    assert built.change.kind == "major"
    assert "only 40 shared items to compare" in built.change.reason


def test_a_probe_that_breaks_is_a_major(tmp_path: Path) -> None:
    """Labels that hang on a small direction: neighbors and lengths stay, the use does not."""
    rng = np.random.default_rng(0)
    X = vectors()
    X[:, 0] = 0.05 * np.where(np.arange(ROWS) % 2, 1, -1) + 0.005 * rng.normal(size=ROWS)
    Y = X.copy()
    Y[:, 0] *= -1
    labels = [f"{row % 2}" for row in range(ROWS)]
    path = {"x": X, "y": Y}
    kinds = {}
    for label in ("kind", None):
        store = sp.open(tmp_path / f"store-{label}")
        for part in path.values():
            source = Given(IDS, part, {"kind": labels})
            source.label = label
            _, built = store.built("x", None, source)
        kinds[label] = built.change
    assert kinds[None].kind == "minor"
    assert kinds["kind"].kind == "major"
    assert "a use of them suffers: linear probe" in kinds["kind"].reason


def texts(tmp_path: Path, name: str = "texts.csv", rows: int = 120) -> sp.sources.texts:
    subjects = ("cats and dogs", "ships at sea", "trains and rails", "birds in trees")
    lines = [
        f"{row},text {row * 7 % 31} about {subjects[row % 4]} number {row}" for row in range(rows)
    ]
    path = tmp_path / name
    path.write_text("\n".join(["key,text", *lines]) + "\n")
    return sp.sources.texts(str(path), column="text", id="key")


def test_another_method_is_measured(tmp_path: Path) -> None:
    store = sp.open(tmp_path / "store")
    store.build("x", sp.encoders.lsa(dimension=16), texts(tmp_path))
    _, built = store.built("x", sp.encoders.hashing(dimension=16), texts(tmp_path))
    assert built.change.kind == "major", built.change.reason
    assert built.evidence is not None
    assert built.evidence.mixing is not None
    assert built.evidence.mixing.lower.high < BOUNDS.overlap


def test_a_swapped_tokenizer_is_a_major_and_the_files_digest_differs(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra `torch`")
    folder = Path(saved(tmp_path / "model"))
    store = sp.open(tmp_path / "store")
    source = texts(tmp_path)
    first = store.build("x", sp.encoders.activations(str(folder)), source)
    path = folder / "tokenizer.json"
    told = json.loads(path.read_text())
    words = told["model"]["vocab"]
    letters = sorted(word for word in words if len(word) == 1 and word.isalpha())
    for one, other in zip(letters[::2], letters[1::2], strict=False):
        words[one], words[other] = words[other], words[one]
    path.write_text(json.dumps(told))
    second, built = store.built("x", sp.encoders.activations(str(folder)), source)
    assert (second.reference, built.change.kind) == ("x@2.0.0", "major")
    files = [identity_of(each)["state"]["files"] for each in (first, second)]
    assert {name for name in files[0] if files[0][name] != files[1][name]} == {"tokenizer.json"}
    assert identity_of(first)["parameters"] == identity_of(second)["parameters"]


def test_word2vec_with_another_seed_is_a_major_though_neighbors_are_kept(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    topics = [[f"t{topic}w{word}" for word in range(12)] for topic in range(8)]
    lines = [" ".join(rng.choice(topics[row % 8], 12)) for row in range(4000)]
    (tmp_path / "corpus.txt").write_text("\n".join(lines) + "\n")
    source = sp.sources.corpus(str(tmp_path / "corpus.txt"))
    store = sp.open(tmp_path / "store")
    told = {"dimension": 16, "minimum_count": 1, "reproducible": True, "epochs": 5}
    store.build("words", sp.encoders.word2vec(seed=1, **told), source)
    _, built = store.built("words", sp.encoders.word2vec(seed=2, **told), source)
    assert built.change.kind == "major"
    mixing = built.evidence.mixing  # type: ignore[union-attr]  # measured
    assert mixing.within.mean > mixing.lower.mean + 0.2  # type: ignore[union-attr]  # as above
    again, same = store.built("words", sp.encoders.word2vec(seed=2, **told), source)
    assert (again.reference, same.change.kind) == ("words@2.0.0", "none")


@pytest.mark.parametrize("bump", ["minor", "major"])
def test_bump_may_raise(tmp_path: Path, bump: str) -> None:
    store = sp.open(tmp_path / "store")
    store.publish("x", IDS, vectors(), {"kind": LABELS})
    version = store.publish("x", IDS, vectors(), {"kind": LABELS[::-1]}, bump=bump)
    assert version.reference == {"minor": "x@1.1.0", "major": "x@2.0.0"}[bump]
    assert version.record.notes["reason"].startswith("as told; measured: patch")
    assert np.array_equal(np.asarray(version.vectors(IDS)), vectors())
    assert store.verify(version.reference) == []
    assert version.coordinates.agrees(store["x@1.0.0"].coordinates)


@pytest.mark.parametrize("bump", ["minor", "patch"])
def test_bump_may_not_lower(tmp_path: Path, bump: str) -> None:
    store = sp.open(tmp_path / "store")
    store.publish("x", IDS, vectors())
    with pytest.raises(
        ParameterError, match=f"A {bump} was asked for, and what was measured is a major"
    ):
        store.publish("x", IDS, rotated(vectors()), bump=bump)
    assert len(store.versions("x")) == 1
    with pytest.raises(ParameterError, match="`bump` must be patch, minor or major"):
        store.publish("x", IDS, vectors(), bump="huge")
