"""Tests that look at rows are refused where only sums are left, before any of them works."""

from __future__ import annotations

import pytest

from spaceport.drift.centroid import Centroid
from spaceport.drift.panel.comparing import judge
from spaceport.errors import InputError
from spaceport.methods import load, names
from spaceport.testing.drift import _blocks

ROWS = {"classifier", "ks", "novelty", "wasserstein"}


def test_which_tests_need_rows() -> None:
    assert {name for name in names("drift") if load("drift", name).needs_rows} == ROWS


@pytest.mark.parametrize("name", sorted(ROWS))
def test_the_refusal_says_what_to_do(name: str) -> None:
    with pytest.raises(InputError, match="only sums were kept") as caught:
        load("drift", name)().evidence(_blocks())
    assert name in str(caught.value)
    assert "centroid, mmd, frechet or cells" in str(caught.value)


def test_a_panel_with_one_of_them_does_no_work(monkeypatch) -> None:
    def works(self, pooled):
        raise AssertionError("it worked before the refusal")

    monkeypatch.setattr(Centroid, "statistics", works)
    with pytest.raises(InputError, match="ks"):
        judge(_blocks(), tests=("centroid", "ks"))
