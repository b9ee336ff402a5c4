"""Exact neighbors beside faiss IndexFlat, and the index's graph with its recall."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import faiss
import numpy as np

from spaceport.geometry.neighbors import graph, nearest

ROWS, LARGE, DIMENSION, QUERIES, K, ROUNDS = 100_000, 200_000, 128, 1_000, 10, 5


def run() -> list[dict[str, object]]:
    """Median seconds of both sides, in turn, each from the bare vectors to the neighbors."""
    X = vectors(ROWS)
    Q = vectors(QUERIES, seed=1)
    rows = []
    for metric in ("dot", "cosine", "euclidean"):
        ways = {
            "faiss IndexFlat": lambda metric=metric: flat(X, Q, metric),
            "nearest": lambda metric=metric: nearest(X, Q, K, metric)[0],
        }
        seconds, answers = alternate(ways)
        theirs = answers["faiss IndexFlat"]
        for name, answer in answers.items():
            rows.append(
                {
                    "what": f"{name}, {metric}, {QUERIES:,} of {ROWS:,} x {DIMENSION}, k={K}",
                    "seconds": seconds[name],
                    "times faiss's speed": seconds["faiss IndexFlat"] / seconds[name],
                    "recall": agreement(answer, theirs),
                    "target": ">= 0.8" if name == "nearest" else "",
                }
            )
    return [*rows, large()]


def large() -> dict[str, object]:
    """Build the graph of a larger collection through an index."""
    X = vectors(LARGE)
    start = time.perf_counter()
    near = graph(X, k=15)
    return {
        "what": f"graph, {near.method}, {LARGE:,} x {DIMENSION}, k=15",
        "seconds": time.perf_counter() - start,
        "recall": near.recall,
    }


def vectors(n: int, seed: int = 0) -> np.ndarray:
    """Draw 200 clusters whose variance falls off along the axes, as that of real embeddings does."""
    shape = np.random.default_rng(7)
    axes = (
        shape.standard_normal((DIMENSION, DIMENSION)) / np.sqrt(1 + np.arange(DIMENSION))[:, None]
    )
    centers = shape.standard_normal((200, DIMENSION))
    rng = np.random.default_rng(seed)
    drawn = centers[rng.integers(200, size=n)] + rng.standard_normal((n, DIMENSION))
    return (drawn @ axes).astype(np.float32)


def flat(X: np.ndarray, Q: np.ndarray, metric: str) -> np.ndarray:
    """Search with faiss alone, from the same vectors."""
    if metric == "cosine":
        X, Q = X.copy(), Q.copy()
        faiss.normalize_L2(X)
        faiss.normalize_L2(Q)
    index = (faiss.IndexFlatL2 if metric == "euclidean" else faiss.IndexFlatIP)(DIMENSION)
    index.add(X)
    return index.search(Q, K)[1]


def alternate(
    ways: dict[str, Callable[[], np.ndarray]],
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Median seconds of each way, one after the other, the first round for warming up."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    answers = {}
    for round in range(ROUNDS + 1):
        for name, work in ways.items():
            start = time.perf_counter()
            answers[name] = work()
            if round:
                times[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) for name, taken in times.items()}, answers


def agreement(found: np.ndarray, truth: np.ndarray) -> float:
    """Share of the true neighbors that were found."""
    pairs = zip(found, truth, strict=True)
    return float(np.mean([len(set(one) & set(other)) / K for one, other in pairs]))
