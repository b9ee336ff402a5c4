from __future__ import annotations

import numpy as np
import pytest

from spaceport.errors import InputError, NotFoundError
from spaceport.maps.page.base import Level, Page, anchors, palette


def test_a_label_stands_in_the_dense_part_and_not_between_the_parts():
    """A cell in two parts: 30 items in a tight one, 20 in a wide one."""
    generator = np.random.default_rng(0)
    tight, wide = generator.normal(size=(30, 2)) * 0.1, generator.normal(size=(20, 2)) + 10
    plane = np.vstack([tight, wide])
    place = anchors(plane, np.zeros(50, np.int32))[0]
    assert np.linalg.norm(place) < 0.3
    assert np.linalg.norm(plane.mean(axis=0)) > 3  # the saboteur: the mean is in the void


def test_anchors_are_those_of_brute_force():
    generator = np.random.default_rng(1)
    plane, cells = generator.normal(size=(80, 2)).astype(np.float32), generator.integers(0, 3, 80)
    found = anchors(plane, cells)
    for cell in range(3):
        members = plane[cells == cell]
        apart = np.linalg.norm(members[:, None] - members, axis=2)
        quarter = int(np.ceil(len(members) / 4))
        center = np.sort(apart, axis=1)[:, quarter - 1].argmin()
        expected = members[apart[center].argsort()[:quarter]].mean(axis=0)
        np.testing.assert_allclose(found[cell], expected, atol=1e-6)


def test_a_cell_of_one_and_a_cell_of_none():
    places = anchors([[3, 4], [1, 1]], np.array([2, 0]))
    assert places.tolist() == [[1, 1], [0, 0], [3, 4]]


def contrast(one: str, two: str) -> float:
    """Contrast ratio of WCAG 2.2."""

    def luminance(color: str) -> float:
        parts = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


def seen_by_deuteranopes(color: str) -> np.ndarray:
    """Machado, Oliveira & Fernandes (2009), severity 1.0, on linear sRGB."""
    parts = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]) ** 2.2
    seen = np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]) @ parts
    return np.clip(seen, 0, 1) ** (1 / 2.2)


@pytest.mark.parametrize("dark", [False, True])
def test_the_colors_are_told_apart_and_the_text_is_legible(dark):
    colors = palette(dark)
    assert contrast(colors.ink, colors.paper) > 7
    seen = np.array([seen_by_deuteranopes(color) for color in (*colors.categories, colors.other)])
    apart = np.linalg.norm(seen[:, None] - seen, axis=2)[np.triu_indices(len(seen), 1)]
    assert apart.min() > 0.07
    red_and_green = [seen_by_deuteranopes("#a56a2a"), seen_by_deuteranopes("#7a7a2a")]
    assert np.linalg.norm(np.subtract(*red_and_green)) < 0.07  # the saboteur: colors that are not


PLACES = [[0, 0], [1, 1], [2, 0]]
IDS = ["a", "b", "c"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"positions": PLACES[:2]}, "must hold 2 ids. Got 3"),
        ({"positions": [[0, 0, 0]] * 3}, "dimension 2"),
        ({"positions": [[0, np.nan]] * 3}, "NaN"),
        ({"ids": ["a", "a", "b"]}, "repeated"),
        ({"texts": ["one"]}, "`texts` must hold 3 values. Got 1"),
        ({"columns": {"year": [1]}}, "`year` must hold 3 values. Got 1"),
        ({"levels": [Level(np.array([0, 1]), ["x", "y"])]}, "must be 3 integers"),
        ({"levels": [Level(np.array([0, 1, 2]), ["x", "y"])]}, "0 to 2 for 2 labels"),
        ({"levels": [Level(np.array([0, -1, 1]), ["x", "y"])]}, "-1 to 1 for 2 labels"),
        ({"positions": np.zeros((0, 2)), "ids": []}, "no items"),
    ],
)
def test_a_page_that_cannot_be_drawn_is_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        Page(**({"title": "t", "positions": PLACES, "ids": IDS} | wrong))


def test_a_color_that_is_no_column_is_refused():
    with pytest.raises(NotFoundError, match=r"no column `yaer`\.\nDid you mean year"):
        Page("t", PLACES, IDS, columns={"year": [1, 2, 3]}, color="yaer")
