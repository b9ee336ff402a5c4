"""The picture of the layers' scores: its lines have their colors, and its file ends as asked."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image

from spaceport.errors import MissingExtra, ParameterError
from spaceport.maps.page import layers
from spaceport.maps.page.base import palette

WHERES = ["0", "1", "last", "mean of last 2"]


def rows(scores, tied=()):
    return [
        {"where": where, "score": score, "low": score - 0.02, "high": score + 0.02}
        | {"tied": where in tied}
        for where, score in zip(WHERES, scores, strict=True)
    ]


def drawn(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def amount(pixels, color):
    wanted = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    return int((np.abs(pixels - wanted).max(axis=2) < 30).sum())


def write(path, lines, best=("0", "mean")):
    layers.write(path, "net", "accuracy", lines, dict(zip(("where", "pooling"), best, strict=True)))
    return path


def test_each_pooling_has_its_color_and_the_higher_line_is_above(tmp_path) -> None:
    lines = {"mean": rows([0.9] * 4), "cls": rows([0.1] * 4)}
    pixels = drawn(write(tmp_path / "a.png", lines))
    first, second = palette().categories[:2]
    upper, lower = pixels[22:200], pixels[240:420]
    assert amount(upper, first) > 100 > 5 > amount(upper, second)
    assert amount(lower, second) > 100 > 5 > amount(lower, first)


def test_what_is_tied_is_filled(tmp_path) -> None:
    color = palette().categories[0]
    hollow = amount(drawn(write(tmp_path / "a.png", {"mean": rows([0.5] * 4)})), color)
    filled = amount(drawn(write(tmp_path / "b.png", {"mean": rows([0.5] * 4, WHERES)})), color)
    assert filled > hollow + 60


def test_the_ring_is_around_the_choice(tmp_path) -> None:
    lines = {"mean": rows([0.5] * 4)}
    ringed = [
        drawn(write(tmp_path / f"{i}.png", lines, (where, "mean")))
        for i, where in enumerate(["0", "last"])
    ]
    changed = np.flatnonzero((ringed[0] != ringed[1]).any(axis=(0, 2)))
    assert changed.min() < 200
    assert 350 < changed.max() < 650


def test_svg_by_the_ending(tmp_path) -> None:
    lines = {"mean": rows([0.1, 0.2, 0.3, 0.4])}
    text = write(tmp_path / "a.svg", lines).read_text(encoding="utf-8")
    assert "<svg" in text
    with pytest.raises(ParameterError, match=r"`a\.pdf` ends neither in \.png nor in \.svg"):
        write(tmp_path / "a.pdf", lines)


def test_without_matplotlib(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"pip install 'spaceport\[maps\]'"):
        write(tmp_path / "a.png", {"mean": rows([0.5] * 4)})
