"""LSA on the 18,363 abstracts: time to fit and encode, and how well a title finds its abstract."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import spaceport as sp
from benchmarks.data import data
from spaceport.arrays import Matrix

TITLES = 500


def run() -> list[dict[str, object]]:
    """Ours with unit and with plain terms beside scikit-learn's TfidfVectorizer and TruncatedSVD."""
    folder = data()
    if folder is None:
        return []
    path = folder / "paper-abstracts" / "abstracts.jsonl.gz"
    texts, titles = _read(path, "abstract"), _read(path, "title")
    asked = np.random.default_rng(0).choice(len(texts), TITLES, replace=False)
    queries = [titles[row] for row in asked]
    ways: dict[str, Callable[[], tuple[Matrix, Matrix]]] = {
        "lsa(dimension=100)": lambda: _ours(path, texts, queries, terms="unit"),
        "lsa(dimension=100, terms='plain')": lambda: _ours(path, texts, queries, terms="plain"),
        "scikit-learn TfidfVectorizer + TruncatedSVD": lambda: _peer(texts, queries),
    }
    return [_measured(name, way, asked) for name, way in ways.items()]


def _measured(name: str, way: Callable[[], tuple[Matrix, Matrix]], asked: Any) -> dict[str, object]:
    start = time.perf_counter()
    X, Q = way()
    seconds = time.perf_counter() - start
    scores = Q @ X.T
    own = scores[np.arange(len(asked)), asked]
    rank = (scores > own[:, None]).sum(axis=1)
    return {
        "what": name,
        "fit and encode s": seconds,
        "title finds abstract: first": float((rank < 1).mean()),
        "in the first ten": float((rank < 10).mean()),
    }


def _ours(path: Path, texts: list[str], queries: list[str], terms: str) -> tuple[Matrix, Matrix]:
    encoder = sp.encoders.lsa(dimension=100, terms=terms)
    encoder.fit(sp.sources.texts(str(path), column="abstract"))
    return encoder.encode(texts), encoder.encode(queries, role="query")


def _peer(texts: list[str], queries: list[str]) -> tuple[Matrix, Matrix]:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer

    counts = TfidfVectorizer(sublinear_tf=True, min_df=2, max_df=0.5, dtype=np.float32)
    peer = make_pipeline(counts, TruncatedSVD(100, random_state=0), Normalizer())
    return peer.fit_transform(texts), peer.transform(queries)


def _read(path: Path, column: str) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line)[column] for line in lines]
