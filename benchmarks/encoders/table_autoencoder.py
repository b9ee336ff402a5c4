"""Adult through `table_autoencoder`: what a logistic regression reads off it, beside `mixed` and one-hot.

The regression learns on the training rows and is scored on the test rows; every contender gets the
same one, on columns of variance 1. One-hot encoding is scikit-learn's, of all categories, with
standardized numbers.

    python -m benchmarks table_autoencoder
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import spaceport as sp
from benchmarks.data import data
from benchmarks.encoders import mixed

DIMENSIONS = (36, 16)
SWAPS = (0.3, 0.0)


def run() -> list[dict[str, object]]:
    """Full one-hot encoding first, then `mixed`, then the network."""
    folder = data()
    if folder is None:
        return []
    train, y = mixed._read(folder / "adult" / "adult_train.csv.gz")
    test, truth = mixed._read(folder / "adult" / "adult_test.csv.gz")
    encoders = [sp.encoders.mixed(dimension=dimension) for dimension in DIMENSIONS]
    encoders += [
        sp.encoders.table_autoencoder(dimension=dimension, swap=swap)
        for dimension in DIMENSIONS
        for swap in SWAPS
    ]
    ways: dict[str, Callable[[], tuple[Any, Any]]] = {
        "scikit-learn one-hot and standardized numbers": lambda: mixed._onehot(train, test)
    }
    for encoder in encoders:
        ways[encoder.spec] = lambda encoder=encoder: mixed._encoded(encoder, train, test)
    return [mixed._measured(name, way, y, truth) for name, way in ways.items()]
