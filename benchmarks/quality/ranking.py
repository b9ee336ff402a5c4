"""Ranking measures on 60,000 made users and 12,000 items: time, and the numbers, beside implicit's."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from scipy.sparse import csr_array, csr_matrix

from spaceport.quality.ranking import popularity, ranking

USERS, ITEMS, DIMENSION, K = 60_000, 12_000, 64, 10


def run() -> list[dict[str, object]]:
    """Ours for a model and for popularity; implicit's ``ranking_metrics_at_k`` for the same model."""
    rng = np.random.default_rng(0)
    U = rng.normal(size=(USERS, DIMENSION)).astype(np.float32)
    V = rng.normal(size=(ITEMS, DIMENSION)).astype(np.float32)
    seen, later = _events(rng, U, V)
    start = time.perf_counter()
    found = ranking(lambda rows: U[rows] @ V.T, seen, later, K)
    ours = {
        "ndcg": found.ndcg,
        "map": found.map,
        "recall": found.recall,
        "coverage": found.coverage,
    }
    rows: list[dict[str, object]] = [_row("ranking", start, ours)]
    start = time.perf_counter()
    base = ranking(popularity(seen), seen, later, K)
    told = {"ndcg": base.ndcg, "map": base.map, "recall": base.recall, "coverage": base.coverage}
    rows.append(_row("ranking, popularity", start, told))
    return [*rows, *_peer(U, V, seen, later)]


def _events(rng: Any, U: Any, V: Any) -> tuple[csr_array, csr_array]:
    """Forty items a user, drawn with a preference for high scores; a fifth of them held out."""
    user = np.repeat(np.arange(USERS), 400)
    item = rng.integers(0, ITEMS, len(user))
    score = np.concatenate(
        [np.einsum("ed,ed->e", U[user[part]], V[item[part]]) for part in _parts(len(user))]
    )
    best = np.argsort(-score.reshape(USERS, 400), axis=1)[:, :40]
    item = np.take_along_axis(item.reshape(USERS, 400), best, axis=1).ravel()
    user = np.repeat(np.arange(USERS), 40)
    _, first = np.unique(user * ITEMS + item, return_index=True)
    user, item = user[first], item[first]
    test = rng.random(len(user)) < 0.2
    return _matrix(user[~test], item[~test]), _matrix(user[test], item[test])


def _parts(count: int) -> list[slice]:
    return [slice(start, start + 1_000_000) for start in range(0, count, 1_000_000)]


def _matrix(user: Any, item: Any) -> csr_array:
    ones = np.ones(len(user), np.float32)
    return csr_array((ones, (user.astype(np.int32), item.astype(np.int32))), shape=(USERS, ITEMS))


def _peer(U: Any, V: Any, seen: csr_array, later: csr_array) -> list[dict[str, object]]:
    try:
        from implicit.cpu.matrix_factorization_base import MatrixFactorizationBase
        from implicit.evaluation import ranking_metrics_at_k
    except ImportError:
        return []

    class Model(MatrixFactorizationBase):
        def fit(self, user_items: Any, show_progress: bool = True, callback: Any = None) -> None:
            self.user_factors, self.item_factors = U, V

        def save(self, file: Any) -> None:
            raise NotImplementedError

    model = Model()
    model.fit(None)
    start = time.perf_counter()
    told = ranking_metrics_at_k(
        model, csr_matrix(seen), csr_matrix(later), K=K, show_progress=False, num_threads=0
    )
    return [_row("implicit ranking_metrics_at_k", start, {n: told[n] for n in ("ndcg", "map")})]


def _row(what: str, start: float, told: dict[str, float]) -> dict[str, object]:
    return {"what": what, "seconds": time.perf_counter() - start} | told
