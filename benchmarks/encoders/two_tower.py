"""MovieLens-small through `two_tower`: known movies, and movies that nobody has rated.

A movie is liked from 4 stars on. Warm: each liking is held out with chance 0.2, and 10 movies are
recommended to each user; beside popularity, `als` and `bpr`. Cold: of a fifth of the movies, chosen by
a hash, every liking is held out, and these movies are ranked among themselves for each user; beside
what needs no likings of them:

- random order, which is all that `als` and `bpr` have for them;
- popularity of the genres: the mean number of likings of the other movies of a genre, over the genres;
- nearest content: the cosine of a movie's tf-idf of title and genres to the mean of the user's.

AUC is the mean over users of the share of pairs (liked, not liked) in order.

    python -m benchmarks two_tower
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from zlib import crc32

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array

import spaceport as sp
from benchmarks.data import data
from benchmarks.encoders.bpr import auc
from benchmarks.interactions import Histories, Split, split
from spaceport.quality.ranking import popularity, ranking

LIKED = 4.0
DIMENSION = 64

Scorer = Callable[[Any], Any]


class Described(Histories):
    """Histories in memory with a table of the items."""

    def __init__(self, matrix: csr_array, features: pa.Table) -> None:
        super().__init__(matrix)
        self.features = features

    def item_features(self) -> pa.Table:
        """The table of the items."""
        return self.features


def run() -> list[dict[str, object]]:
    """Warm, then cold."""
    if data() is None:
        return []
    likings, features = read()
    warm = split("warm", likings)
    cold = np.array([crc32(title.encode()) % 5 == 0 for title in features["title"].to_pylist()])
    parts = apart(likings, cold)
    ways = {
        "popularity": lambda: popularity(warm.train),
        "als": lambda: factors(sp.encoders.als(dimension=DIMENSION), warm.train),
        "bpr": lambda: factors(sp.encoders.bpr(dimension=DIMENSION), warm.train),
        "two_tower": lambda: towers(warm.train, features),
        "two_tower(layers=1)": lambda: towers(warm.train, features, layers=1),
        "two_tower(features=[])": lambda: towers(warm.train, features, features=[]),
    }
    rows = [measured(warm, who, way) for who, way in ways.items()]
    rng = np.random.default_rng(0)
    rated = np.diff(parts.held_out.tocsc().indptr) > 0
    few = Split("cold", csr_array(parts.held_out[:, rated].shape), parts.held_out[:, rated])
    ways = {
        "random order (als, bpr)": lambda: noise(rng, likings.shape),
        "popularity of the genres": lambda: genres(parts.train, features),
        "nearest content": lambda: content(parts.train, features),
        "two_tower": lambda: towers(parts.train, features),
        "two_tower(layers=1)": lambda: towers(parts.train, features, layers=1),
    }
    return rows + [measured(few, who, way, rated) for who, way in ways.items()]


def measured(
    parts: Split, who: str, way: Callable[[], Scorer], columns: Any = slice(None)
) -> dict[str, object]:
    """Seconds until there are scores, then how good they are."""
    start = time.perf_counter()
    whole = way()
    seconds = time.perf_counter() - start

    def scorer(rows: Any) -> Any:
        return np.asarray(whole(rows))[:, columns]

    found = ranking(scorer, parts.train, parts.held_out, k=10)
    quality = {"NDCG@10": found.ndcg, "recall@10": found.recall, "AUC": auc(scorer, parts)}
    return {"items": parts.name, "who": who, "s": seconds, **quality}


def read() -> tuple[csr_array, pa.Table]:
    """Likings of 609 users and all 9,742 movies, and the movies' table in the same order."""
    folder = data()
    assert folder is not None
    ratings, movies = (folder / "movielens-small" / n for n in ("ratings.csv.gz", "movies.csv"))
    source = sp.sources.interactions(ratings, titles_from=movies, minimum=LIKED)
    entries, features = source.entries(), source.item_features()
    assert features is not None
    places = {item: place for place, item in enumerate(features["item"].to_pylist())}
    column = np.array([places[item] for item in entries.items.to_pylist()])[entries.item]
    row = np.unique(entries.user, return_inverse=True)[1]
    shape = (int(row.max()) + 1, len(places))
    matrix = csr_array((np.ones(len(row), np.float32), (row, column)), shape=shape)
    matrix.sum_duplicates()
    return matrix, features.set_column(0, "item", [[f"{place:06d}" for place in range(shape[1])]])


def apart(likings: csr_array, cold: Any) -> Split:
    """All likings of the cold items held out."""
    both = []
    for kept in (~cold, cold):
        part = likings.copy()
        part.data = part.data * kept[part.indices]
        part.eliminate_zeros()
        both.append(part)
    return Split("cold", *both)


def factors(encoder: Any, matrix: csr_array) -> Scorer:
    """Scores of a factorization."""
    users, items, _ = encoder.learn(matrix)
    return lambda rows: users[rows] @ items.T


def towers(matrix: csr_array, table: pa.Table, **told: Any) -> Scorer:
    """Scores of ours, its items put in the table's order; every user has a row."""
    encoder = sp.encoders.two_tower(dimension=DIMENSION, **told)
    encoder.fit(Described(matrix, table))
    order = np.argsort(encoder.items_)
    return lambda rows: encoder.user_vectors_[rows] @ encoder.item_vectors_[order].T


def noise(rng: np.random.Generator, shape: tuple[int, int]) -> Scorer:
    """Random numbers."""
    scores = rng.random(shape)
    return lambda rows: scores[rows]


def genres(matrix: csr_array, features: pa.Table) -> Scorer:
    """For everybody the mean, over a movie's genres, of the genre's mean number of likings."""
    known = [cell.split("|") for cell in features["genres"].to_pylist()]
    likes = np.bincount(matrix.indices, minlength=matrix.shape[1])
    of: dict[str, list[int]] = {}
    for count, names in zip(likes, known, strict=True):
        for name in names:
            of.setdefault(name, []).extend([count] if count else [])
    mean = {name: float(np.mean(counts)) if counts else 0.0 for name, counts in of.items()}
    scores = np.array([np.mean([mean[name] for name in names]) for names in known])
    return lambda rows: np.broadcast_to(scores, (len(rows), len(scores)))


def content(matrix: csr_array, features: pa.Table) -> Scorer:
    """Cosines of tf-idf rows to the mean of those that the user likes."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = zip(features["title"].to_pylist(), features["genres"].to_pylist(), strict=True)
    X = csr_array(TfidfVectorizer().fit_transform([" ".join(pair) for pair in texts]))
    return lambda rows: (matrix[rows] @ X @ X.T).toarray()
