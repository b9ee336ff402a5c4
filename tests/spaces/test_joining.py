"""Two spaces of words joined by a dictionary: published, portable, measured; and translated."""

from __future__ import annotations

import json

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import spaceport as sp
from spaceport.cli import joining as commands
from spaceport.encoders.base import load
from spaceport.errors import InputError, NotFoundError, ParameterError
from spaceport.geometry.csls import CSLS
from spaceport.spaces.joining import join
from spaceport.spaces.translating import translate

COUNT = 240


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def store(folder):
    """Words a0…, and the same turned, noised, in another order: b0…"""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(COUNT, 16))
    Y = 2 * X @ np.linalg.qr(rng.normal(size=(16, 16)))[0] + 0.15 * rng.normal(size=X.shape)
    order = rng.permutation(COUNT)
    opened = sp.open(folder / "store")
    opened.publish("left", [f"a{i}" for i in range(COUNT)], X)
    opened.publish("right", [f"b{i}" for i in order], Y[order])
    seeds(folder, 60)
    return opened


def seeds(folder, count, turn=0):
    path = folder / "seed.tsv"
    path.write_text("".join(f"a{i}\tb{(i + turn) % COUNT}\n" for i in range(count)))
    return path


def joined(store, folder, **given):
    return join(store, "both", "left", "right", folder / "seed.tsv", ("aa", "bb"), **given)


def facts(version):
    return {fact.name: fact.value for fact in version.card}


def test_every_word_lies_by_its_translation(store, folder):
    version = joined(store, folder)
    assert (len(version), version.contract.modality) == (2 * COUNT, "pairs")
    assert version.columns == ["language", "word"]
    right = [translate(version, f"aa:a{i}", k=1).ids == [f"bb:b{i}"] for i in range(60, COUNT, 4)]
    assert np.mean(right) > 0.97


def test_the_card_says_what_it_came_from_and_how_good_it_is(store, folder):
    told = facts(joined(store, folder))
    assert told["source"] == "left@1.0.0 and right@1.0.0, joined by seed.tsv"
    assert (told["source left"], told["source right"]) == ("left@1.0.0", "right@1.0.0")
    assert told["training seeds known"] == 60
    assert told["source held-out words"] == 6
    assert told["source precision at 1, csls"] > 0.8
    assert 0 < told["training residual"] < 0.1


def test_saboteur_a_wrong_dictionary_is_seen_on_the_card(store, folder):
    seeds(folder, 60, turn=1)
    told = facts(joined(store, folder, refinements=0))
    assert told["source precision at 1, csls"] < 0.2
    assert told["training residual"] > 0.3


def test_few_seeds_leave_no_figure(store, folder):
    seeds(folder, 19)
    assert "source held-out words" not in facts(joined(store, folder))


def test_nothing_is_published_twice_and_other_seeds_are_seen(store, folder):
    first = joined(store, folder)
    assert joined(store, folder).reference == first.reference
    seeds(folder, 61)
    assert joined(store, folder).reference != first.reference


def test_the_encoder_needs_neither_space(store, folder):
    version = joined(store, folder)
    encoder = version.encoder
    encoder.save(folder)
    assert load(folder).fingerprint == version.contract.fingerprint
    wanted = version.vectors(["aa:a7"])
    np.testing.assert_allclose(version.encode(["aa: a7"]), wanted, atol=1e-6)
    assert version.nearest({"bb": "b7"}, k=2).ids[0] == "bb:b7"


def test_translate_is_csls_over_the_whole_language(store, folder):
    version = joined(store, folder)
    X, Y = version.vectors()[:COUNT], version.vectors()[COUNT:]
    found = translate(version, "aa:a3 a9", "bb", k=4)
    query = version.encode(["aa:a3 a9"])
    indices, scores = CSLS(X, Y).search(query, 4)
    assert found.ids == [version.ids[COUNT + j] for j in indices[0]]
    np.testing.assert_allclose(found.similarities, scores[0], atol=1e-6)
    back = translate(version, "bb:b5", k=3, retrieval="cosine")
    assert back.ids[0] == "aa:a5"
    assert back.columns.column("language").to_pylist() == ["aa"] * 3


def test_translate_refuses(store, folder):
    version = joined(store, folder)
    with pytest.raises(NotFoundError, match="begin with a language"):
        translate(version, "cc:a1")
    with pytest.raises(NotFoundError, match="no other language 'aa'"):
        translate(version, "aa:a1", to="aa")
    with pytest.raises(NotFoundError, match=r"knows no word of 'a1x' in aa\.\nDid you mean aa:a1"):
        translate(version, "aa:a1x")
    with pytest.raises(NotFoundError, match="no column `language`"):
        translate(store["left"], "aa:a1")
    with pytest.raises(ParameterError, match="no retrieval"):
        translate(version, "aa:a1", retrieval="dot")


def test_join_refuses(store, folder):
    (folder / "seed.tsv").write_text("x\ty\n")
    with pytest.raises(InputError, match="None of the 1 pairs"):
        joined(store, folder)
    with pytest.raises(InputError, match="two short names"):
        join(store, "both", "left", "right", seeds(folder, 30), ("aa",))


@pytest.fixture
def run(folder):
    app = typer.Typer()
    commands.add_to(app)

    def ran(*words):
        result = CliRunner().invoke(app, [*words, "--store", str(folder / "store")])
        assert result.exit_code == 0, result.output
        return result.output

    return ran


def test_the_commands(store, folder, run):
    path = str(folder / "seed.tsv")
    told = run(
        "join", "left", "right", "--dictionary", path, "--languages", "aa,bb", "--space", "both"
    )
    assert "Published both@1.0.0 · 480 × 16" in told
    assert "precision at 1, csls" in told
    rows = json.loads(run("translate", "both", "aa:a70", "--to", "bb", "-k", "2", "--json"))
    assert rows[0]["id"] == "bb:b70"
    assert len(rows) == 2
    assert "bb:b70" in run("translate", "both", "aa:a70")
