"""Each thing that may be planted between two versions is named, and nothing else is."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import spaceport as sp
from spaces.compatibility.planted import cloud, findings, noise, published, turn

Change = Callable[[np.ndarray], np.ndarray]

D = 12


def exchanged(X: np.ndarray, share: float) -> np.ndarray:
    rows = np.random.default_rng(1).choice(len(X), int(share * len(X)), replace=False)
    Y = X.copy()
    Y[rows] = X[np.roll(rows, 1)]
    return Y


def replaced(X: np.ndarray, share: float) -> np.ndarray:
    Y = X.copy()
    rows = np.random.default_rng(1).choice(len(X), int(share * len(X)), replace=False)
    Y[rows] = cloud(len(rows), seed=99)
    return Y


def unit(X: np.ndarray) -> np.ndarray:
    return X / np.linalg.norm(X, axis=1, keepdims=True)


PLANTED: dict[str, tuple[Change, set[str]]] = {
    "nothing": (lambda X: X, {"same"}),
    "float rounding": (lambda X: (X * np.float32(1 + 1e-6)), {"same"}),
    "a rotation": (lambda X: X @ turn(D), {"rotation"}),
    "a reflection": (lambda X: X * np.where(np.arange(D) == 3, -1, 1), {"rotation"}),
    "axes exchanged": (lambda X: X[:, ::-1], {"rotation"}),
    "scaling": (lambda X: 3 * X, {"scaling"}),
    "a smaller scale": (lambda X: 0.98 * X, {"scaling"}),
    "translation": (lambda X: X + np.linspace(0, 2, D), {"translation"}),
    "rotation and scaling": (lambda X: 0.5 * X @ turn(D), {"rotation", "scaling"}),
    "rotation and translation": (lambda X: X @ turn(D) + 3, {"rotation", "translation"}),
    "all three": (lambda X: 2 * X @ turn(D) + 3, {"rotation", "scaling", "translation"}),
    "noise": (lambda X: noise(X, 0.1), {"noise"}),
    "little noise": (lambda X: noise(X, 0.02), {"noise"}),
    "much noise": (lambda X: noise(X, 0.4), {"noise"}),
    "rotation and noise": (lambda X: noise(X, 0.1) @ turn(D), {"rotation", "noise"}),
    "rows shuffled": (lambda X: X[np.random.default_rng(3).permutation(len(X))], {"shuffled"}),
    "1 % shuffled": (lambda X: exchanged(X, 0.01), {"shuffled"}),
    "shuffled and turned": (
        lambda X: X[np.random.default_rng(3).permutation(len(X))] @ turn(D),
        {"shuffled"},
    ),
    "1 % changed": (lambda X: replaced(X, 0.01), {"some moved"}),
    "30 % changed": (lambda X: replaced(X, 0.3), {"some moved"}),
    "unit rows": (unit, {"lengths"}),
    "fewer dimensions": (lambda X: X[:, :5], {"prefix"}),
    "fewer dimensions, unit": (lambda X: unit(X[:, :5]), {"prefix"}),
    "more dimensions": (lambda X: np.pad(X, ((0, 0), (0, 3)), constant_values=0.7), {"longer"}),
    "a projection": (lambda X: X @ turn(D)[:, :5], {"linear"}),
    "a skew map": (lambda X: X @ np.diag(np.linspace(1, 1.6, D)) @ turn(D), {"rotation", "linear"}),
    "other vectors": (lambda X: cloud(len(X), seed=42), {"other"}),
    "other vectors, other dimension": (lambda X: cloud(len(X), 7, seed=42), {"other"}),
}  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED)
@pytest.mark.parametrize("mean", [0.4, 5.0])
def test_what_was_planted_is_named_and_nothing_else(
    planted: str, mean: float, tmp_path: Path
) -> None:
    change, names = PLANTED[planted]
    X = cloud(mean=mean)
    found = findings(*published(tmp_path, X, change(X)))
    if planted == "a skew map":  # its size and mean change with it
        found = [f for f in found if f.name not in ("scaling", "translation")]
    assert {f.name for f in found} == names, [f.text for f in found]


@pytest.mark.parametrize(
    ("change", "name", "size"),
    [
        (lambda X: 3 * X, "scaling", 3),
        (lambda X: noise(X, 0.1), "noise", 0.1),
        (lambda X: noise(X, 0.03) @ turn(D), "noise", 0.03),
        (lambda X: replaced(X, 0.01), "some moved", 0.01),
        (lambda X: exchanged(X, 0.05), "shuffled", 0.05),
        (lambda X: X[:, :3], "prefix", 0.25),
    ],
)
def test_its_size_is_told(change: Change, name: str, size: float, tmp_path: Path) -> None:
    X = cloud()
    (found,) = (f for f in findings(*published(tmp_path, X, change(X))) if f.name == name)
    assert found.size == pytest.approx(size, rel=0.05)


def test_the_mean_moves_by_the_share_of_the_spread_that_was_planted(tmp_path: Path) -> None:
    X = cloud()
    spread = np.sqrt(((X - X.mean(axis=0)) ** 2).sum(axis=1).mean())
    (found,) = findings(*published(tmp_path, X, X + 2 * spread / np.sqrt(D)))
    assert (found.name, found.size) == ("translation", pytest.approx(2, rel=1e-3))


def test_noise_says_that_no_map_explains_it(tmp_path: Path) -> None:
    X = cloud()
    (found,) = findings(*published(tmp_path, X, noise(X, 0.1)))
    told = r"Vectors stayed, but for noise of relative size 0\.(1|099); no linear map explains it\."
    assert re.fullmatch(told, found.text)


@pytest.mark.parametrize("seed", range(5))
def test_noise_of_few_rows_is_no_rotation(seed: int, tmp_path: Path) -> None:
    """A rotation has 66 numbers to fit 480 with: it always leaves less than was planted."""
    X = cloud(40, seed=seed)
    found = findings(*published(tmp_path, X, noise(X, 0.1, seed)))
    assert [finding.name for finding in found] == ["noise"]


def test_few_rows_are_told_to_be_too_few(tmp_path: Path) -> None:
    X = cloud(10)
    (found,) = findings(*published(tmp_path, X, cloud(10, seed=3)))
    assert (found.name, "too few" in found.text) == ("other", True)


def test_a_cloud_of_the_same_shape_is_not_shuffled_where_items_still_correlate(
    tmp_path: Path,
) -> None:
    """Both have one covariance, to the last digit; half the spread of each row stays."""
    rng = np.random.default_rng(2)
    both = rng.normal(size=(400, 2 * D))
    Q = np.linalg.qr(both - both.mean(axis=0))[0] * 20
    X, Z = Q[:, :D], Q[:, D:]
    (found,) = findings(*published(tmp_path, X, 0.7 * X + np.sqrt(0.51) * Z))
    assert found.name == "other"


def test_another_metric_is_named(tmp_path: Path) -> None:
    X = cloud()
    found = findings(*published(tmp_path, X, X, ("cosine", "dot")))
    assert {f.name for f in found} == {"same", "metric"}


@pytest.fixture
def corpus(tmp_path: Path) -> Callable[..., sp.Version]:
    """Texts of a small grammar, built with any encoder into a space of its own."""
    rng = np.random.default_rng(0)
    words = [[f"{topic}{i}" for i in range(30)] for topic in ("sea", "sky", "tax", "law")]
    topics = rng.integers(0, 4, 300)
    texts = [" ".join(rng.choice(words[topic], 12)) for topic in topics]

    def build(space: str, encoder: sp.encoders.base.Encoder, changed: int = 0) -> sp.Version:
        told = [f"new {text}" if row < changed else text for row, text in enumerate(texts)]
        path = tmp_path / f"{space}{changed}.csv"
        path.write_text("id,text\n" + "".join(f"k{i},{text}\n" for i, text in enumerate(told)))
        source = sp.sources.texts(str(path), column="text", id="id")
        return sp.open(tmp_path / "store").build(space, encoder, source)

    return build


def test_1_percent_changed_items_are_named_and_the_others_stayed(corpus) -> None:
    lsa = sp.encoders.lsa(dimension=8)
    old, new = corpus("news", lsa), corpus("news", lsa, changed=3)
    assert new.reference == "news@1.1.0"
    found = findings(old, new)
    assert {f.name for f in found} == {"same", "changed"}
    assert found[1].size == pytest.approx(0.01)


def test_another_seed_is_named(corpus) -> None:
    old = corpus("a", sp.encoders.hashing(dimension=16, seed=0))
    new = corpus("b", sp.encoders.hashing(dimension=16, seed=1))
    found = findings(old, new)
    assert found[-1].name == "seed"
    assert found[-1].text == "The encoder differs: seed 0 → 1."
    assert found[0].name not in ("same", "rotation", "noise")


def test_another_method_is_named(corpus) -> None:
    old, new = (
        corpus("a", sp.encoders.hashing(dimension=8)),
        corpus("b", sp.encoders.lsa(dimension=8)),
    )
    assert findings(old, new)[-1].text == "The encoder differs: method hashing → lsa."
    assert findings(old, new)[-1].name == "method"
