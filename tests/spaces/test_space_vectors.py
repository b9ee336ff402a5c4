"""Vectors that know whose coordinates they are: what keeps the label, what loses it, what is refused."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import spaceport as sp
from spaceport.errors import InputError, MismatchError, ParameterError
from spaceport.spaces.space_vectors import Coordinates, SpaceVectors
from spaceport.storage.names import Number

ONE = Coordinates("news", Number(1, 2, 0), "a" * 64)
TWO = Coordinates("news", Number(2, 0, 0), "b" * 64)
SIZE = 4  # as many rows as numbers, so that a wrong axis cannot hide behind its length

V = Any


@pytest.fixture
def v() -> SpaceVectors:
    return SpaceVectors(np.random.default_rng(0).normal(size=(SIZE, SIZE)), ONE)


@pytest.fixture
def w() -> SpaceVectors:
    return SpaceVectors(np.random.default_rng(1).normal(size=(SIZE, SIZE)), TWO)


KEEP: dict[str, Callable[[V], Any]] = {
    "row": lambda v: v[0],
    "rows": lambda v: v[1:3],
    "list of rows": lambda v: v[[0, 2]],
    "mask": lambda v: v[np.array([True, False, True, False])],
    "all columns": lambda v: v[:, :],
    "new axis": lambda v: v[0][None, :],
    "sum of two": lambda v: v + v,
    "difference": lambda v: v - v[0],
    "shift by a plain array": lambda v: v - np.ones(SIZE, np.float32),
    "multiple": lambda v: 2 * v,
    "minus": lambda v: -v,
    "unit length": lambda v: v / np.linalg.norm(v, axis=1, keepdims=True),
    "one number a row": lambda v: v * np.ones((SIZE, 1), np.float32),
    "mean of rows": lambda v: v.mean(axis=0),
    "np.mean": lambda v: np.mean(v, axis=0),
    "mean, kept": lambda v: v.mean(axis=0, keepdims=True),
    "sum of rows": lambda v: v.sum(0),
    "average": lambda v: np.average(v, axis=0, weights=[1, 2, 3, 4]),
    "median": lambda v: np.median(v, axis=0),
    "concatenate": lambda v: np.concatenate([v, v]),
    "vstack": lambda v: np.vstack([v[0], v[1]]),
    "stack": lambda v: np.stack([v[0], v[1]]),
    "take": lambda v: v.take([1], axis=0),
    "repeat": lambda v: v.repeat(2, axis=0),
    "copy": lambda v: v.copy(),
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "pickle": lambda v: pickle.loads(pickle.dumps(v)),
    "double": lambda v: v.astype(np.float64),
    "turned twice": lambda v: v.T.T,
    "squeeze": lambda v: v[:1].squeeze(),
    "iteration": lambda v: next(iter(v)),
}

LOSE: dict[str, Callable[[V], Any]] = {
    "np.asarray": np.asarray,
    "column": lambda v: v[:, 0],
    "columns": lambda v: v[:, :2],
    "columns in another order": lambda v: v[:, ::-1],
    "a row backwards": lambda v: v[0][::-1],
    "mask of numbers": lambda v: v[np.asarray(v) > -99],
    "product": lambda v: v @ v.T,
    "np.dot": lambda v: np.dot(v, v.T),
    "einsum": lambda v: np.einsum("ij,ij->i", v, v),
    "number by number": lambda v: v * v,
    "one number a column": lambda v: v * np.arange(SIZE, dtype=np.float32),
    "upside down": lambda v: 1 / v,
    "length": lambda v: np.linalg.norm(v, axis=1),
    "mean of columns": lambda v: v.mean(axis=1),
    "sum of columns": lambda v: v.sum(axis=-1),
    "spread": lambda v: v.std(axis=0),
    "np.var": lambda v: v.var(axis=0),
    "beside each other": lambda v: np.concatenate([v, v], axis=1),
    "stacked beside": lambda v: np.stack([v[0], v[1], v[2], v[3]], axis=-1),
    "argsort": lambda v: v.argsort(),
    "comparison": lambda v: v == v,
    "transposed mean": lambda v: v.T.mean(axis=0),
    "swapped axes": lambda v: v.swapaxes(0, 1),
    "flat": lambda v: v.ravel(),
    "reshaped": lambda v: v.reshape(-1),
    "square": np.square,
    "whole numbers": lambda v: v.astype(int),
    "sorted": lambda v: np.sort(v, axis=0),
    "flat take": lambda v: v.take([0, 1, 2, 3]),
}


@pytest.mark.parametrize("name", KEEP)
def test_what_gives_vectors_remembers(name: str, v: SpaceVectors) -> None:
    found = KEEP[name](v)
    plain = KEEP[name](np.asarray(v)) if name not in ("turned twice",) else np.asarray(v)
    assert type(found) is SpaceVectors
    assert (found.space, found.version) == ("news", "1.2.0")
    assert np.array_equal(np.asarray(found), plain)


@pytest.mark.parametrize("name", LOSE)
def test_what_is_no_vector_any_more_is_plain(name: str, v: SpaceVectors) -> None:
    found = LOSE[name](v)
    assert not isinstance(found, SpaceVectors)
    assert np.array_equal(found, LOSE[name](np.asarray(v)), equal_nan=True)


MIX: dict[str, Callable[[V, V], Any]] = {
    "sum": lambda v, w: v + w,
    "difference": lambda v, w: v - w[0],
    "product": lambda v, w: v @ w.T,
    "product the other way": lambda v, w: w.T @ v,
    "row product": lambda v, w: v @ w[0],
    "dot": lambda v, w: v.dot(w.T),
    "np.dot": lambda v, w: np.dot(v[0], w[0]),
    "inner": np.inner,
    "einsum": lambda v, w: np.einsum("ij,ij->i", v, w),
    "number by number": lambda v, w: v * w,
    "concatenate": lambda v, w: np.concatenate([v, w]),
    "stack": lambda v, w: np.stack([v[0], w[0]]),
    "vstack": lambda v, w: np.vstack((v, w)),
    "builtin sum": lambda v, w: sum([v[0], w[0]]),
    "double": lambda v, w: v.astype(np.float64) @ w.astype(np.float64).T,
    "where": lambda v, w: np.where(np.asarray(v) > 0, v, w),
}


@pytest.mark.parametrize("name", MIX)
def test_mixing_two_coordinate_systems_is_refused(
    name: str, v: SpaceVectors, w: SpaceVectors
) -> None:
    with pytest.raises(MismatchError, match="have different coordinates") as caught:
        MIX[name](v, w)
    assert "spaceport align news@2.0.0 --onto news@1.2.0" in caught.value.remedy
    assert isinstance(caught.value, ParameterError)
    MIX[name](v, SpaceVectors(np.asarray(w), ONE))
    MIX[name](v, np.asarray(w))


def test_in_place_is_held_to_the_same(v: SpaceVectors, w: SpaceVectors) -> None:
    before = np.asarray(v).copy()
    with pytest.raises(MismatchError):
        v += w
    assert np.array_equal(v, before)
    v += np.ones(SIZE, np.float32)
    assert type(v) is SpaceVectors
    assert np.array_equal(v, before + 1)


def test_equality_may_be_asked_of_any_two(v: SpaceVectors, w: SpaceVectors) -> None:
    assert not np.array_equal(v, w)
    assert not (v == w).any()


@pytest.mark.parametrize(
    ("other", "agrees"),
    [
        (Coordinates("news", Number(1, 9, 3), "c" * 64), True),
        (Coordinates("news", Number(2, 0, 0), "c" * 64), False),
        (Coordinates("copy", Number(7, 0, 0), "a" * 64), True),
        (Coordinates("copy", Number(1, 2, 0), "c" * 64), False),
        (Coordinates("news", Number(2, 0, 0), "a" * 64), True),
    ],
)
def test_one_major_or_one_fingerprint_agrees(other: Coordinates, agrees: bool) -> None:
    assert ONE.agrees(other) is other.agrees(ONE) is agrees


def test_fingerprints_that_tell_only_the_dimension_do_not_agree() -> None:
    old = f"{384:064x}"
    one, other = Coordinates("a", Number(1), old), Coordinates("b", Number(1), old)
    assert not one.agrees(other)
    assert one.agrees(Coordinates("a", Number(1, 1), old))


def test_through_arrow_and_back(v: SpaceVectors) -> None:
    table = v.to_arrow(["a", "b", "c", "d"])
    assert table.schema.names == ["id", "vector"]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    again = SpaceVectors.from_arrow(pa.ipc.open_file(sink.getvalue()).read_all())
    assert again.coordinates == ONE
    assert np.array_equal(again, v)
    with pytest.raises(InputError, match="does not say whose vectors"):
        SpaceVectors.from_arrow(table.replace_schema_metadata(None))
    with pytest.raises(InputError, match="3 ids for 4 vectors"):
        v.to_arrow(["a", "b", "c"])


@pytest.fixture
def store(tmp_path: Path) -> sp.Spaceport:
    return sp.open(tmp_path / "store")


def random(seed: int, rows: int = 40) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).normal(size=(rows, 8)).astype(np.float32)


IDS = [str(row) for row in range(40)]


def test_a_version_gives_them_and_refuses_anothers_as_a_query(store: sp.Spaceport) -> None:
    mine = store.publish("mine", IDS, random(0))
    other = store.publish("other", IDS, random(1))
    query = mine.vectors(["3"])[0]
    assert (query.space, query.version) == ("mine", "1.0.0")
    assert mine.nearest(query, k=1).ids == ["3"]
    with pytest.raises(MismatchError, match=r"other@1\.0\.0 and mine@1\.0\.0"):
        other.nearest(query)
    assert other.nearest(np.asarray(query), k=1).ids != []


def test_foreign_spaces_of_one_dimension_differ_and_a_copy_does_not(store: sp.Spaceport) -> None:
    mine = store.publish("mine", IDS, random(0))
    other = store.publish("other", IDS, random(1))
    again = store.publish("again", IDS[::-1], random(0)[::-1])
    assert mine.contract.fingerprint != other.contract.fingerprint
    assert mine.contract.fingerprint == again.contract.fingerprint
    renamed = store.publish("renamed", IDS[1:] + IDS[:1], random(0))
    assert not renamed.coordinates.agrees(mine.coordinates)
    later = store.publish("mine", IDS[:-1], random(0)[:-1])
    assert later.reference == "mine@1.1.0"
    assert later.contract.fingerprint == mine.contract.fingerprint


def test_publishing_anothers_coordinates_is_refused(store: sp.Spaceport) -> None:
    mine = store.publish("mine", IDS, random(0))
    other = store.publish("other", IDS, random(1))
    with pytest.raises(MismatchError):
        store.publish("mine", IDS, other.vectors())
    assert [each.reference for each in store.versions("mine")] == ["mine@1.0.0"]
    own = store.publish("mine", IDS[:-2], mine.vectors(IDS[:-2]))
    assert own.reference == "mine@1.1.0"
    moved = store.publish("mine", IDS, other.vectors(), bump="major")
    assert moved.reference == "mine@2.0.0"
    assert moved.contract.fingerprint == other.contract.fingerprint
    assert moved.coordinates.agrees(other.coordinates)


@pytest.mark.parametrize("to", ["parquet", "arrow", "safetensors"])
def test_a_file_says_whose_coordinates_it_holds(
    store: sp.Spaceport, tmp_path: Path, to: str
) -> None:
    mine = store.publish("mine", IDS, random(0), metric="euclidean")
    store.publish("other", IDS, random(1))
    path = tmp_path / f"vectors.{to}"
    mine.export(path, to)
    source = sp.sources.vectors(str(path))
    assert source.stamp is not None
    assert source.stamp.metadata() == {
        "spaceport.space": "mine",
        "spaceport.version": "1.0.0",
        "spaceport.fingerprint": mine.contract.fingerprint,
        "spaceport.metric": "euclidean",
    }
    with pytest.raises(MismatchError):
        store.built("other", None, source)
    copied, _ = store.built("copy", None, source, metric="euclidean")
    assert copied.coordinates.agrees(mine.coordinates)
    assert np.array_equal(np.asarray(copied.vectors(IDS)), random(0))


def test_a_layout_without_a_place_for_it_says_nothing(store: sp.Spaceport, tmp_path: Path) -> None:
    mine = store.publish("mine", IDS, random(0))
    mine.export(tmp_path / "vectors.npz", "npz")
    assert sp.sources.vectors(str(tmp_path / "vectors.npz")).stamp is None
