"""New items on a version's map: the old ones stay where they are, the new are told by their p-values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import spaceport as sp
from spaceport.errors import InputError, MismatchError
from spaceport.geometry.cells import assign
from spaceport.maps.page.html import payload
from spaceport.spaces import mapping
from spaceport.spaces.newcomers import NOVELTY, SIDE, added, newcomers


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(3, 8)) * 6
    kinds = np.repeat(np.arange(3), 100)
    X = (centers[kinds] + rng.normal(size=(300, 8))).astype(np.float32)
    store = sp.open(tmp_path_factory.mktemp("new") / "store")
    texts = [f"{('goats', 'ships', 'stars')[kind]} {row}" for row, kind in enumerate(kinds)]
    store.publish("mine", [f"i{row}" for row in range(300)], X, {"text": texts}, metric="euclidean")
    return store


@pytest.fixture
def shown(version, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """A map that needs no projection: a plane through the space."""
    monkeypatch.setattr(
        mapping, "_positions", lambda v, _: np.array(np.asarray(v.vectors())[:, :2])
    )
    return mapping.page(version["mine"])


def ordinary_and_new(version) -> np.ndarray:  # type: ignore[no-untyped-def, type-arg]
    """Forty items like those of the version, ten of a cluster between two of its own."""
    rng = np.random.default_rng(1)
    X = np.asarray(version["mine"].vectors())
    old = X[rng.choice(300, 40)] + rng.normal(size=(40, 8)) * 0.1
    middle = (X[:100].mean(axis=0) + X[100:200].mean(axis=0)) / 2
    return np.vstack([old, middle + rng.normal(size=(10, 8)) * 0.3]).astype(np.float32)


def test_the_new_are_told_by_color_while_they_stand_on_the_old(version, shown) -> None:  # type: ignore[no-untyped-def]
    new = newcomers(version["mine"], shown.positions, ordinary_and_new(version))
    assert new.p[40:].max() < 0.02
    assert np.median(new.p[:40]) > 0.2
    gaps = np.linalg.norm(new.positions[:, None] - shown.positions[None], axis=2).min(axis=1)
    spread = np.ptp(shown.positions, axis=0).max()
    assert gaps.max() < spread / 8  # all of them, the new ones too, among the old


def test_places_and_p_values_are_by_the_metric_of_the_space(version, shown) -> None:  # type: ignore[no-untyped-def]
    """Items far out in the direction of one cluster: alike by their angle, unlike by their distance."""
    X = np.asarray(version["mine"].vectors())
    far = X[:20] * 5
    new = newcomers(version["mine"], shown.positions, far)
    assert new.p.max() < 0.02
    index = ((X[None] - far[:, None]) ** 2).sum(axis=2).argsort(axis=1)[:, :10]  # (20, 10)
    corners = shown.positions[index]
    assert (new.positions >= corners.min(axis=1) - 1e-4).all()
    assert (new.positions <= corners.max(axis=1) + 1e-4).all()


def test_the_old_items_stay_as_they_are(version, shown) -> None:  # type: ignore[no-untyped-def]
    new = newcomers(version["mine"], shown.positions, ordinary_and_new(version))
    both = added(shown, new)
    assert (both.positions[:300] == shown.positions).all()
    assert both.ids[:300] == shown.ids
    assert both.count == 350
    assert both.columns[SIDE][:300] == ["in the version"] * 300
    assert both.columns[NOVELTY][:300] == [None] * 300
    assert both.columns[NOVELTY][300:] == new.p.tolist()
    assert both.color == NOVELTY
    unusual = int((new.p <= 0.05).sum())
    assert both.columns[SIDE].count("new, p ≤ 0.05") == unusual
    assert f"50 new items, {unusual} of them with p ≤ 0.05 (2 expected by chance)" in both.subtitle
    assert payload(both)["missing"] == "in the version"


def test_cells_of_the_new_are_those_of_the_version(version, shown) -> None:  # type: ignore[no-untyped-def]
    X = ordinary_and_new(version)
    both = added(shown, newcomers(version["mine"], shown.positions, X))
    for level, centroids in zip(both.levels, version["mine"].cells, strict=True):
        assert (level.assignment[300:] == assign(X, centroids, "euclidean")).all()


def test_ids_that_the_version_has_too(version, shown) -> None:  # type: ignore[no-untyped-def]
    X = np.asarray(version["mine"].vectors())[:3]
    names = ["i0", "mine", "i0 (new)"]
    with pytest.raises(InputError, match="repeated"):
        newcomers(version["mine"], shown.positions, X, names)
    new = newcomers(version["mine"], shown.positions, X, ["i0", "mine", "i2"], ["t", None, "u"])
    assert new.ids == ["i0 (new)", "mine", "i2 (new)"]
    assert new.texts == ["t", "", "u"]
    assert newcomers(version["mine"], shown.positions, X).ids == ["new 1", "new 2", "new 3"]


def test_twice_is_the_same(version, shown) -> None:  # type: ignore[no-untyped-def]
    X = ordinary_and_new(version)
    one, two = (newcomers(version["mine"], shown.positions, X) for _ in range(2))
    assert (one.positions == two.positions).all()
    assert (one.p == two.p).all()


def test_what_cannot_be_shown(version, shown) -> None:  # type: ignore[no-untyped-def]
    mine = version["mine"]
    with pytest.raises(InputError, match="no new items"):
        newcomers(mine, shown.positions, np.empty((0, 8), np.float32))
    with pytest.raises(InputError, match="dimension 8"):
        newcomers(mine, shown.positions, np.ones((2, 7), np.float32))
    with pytest.raises(InputError, match="NaN"):
        newcomers(mine, shown.positions, np.full((2, 8), np.nan))


def test_vectors_of_other_coordinates_are_refused(version, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(3)
    version.publish(
        "turned", [f"i{r}" for r in range(40)], rng.normal(size=(40, 8)), metric="euclidean"
    )
    with pytest.raises(MismatchError):
        newcomers(version["mine"], np.zeros((300, 2)), version["turned"].vectors())


def test_the_picture_and_the_page(version, shown, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    X = ordinary_and_new(version)
    version["mine"].map(tmp_path / "old.png")
    for name in ("new.png", "new.html"):
        version["mine"].map(tmp_path / name, new=X, new_ids=[f"n{row}" for row in range(50)])
    assert (tmp_path / "new.png").read_bytes() != (tmp_path / "old.png").read_bytes()
    assert (tmp_path / "new.html").read_bytes().startswith(b"<!doctype html>")
