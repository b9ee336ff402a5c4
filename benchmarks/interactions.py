"""Interactions for benchmarks: two real sets, one planted one, and their split."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
from scipy.sparse import csr_array

from benchmarks.data import data
from spaceport.sources.base import HISTORY, Source

__all__ = ["SETS", "Histories", "Split", "planted", "split"]

SHARE = 0.2


@dataclass(frozen=True)
class Split:
    """Values to learn from and entries held out, both (n, m), with the same users and items."""

    name: str
    train: csr_array
    held_out: csr_array


class Histories(Source):
    """A matrix in memory as a source of histories."""

    modality = "interactions"
    unique_ids = True

    def __init__(self, matrix: csr_array) -> None:
        self.matrix = matrix

    @property
    def spec(self) -> str:
        """Its size; the matrix itself has no one-line form."""
        return f"histories of {self.matrix.shape[0]} users"

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield all histories as one batch; item ids are column numbers, all of equal length."""
        n, m = self.matrix.shape
        names = pa.array([f"{column:06d}" for column in range(m)])
        items = names.take(pa.array(self.matrix.indices))
        values = pa.array(self.matrix.data.astype(np.float32))
        structs = pa.StructArray.from_arrays([items, values], fields=list(HISTORY.value_type))
        ends = pa.array(self.matrix.indptr.astype(np.int32))
        contents = pa.ListArray.from_arrays(ends, structs, type=HISTORY)
        yield pa.record_batch({"id": pa.array(map(str, range(n))), "content": contents})

    def size(self) -> int:
        """Bytes in memory."""
        return int(self.matrix.data.nbytes + self.matrix.indices.nbytes)


def split(name: str, matrix: csr_array, seed: int = 0) -> Split:
    """Hold out each entry with chance 0.2, at random; a user's first entry always stays."""
    held = np.random.default_rng(seed).random(matrix.nnz) < SHARE
    held[matrix.indptr[:-1][np.diff(matrix.indptr) > 0]] = False
    parts = []
    for kept in (~held, held):
        part = matrix.copy()
        part.data = part.data * kept
        part.eliminate_zeros()
        parts.append(part)
    return Split(name, *parts)


def lastfm() -> csr_array:
    """Listening counts of 1,892 users and 17,632 artists, as 1 + ln(count)."""
    table = _table("lastfm-2k/user_artists.dat.gz", "\t", ["user", "artist", "count"], 2)
    return _matrix(table["user"], table["artist"], 1 + np.log(table["count"]))


def movielens() -> csr_array:
    """Ratings of 610 users and 9,724 movies, from 0.5 to 5, taken as values."""
    table = _table("movielens-small/ratings.csv.gz", ",", ["user", "movie", "value", "time"], 1)
    return _matrix(table["user"], table["movie"], table["value"])


def planted(
    users: int = 60_000, items: int = 12_000, events: int = 5_150_000, tastes: int = 60
) -> csr_array:
    """Events of users with four tastes each; a taste likes a tenth of the items, by Zipf's law.

    The value is how often an event came up; about nine in ten of the pairs are different.
    """
    rng = np.random.default_rng(0)
    share = items // 10
    liked = np.stack([rng.choice(items, share, replace=False) for _ in range(tastes)])
    common = (np.arange(1, items + 1) ** -0.5)[rng.permutation(items)]
    popular = common[liked] / common[liked].sum(axis=1, keepdims=True)  # (tastes, share)
    steps = np.cumsum(popular, axis=1) / popular.sum(axis=1, keepdims=True)
    mix = np.stack([rng.choice(tastes, 4, replace=False) for _ in range(users)])  # (users, 4)
    active = rng.lognormal(sigma=0.8, size=users)
    user = np.repeat(np.arange(users), rng.poisson(active * events / active.sum()) + 2)
    taste = mix[user, rng.choice(4, len(user), p=[0.4, 0.3, 0.2, 0.1])]
    item = np.empty(len(user), dtype=np.int64)
    for number in range(tastes):
        of_taste = np.flatnonzero(taste == number)
        drawn = np.searchsorted(steps[number], rng.random(len(of_taste)))
        item[of_taste] = liked[number, np.minimum(drawn, share - 1)]
    return _matrix(user, item, np.ones(len(user)))


SETS: dict[str, Callable[[], csr_array]] = {
    "lastfm-2k": lastfm,
    "movielens-small": movielens,
    "planted 60,000 x 12,000": planted,
}


def _table(path: str, delimiter: str, names: list[str], skipped: int) -> dict[str, Any]:
    folder = data()
    if folder is None:
        raise SystemExit("the real data is absent (SPACEPORT_DATA)")
    read = pa.csv.ReadOptions(column_names=names, skip_rows=skipped)
    parse = pa.csv.ParseOptions(delimiter=delimiter)
    table = pa.csv.read_csv(folder / path, read, parse)
    return {name: table[name].to_numpy() for name in names}


def _matrix(users: Any, items: Any, values: Any) -> csr_array:
    """Events as a matrix; users and items numbered anew, values of one pair added."""
    rows, columns = (np.unique(ids, return_inverse=True)[1] for ids in (users, items))
    shape = (int(rows.max()) + 1, int(columns.max()) + 1)
    matrix = csr_array((values.astype(np.float32), (rows, columns)), shape=shape)
    matrix.sum_duplicates()
    return matrix
