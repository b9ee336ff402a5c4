"""Resuming: the latest version's encoder goes on with more text, or says why it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import spaceport as sp
from spaceport.cli.main import app
from spaceport.errors import ParameterError

TOLD: dict[str, Any] = {"dimension": 6, "minimum_count": 1, "epochs": 5, "reproducible": True}


@pytest.fixture
def store(tmp_path: Path) -> sp.Spaceport:
    return sp.open(tmp_path / "store")


def text(tmp_path: Path, name: str, words: list[str], seed: int) -> Any:
    rng = np.random.default_rng(seed)
    lines = [" ".join(rng.choice(words, 8)) for _ in range(60)]
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n")
    return sp.sources.corpus(path)


FIRST = ["sea", "hill", "town", "old", "ship", "bay", "road", "house", "tree"]


def test_a_resumed_space_knows_old_words_and_new(store: sp.Spaceport, tmp_path: Path) -> None:
    first = store.build("words", sp.encoders.glove(**TOLD), text(tmp_path, "1.txt", FIRST, 0))
    more = text(tmp_path, "2.txt", ["sea", "ship", "sail", "mast"], 1)
    second, done = store.built("words", sp.encoders.glove(**TOLD), more, resume=True)
    assert set(second.ids) == {*FIRST, "sail", "mast"}
    assert set(first.ids) == set(FIRST)
    assert done.change.kind == "major"  # measured: the words that stand in the new text have moved
    assert (second.vectors(["hill"]) == first.vectors(["hill"])).all()  # and this one does not
    assert (second.vectors(["sea"]) != first.vectors(["sea"])).any()
    again, done = store.built("words", sp.encoders.glove(**TOLD), more, resume=True)
    assert (again.reference, done.change.kind) == (second.reference, "none")


def test_items_are_encoded_by_the_encoder_that_went_on(store: sp.Spaceport, tmp_path: Path) -> None:
    def texts(name: str, words: list[str]) -> Any:
        path = tmp_path / name
        rng = np.random.default_rng(0)
        path.write_text("".join(f"{i},{' '.join(rng.choice(words, 8))}\n" for i in range(60)))
        path.write_text("id,text\n" + path.read_text())
        return sp.sources.texts(str(path), column="text", id="id")

    store.build("texts", sp.encoders.glove(**TOLD), texts("1.csv", FIRST), rows="items")
    more = texts("2.csv", ["sea", "ship", "sail", "mast", "oar", "rope", "deck"])
    version = store.build("texts", sp.encoders.glove(**TOLD), more, rows="items", resume=True)
    anew = store.build("other", sp.encoders.glove(**TOLD), more, rows="items")
    encoder = sp.encoders.glove(**TOLD).fit(texts("1.csv", FIRST)).partial_fit(more)
    expected = encoder.encode(more)
    np.testing.assert_allclose(version.vectors(version.ids), expected, rtol=1e-5)
    assert np.abs(anew.vectors(version.ids) - expected).max() > 0.01


@pytest.mark.parametrize(
    ("before", "asked", "message"),
    [
        (None, sp.encoders.glove(**TOLD), "There is no version of words with an encoder to resume"),
        (
            sp.encoders.glove(**TOLD),
            sp.encoders.glove(**{**TOLD, "window": 3}),
            "was made by glove",
        ),
        (sp.encoders.onehot(4), sp.encoders.onehot(4), "onehot cannot go on learning"),
    ],
    ids=["first", "other parameters", "no partial_fit"],
)
def test_what_cannot_be_resumed_is_refused(
    store: sp.Spaceport, tmp_path: Path, before: Any, asked: Any, message: str
) -> None:
    source = text(tmp_path, "1.txt", FIRST, 0)
    if before is not None:
        store.build("words", before, source)
    with pytest.raises(ParameterError, match=message):
        store.build("words", asked, text(tmp_path, "2.txt", FIRST, 1), resume=True)


def test_refit_and_resume_exclude_each_other(store: sp.Spaceport, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="Got both"):
        store.build(
            "words",
            sp.encoders.glove(**TOLD),
            text(tmp_path, "1.txt", FIRST, 0),
            refit=True,
            resume=True,
        )


def test_the_command(tmp_path: Path) -> None:
    for name, words in (("1.txt", FIRST), ("2.txt", ["sea", "sail"])):
        text(tmp_path, name, words, 0)
    told = ["--space", "words", "--method", "glove(dimension=6, minimum_count=1, epochs=2)"]
    told += ["--store", str(tmp_path / "store")]
    for name, more in (("1.txt", []), ("2.txt", ["--resume"])):
        done = CliRunner().invoke(app, ["build", "words", str(tmp_path / name), *told, *more])
        assert done.exit_code == 0, done.output
    assert "sail" in sp.open(tmp_path / "store")["words"].ids
