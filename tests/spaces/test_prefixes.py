"""Shorter vectors: which are permitted, and what is lost with each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import spaceport as sp
from spaceport.errors import ParameterError
from spaceport.spaces.given import Given
from spaceport.spaces.prefixes import LEAST, cut, halves, losses

IDS = [str(row) for row in range(300)]


def vectors() -> np.ndarray:
    spread = np.geomspace(3, 0.03, 32)
    return (np.random.default_rng(0).normal(size=(300, 32)) * spread).astype(np.float32)


def brute(X: np.ndarray, m: int, metric: str, k: int = 10) -> float:
    kept = []
    whole, short = (cdist(each, each, metric) for each in (X, X[:, :m]))
    for row, (one, other) in enumerate(zip(whole, short, strict=True)):
        one[row] = other[row] = np.inf
        kept.append(len({*np.argsort(one)[:k]} & {*np.argsort(other)[:k]}) / k)
    return 1 - float(np.mean(kept))


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_losses_against_brute_force(metric: str) -> None:
    X = vectors()
    found = losses(X, [16, 8, 4], metric)
    assert found == pytest.approx([brute(X, m, metric) for m in (16, 8, 4)])
    assert found[0] < found[1] < found[2]


def test_halves_end_where_little_is_left() -> None:
    assert halves(384) == (192, 96, 48)
    assert all(each >= LEAST for each in halves(20))


@pytest.fixture
def store(tmp_path: Path) -> sp.Spaceport:
    return sp.open(tmp_path / "store")


def test_an_encoder_whose_first_numbers_mean_most_offers_its_halves(store: sp.Spaceport) -> None:
    source = Given(IDS, vectors(), {})
    version = store.build("x", sp.encoders.pca(dimension=32), source, metric="euclidean")
    assert version.contract.dimensions == (16, 8)
    assert version.contract.losses == pytest.approx(
        [brute(np.asarray(version.vectors()), m, "euclidean") for m in (16, 8)]
    )
    (fact,) = [fact for fact in version.card if fact.name == "shorter vectors"]
    assert fact.value == [list(pair) for pair in zip((16, 8), version.contract.losses, strict=True)]
    short = version.vectors(["5", "3"], dimension=8)
    assert np.array_equal(np.asarray(short), np.asarray(version.vectors(["5", "3"]))[:, :8])
    assert short.coordinates == version.coordinates
    encoded = version.encode(vectors()[:2], dimension=16)
    assert encoded.shape == (2, 16)
    assert np.array_equal(np.asarray(version.vectors(dimension=32)), np.asarray(version.vectors()))
    with pytest.raises(ParameterError, match="may not be cut to 9") as caught:
        version.vectors(dimension=9)
    assert "Permitted are 16 (loses" in caught.value.remedy


def test_what_loses_most_of_the_neighbors_is_not_offered_but_may_be_asked_for(
    store: sp.Spaceport,
) -> None:
    flat = Given(IDS, np.random.default_rng(0).normal(size=(300, 32)).astype(np.float32), {})
    encoder = sp.encoders.pca(dimension=32)
    assert store.build("x", encoder, flat).contract.dimensions == (16,)
    told = store.build("y", encoder, flat, dimensions=[8]).contract
    assert told.dimensions == (16, 8)
    assert told.losses[0] <= 0.5 < told.losses[1]


def test_unit_rows_are_brought_to_unit_length_again(store: sp.Spaceport) -> None:
    X = vectors()
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    version = store.publish("x", IDS, X, dimensions=[8, 20])
    assert version.contract.dimensions == (20, 8)
    short = np.asarray(version.vectors(dimension=20))
    assert np.allclose(np.linalg.norm(short, axis=1), 1, atol=1e-6)
    assert np.array_equal(short, cut(X, 20, unit=True))


def test_what_a_major_has_promised_stays(store: sp.Spaceport) -> None:
    store.publish("x", IDS, vectors(), dimensions=[8])
    later = store.publish("x", IDS[:-5], vectors()[:-5], dimensions=[16])
    assert later.reference == "x@1.1.0"
    assert later.contract.dimensions == (16, 8)


def test_others_are_refused(store: sp.Spaceport) -> None:
    for dimension in (32, 40, 0):
        with pytest.raises(ParameterError, match="`dimensions` must"):
            store.publish("x", IDS, vectors(), dimensions=[dimension])
    plain = store.publish("x", IDS, vectors())
    with pytest.raises(ParameterError, match=r"build with dimensions=\[...\]"):
        plain.vectors(dimension=16)


def test_a_role_that_the_contract_lacks_is_refused(store: sp.Spaceport) -> None:
    version = store.build("x", sp.encoders.pca(dimension=4), Given(IDS, vectors(), {}))
    assert version.encode(vectors()[:1], role="document").shape == (1, 4)
    with pytest.raises(ParameterError, match="`role` must be one of document, query. Got 'title'"):
        version.encode(vectors()[:1], role="title")
