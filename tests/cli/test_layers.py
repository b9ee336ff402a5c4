"""`spaceport layers` as it is typed: the list, the measured table, the picture, the space."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `torch`")

from typer.testing import CliRunner  # noqa: E402

from networks import tiny  # noqa: E402
from spaceport.cli.main import app  # noqa: E402
from spaceport.errors import ParameterError  # noqa: E402


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    folder = tmp_path_factory.mktemp("here")
    tiny.save(folder / "model", "bert")
    rng = np.random.default_rng(0)
    with (folder / "animals.csv").open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(("text", "kind", "score"))
        for i in range(60):
            words = rng.choice(["the", "sat", "mat", "more", "here", "others"], 5)
            lines.writerow(
                (" ".join([("cat", "dog")[i % 2], *words]), ("cat", "dog")[i % 2], i % 5)
            )
    return folder


def typed(here: Path, *words: str) -> str:
    known = {"model": str(here / "model"), "animals.csv": str(here / "animals.csv")}
    done = CliRunner().invoke(app, ["layers", *(known.get(word, word) for word in words)])
    if done.exception is not None:
        raise done.exception
    return done.stdout


def test_the_list_of_layers(here: Path) -> None:
    lines = typed(here, "model").splitlines()
    assert [line.split()[0] for line in lines if "BertLayer" in line] == [
        *("encoder.layer.0", "encoder.layer.1", "encoder.layer.2")
    ]
    assert "100%" in next(line for line in lines if "encoder.layer.2" in line)
    everything = json.loads(typed(here, "model", "--json"))
    assert f"{len(everything)} modules in all" in lines[-1]
    assert len(typed(here, "model", "--all").splitlines()) > len(everything)


ON = ("--on", "animals.csv", "--column", "text", "--label", "kind", "--by", "neighbors")


def test_the_measured_table_the_picture_and_the_space(here: Path, tmp_path: Path) -> None:
    store, picture = str(tmp_path / "store"), tmp_path / "layers.png"
    told = typed(
        here, "model", *ON, "--poolings", "mean, max", "--dimensions", "8", "--draw", str(picture),
        "--publish", "animals", "--store", store, "--set", "device=cpu",
    )  # fmt: skip
    assert "neighbors' vote of kind, on 44" in told
    assert told.count("*") >= 2  # one in the table, one in what it means
    assert "main directions" in told
    assert 'Use it: --method "activations(' in told
    assert "Published animals@1.0.1" in told
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_json_is_for_machines(here: Path) -> None:
    found = json.loads(typed(here, "model", *ON, "--poolings", "mean", "--json"))
    assert [row["where"] for row in found["rows"]][:4] == ["0", "1", "2", "last"]
    assert found["chosen"] in found["rows"]
    assert found["proof"][0]["what"] == "chosen"
    assert found["version"] is None


def test_wrong_words_are_told(here: Path) -> None:
    for words, message in [
        (("model", "--publish", "x"), "`--publish` needs items"),
        (("model", "--on", "animals.csv", "--pairs", "text", "kind", "--label", "kind"), "--pairs"),
        (("model", *ON, "--dimensions", "a"), "no whole numbers"),
    ]:
        with pytest.raises(ParameterError, match=message):
            typed(here, *words)


def test_two_lines_and_exit_code_one(here: Path) -> None:
    command = [str(Path(sys.executable).with_name("spaceport")), "layers", "nowhere"]
    done = subprocess.run(command, cwd=here, env=dict(os.environ), capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (1, 2)
    assert "There is no model `nowhere`" in done.stderr
