"""`spaceport diff`: text, JSON, page and picture, and two-line errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import spaceport as sp
from spaceport.cli.main import app

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("cli") / "store"
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    opened = sp.open(folder)
    ids = [f"i{row}" for row in range(60)]
    kinds = ["even", "odd"] * 30
    opened.publish("mine", ids, X, {"kind": kinds})
    opened.publish("mine", ids, X[:, ::-1] * [2, 1, 1, 1], {"kind": kinds})
    return folder


@pytest.fixture
def run(store: Path) -> Run:
    return lambda *words: CliRunner().invoke(app, ["diff", *words, "--store", str(store)])


def test_the_text_and_the_files(run: Run, tmp_path: Path) -> None:
    for name, head in (("d.html", b"<!doctype html>"), ("d.png", b"\x89PNG"), ("d.svg", b"<?xml")):
        found = run("mine@1", "mine@2", "-o", str(tmp_path / name))
        assert found.exit_code == 0
        assert found.stdout.startswith("mine@1.0.0 → mine@2.0.0\n")
        assert (tmp_path / name).read_bytes().startswith(head)
    assert "i5" in (tmp_path / "d.html").read_text()


def test_json_is_the_same_diff(run: Run) -> None:
    found = run("mine@1", "mine@2", "--json", "--sample", "20", "--seed", "3", "--label", "kind")
    told = json.loads(found.stdout)
    (near,) = (f for f in told["figures"] if f["name"] == "neighbors' overlap@10")
    assert (near["value"]["asked"], near["value"]["among"]) == (20, 60)
    assert {probe["name"] for probe in told["probes"]} >= {"probe of kind, old"}


def test_how_says_how(run: Run) -> None:
    assert "Song et al. 2012" in run("mine@1", "mine@2", "--how").stdout
    assert "Song et al. 2012" not in run("mine@1", "mine@2").stdout


def test_errors_come_as_they_are(run: Run) -> None:
    with pytest.raises(sp.SpaceportError, match="was given twice"):
        raise run("mine@1", "mine@1").exception or AssertionError
    with pytest.raises(sp.SpaceportError, match="There is no mine@9"):
        raise run("mine@1", "mine@9").exception or AssertionError
