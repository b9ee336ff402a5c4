"""Samples: the same items whatever their order, each as likely as the next."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from spaceport import sources
from spaceport.errors import NotFoundError
from spaceport.spaces.samples import draw

ROWS = [(f"text {i}", f"kind {i % 3}", i) for i in range(90)]


def written(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "kind", "place"), *rows])
    return sources.texts(path, column="text", label="kind")


def test_all_items_where_there_are_fewer(tmp_path) -> None:
    found = draw(written(tmp_path / "a.csv", ROWS), ["kind", "place"], 1000)
    assert found.items == [text for text, _, _ in ROWS]
    assert found.columns == {"kind": [k for _, k, _ in ROWS], "place": [p for _, _, p in ROWS]}
    assert (found.seen, found.repeated) == (90, 0)


def test_the_same_items_in_any_order(tmp_path) -> None:
    first = draw(written(tmp_path / "a.csv", ROWS), ["place"], 20)
    second = draw(written(tmp_path / "b.csv", ROWS[::-1]), ["place"], 20)
    assert len(first.items) == 20
    assert set(first.items) == set(second.items)
    assert [f"text {place}" for place in first.columns["place"]] == first.items
    assert first.items != draw(written(tmp_path / "a.csv", ROWS), [], 20, seed=1).items


def test_each_item_is_as_likely_as_the_next(tmp_path) -> None:
    source = written(tmp_path / "a.csv", ROWS)
    times = np.zeros(90)
    for seed in range(200):
        times[draw(source, ["place"], 30, seed).columns["place"]] += 1
    expected, spread = 200 / 3, np.sqrt(200 / 3 * 2 / 3)
    assert times.sum() == 6000
    assert np.abs(times - expected).max() < 4.5 * spread
    assert times.std() == pytest.approx(spread, rel=0.3)


def test_what_stands_again_is_left_out_and_counted(tmp_path) -> None:
    source = written(tmp_path / "a.csv", [*ROWS, ("text 3", "kind 9", 90), ("text 4", "", 91)])
    once = draw(source, ["place"], 1000)
    assert (len(once.items), once.repeated, once.seen) == (90, 2, 92)
    assert len(draw(source, [], 1000, repeats=True).items) == 92


def test_an_unknown_column(tmp_path) -> None:
    with pytest.raises(NotFoundError, match="no column `kid`\\.\nDid you mean kind"):
        draw(written(tmp_path / "a.csv", ROWS), ["kid"], 5)
