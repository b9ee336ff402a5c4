"""Planted interactions for the tests of the encoders that learn users and items."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array

from spaceport.sources.base import HISTORY, Source

__all__ = ["Histories", "tastes"]


class Histories(Source):
    """The rows of a matrix as histories; a user is u0, u1 …, an item i0, i1 …."""

    modality = "interactions"
    unique_ids = True

    def __init__(self, matrix, titles=None):
        self.matrix = csr_array(matrix)
        self.named = titles or {}

    @property
    def spec(self):
        return f"histories of {self.matrix.shape[0]} users"

    def read(self):
        ends = self.matrix.indptr
        histories = [
            [
                {"item": f"i{item}", "value": float(value)}
                for item, value in zip(
                    self.matrix.indices[start:end], self.matrix.data[start:end], strict=True
                )
            ]
            for start, end in pairwise(ends)
        ]
        ids = [f"u{row}" for row in range(len(histories))]
        half = len(ids) // 2
        for part in (slice(0, half), slice(half, None)):
            content = pa.array(histories[part], HISTORY)
            yield pa.record_batch({"id": ids[part], "content": content})

    def size(self):
        return self.matrix.nnz

    def titles(self):
        return self.named


def tastes(users=120, items=60, each=10, seed=0):
    """Users of two tastes: even users take even items, odd users odd ones; values from 1 to 5.

    One in ten of the entries is of the other taste.
    """
    rng = np.random.default_rng(seed)
    matrix = np.zeros((users, items), dtype=np.float32)
    for user in range(users):
        taken = 2 * rng.choice(items // 2, each, replace=False) + user % 2
        stray = rng.choice(items, max(each // 10, 1))
        for item in (*taken, *stray):
            matrix[user, item] = rng.integers(1, 6)
    return csr_array(matrix)
