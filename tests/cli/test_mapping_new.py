"""`spaceport map --new`: a file's vectors, or its texts by the version's encoder, on the old map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

import spaceport as sp
from spaceport.cli.main import app
from spaceport.spaces import mapping


@pytest.fixture(autouse=True)
def flat(monkeypatch: pytest.MonkeyPatch) -> None:
    """A map that needs no projection."""
    monkeypatch.setattr(
        mapping, "_positions", lambda v, _: np.array(np.asarray(v.vectors())[:, :2])
    )


def run(folder: Path, *words: object) -> Result:
    return CliRunner().invoke(app, ["map", *map(str, words), "--store", str(folder / "store")])


def test_vectors_from_a_file(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    sp.open(tmp_path / "store").publish("mine", [f"i{row}" for row in range(60)], X)
    np.save(tmp_path / "new.npy", X[:5] + 3)
    for name in ("m.png", "m.html"):
        done = run(tmp_path, "mine", "-o", tmp_path / name, "--new", tmp_path / "new.npy")
        assert done.exit_code == 0, done.output
    plain = run(tmp_path, "mine", "-o", tmp_path / "old.png")
    assert plain.exit_code == 0
    assert (tmp_path / "old.png").read_bytes() != (tmp_path / "m.png").read_bytes()


def test_texts_by_the_encoder_and_vectors_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["goats ships", "bonds stars", "drums leaves", "knots plums"]
    table = pa.table(
        {"id": [f"t{row}" for row in range(40)], "text": [words[r % 4] for r in range(40)]}
    )
    pq.write_table(table, tmp_path / "texts.parquet")
    opened = sp.open(tmp_path / "store")
    source = sp.sources.texts(tmp_path / "texts.parquet", column="text")
    opened.build("texts", sp.encoders.hashing(dimension=16), source)
    seen: list[object] = []
    honest = mapping.newcomers
    monkeypatch.setattr(mapping, "newcomers", lambda *told: seen.append(told) or honest(*told))
    where = ("--new", tmp_path / "texts.parquet", "--column", "text")
    done = run(tmp_path, "texts", "-o", tmp_path / "m.png", *where)
    assert done.exit_code == 0, done.output
    (_, _, vectors, _, texts), *_ = seen  # type: ignore[misc]
    assert np.allclose(vectors, opened["texts"].vectors())
    assert texts == table.column("text").to_pylist()
    opened.publish("other", [f"i{r}" for r in range(40)], np.eye(40, 16, dtype=np.float32) + 1)
    opened["other"].export(tmp_path / "other.parquet", "parquet")
    with pytest.raises(sp.SpaceportError, match="coordinates of"):
        raise (
            run(
                tmp_path, "texts", "-o", tmp_path / "m.png", "--new", tmp_path / "other.parquet"
            ).exception
            or AssertionError
        )
