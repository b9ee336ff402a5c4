from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from spaceport.errors import NotFoundError
from spaceport.maps.page import picture
from spaceport.maps.page.base import Level, Page, palette

SIDES = np.repeat([0, 1], 200)


def page(labels=("left", "right"), **more):
    places = np.random.default_rng(0).normal(size=(400, 2)) + SIDES[:, None] * [12, 0]
    columns = {"side": ["l" if side == 0 else None for side in SIDES], "x": places[:, 0].tolist()}
    levels = [Level(SIDES, list(labels))]
    return Page(
        "demo@1.0.0", places, [str(i) for i in range(400)], columns=columns, levels=levels, **more
    )


def drawn(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def amount(pixels, color, opacity=0.75, tolerance=25):
    """Share of the pixels that have a color, as points show it over the paper."""
    over, under = ([int(one[i : i + 2], 16) for i in (1, 3, 5)] for one in (color, palette().paper))
    wanted = np.multiply(over, opacity) + np.multiply(under, 1 - opacity)
    return (np.abs(pixels - wanted).max(axis=2) < tolerance).mean()


def test_the_two_sides_have_their_colors(tmp_path):
    picture.write(tmp_path / "map.png", page())
    pixels = drawn(tmp_path / "map.png")
    assert pixels.shape == (1200, 1600, 3)
    first, second = palette().categories[:2]
    left, right = pixels[200:, :800], pixels[200:, 800:]
    assert amount(left, first) > 0.005 > 0.0001 > amount(right, first)
    assert amount(right, second) > 0.005 > 0.0001 > amount(left, second)


def test_a_column_colors_the_picture_and_missing_is_grey(tmp_path):
    picture.write(tmp_path / "map.png", page(), "side")
    pixels = drawn(tmp_path / "map.png")
    assert amount(pixels[200:, 800:], palette().missing, tolerance=10) > 0.005
    assert amount(pixels[200:, 800:], palette().categories[1]) < 0.0001


def test_numbers_run_along_the_scale(tmp_path):
    picture.write(tmp_path / "map.png", page(color="x"))
    pixels = drawn(tmp_path / "map.png")
    low, high = palette().scale[0], palette().scale[-1]
    assert amount(pixels[200:, :800], low) > amount(pixels[200:, 800:], low)
    assert amount(pixels[200:, 800:], high) > amount(pixels[200:, :800], high)


def test_labels_are_written_and_strange_ones_do_no_harm(tmp_path):
    ink = palette().ink
    picture.write(tmp_path / "named.png", page())
    picture.write(tmp_path / "bare.png", page(labels=("", "")))
    picture.write(tmp_path / "strange.png", page(labels=("$\\frac{", "雪\u2028<b>")))
    named, bare, strange = (
        amount(drawn(tmp_path / f"{name}.png")[200:], ink, opacity=1)
        for name in ("named", "bare", "strange")
    )
    assert named > bare + 0.0003
    assert strange > bare


def test_overlapping_labels_give_way_to_the_larger_cell(tmp_path):
    """Two cells in one place: only one label can be written there."""
    cells = np.array([0] * 300 + [1] * 100)
    places = np.zeros((400, 2))
    places[-1] = 1
    ids = [str(i) for i in range(400)]
    for name, labels in {
        "both": ["wwwww", "mmmmm"],
        "first": ["wwwww", ""],
        "second": ["", "mmmmm"],
    }.items():
        picture.write(
            tmp_path / f"{name}.png", Page("t", places, ids, levels=[Level(cells, labels)])
        )
    both, first, second = (drawn(tmp_path / f"{name}.png") for name in ("both", "first", "second"))
    assert np.array_equal(both, first)
    assert not np.array_equal(both, second)


def test_a_page_without_cells_or_columns_is_drawn(tmp_path):
    picture.write(tmp_path / "map.png", Page("t", [[0, 0]], ["only"]))
    assert amount(drawn(tmp_path / "map.png"), palette().categories[0]) > 0


def test_no_global_state_of_matplotlib_is_touched(tmp_path):
    script = (
        "import sys, spaceport.maps.page.picture as p, spaceport.maps.page.base as b\n"
        f"p.write({str(tmp_path / 'map.png')!r}, b.Page('t', [[0, 0], [1, 1]], ['a', 'b']))\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_an_unknown_column_lists_those_there_are(tmp_path):
    with pytest.raises(NotFoundError, match="There are: side, x"):
        picture.write(tmp_path / "map.png", page(), "sode")
