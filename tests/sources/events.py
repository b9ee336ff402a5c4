"""Tables of events for the tests of interactions, and what is read of them."""

from __future__ import annotations

import csv
import gzip
import random
from pathlib import Path
from typing import Any

from spaceport.sources.interactions import Interactions

ROWS = [
    {"user_id": 7, "item_id": 1, "rating": 4.0, "timestamp": 50},
    {"user_id": 3, "item_id": 2, "rating": 0.5, "timestamp": 20},
    {"user_id": 7, "item_id": 2, "rating": 3.0, "timestamp": 40},
    {"user_id": 7, "item_id": 1, "rating": 1.0, "timestamp": 10},
]


def write(path: Path, content: str | bytes) -> Path:
    raw = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def histories(*args: Any, **kwargs: Any) -> dict[str, dict[str, float]]:
    return {
        row["id"]: {entry["item"]: entry["value"] for entry in row["content"]}
        for batch in Interactions(*args, **kwargs).batches()
        for row in batch.to_pylist()
    }


def pairs(*args: Any, **kwargs: Any) -> set[tuple[str, str]]:
    return {(u, i) for u, had in histories(*args, **kwargs).items() for i in had}


def random_events(path: Path, seed: int = 0, count: int = 3000) -> list[tuple[str, str, int, int]]:
    rng = random.Random(seed)
    rows = [
        (f"u{rng.randrange(150)}", f"i{int(rng.paretovariate(1)) % 60}", rng.randrange(1, 6), rng.randrange(500))
        for _ in range(count)
    ]  # fmt: skip
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([("user", "item", "plays", "time"), *rows])
    return rows
