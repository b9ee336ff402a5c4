"""A diff's figures against independent ones, its text and JSON, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.spatial import procrustes as disparity

import spaceport as sp
from spaceport.errors import InputError, NotFoundError, ParameterError
from spaceport.quality.cka import cka
from spaceport.quality.instability import eigenspace_instability
from spaceport.quality.overlap import overlap
from spaceport.quality.second_order import second_order
from spaces.compatibility.planted import cloud, noise, published, turn, write

Corpus = Callable[..., sp.Version]


@pytest.fixture(scope="module")
def sides() -> tuple[np.ndarray, np.ndarray]:
    X = cloud(500)
    return X, (noise(X, 0.3) @ turn(12) * 2 + 1).astype(np.float32)


@pytest.fixture(scope="module")
def versions(sides, tmp_path_factory) -> tuple[sp.Version, sp.Version]:
    return published(tmp_path_factory.mktemp("diff"), *sides)


@pytest.fixture(scope="module")
def found(versions) -> sp.Diff:
    return sp.diff(*versions)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Corpus:
    """Texts of four topics, labeled, built with an encoder into the space `news`."""
    folder = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(0)
    topics = ["sea", "sky", "tax", "law"]
    words = {topic: [f"{topic}{i}" for i in range(30)] for topic in topics}
    labels = [topics[i] for i in rng.integers(0, 4, 240)]
    texts = [" ".join(rng.choice(words[label], 12)) for label in labels]

    def build(encoder: sp.encoders.base.Encoder, skip: int = 0, change: int = 0) -> sp.Version:
        rows = [
            f"k{i},{'<b>new</b> ' * (i < change + skip)}{text},{label}"
            for i, (text, label) in enumerate(zip(texts, labels, strict=True))
        ]
        path = folder / "items.csv"
        path.write_text("id,text,topic\n" + "\n".join(rows[skip:]) + "\n")
        source = sp.sources.texts(str(path), column="text", id="id", label="topic")
        return sp.open(folder / "store").build("news", encoder, source)

    return build


@pytest.fixture(scope="module")
def news(corpus) -> tuple[sp.Version, sp.Version]:
    return (
        corpus(sp.encoders.hashing(dimension=32, seed=0)),
        corpus(sp.encoders.hashing(dimension=32, seed=1), skip=2, change=3),
    )


def test_its_figures_are_those_of_the_arrays(found: sp.Diff, sides) -> None:
    X, Y = (side.astype(np.float64) for side in sides)
    near = overlap(*sides)
    told = found["neighbors' overlap@10"]
    assert told["mean"] == pytest.approx(near.mean)
    assert told["low"] == told["high"] == told["mean"]
    counts = np.bincount(np.rint(near.each * 10).astype(int), minlength=11)
    assert told["histogram"] == counts.tolist()
    assert found["second-order cosine"]["mean"] == pytest.approx(second_order(*sides).mean())
    assert found["left by a rotation and a factor"] == pytest.approx(disparity(X, Y)[2], rel=1e-4)
    x, y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    R, _ = orthogonal_procrustes(x, y)
    plain = ((x @ R - y) ** 2).sum() / (y**2).sum()
    assert found["left by a rotation"] == pytest.approx(plain, rel=1e-4)
    assert found["CKA, debiased"] == pytest.approx(cka(X, Y), abs=1e-5)
    assert found["eigenspace instability"] == pytest.approx(eigenspace_instability(X, Y), abs=1e-4)
    spread = np.sqrt((x**2).sum(axis=1).mean())
    shift = np.linalg.norm(Y.mean(axis=0) - X.mean(axis=0)) / spread
    assert found["mean shift"] == pytest.approx(shift, rel=1e-5)
    lengths = np.linalg.norm(Y, axis=1)
    assert found["lengths"][1] == pytest.approx(
        {"mean": lengths.mean(), "low": lengths.min(), "high": lengths.max(), "zero": 0}, rel=1e-5
    )
    assert found["moved"]["count"] == 500


def test_the_spectra_are_those_of_the_covariances(found: sp.Diff, sides) -> None:
    for shares, side in zip(found.spectra, sides, strict=True):
        values = np.linalg.eigvalsh(np.cov(side.T.astype(np.float64)))[::-1]
        np.testing.assert_allclose(shares, values / values.sum(), rtol=1e-4)


def test_a_sample_says_so_and_its_interval_holds_the_whole(versions, found: sp.Diff) -> None:
    part = sp.diff(*versions, sample=150, seed=3)
    told = part["neighbors' overlap@10"]
    assert (told["asked"], told["among"]) == (150, 500)
    assert told["low"] < found["neighbors' overlap@10"]["mean"] < told["high"]
    assert "150 items drawn with seed 3" in part.to_text(how=True)
    same = sp.diff(*versions, sample=150, seed=3)
    assert same.to_json() == part.to_json()


def test_the_most_moved_items_have_their_neighbors(found: sp.Diff, sides) -> None:
    near = overlap(*sides)
    first = found.moved[0]
    row = int(first.id[1:])
    assert first.overlap == near.each.min() == near.each[row]
    assert [other.id for other in first.before] == [f"i{p}" for p in near.before[row, :5]]
    assert [other.id for other in first.after] == [f"i{p}" for p in near.after[row, :5]]
    assert [item.overlap for item in found.moved] == sorted(near.each)[:10]


def test_a_planted_mover_is_found(tmp_path: Path) -> None:
    X = cloud(200)
    Y = X.copy()
    Y[17] = -X[17]
    found = sp.diff(*published(tmp_path, X, Y))
    assert found.moved[0].id == "i17"
    assert found["moved"]["count"] == 1
    assert "1 of 200 shared items (0.5%) have another vector" in found.to_text()


def test_an_even_number_of_other_signs_is_no_shuffle(tmp_path: Path) -> None:
    """Twelve sign bits once cancelled in the digest of the rows."""
    X = cloud(200)
    for columns in ([0, 1], list(range(12))):
        Y = X.copy()
        Y[5:9, columns] *= -1
        text = sp.diff(*published(tmp_path / str(len(columns)), X, Y)).to_text()
        assert "4 of 200 shared items (2.0%) have another vector" in text


def test_items_label_and_probes(news) -> None:
    found = sp.diff(*news)
    items = found.items
    assert (items.removed, items.changed, items.added) == (["k0", "k1"], ["k2", "k3", "k4"], [])
    assert items.shared == 235
    assert found["probe of topic, old"]["accuracy"] > 0.8 < found["probe of topic, new"]["accuracy"]
    assert found["probe of topic, old one on new vectors"]["accuracy"] < 0.6
    assert {finding.name for finding in found.findings} >= {"seed", "changed"}
    assert found.near is not None
    assert found.near.by == "by topic"
    assert {region.name for region in found.near.regions} == {"sea", "sky", "tax", "law"}


def test_regions_are_the_mean_overlap_of_their_items(news) -> None:
    found = sp.diff(*news)
    assert found.near is not None
    whole = sum(region.items * region.overlap for region in found.near.regions)
    assert whole / 235 == pytest.approx(found["neighbors' overlap@10"]["mean"])


def test_the_text_is_a_page_for_a_reviewer(news) -> None:
    text = sp.diff(*news).to_text()
    lines = text.splitlines()
    assert lines[0] == "news@1.0.0 → news@2.0.0"
    assert "  The encoder differs: seed 0 → 1." in lines
    assert "Items: 240 → 238, 235 shared (by id and content)" in lines
    assert "  removed  2: k0, k1" in lines
    assert "  changed  3: k2, k3, k4" in lines
    assert any(line.startswith("  dimension") and line.endswith("=") for line in lines)
    assert any("was near" in line for line in lines)
    assert str(sp.diff(*news)) == text
    assert not any(line != line.rstrip() for line in lines)


def test_the_json_holds_everything_and_no_nan(news) -> None:
    told = json.loads(sp.diff(*news).to_json())
    assert told["items"]["removed"] == {"count": 2, "ids": ["k0", "k1"]}
    assert told["parts"][0]["text"] == "seed 0 → 1"
    assert {"overlap", "before", "after", "id"} <= set(told["moved"][0])
    assert told["sides"]["dimension"] == {"old": 32, "new": 32}
    assert len(told["spectra"][0]) == 32


def test_other_dimensions_work_where_defined(tmp_path: Path) -> None:
    X = cloud(300)
    found = sp.diff(*published(tmp_path, X, X[:, :5]))
    assert found["mean shift"] is None
    assert "not defined: the dimensions differ" in found.to_text()
    assert found["CKA, debiased"] == pytest.approx(cka(X, X[:, :5]), abs=1e-5)
    assert 0 < found["neighbors' overlap@10"]["mean"] < 1


def test_the_same_vectors_have_nothing_to_show(tmp_path: Path) -> None:
    X = cloud(100)
    found = sp.diff(*published(tmp_path, X, X))
    text = found.to_text()
    assert "Every shared item has the vector it had" in text
    assert found["neighbors' overlap@10"]["mean"] == found["CKA, debiased"] == 1
    assert found["left by a rotation"] == pytest.approx(0, abs=1e-9)
    assert "was near" not in text


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
def test_few_shared_items(rows: int, tmp_path: Path) -> None:
    X = cloud(8, seed=1)
    found = sp.diff(*published(tmp_path, X[:rows], X @ turn(12)))
    assert found.items.shared == rows
    assert "not defined: CKA of" in found.to_text() or rows > 3
    assert json.loads(found.to_json())["items"]["added"]["count"] == 8 - rows
    assert (found.near is None) == (rows == 1)


def test_rows_that_are_all_the_same_or_zero(tmp_path: Path) -> None:
    X = np.ones((20, 3))
    text = sp.diff(*published(tmp_path, X, 0 * X)).to_text()
    assert text.count("not defined") >= 3


def test_bad_input_is_two_lines(news, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"news@1.0.0 was given twice"):
        sp.diff(news[0], news[0])
    with pytest.raises(NotFoundError, match="do not both have a column 'topics'") as caught:
        sp.diff(*news, label="topics")
    assert "Did you mean topic?" in str(caught.value)
    with pytest.raises(InputError, match="values that two shared items"):
        sp.diff(*news, label="text")
    with pytest.raises(ParameterError, match="`sample`"):
        sp.diff(*news, sample=0)
    with pytest.raises(ParameterError, match="A diff is written as"):
        sp.diff(*news).write(tmp_path / "diff.pdf")
    store = sp.open(tmp_path / "other")
    one, two = write(store, "a", ["x"], np.eye(1)), write(store, "b", ["y"], np.eye(1))
    with pytest.raises(NotFoundError, match="'x' in a@1.0.0; 'y' in b@1.0.0"):
        sp.diff(one, two)
