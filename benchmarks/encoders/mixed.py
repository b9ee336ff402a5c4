"""Adult through `mixed` and `svd`: what a logistic regression reads off them, beside full one-hot encoding.

The regression learns on the training rows and is scored on the test rows; every contender gets the
same one, on columns of variance 1. One-hot encoding is scikit-learn's, of all categories, with
standardized numbers.

    python -m benchmarks mixed
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import spaceport as sp
from benchmarks.data import data
from spaceport.sources.base import ROWS, Source

CONTENDERS = {
    "mixed(dimension=36)": {},
    "mixed(dimension=36, rarity=0.0)": {"rarity": 0.0},
    "mixed(dimension=36, rarity=0.5)": {"rarity": 0.5},
    "mixed(dimension=36, scaling='rank')": {"scaling": "rank"},
    "mixed(dimension=24)": {"dimension": 24},
    "mixed(dimension=16)": {"dimension": 16},
}


def run() -> list[dict[str, object]]:
    """Full one-hot encoding first, then the encoders."""
    folder = data()
    if folder is None:
        return []
    train, y = _read(folder / "adult" / "adult_train.csv.gz")
    test, truth = _read(folder / "adult" / "adult_test.csv.gz")
    ways: dict[str, Callable[[], tuple[Any, Any]]] = {
        "scikit-learn one-hot and standardized numbers": lambda: _onehot(train, test)
    }
    for name, told in CONTENDERS.items():
        encoder = sp.encoders.mixed(**{"dimension": 36, **told})
        ways[name] = lambda encoder=encoder: _encoded(encoder, train, test)
    ways["svd(dimension=36)"] = lambda: _encoded(sp.encoders.svd(dimension=36), train, test)
    return [_measured(name, way, y, truth) for name, way in ways.items()]


def _measured(
    name: str, way: Callable[[], tuple[Any, Any]], y: Any, truth: Any
) -> dict[str, object]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    start = time.perf_counter()
    A, B = way()
    seconds = time.perf_counter() - start
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(A, y)
    return {
        "what": name,
        "dimension": A.shape[1],
        "fit and encode s": seconds,
        "test rows told right": float(probe.score(B, truth)),
    }


class Held(Source):
    """Rows in memory, so that no contender's time has the reading of a file in it."""

    modality = "table"
    unique_ids = True

    def __init__(self, rows: pa.Array) -> None:
        self.rows = rows

    def read(self) -> Iterator[pa.RecordBatch]:
        """Give the rows in batches of 8,192, numbered."""
        for start in range(0, len(self.rows), ROWS):
            part = self.rows[start : start + ROWS]
            ids = [str(row) for row in range(start, start + len(part))]
            yield pa.record_batch({"id": ids, "content": part})

    def size(self) -> int:
        """Bytes of the rows in memory."""
        return int(self.rows.nbytes)


def _read(path: Path) -> tuple[pa.Array, Any]:
    """The rows and whether each earns more; the test file's classes end in a dot."""
    batches = list(sp.sources.table(path, label="class", missing=["NA"]).batches())
    labels = [label.rstrip(".") for b in batches for label in b.column("class").to_pylist()]
    return pa.concat_arrays([b.column("content") for b in batches]), np.array(labels)


def _encoded(encoder: Any, train: pa.Array, test: pa.Array) -> tuple[Any, Any]:
    encoder.fit(Held(train))
    return encoder.encode(train), encoder.encode(test)


def _onehot(train: pa.Array, test: pa.Array) -> tuple[Any, Any]:
    from sklearn.preprocessing import OneHotEncoder

    names = [field.name for field in train.type]
    words = [name for name in names if pa.types.is_string(train.type.field(name).type)]
    numbers = [name for name in names if name not in words]

    def columns(rows: pa.Array, chosen: list[str], kind: Any) -> Any:
        return np.stack([np.array(rows.field(name).to_pylist(), kind) for name in chosen], axis=1)

    peer = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    peer.fit(columns(train, words, object))
    both = [
        np.concatenate(
            [columns(rows, numbers, float), peer.transform(columns(rows, words, object))], axis=1
        )
        for rows in (train, test)
    ]
    return both[0], both[1]
