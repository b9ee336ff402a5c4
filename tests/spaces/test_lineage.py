"""Lineage: what is written down of a version's origin, and the tree that is drawn of it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import spaceport as sp
from spaceport.spaces import lineage


@pytest.fixture
def store(tmp_path: Path) -> sp.Spaceport:
    return sp.open(tmp_path / "store")


def build(store: sp.Spaceport, folder: Path, *texts: str) -> sp.Version:
    path = folder / "a.tsv"
    path.write_text("id\ttext\n" + "".join(f"{k}\t{text}\n" for k, text in enumerate(texts)))
    return store.build(
        "news", sp.encoders.hashing(dimension=8), sp.sources.texts(path, column="text")
    )


def test_a_build_writes_down_source_encoder_parent_and_libraries(store, tmp_path):
    first = build(store, tmp_path, "one", "two")
    second = build(store, tmp_path, "one", "two", "three")
    told = second.record.lineage
    assert told["parent"] == first.reference
    assert first.record.lineage["parent"] is None
    assert told["source"]["items"] == 3
    assert told["source"]["bytes"] == len("onetwothree")
    assert told["encoder"] == {
        "spec": "hashing(dimension=8)",
        "fingerprint": second.record.fingerprint,
    }
    assert told["libraries"]["numpy"] == np.__version__
    assert told["source"]["read"] <= second.record.created
    assert second.record.who


def test_the_source_s_hash_follows_ids_contents_and_metadata(store, tmp_path):
    def digest(text: str) -> str:
        path = tmp_path / f"{hashlib.sha256(text.encode()).hexdigest()[:8]}.tsv"
        path.write_text(text)
        made = store.build(
            path.stem, sp.encoders.hashing(dimension=8), sp.sources.texts(path, column="text")
        )
        return made.record.lineage["source"]["sha256"]

    base = digest("id\ttext\tyear\na\tone\t1\nb\ttwo\t2\n")
    assert base == digest("id\ttext\tyear\na\tone\t1\nb\ttwo\t2\n\n")
    others = [
        digest("id\ttext\tyear\na\tone\t1\nc\ttwo\t2\n"),
        digest("id\ttext\tyear\na\tone\t1\nb\tTwo\t2\n"),
        digest("id\ttext\tyear\na\tone\t1\nb\ttwo\t3\n"),
        digest("id\ttext\tyear\nb\ttwo\t2\na\tone\t1\n"),
    ]
    assert len({base, *others}) == 5


def test_a_patch_points_at_the_version_that_it_repeats(store, tmp_path):
    rng = np.random.default_rng(0)
    labels = [f"c{k % 2}" for k in range(40)]
    vectors = rng.normal(size=(40, 4)) + np.array([[k % 2 * 5.0, 0, 0, 0] for k in range(40)])
    base = store.publish("mine", [f"i{k}" for k in range(40)], vectors, {"kind": labels})
    patch, _ = store.score("mine", label="kind")
    assert patch.record.lineage["parent"] == base.reference
    assert patch.record.lineage["source"] == base.record.lineage["source"]


def test_the_tree_goes_down_to_the_first_version(store, tmp_path):
    for count in (1, 2, 3):
        made = build(store, tmp_path, *["a", "b", "c"][:count])
    drawn = made.lineage()
    lines = drawn.splitlines()
    assert lines[0].startswith("news@1.2.0  minor")
    assert [line.lstrip("├└─│ ")[:10] for line in lines if "news@" in line] == [
        "news@1.2.0",
        "news@1.1.0",
        "news@1.0.0",
    ]
    assert drawn.count("sha256") == 3


def test_a_version_of_an_older_release_says_that_nothing_was_written_down(store, tmp_path):
    record = dataclasses.replace(build(store, tmp_path, "x").record, lineage={}, who="")
    drawn = lineage.draw(record, {})
    assert "wrote down no lineage" in drawn
    assert drawn.splitlines()[1] == f"├── published {record.created}"


@pytest.mark.parametrize(
    "typed",
    [
        "postgresql://ann:s3cret@host/db",
        "--catalog=postgresql+psycopg://ann:s3cret@host/db",
        "postgresql://ann:s3cret%20x@host/db?a=b",
    ],
)
def test_a_password_is_not_written_down(typed):
    told = lineage.command(["/bin/spaceport", "list", "--catalog", typed])
    assert "s3cret" not in told
    assert "ann:***@host/db" in told


def test_the_command_line_draws_it(store, tmp_path, monkeypatch, capsys):
    from spaceport.cli.main import main

    build(store, tmp_path, "x")
    monkeypatch.setattr(
        sys, "argv", ["spaceport", "show", "news", "--lineage", "--store", str(store.path)]
    )
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out.startswith("news@1.0.0  major: first version\n├── published")
    monkeypatch.setattr(
        sys, "argv", ["spaceport", "show", "news", "--json", "--store", str(store.path)]
    )
    with pytest.raises(SystemExit):
        main()
    assert json.loads(capsys.readouterr().out)["lineage"]["parent"] is None
