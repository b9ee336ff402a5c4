"""Co-occurrences by their definition, and as they are counted."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.encoders._cooccurrence import Bands, Counting, count_pairs
from spaceport.vocabulary import DROPPED, END, write

Floats = npt.NDArray[Any]


def brute_force(texts: list[list[int]], told: Counting) -> Counter[tuple[int, int]]:
    """X_ij by its definition, in exact arithmetic up to the rounding of 1/d."""
    X: Counter[tuple[int, int]] = Counter()
    for text in texts:
        kept = [word for word in text if word >= 0]
        for place, word in enumerate(kept):
            for distance in range(1, min(told.window, place) + 1):
                weight = 1 / distance if told.distance_weighting else 1
                X[word, kept[place - distance]] += weight
                if told.symmetric:
                    X[kept[place - distance], word] += weight
    return X


def counted(texts: list[list[int]], words: int, bands: int, told: Counting) -> dict[Any, float]:
    """X as `count_pairs` finds it, by word, from all its blocks."""
    rows = np.array([*range(words), DROPPED], np.int32)
    left_out = words  # the id of a word without a row
    tokens = [[*(word if word >= 0 else left_out for word in text), END] for text in texts]
    names = [str(row) for row in range(words + 1)]
    order = Bands(words, bands)
    word_at = {int(place): row for row, place in enumerate(order.places)}
    found: dict[Any, float] = {}
    with (
        write(names, [np.concatenate(tokens).astype(np.int32)]) as corpus,
        count_pairs(corpus, rows, order, told) as counts,
    ):
        assert counts.sizes().sum() >= len(counts)
        for row_band in range(bands):
            for column_band in range(bands):
                block = counts.block(row_band, column_band)
                assert len(block) == counts.sizes()[row_band, column_band]
                assert (block["row"] // order.size == row_band).all()
                assert (block["column"] // order.size == column_band).all()
                for row, column, count in block.tolist():
                    pair = word_at[row], word_at[column]
                    assert pair not in found
                    found[pair] = count
    return found
