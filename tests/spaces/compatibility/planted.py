"""Vectors with something planted between them, published as two versions of a space."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

import spaceport as sp
from spaceport.spaces.compatibility.findings import Finding, find
from spaceport.spaces.compatibility.pairing import pair
from spaceport.spaces.compatibility.parts import differing
from spaceport.spaces.compatibility.passing import Passed, pass_over
from spaceport.spaces.contract import Contract
from spaceport.spaces.identity import identity_of
from spaceport.spaces.layout import fixed
from spaceport.storage.names import Number


def cloud(n: int = 600, d: int = 12, seed: int = 0, mean: float = 0.4) -> np.ndarray:
    """Rows in a few clusters, of unequal spread along the axes, around a mean of their own."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(8, d)) * 2
    rows = centers[rng.integers(0, 8, n)] + rng.normal(size=(n, d))
    return (rows * np.linspace(1.5, 0.5, d) + mean).astype(np.float32)


def turn(d: int, seed: int = 5) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]


def noise(X: np.ndarray, size: float, seed: int = 7) -> np.ndarray:
    """Rows moved at random by `size` times the spread."""
    spread = np.sqrt(((X - X.mean(axis=0)) ** 2).sum(axis=1).mean())
    moved = np.random.default_rng(seed).normal(size=X.shape) / np.sqrt(X.shape[1])
    return X + size * spread * moved


def published(
    folder: Path, X: np.ndarray, Y: np.ndarray, metrics: tuple[str, str] = ("cosine", "cosine")
) -> tuple[sp.Version, sp.Version]:
    """Two versions through the store's own writer: rows alone, no card, cells, graph or encoder."""
    store = sp.open(folder / "planted")
    for space, rows, metric in zip(("old", "new"), (X, Y), metrics, strict=True):
        write(store, space, [f"i{row}" for row in range(len(rows))], rows, metric)
    return store["old"], store["new"]


def write(
    store: sp.Spaceport, space: str, ids: list[str], rows: np.ndarray, metric: str = "cosine"
) -> sp.Version:
    vectors = fixed(np.ascontiguousarray(rows, np.float32))
    batch = pa.record_batch({"id": pa.array(ids, pa.string()), "vector": vectors})
    contract = Contract("vectors", rows.shape[1], metric, False, "a" * 64).to_dict()
    with store.store.writing(space) as writer:
        number = Number(writer.latest.number.major + 1 if writer.latest else 1)
        writer.create_vectors(batch.schema, [batch])
        writer.publish(number, contract=contract, fingerprint="a" * 64)
    return store[space]


def passed(old: sp.Version, new: sp.Version, sample: int = 1000) -> Passed:
    return pass_over(pair(old, new), 10, sample, 0, old.contract.tolerance)


def findings(old: sp.Version, new: sp.Version) -> list[Finding]:
    return find(pair(old, new), passed(old, new), differing(identity_of(old), identity_of(new)))
