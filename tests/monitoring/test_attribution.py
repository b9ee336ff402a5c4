"""What moved: texts, encoder, both, neither; with real encoders and a permutation test of our own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import spaceport as sp
from spaceport.encoders.base import Encoder
from spaceport.errors import InputError, ParameterError
from spaceport.monitoring.attribution import VERDICTS, Sample, attribute, judged
from spaceport.monitoring.canary_files import production_report, write_canaries
from spaceport.spaces.version import Version

TOPICS = [[f"{letter}{n}" for n in range(40)] for letter in "abcd"]


def texts(count: int, shares: list[float], seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    topics = rng.choice(len(TOPICS), count, p=shares)
    return [" ".join(rng.choice(TOPICS[topic], 12)) for topic in topics]


EVEN, ODD = [0.25] * 4, [0.1, 0.1, 0.2, 0.6]


def corpus(folder: Path, lines: list[str], name: str = "corpus") -> Any:
    path = folder / f"{name}.csv"
    path.write_text("text\n" + "".join(f"{line}\n" for line in lines))
    return sp.sources.texts(path, column="text")


def drifted(reference: np.ndarray, current: np.ndarray) -> bool:
    """The oracle: the distance of the means among 199 random divisions of all rows."""
    rng, rows = np.random.default_rng(0), np.concatenate([reference, current]).astype(np.float64)
    masks = np.zeros((200, len(rows)), bool)
    masks[0, len(reference) :] = True
    for mask in masks[1:]:
        mask[rng.permutation(len(rows))[: len(current)]] = True
    gaps = [np.linalg.norm(rows[mask].mean(axis=0) - rows[~mask].mean(axis=0)) for mask in masks]
    return bool(np.mean(np.array(gaps) >= gaps[0]) <= 0.01)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("attribution")


@pytest.fixture(scope="module", params=["lsa", "hashing"])
def world(request: pytest.FixtureRequest, folder: Path) -> tuple[Version, Encoder]:
    """A version, and an encoder of the same method, name and dimension with other weights."""
    store = sp.open(folder / request.param)
    source = corpus(folder, texts(800, EVEN, 0))
    if request.param == "lsa":
        version = store.build("news", sp.encoders.lsa(dimension=16), source)
        others = corpus(folder, texts(800, [0.4, 0.3, 0.2, 0.1], 9), "others")
        return version, sp.encoders.lsa(dimension=16).fit(others)
    version = store.build("news", sp.encoders.hashing(dimension=16, seed=0), source)
    return version, sp.encoders.hashing(dimension=16, seed=1)


def report(version: Version, model: Encoder, folder: Path) -> Any:
    """What production gives for the canaries, by way of files, in another order."""
    out, back = folder / "canaries.jsonl", folder / "given.npz"
    assert write_canaries(version, out) > 8
    lines = [json.loads(line) for line in out.read_text().splitlines()][::-1]
    vectors = model.encode([line["content"] for line in lines])
    np.savez(back, ids=np.array([line["id"] for line in lines]), vectors=vectors)
    return production_report(version, back)


@pytest.mark.parametrize(
    ("data_moves", "model_moves", "verdict"),
    [
        (False, False, "neither"),
        (True, False, "data"),
        (False, True, "model"),
        (True, True, "both"),
    ],
)
@pytest.mark.parametrize("witness", ["production", "contents"])
def test_data_model_both_neither(
    world: tuple[Version, Encoder],
    folder: Path,
    data_moves: bool,
    model_moves: bool,
    verdict: str,
    witness: str,
) -> None:
    version, other = world
    model = other if model_moves else version.encoder
    assert model is not None
    window = texts(400, ODD if data_moves else EVEN, 1)
    reference, vectors = np.asarray(version.vectors()), model.encode(window)
    found = attribute(
        version,
        drifted(reference, vectors),
        sample=Sample(pa.array(window), vectors),
        test=lambda rows: drifted(reference, rows),
        production=report(version, model, folder) if witness == "production" else None,
    )
    assert found.verdict == verdict, str(found)
    assert (found.departure or 0) > 0.1 if model_moves else (found.departure or 0) < 1e-3
    json.dumps(found.to_dict(), allow_nan=False)


def test_without_contents_data_and_model_cannot_be_told_apart(
    world: tuple[Version, Encoder], folder: Path
) -> None:
    version, other = world
    moved = report(version, other, folder)
    found = attribute(version, True, production=moved)
    assert found.verdict == "unclear"
    assert "no contents to encode again" in str(found)
    assert attribute(version, False, production=moved).verdict == "model"


def test_the_versions_encoder_is_taken_on_trust_where_only_it_can_be_asked(
    world: tuple[Version, Encoder],
) -> None:
    version, _ = world
    assert "taken on trust" in attribute(version, True).reason
    window = texts(20, EVEN, 2)
    here = Sample(pa.array(window), np.asarray(version.encode(window)), encoded_here=True)
    found = attribute(version, True, sample=here)
    assert found.verdict == "data"
    assert "taken on trust" not in found.reason


def test_a_service_that_changed_behind_its_name(folder: Path) -> None:
    def first(items: Any) -> Any:
        return sp.encoders.hashing(dimension=8, seed=0).encode(list(items))

    def second(items: Any) -> Any:
        return sp.encoders.hashing(dimension=8, seed=1).encode(list(items))

    store = sp.open(folder / "service")
    encoder = sp.encoders.callable(first, revision="1", modality="texts")
    version = store.build("service", encoder, corpus(folder, texts(200, EVEN, 0)))
    window = texts(100, EVEN, 1)

    def ask(function: Callable[[Any], Any], here: bool = True) -> Any:
        assert version.encoder is not None
        version.encoder.bind(function)  # type: ignore[attr-defined]
        vectors = function(window)
        sample = Sample(pa.array(window), vectors, encoded_here=here)
        return attribute(
            version, function is second, sample=sample, test=lambda rows: bool(len(rows))
        )

    assert ask(first).verdict == "neither"
    found = ask(second)
    assert found.verdict == "unclear"
    assert "no longer what it was" in found.reason
    assert ask(second, here=False).verdict == "unclear"  # nor can it vouch for what was logged


def test_an_encoder_that_cannot_be_asked(folder: Path) -> None:
    store = sp.open(folder / "unbound")
    encoder = sp.encoders.callable(
        lambda texts: [[len(t), 1] for t in texts], revision="1", modality="texts"
    )
    store.build("sizes", encoder, corpus(folder, texts(60, EVEN, 0)))
    version = sp.open(folder / "unbound")["sizes"]
    found = attribute(version, True)
    assert (found.verdict, found.departure) == ("unclear", None)
    assert "read back without its function" in found.reason
    assert attribute(version, False).verdict == "neither"


def test_imported_vectors_have_no_canaries(folder: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    np.save(folder / "v.npy", vectors)
    version = sp.open(folder / "imported").publish("mine", [str(n) for n in range(60)], vectors)
    assert "there are no canaries" in attribute(version, True).reason
    for ask in (
        lambda: write_canaries(version, folder / "x"),
        lambda: production_report(version, folder / "v.npy"),
    ):
        with pytest.raises(ParameterError, match="has no canaries"):
            ask()


def test_files_of_canaries_that_are_none(world: tuple[Version, Encoder], folder: Path) -> None:
    version, other = world
    count = write_canaries(version, folder / "c.jsonl")
    items = [json.loads(line)["content"] for line in (folder / "c.jsonl").read_text().splitlines()]
    assert version.encoder is not None
    np.save(folder / "c.npy", version.encoder.encode(items))
    assert production_report(version, folder / "c.npy").ok  # in their order, without ids
    np.save(folder / "c.npy", version.encoder.encode(items)[::-1])
    assert not production_report(version, folder / "c.npy").ok
    np.save(folder / "c.npy", other.encode(items)[:, :3])
    assert production_report(version, folder / "c.npy").moved == count
    np.save(folder / "c.npy", other.encode(items)[:-1])
    with pytest.raises(InputError, match=f"holds {count - 1} vectors"):
        production_report(version, folder / "c.npy")


def test_the_table_of_verdicts() -> None:
    table = {
        (False, False, None): "neither",
        (True, False, None): "data",
        (False, True, False): "model",
        (True, True, False): "model",
        (True, True, True): "both",
        (False, True, True): "both",
        (False, True, None): "model",
        (True, True, None): "unclear",
        (False, None, None): "neither",
        (True, None, None): "unclear",
    }
    assert {key: judged(*key) for key in table} == table
    assert {*table.values()} == {*VERDICTS}
