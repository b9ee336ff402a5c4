"""`spaceport align` and `near --through`."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

import spaceport as sp
from spaceport.cli.main import app
from spaceport.errors import InputError, ParameterError
from spaceport.sources.base import Source


class Texts(Source):
    modality, unique_ids = "texts", True

    def read(self):
        rng = np.random.default_rng(0)
        words = np.array([f"word{number}" for number in range(60)])
        texts = [" ".join(rng.choice(words, 12)) for _ in range(300)]
        yield pa.record_batch({"id": [f"t{n}" for n in range(300)], "content": texts})

    def size(self):
        return 100


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    opened = sp.open(tmp_path_factory.mktemp("aligning") / "store")
    opened.build("news", sp.encoders.hashing(dimension=32), Texts())
    opened.build("news", sp.encoders.hashing(dimension=32, seed=7), Texts())
    return opened


def run(store, *words):
    done = CliRunner().invoke(app, [*words, "--store", str(store.path)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def test_the_whole_way(store):
    """Refused below the bar, published with the table, listed, and used by a search."""
    with pytest.raises(InputError, match="the bar is 0.99"):
        run(store, "align", "news@2", "--onto", "news@1", "--bar", "0.99")
    assert json.loads(run(store, "align", "news", "--list", "--json")) == []
    told = ["--method", "procrustes()", "--method", "affine()"]
    said = run(store, "align", "news@2", "--onto", "news@1", "--bar", "0.99", "--force", *told)
    assert "Published news@2.0.0 → news@1.0.0" in said
    assert "FORCED below 0.99" in said
    assert "affine()" in said
    assert "none" in said
    assert "of 300 shared items; judged on 60 others among 300 rows of news@1.0.0" in said
    (row,) = json.loads(run(store, "align", "news", "--list", "--json"))
    assert (row["of"], row["onto"], row["forced"]) == ("news@2.0.0", "news@1.0.0", "below 0.99")
    assert "below 0.99" in run(store, "align", "news", "--list")
    text = "again " + store["news@1"].texts[4]
    near = json.loads(run(store, "near", "news@1", text, "--through", "news@2", "--json"))
    ids = [found["id"] for found in near]
    assert ids == store["news@1"].nearest(text, through="news@2").ids
    assert ids != store["news@1"].nearest(text).ids


def test_json_is_all_that_was_measured(store):
    told = ["--bar", "0", "--method", "procrustes()", "--json"]
    facts = json.loads(run(store, "align", "news@2", "--onto", "news@1", *told))
    assert facts["of"] == "news@2.0.0"
    assert facts["spec"] == "procrustes()"
    assert facts["held_out"] == 60
    assert len(facts["pairs_sha256"]) == 64


def test_onto_must_be_told(store):
    with pytest.raises(ParameterError, match="--onto") as missing:
        run(store, "align", "news@2")
    assert "--onto news@1" in str(missing.value)
