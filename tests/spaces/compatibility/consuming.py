"""A space with a planted label, and candidates that are known to keep or to break it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

import spaceport as sp
from spaceport.spaces.compatibility.replaying import Result
from spaceport.spaces.spaceport import Spaceport
from spaceport.storage.registry import Consumer

Floats = npt.NDArray[np.float32]

COUNT, DIMENSION = 400, 16
IDS = [f"item-{number}" for number in range(COUNT)]
LABELS = ["ham", "spam"] * (COUNT // 2)


def planted(seed: int = 0, strength: float = 3.0) -> Floats:
    """Vectors (400, 16) whose first coordinate tells spam; the rest is noise."""
    X = np.random.default_rng(seed).normal(size=(COUNT, DIMENSION)).astype(np.float32)
    X[1::2, 0] += strength
    return X


def turned(X: Floats, seed: int = 1) -> Floats:
    """The same vectors in other coordinates: an orthogonal map."""
    random = np.random.default_rng(seed).normal(size=(X.shape[1], X.shape[1]))
    turn: Floats = (X @ np.linalg.qr(random)[0]).astype(np.float32)
    return turn


def without_label(X: Floats) -> Floats:
    """The same vectors without the direction that tells the label: noise of its own in its place."""
    found = X.copy()
    found[:, 0] = np.random.default_rng(5).normal(size=len(X)).astype(np.float32)
    return found


def publish(store: Spaceport, X: Floats, ids: Sequence[str] = IDS) -> str:
    """Publish as the next version of `mail`; gives its reference."""
    return store.publish("mail", ids, X).reference


def opened(folder: Path, catalog: str | None = None) -> Spaceport:
    """A store with mail@1.0.0."""
    store = sp.open(folder / "store", catalog)
    publish(store, planted())
    return store


def task_file(folder: Path, labels: Sequence[object] = LABELS, name: str = "task.csv") -> Path:
    """Write ids and labels."""
    path = folder / name
    rows = [f"{item},{label}" for item, label in zip(IDS, labels, strict=False)]
    path.write_text("\n".join(["item,spam", *rows]) + "\n")
    return path


def register(
    store: Spaceport,
    folder: Path,
    name: str = "spam-filter",
    tolerance: float = 0.01,
    pin: str = "1",
    labels: Sequence[object] = LABELS,
) -> Consumer:
    """Register a consumer that reads the planted label off the space's own items."""
    path = task_file(folder, labels, f"{name}.csv")
    return store.add_consumer(
        "mail",
        name,
        path,
        pin=pin,
        owner="mail-team",
        tolerance=tolerance,
        label="spam",
        by_id="item",
    )


def only(store: Spaceport, reference: str) -> Result:
    """What the gate finds for the only consumer."""
    (result,) = store.gate(reference, "production").results
    return result
