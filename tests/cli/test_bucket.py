"""The tour of the command line with the store in a bucket and the catalog on PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

SPACEPORT = str(Path(sys.executable).with_name("spaceport"))
ROWS = [
    "a cat sat on the mat",
    "a dog ran in the park",
    "stocks fell on monday",
    "markets rose on friday",
    "my cat and my dog",
    "monday markets and stocks",
]


def write(here: Path, texts: list[str]) -> None:
    lines = [f"{place},{text}" for place, text in enumerate(texts)]
    (here / "pets.csv").write_text("\n".join(["id,text", *lines]) + "\n")


def spaceport(here: Path, *words: str, code: int = 0) -> str:
    env = {**os.environ, "COLUMNS": "120"}
    done = subprocess.run([SPACEPORT, *words], cwd=here, env=env, capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def test_the_tour(bucket_uri: str, postgres_url: str, tmp_path: Path) -> None:
    place = ("--store", bucket_uri, "--catalog", postgres_url)
    build = ("build", "texts", "pets.csv", "--column", "text", "--id", "id", "--space", "pets",
             "--method", "lsa(dimension=3)", *place)  # fmt: skip
    write(tmp_path, ROWS)
    assert "Published pets@1.0.0 · 6 × 3" in spaceport(tmp_path, *build)
    assert "Nothing changed" in spaceport(tmp_path, *build)
    write(tmp_path, [*ROWS, "the cat fell"])
    assert "Published pets@1.1.0 · 7 × 3" in spaceport(tmp_path, *build)
    near = spaceport(tmp_path, "near", "pets", "stocks and markets", "-k", "1", *place)
    assert near.splitlines()[1].split()[0] in {"2", "3", "5"}
    assert "effective rank" in spaceport(tmp_path, "show", "pets", *place)
    spaceport(tmp_path, "promote", "pets@1.0", "--as", "production", *place)
    assert "pets@1.0.0" in spaceport(tmp_path, "show", "pets@production", *place)
    spaceport(tmp_path, "export", "pets@1.0", "--to", "parquet", "-o", "out.parquet", *place)
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 6
    spaceport(tmp_path, "import", "out.parquet", "--space", "copied", *place)
    listed = spaceport(tmp_path, "list", *place)
    assert "copied@1.0.0" in listed
    assert "pets@1.1.0" in listed
    assert "whole" in spaceport(tmp_path, "verify", *place)
    assert "Removed 0 files" in spaceport(tmp_path, "gc", *place)
    assert not (tmp_path / "spaceport-store").exists()


def test_a_bucket_without_a_catalog_is_two_lines(bucket_uri: str, tmp_path: Path) -> None:
    said = spaceport(tmp_path, "list", "--store", bucket_uri, code=1).strip().splitlines()
    assert len(said) == 2
    assert "needs a catalog" in said[0]
