"""`spaceport build audio` as a user meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import wave
from pathlib import Path

import numpy as np
import pytest

SPACEPORT = str(Path(sys.executable).with_name("spaceport"))


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Twelve tones of three pitches, and an empty file, in an archive."""
    for n in range(12):
        t = np.arange(1600 + 20 * n) / 8000
        samples = 8000 * np.sin(2 * np.pi * (300 + 500 * (n % 3)) * t)
        noise = np.random.default_rng(n).normal(0, 300, len(t))
        with wave.open(str(tmp_path / f"{'abc'[n % 3]}_{n}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes((samples + noise).astype("<i2").tobytes())
    with wave.open(str(tmp_path / "a_zero.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
    with tarfile.open(tmp_path / "tones.tar.gz", "w:gz") as archive:
        for path in sorted(tmp_path.glob("*.wav")):
            archive.add(path, path.name)
    return tmp_path


def build(here: Path, *more: str, code: int = 0) -> str:
    told = ("tones.tar.gz", "--space", "tones", "--dimension", "4", "--label", "pitch")
    pattern = ("--name-pattern", r"(?P<pitch>\w)_\w+", "--store", "store")
    command = [SPACEPORT, "build", "audio", *told, *pattern, *more]
    done = subprocess.run(
        command, cwd=here, env={**os.environ, "COLUMNS": "200"}, capture_output=True, text=True
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def test_a_build_and_a_search(here: Path) -> None:
    told = json.loads(build(here, "--skip-unreadable", "--json"))
    assert told[0]["version"] == "tones@1.0.0"
    assert (told[0]["rows"], told[0]["dimension"]) == (12, 4)
    command = [SPACEPORT, "near", "tones", "b_4.wav", "-k", "3", "--store", "store", "--json"]
    found = subprocess.run(command, cwd=here, capture_output=True, text=True, check=True)
    assert {row["pitch"] for row in json.loads(found.stdout)} == {"b"}


def test_an_unreadable_file_is_two_lines(here: Path) -> None:
    error = build(here, code=1).strip().splitlines()
    assert error[0].endswith(
        "1 of 13 files in tones.tar.gz cannot be read as sounds; the first is a_zero.wav: it holds no samples."
    )
    assert error[1] == "Mend them, or leave them out with skip_unreadable=True."
