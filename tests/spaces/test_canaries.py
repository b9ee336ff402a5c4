"""Canaries: spread over the cells, a tolerance measured from their own noise, re-encoded by `verify`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import spaceport as sp
from spaceport.encoders.hashing import Hashing
from spaceport.errors import CorruptError
from spaceport.geometry import cells
from spaceport.spaces.canaries import (
    CANARIES,
    CEILING,
    FACTOR,
    FLOOR,
    Canaries,
    canary_places,
    spread_rows,
    tolerance_of,
)
from spaceport.spaces.reading import read_canaries


def clouds(count: int, rows: int) -> np.ndarray[Any, Any]:
    """Clouds far apart; one in ten rows is in the smaller ones."""
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(count, 6)) * 20
    which = np.where(rng.random(rows) < 0.9, 0, rng.integers(0, count, rows))
    which[:count] = np.arange(count)
    return (centers[which] + rng.normal(size=(rows, 6))).astype(np.float32)


def test_each_cell_has_its_canary_where_evenly_spaced_places_miss_some() -> None:
    X = clouds(12, 2000)
    levels = cells.fit(X, counts=(4, 24), metric="euclidean", seed=0)
    cell = cells.assign(X, levels[1], "euclidean")
    chosen = spread_rows(X, levels, "euclidean", count=24)
    assert len(set(chosen)) == 24
    assert set(cell[chosen].tolist()) == set(cell.tolist())
    evenly = np.linspace(0, len(X) - 1, 24).astype(int)
    assert len(set(cell[evenly].tolist())) < len(set(cell.tolist()))


def test_of_each_cell_it_is_the_row_nearest_to_the_centroid() -> None:
    X = clouds(6, 300)
    levels = cells.fit(X, counts=(2, 6), metric="euclidean", seed=0)
    cell = cells.assign(X, levels[1], "euclidean")
    for row in spread_rows(X, levels, "euclidean", count=len(levels[1])):
        gaps = np.linalg.norm(X - levels[1][cell[row]], axis=1)
        gaps[cell != cell[row]] = np.inf
        assert gaps[row] == gaps.min()


def test_coarse_cells_take_turns() -> None:
    X = clouds(12, 2000)
    levels = cells.fit(X, counts=(4, 24), metric="euclidean", seed=0)
    group = cells.assign(X, levels[0], "euclidean")
    first = spread_rows(X, levels, "euclidean", count=4)
    assert len(set(group[first].tolist())) == 4


def test_rows_of_which_nothing_is_known_come_last() -> None:
    X = clouds(3, 40)
    X[:30] = 0
    levels = cells.fit(X, counts=(2, 4), metric="cosine", seed=0)
    assert min(spread_rows(X, levels, "cosine", count=10)) >= 30
    assert len(spread_rows(X, levels, "cosine", count=99)) == 40


class Company(Hashing):
    """Gives a little something else according to how many are encoded at once."""

    size = 0.0

    def encode_batch(self, items: Sequence[str], role: str = "document") -> Any:
        vectors = super().encode_batch(items, role)
        turned = np.roll(vectors, 1, axis=1)
        return (vectors + self.size / len(items) * turned).astype(np.float32)


ITEMS = [f"text {row} about subject {row % 7}" for row in range(20)]


@pytest.mark.parametrize("size", [0.0, 1e-3, 1e-2])
def test_noise_is_what_company_changes(size: float) -> None:
    encoder = Company(dimension=32)
    encoder.size = size
    canaries = Canaries.of(encoder, ITEMS)
    together = encoder.encode(ITEMS)
    assert np.array_equal(canaries.vectors, together)
    gaps = [
        np.linalg.norm(encoder.encode([item])[0] - row) / np.linalg.norm(encoder.encode([item])[0])
        for item, row in zip(ITEMS, together, strict=True)
    ]
    assert canaries.noise == pytest.approx(max(gaps), rel=0.02, abs=1e-9)
    assert canaries.check(encoder, tolerance_of(canaries.noise or 0)).ok


def test_the_rows_of_the_version_are_looked_at_too() -> None:
    encoder = Company(dimension=32)
    rows = encoder.encode(ITEMS) * np.float32(1.01)
    assert Canaries.of(encoder, ITEMS, rows).noise == pytest.approx(0.01 / 1.01, rel=1e-3)


def test_the_tolerance_has_a_floor_and_a_ceiling() -> None:
    assert tolerance_of(0.0) == FLOOR
    assert tolerance_of(1e-3) == pytest.approx(FACTOR * 1e-3)
    assert tolerance_of(1.0) == CEILING


def test_what_was_written_before_the_noise_was_measured_is_read() -> None:
    old = json.dumps({"items": ["a", "b"], "vectors": [[1.0, 0.0], [0.0, 1.0]]})
    canaries = Canaries.from_json(old)
    assert (canaries.items, canaries.noise) == (("a", "b"), None)
    assert np.array_equal(canaries.vectors, np.eye(2))
    with pytest.raises(CorruptError):
        Canaries.from_json('{"items": []}')


def test_evenly_spaced_places() -> None:
    assert len(canary_places(1000)) == len(set(canary_places(1000))) == CANARIES


def table(tmp_path: Path, rows: int) -> sp.sources.texts:
    lines = [
        f"{row},{item}" for row, item in enumerate(f"text {r} on {r % 9}" for r in range(rows))
    ]
    (tmp_path / "texts.csv").write_text("\n".join(["key,text", *lines]) + "\n")
    return sp.sources.texts(str(tmp_path / "texts.csv"), column="text", id="key")


@pytest.fixture
def store(tmp_path: Path) -> sp.Spaceport:
    return sp.open(tmp_path / "store")


def test_a_version_keeps_its_canaries_and_their_tolerance(
    store: sp.Spaceport, tmp_path: Path
) -> None:
    first = store.build("texts", Hashing(dimension=32), table(tmp_path, 100))
    canaries = read_canaries(store.store, first.record)
    assert canaries is not None
    assert len(canaries.items) == CANARIES
    assert first.contract.tolerance == FLOOR
    (fact,) = [fact for fact in first.card if fact.name == "canaries"]
    assert fact.value == {"canaries": CANARIES, "noise": canaries.noise, "tolerance": FLOOR}
    report = first.check_canaries()
    assert report is not None
    assert (report.ok, report.moved, len(report.departures)) == (True, 0, CANARIES)
    second = store.build("texts", Hashing(dimension=32), table(tmp_path, 120))
    assert second.reference == "texts@1.1.0"
    kept = read_canaries(store.store, second.record)
    assert kept is not None
    assert kept.items == canaries.items
    assert np.array_equal(kept.vectors, canaries.vectors)


def test_verify_finds_an_encoder_that_moved(
    store: sp.Spaceport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.build("texts", Hashing(dimension=32), table(tmp_path, 100))
    assert store.verified("texts").canaries.startswith("32 canaries as they were")
    real = Hashing.encode_batch

    def moved(self: Hashing, items: Sequence[str], role: str = "document") -> Any:
        vectors = real(self, items, role)
        vectors[:, 0] += np.float32(0.01)
        return vectors

    monkeypatch.setattr(Hashing, "encode_batch", moved)
    (problem,) = store.verify("texts")
    assert problem.startswith("32 of 32 canaries moved (largest departure 0.0")
    assert store.verify("texts", canaries=False) == []
    report = store["texts"].check_canaries()
    assert report is not None
    assert not report.ok
    assert report.largest == pytest.approx(0.01, rel=0.05)


def test_the_same_fingerprint_over_other_vectors_becomes_another(
    store: sp.Spaceport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = store.build("texts", Hashing(dimension=32), table(tmp_path, 100))
    real = Hashing.encode_batch
    monkeypatch.setattr(
        Hashing, "encode_batch", lambda self, items, role="document": -real(self, items, role)
    )
    second = store.build("texts", Hashing(dimension=32), table(tmp_path, 100))
    assert second.reference == "texts@2.0.0"
    assert Hashing(dimension=32).fingerprint == first.contract.fingerprint
    assert second.contract.fingerprint != first.contract.fingerprint
    assert not second.coordinates.agrees(first.coordinates)
    third = store.build("texts", Hashing(dimension=32), table(tmp_path, 110))
    assert third.reference == "texts@2.1.0"
    assert third.contract.fingerprint == second.contract.fingerprint


def test_imported_vectors_have_none(store: sp.Spaceport) -> None:
    version = store.publish("x", ["a", "b"], np.eye(2))
    assert version.check_canaries() is None
    assert store.verified("x").canaries == "no encoder, so no canaries"


def test_a_function_must_be_bound_first(store: sp.Spaceport, tmp_path: Path) -> None:
    encoder = sp.encoders.callable(
        lambda items: np.array([[len(item), 1.0] for item in items], np.float32),
        revision="1",
        modality="texts",
    )
    store.build("texts", encoder, table(tmp_path, 20))
    found = sp.open(store.path).verified("texts")
    assert found.problems == []
    assert "must be given anew" in found.canaries
