"""What the map shows of a version of pictures: its thumbnails, and cells named by the label."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import spaceport as sp
from spaceport.spaces import mapping


@pytest.fixture(scope="module")
def signs(tmp_path_factory):
    """Sixty pictures in two folders, and one file that is none."""
    folder = tmp_path_factory.mktemp("signs")
    rng = np.random.default_rng(0)
    for n in range(60):
        picture = rng.integers(0, 60, (40, 60, 3), np.uint8)
        picture[10:30, slice(5, 25) if n % 2 else slice(35, 55)] += 150
        path = folder / ("left" if n % 2 else "right") / f"{n:02}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(picture).save(path)
    (folder / "broken.png").write_bytes(b"?")
    source = sp.sources.images(folder, label="folder", skip_unreadable=True)
    store = sp.open(folder / "store")
    return store.build("signs", sp.encoders.pixels(dimension=4, size=8), source)


@pytest.fixture
def page(signs, monkeypatch):
    def flat(version, projection):
        return np.random.default_rng(0).normal(size=(len(version), 2)).astype(np.float32)

    monkeypatch.setattr(mapping, "_positions", flat)
    return mapping.page(signs)


def test_each_item_has_its_own_picture(signs, page):
    assert len(page.pictures) == 60
    for name, data in zip(page.ids, page.pictures, strict=True):
        seen = np.asarray(Image.open(io.BytesIO(data)).convert("L")).astype(int)
        assert seen.shape == (32, 48)
        bright = "left" if seen[:, :24].mean() > seen[:, 24:].mean() else "right"
        assert name.startswith(bright)


def test_bytes_are_no_column_to_color_by(page):
    assert set(page.columns) == {"folder", "width", "height", "mode"}
    assert page.color == "folder"


def test_cells_of_pictures_are_named_by_the_label(page):
    names = [name for level in page.levels for name in level.labels]
    assert {part for name in names if name for part in name.split(", ")} == {"left", "right"}
    level = page.levels[0]
    for cell, name in enumerate(level.labels):
        inside = [
            v for v, c in zip(page.columns["folder"], level.assignment, strict=True) if c == cell
        ]
        assert 2 * sum(value in name.split(", ") for value in inside) > len(inside)


def test_the_card_counts_what_was_left_out(signs):
    facts = {fact.name: fact.value for fact in signs.card}
    assert facts["source files"] == 61
    assert facts["source unreadable"] == 1
