"""`spaceport build table` and `build vectors`, in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from spaceport.spaces.spaceport import open as open_store

SPACEPORT = str(Path(sys.executable).with_name("spaceport"))
BIRDS = "kind,size,seen,place\n" + "".join(
    f"{['gull', 'wren'][k % 2]},{[50, 9][k % 2] + k},{k % 9 + 1:02}/05/2024,{'?' if k % 5 else 'pier'}\n"
    for k in range(40)
)


def spaceport(here: Path, *words: str, code: int = 0) -> str:
    env = {**os.environ, "SPACEPORT_STORE": str(here / "store"), "COLUMNS": "120"}
    done = subprocess.run([SPACEPORT, *words], cwd=here, env=env, capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def test_a_table(tmp_path: Path) -> None:
    (tmp_path / "birds.csv").write_text(BIRDS)
    told = ["--space", "birds", "--label", "kind", "--missing", "?", "--dimension", "4", "--json"]
    told += ["--date", "seen=%d/%m/%Y", "--set", "rarity=0.5"]
    row = json.loads(spaceport(tmp_path, "build", "table", "birds.csv", *told))[0]
    assert (row["version"], row["rows"], row["dimension"]) == ("birds@1.0.0", 40, 4)
    version = open_store(tmp_path / "store")["birds"]
    assert version.encoder.spec == "mixed(dimension=4, rarity=0.5)"
    rules = version.encoder.state()[1]["rules"]
    assert [rule["rule"] for rule in rules] == ["number", "date", "category"]
    unchanged = spaceport(tmp_path, "build", "table", "birds.csv", *told)
    assert json.loads(unchanged)[0]["change"] == "none"


def test_a_date_without_a_format(tmp_path: Path) -> None:
    (tmp_path / "birds.csv").write_text(BIRDS)
    said = spaceport(
        tmp_path, "build", "table", "birds.csv", "--space", "b", "--date", "seen", code=1
    )
    assert said.splitlines()[0] == "spaceport: `seen` is not a date's format."


def test_vectors(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    np.save(tmp_path / "x.npy", X)
    told = ["--space", "small", "--method", "pca(dimension=3, whiten=True)"]
    spaceport(tmp_path, "build", "vectors", "x.npy", *told)
    found = open_store(tmp_path / "store")["small"].vectors()
    np.testing.assert_allclose(np.cov(found.T), np.eye(3), atol=1e-4)


def test_a_column_in_doubt_is_told(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("size,kind\n1,a\nnan,b\n3,a\n4,b\n")
    build = ("build", "table", "t.csv", "--dimension", "2", "--space")
    said = spaceport(tmp_path, *build, "doubtful")
    assert "Look at the column size: 3 of 4 values are numbers, 'nan' is not" in said
    assert "Look at" not in spaceport(tmp_path, *build, "told", "--missing", "nan")
