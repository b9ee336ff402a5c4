"""Small worlds to watch: a version of Gaussian vectors, and logs of events about them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from spaceport.monitoring.events import Events, faults_of
from spaceport.spaces.spaceport import Spaceport
from spaceport.spaces.version import Version
from spaceport.storage.store import open_store

DIMENSION = 4


def world(folder: Path, catalog: str | None = None, rows: int = 200, seed: int = 0) -> Version:
    """Publish Gaussian vectors as ``g@1.0.0``."""
    port = Spaceport(open_store(folder / "store", catalog))
    X = np.random.default_rng(seed).standard_normal((rows, DIMENSION)).astype(np.float32)
    return port.publish("g", [f"item {row}" for row in range(rows)], X, metric="euclidean")


def log(
    start: str,
    days: int = 28,
    rows: int = 120,
    shift: float = 0.0,
    seed: int = 0,
    segments: Sequence[str] = (),
    name: str = "",
) -> Events:
    """Events at random times of some days; ids follow from the start and the name."""
    rng = np.random.default_rng([seed, *start.encode()])
    micros = np.sort(rng.integers(0, days * 86_400_000_000, rows))
    at = np.datetime64(start, "us") + micros.astype("timedelta64[us]")
    X = rng.standard_normal((rows, DIMENSION)).astype(np.float32) + np.float32(shift)
    ids = pa.array([f"{start} {name} {row}" for row in range(rows)], pa.string())
    drawn = [segments[k] for k in rng.integers(0, len(segments), rows)] if segments else None
    return Events(
        ids, at, X, faults_of(X), segment=None if drawn is None else pa.array(drawn, pa.string())
    )
