"""The command line as a user meets it: real processes, exit codes, two-line errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SPACEPORT = str(Path(sys.executable).with_name("spaceport"))
PETS = """id,text,kind
1,a cat sat on the mat,pet
2,a dog ran in the park,pet
3,stocks fell on monday,news
4,markets rose on friday,news
5,my cat and my dog,pet
6,monday markets and stocks,news
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "pets.csv").write_text(PETS)
    (tmp_path / "text.txt").write_text("the queen and the king ate\nthe cat and the dog ran\n" * 40)
    return tmp_path


def spaceport(here: Path, *words: str, code: int = 0) -> str:
    env = {**os.environ, "SPACEPORT_STORE": str(here / "store"), "COLUMNS": "120"}
    done = subprocess.run([SPACEPORT, *words], cwd=here, env=env, capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def build_pets(here: Path, *more: str) -> str:
    told = ("--column", "text", "--id", "id", "--label", "kind", "--space", "pets")
    return spaceport(
        here, "build", "texts", "pets.csv", *told, "--method", "hashing(dimension=64)", *more
    )


def test_the_tour(here: Path) -> None:
    assert "Published pets@1.0.0 · 6 × 64 · cosine" in build_pets(here)
    assert "Nothing changed" in build_pets(here)
    assert "pets@1.0.0" in spaceport(here, "list")
    near = spaceport(here, "near", "pets", "my dog and my cat", "-k", "1")
    assert "5" in near.splitlines()[1]
    assert "effective rank" in spaceport(here, "show", "pets")
    assert "whole" in spaceport(here, "verify")
    spaceport(here, "promote", "pets@1", "--as", "production")
    assert "pets@1.0.0" in spaceport(here, "show", "pets@production")
    assert "Removed 0 files" in spaceport(here, "gc")


def test_words_import_and_export(here: Path) -> None:
    spaceport(
        here, "build", "words", "text.txt", "--space", "words", "--dimension", "8", "--epochs", "2"
    )
    assert spaceport(here, "near", "words", "queen", "-k", "3").count("\n") == 4
    assert spaceport(here, "analogy", "words", "king", "cat", "dog").count("\n") > 1
    spaceport(here, "export", "words@1", "--to", "npy", "-o", "words.npy")
    X = np.load(here / "words.npy")
    (here / "ids.txt").write_text("\n".join(f"w{i}" for i in range(len(X))) + "\n")
    assert "mine@1.0.0" in spaceport(
        here, "import", "words.npy", "--ids", "ids.txt", "--space", "mine"
    )


def test_what_was_measured_is_printed_and_bump_only_raises(here: Path) -> None:
    build_pets(here)
    told = ("build", "texts", "pets.csv", "--column", "text", "--id", "id", "--space", "pets")
    shorter = (*told, "--method", "hashing(dimension=32)")
    refused = spaceport(here, *shorter, "--bump", "minor", code=1)
    assert "A minor was asked for, and what was measured is a major" in refused
    assert len(refused.strip().splitlines()) == 2
    done = spaceport(here, *shorter, "--permit", "16")
    assert "Published pets@2.0.0" in done
    assert "the dimension was 64 and is now 32" in done
    assert "6 shared items: 100.0% moved" in done
    assert "16 (" in spaceport(here, "show", "pets")


def test_a_file_of_another_spaces_vectors_is_refused(here: Path) -> None:
    build_pets(here)
    spaceport(here, "export", "pets", "--to", "parquet", "-o", "pets.parquet")
    spaceport(here, "import", "pets.parquet", "--space", "copy")
    numbers = "".join(f"{row} {row % 3 + 1} {' '.join(['0.5'] * 63)}\n" for row in range(6))
    (here / "other.vec").write_text("6 64\n" + numbers)
    spaceport(here, "import", "other.vec", "--space", "mine")
    refused = spaceport(here, "import", "pets.parquet", "--space", "mine", code=1)
    assert "mine@1.0.0 and pets@1.0.0 have different coordinates" in refused
    assert "bump major publishes them anyway" in refused
    done = spaceport(here, "import", "pets.parquet", "--space", "mine", "--bump", "major")
    assert "Published mine@2.0.0" in done


def test_json_is_for_machines(here: Path) -> None:
    told = json.loads(build_pets(here, "--json"))
    assert told[0]["version"] == "pets@1.0.0"
    near = json.loads(spaceport(here, "near", "pets", "cat", "-k", "2", "--json"))
    assert [set(row) for row in near] == [{"id", "similarity", "text", "kind"}] * 2
    assert json.loads(spaceport(here, "show", "pets", "--json"))["contract"]["dimension"] == 64
    assert json.loads(spaceport(here, "list", "--json"))[0]["rows"] == 6
    (told,) = json.loads(spaceport(here, "verify", "--json"))
    assert (told["version"], told["problems"]) == ("pets@1.0.0", [])
    assert told["canaries"].startswith("6 canaries as they were")
    (told,) = json.loads(spaceport(here, "verify", "--no-canaries", "--json"))
    assert told["canaries"] == "canaries not encoded"


@pytest.mark.parametrize(
    ("words", "first", "second"),
    [
        (("near", "nothing", "x"), "nothing", ""),
        (("near", "pets@7", "x"), "no pets@7", "1.0.0"),
        (("near", "../pets", "x"), "../pets", ""),
        (("show", "pets/../pets"), "pets/../pets", ""),
        (("build", "texts", "none.csv", "--space", "x"), "none.csv", ""),
        (("build", "texts", "pets.csv", "--column", "txt", "--space", "x"), "txt", "text"),
        (("build", "texts", "empty.csv", "--column", "text", "--space", "x"), "empty.csv", ""),
        (("build", "texts", "pets.csv", "--column", "text", "--space", "X"), "X", ""),
        (
            ("build", "texts", "pets.csv", "--column", "text", "--space", "x", "--method", "lsi"),
            "lsi",
            "lsa",
        ),
        (
            ("build", "texts", "pets.csv", "--column", "text", "--space", "x", "--set", "dim=3"),
            "dim",
            "dimension",
        ),
        (
            (
                "build",
                "texts",
                "pets.csv",
                "--column",
                "text",
                "--space",
                "x",
                "--dimension",
                "900",
            ),
            "900",
            "",
        ),
        (("build", "words", "binary.bin", "--space", "x"), "binary.bin", ""),
        (("import", "nan.npy", "--space", "x"), "NaN", ""),
        (("map", "pets", "-o", "map.pdf"), "map.pdf", ".html"),
        (("export", "pets", "--to", "excel", "-o", "x.xls"), "excel", "npy"),
    ],
)
def test_bad_input_is_two_lines_and_nothing_is_lost(
    here: Path, words: tuple[str, ...], first: str, second: str
) -> None:
    build_pets(here)
    (here / "empty.csv").write_text("")
    (here / "binary.bin").write_bytes(bytes(range(256)) * 10)
    np.save(here / "nan.npy", np.array([[1.0, np.nan], [0.0, 1.0]], np.float32))
    lines = spaceport(here, *words, code=1).rstrip("\n").split("\n")
    assert len(lines) == 2, lines
    assert first in lines[0]
    assert second in lines[1]
    assert spaceport(here, "list").count("@") == 1
    assert "whole" in spaceport(here, "verify")


def test_wrong_usage_is_exit_code_2(here: Path) -> None:
    assert "Missing option" in spaceport(here, "build", "texts", "pets.csv", code=2)


def test_an_unknown_word_gets_near_spellings(here: Path) -> None:
    spaceport(
        here, "build", "words", "text.txt", "--space", "words", "--method", "onehot(dimension=8)"
    )
    told = spaceport(here, "near", "words", "quean", code=1)
    assert "has no word 'quean'" in told
    assert "queen" in told


def test_a_reader_that_leaves_early_is_no_traceback(here: Path) -> None:
    build_pets(here)
    line = f"{SPACEPORT} show pets --how | head -1"
    env = {**os.environ, "SPACEPORT_STORE": str(here / "store")}
    done = subprocess.run(["bash", "-c", line], cwd=here, env=env, capture_output=True, text=True)
    assert done.stderr == ""
