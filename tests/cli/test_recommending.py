"""`build ratings`, `recommend`, `similar`, `explain` as a user meets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from spaceport.cli.main import app
from spaceport.errors import SpaceportError

SPACEPORT = str(Path(sys.executable).with_name("spaceport"))


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ratings as MovieLens has them, `::` and all, and a space built from them."""
    folder = tmp_path_factory.mktemp("movies")
    rng = np.random.default_rng(0)
    rows = [
        f"{user}::{movie + 20 * (user % 2)}::{rng.integers(1, 6)}::{rng.integers(10**9)}"
        for user in range(1, 41)
        for movie in rng.choice(20, 9, replace=False)
    ]
    (folder / "ratings.dat").write_text("\n".join(rows) + "\n")
    movies = [f"{movie}::Film {movie}, The (1999)::Drama" for movie in range(40)]
    (folder / "movies.dat").write_text("\n".join(movies) + "\n")
    told = ["--names", "user,movie,rating,time", "--titles", "movies.dat"]
    told += ["--title-names", "movie,title,genres", "--dimension", "4"]
    done = run(folder, "build", "ratings", "ratings.dat", "--space", "movies", *told)
    assert "Published movies@1.0.0 · 80 × 4 · dot" in done
    return folder


def run(here: Path, *words: str, code: int = 0) -> str:
    """In a process of its own: what stands on the terminal, and the exit code."""
    env = {**os.environ, "SPACEPORT_STORE": str(here / "store"), "COLUMNS": "120"}
    done = subprocess.run([SPACEPORT, *words], cwd=here, env=env, capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def ask(here: Path, *words: str) -> str:
    """Within this process, which is quicker."""
    done = CliRunner().invoke(app, [*words, "--store", str(here / "store")], env={"COLUMNS": "120"})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.stdout


def test_recommend_a_user(here: Path) -> None:
    shown = run(here, "recommend", "movies", "1", "-k", "3").splitlines()
    assert shown[0].split() == ["id", "score", "title"]
    assert len(shown) == 4
    assert all("Film" in line for line in shown[1:])
    rows = json.loads(ask(here, "recommend", "movies", "user:1", "-k", "3", "--json"))
    assert [row["id"] for row in rows] == [line.split()[0] for line in shown[1:]]
    assert all(20 <= int(row["id"]) < 40 for row in rows)
    assert [row["title"] for row in rows] == [f"Film {row['id']}, The (1999)" for row in rows]


def test_recommend_a_history(here: Path) -> None:
    by_ids = json.loads(ask(here, "recommend", "movies", "--history", "1,2,3", "--json"))
    told = ["--history", "Film 1, The (1999)", "--history", "2,3"]
    assert json.loads(ask(here, "recommend", "movies", *told, "--json")) == by_ids
    assert len(by_ids) == 10
    assert not {"1", "2", "3"} & {row["id"] for row in by_ids}
    seen = json.loads(ask(here, "recommend", "movies", *told, "-k", "40", "--seen", "--json"))
    assert len(seen) == 40


def test_similar_and_explain(here: Path) -> None:
    similar = json.loads(ask(here, "similar", "movies", "Film 3, The (1999)", "-k", "2", "--json"))
    assert [set(row) for row in similar] == [{"id", "similarity", "title"}] * 2
    assert similar == json.loads(ask(here, "similar", "movies", "3", "-k", "2", "--json"))
    shares = json.loads(ask(here, "explain", "movies", "1", "25", "-k", "9", "--json"))
    assert len(shares) == 9
    assert ask(here, "explain", "movies", "1", "25").splitlines()[0].split()[1] == "share"


def test_without_titles_there_is_no_column_of_them(here: Path, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(
        "user,item\n" + "".join(f"{n % 9},{n % 7}\n" for n in range(40))
    )
    ask(tmp_path, "build", "ratings", str(tmp_path / "x.csv"), "--space", "x", "--dimension", "2")
    assert ask(tmp_path, "similar", "x", "3").splitlines()[0].split() == ["id", "similarity"]


def test_a_part_is_built(here: Path) -> None:
    told = ["--names", "user,movie,rating,time", "--dimension", "2", "--minimum", "3"]
    told += ["--part", "train", "--split", "last", "--space", "train"]
    ask(here, "build", "ratings", str(here / "ratings.dat"), *told)
    card = json.loads(ask(here, "show", "train", "--json"))["card"]
    facts = {fact["name"]: fact["value"] for fact in card}
    assert facts["source entries"] - facts["source entries of the part train"] == 40


def test_bad_input_is_two_lines(here: Path) -> None:
    (here / "letters.csv").write_text("user,item,rating\n1,2,3\n1,3,good\n")
    for words, first, second in [
        (("build", "ratings", "letters.csv", "--space", "x"), "line 3, 'good'", "Mend"),
        (("recommend", "movies", "99"), "no user '99'", "Did you mean 9"),
    ]:
        lines = run(here, *words, code=1).rstrip("\n").split("\n")
        assert len(lines) == 2
        assert first in lines[0]
        assert second in lines[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("build", "ratings", "none.csv", "--space", "x"), "none.csv"),
        (("recommend", "movies"), "A user or a history must be given"),
        (("recommend", "movies", "1", "--history", "2"), "A user or a history must be given"),
        (("recommend", "movies", "--history", "2,99"), "no item '99'"),
        (("similar", "movies", "Film"), "no item 'Film'"),
        (("explain", "movies", "1", "99"), "no item '99'"),
        (("similar", "nothing", "1"), "nothing"),
    ],
)
def test_what_cannot_be_done_is_said(here: Path, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(SpaceportError, match=message) as caught:
        ask(here, *words)
    assert str(caught.value).count("\n") == 1


@pytest.mark.parametrize(
    "command", [("build", "ratings"), ("recommend",), ("similar",), ("explain",)]
)
def test_every_command_has_an_example(command: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*command, "--help"]).stdout
    assert "Example" in shown
    assert f"spaceport {' '.join(command)}" in " ".join(shown.split())
