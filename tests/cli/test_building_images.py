"""`spaceport build images` as a user meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SPACEPORT = str(Path(sys.executable).with_name("spaceport"))


@pytest.fixture
def here(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for n in range(24):
        path = tmp_path / "signs" / ("stop" if n % 2 else "yield") / f"{n}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = rng.integers(0, 60, (20, 20, 3), np.uint8)
        picture[5:15, 5:15, n % 2] += 150
        Image.fromarray(picture).save(path)
    with tarfile.open(tmp_path / "signs.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "signs", "signs")
    (tmp_path / "signs" / "broken.png").write_bytes(b"no picture")
    return tmp_path


def spaceport(here: Path, *words: str, code: int = 0) -> str:
    env = {**os.environ, "SPACEPORT_STORE": str(here / "store"), "COLUMNS": "120"}
    done = subprocess.run([SPACEPORT, *words], cwd=here, env=env, capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def test_an_archive_becomes_a_space_that_can_be_asked(here: Path) -> None:
    told = ("--label", "folder", "--space", "signs", "--dimension", "4")
    out = spaceport(here, "build", "images", "signs.tar.gz", *told, "--set", "size=8", "--json")
    (row,) = json.loads(out)
    assert (row["version"], row["rows"], row["dimension"]) == ("signs@1.0.0", 24, 4)
    near = spaceport(here, "near", "signs", "signs/stop/1.png", "-k", "5")
    assert near.count("signs/stop/") == 5


def test_an_unreadable_file_is_named_and_skipped_only_when_told(here: Path) -> None:
    told = ("build", "images", "signs", "--space", "signs", "--method", "hog(dimension=4)")
    error = spaceport(here, *told, code=1)
    assert error.splitlines() == [
        "spaceport: 1 of 25 files in signs cannot be read as images; the first is broken.png: "
        "cannot identify image file.",
        "Mend them, or leave them out with skip_unreadable=True.",
    ]
    assert "24 × 4" in spaceport(here, *told, "--skip-unreadable")
