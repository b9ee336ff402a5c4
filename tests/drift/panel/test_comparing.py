"""The verdict: what goes in, what is refused, what it says."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest

from drift.panel.worlds import BASIS, clustered
from spaceport.drift.panel import given as gate
from spaceport.drift.panel.comparing import compare
from spaceport.drift.sketches.sketch import Sketch
from spaceport.errors import InputError, MismatchError, ParameterError

QUICK = {"permutations": 99, "cells": BASIS.cells}


def window(seed: int = 0, n: int = 300, m: int = 150) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return clustered(rng, n)[0], clustered(rng, m)[0]


def test_a_verdict_is_text_and_strict_json() -> None:
    X, Y = window()
    verdict = compare(X, Y + 1.0, tolerance=0.3, **QUICK)
    told = json.loads(verdict.to_json())
    assert told["drift"]
    assert told["alarm"]
    assert told["p"] == 0.01
    assert {effect["name"] for effect in told["effects"]} == {"moved", "changed", "mean", "within"}
    lines = str(verdict).splitlines()
    assert lines[0].startswith("drift      p = 0.01 at alpha 0.05 · 300 rows then, 150 now")
    assert any("more than 30.0% of the items has surely moved" in line for line in lines)
    assert len(lines) == 9


def test_tolerance_keeps_small_drift_quiet() -> None:
    X, Y = window(n=4000, m=4000)
    Y[:, 0] += 0.2
    verdict = compare(X, Y, tolerance=0.2, **QUICK)
    assert verdict.drift
    assert not verdict.practical
    assert not verdict.alarm
    assert compare(X, Y, **QUICK).alarm


def test_seeds_decide_everything() -> None:
    X, Y = window()
    assert compare(X, Y, seed=4, **QUICK) == compare(X, Y, seed=4, **QUICK)


def test_broken_rows_are_counted_and_named() -> None:
    X, Y = window()
    Y[[4, 9]] = np.nan
    ids = None, [f"item {i}" for i in range(150)]
    with pytest.raises(InputError, match="2 of 150 rows.*row 4, id 'item 4'.\n.*drop=True"):
        compare(X, Y, ids=ids, **QUICK)
    verdict = compare(X, Y, ids=ids, drop=True, **QUICK)
    assert verdict.dropped == (0, 2)
    assert verdict.rows == (300, 148)
    assert "2 broken rows left out" in str(verdict)


def test_items_keep_their_places_where_rows_were_dropped() -> None:
    X, Y = window()
    Y[0] = np.inf
    Y[1:31] = 30
    verdict = compare(X, Y, drop=True, **QUICK)
    assert verdict.where is not None
    items = [i for cell in verdict.where.named() for i in cell.items if i.why == "novel"]
    assert items
    assert all(1 <= item.place <= 30 and item.id == str(item.place) for item in items[:3])


@pytest.mark.parametrize("few", [0, 1, 7])
def test_too_few_rows_say_what_could_be_found(few: int) -> None:
    X, Y = window()
    with pytest.raises(InputError, match=f"`current` has {few} row.*be found.\nGive at least 8"):
        compare(X, Y[:few], **QUICK)


def test_other_refusals() -> None:
    X, Y = window()
    with pytest.raises(InputError, match="dimension 6. Got 5"):
        compare(X, Y[:, :5])
    with pytest.raises(InputError, match="same vector"):
        compare(np.ones((20, 3)), np.ones((20, 3)))
    with pytest.raises(InputError, match="150 rows and 3 ids"):
        compare(X, Y, ids=(None, ["a", "b", "c"]))
    with pytest.raises(ParameterError, match="`alpha` must lie"):
        compare(X, Y, alpha=0)
    with pytest.raises(ParameterError, match="alpha 0.001 is never reached.\nAsk for 20000"):
        compare(X, Y, alpha=0.001, permutations=99)
    with pytest.raises(ParameterError, match="`tolerance`"):
        compare(X, Y, tolerance=-0.1)
    with pytest.raises(ParameterError, match="Sketch the array"):
        compare(Sketch.of(BASIS, X), Y)


@dataclass(frozen=True)
class Coordinates:
    reference: str

    def agrees(self, other: Coordinates) -> bool:
        return self == other


class Labeled(np.ndarray):
    coordinates: Coordinates


def labeled(rows: np.ndarray, name: str) -> Labeled:
    view = rows.view(Labeled)
    view.coordinates = Coordinates(name)
    return view


def test_vectors_of_two_models_are_refused_at_one_dimension() -> None:
    X, Y = window()
    with pytest.raises(MismatchError, match=r"signs@1.0.0, `current` those of signs@2.0.0"):
        compare(labeled(X, "signs@1.0.0"), labeled(Y, "signs@2.0.0"), **QUICK)
    assert not compare(labeled(X, "signs@1.0.0"), labeled(Y, "signs@1.0.0"), **QUICK).drift


def test_sketches_are_compared_like_arrays() -> None:
    X, Y = window()
    Y[:40] = 20
    sketches = [Sketch.of(BASIS, side) for side in (X, Y)]
    verdict = compare(*sketches, permutations=99)
    assert verdict.alarm
    assert verdict.rows == (300, 150)
    assert verdict.where is not None
    assert verdict.where.named()[0].items


def test_long_sides_are_sampled_or_sketched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "ROWS", 600)
    monkeypatch.setattr(gate, "_SHORT", 200)
    monkeypatch.setattr(gate, "_KEPT", 400)
    X, Y = window(n=3000, m=2500)
    Y[:500] += 3
    for m in (150, 2500):
        verdict = compare(X, Y[:m], **QUICK)
        assert verdict.rows == (3000, m)
        assert verdict.drift
        assert verdict.where is not None
        places = [item.place for cell in verdict.where.named() for item in cell.items]
        assert max(places) > 600  # of what was given, not of the sample
        assert not compare(X, X[:m] if m == 150 else X[500:], **QUICK).alarm
