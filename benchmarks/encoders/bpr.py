"""BPR beside implicit: time of the same passes over the same entries, and the AUC of held-out items.

Both run with two threads, 64 factors (of ours one is the bias; implicit adds its own), a regularization
of 0.01, 100 passes at a learning rate of 0.01 (20 at 0.05 over the planted set), and negatives in
proportion to popularity. The AUC of a user is the share of pairs (held-out item, item without an interaction) that
the scores put in order; it is the mean over at most 2,000 users.

    python -m benchmarks.encoders.bpr [--sets lastfm-2k ...]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_array, csr_matrix

from benchmarks.data import data
from benchmarks.interactions import SETS, Split, split
from benchmarks.tables import table
from spaceport.encoders.bpr import BPR
from spaceport.quality.ranking import popularity, ranking
from spaceport.threads import one_thread

THREADS = 2
DIMENSION = 64
PASSES = 100
PASSES_OF_LARGE = 20
RATE = 0.01
RATE_OF_LARGE = 0.05
LARGE = 1_000_000
JUDGED = 2000
_BLOCK = 256

Row = dict[str, Any]
Scorer = Callable[[Any], Any]


def run(sets: list[str] | None = None) -> list[dict[str, object]]:
    """One row for each set and contender."""
    if data() is None:
        return []
    rows: list[Row] = []
    for name in sets or list(SETS):
        parts = split(name, SETS[name]())
        large = parts.train.nnz > LARGE
        passes, rate = (PASSES_OF_LARGE, RATE_OF_LARGE) if large else (PASSES, RATE)
        told = (parts, passes, rate)
        ways: dict[str, Callable[[], Scorer]] = {
            "popularity": lambda parts=parts: popularity(parts.train),
            "implicit": lambda told=told: theirs(*told),
            "ours": lambda told=told: ours(*told),
            "ours, reproducible": lambda told=told: ours(*told, True),
        }
        with one_thread():
            rows += [measured(parts, who, way) for who, way in ways.items()]
    return rows


def measured(parts: Split, who: str, way: Callable[[], Scorer]) -> Row:
    """Seconds of training, then the quality."""
    start = time.perf_counter()
    scorer = way()
    seconds = time.perf_counter() - start
    found = ranking(scorer, parts.train, parts.held_out, k=10)
    row: Row = {"set": parts.name, "who": who, "s": seconds if who != "popularity" else None}
    return row | {"AUC": auc(scorer, parts), "NDCG@10": found.ndcg}


def ours(parts: Split, passes: int, rate: float, reproducible: bool = False) -> Scorer:
    """Our encoder with its defaults but the passes."""
    import spaceport.encoders.kernels.bpr  # noqa: F401 - compiled at import, once per machine

    told: dict[str, Any] = {"iterations": passes, "threads": THREADS, "learning_rate": rate}
    X, Y, _ = BPR(DIMENSION, **told, reproducible=reproducible).learn(parts.train)
    return lambda rows: X[rows] @ Y.T


def theirs(parts: Split, passes: int, rate: float) -> Scorer:
    """The peer with its defaults but the factors and the passes."""
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    matrix = csr_matrix(
        (parts.train.data, parts.train.indices.astype(np.int32), parts.train.indptr),
        shape=parts.train.shape,
    )
    model = BayesianPersonalizedRanking(
        factors=DIMENSION - 1,
        iterations=passes,
        learning_rate=rate,
        num_threads=THREADS,
        random_state=0,
    )
    model.fit(matrix, show_progress=False)
    return lambda rows: model.user_factors[rows] @ model.item_factors.T


def auc(scorer: Scorer, parts: Split) -> float:
    """Mean over users of the share of pairs (held-out, without interaction) that are in order."""
    train, held_out = parts.train, parts.held_out
    users = np.flatnonzero(np.diff(held_out.indptr))
    users = np.random.default_rng(0).permutation(users)[:JUDGED]
    shares = []
    for block in np.array_split(users, -(-len(users) // _BLOCK)):
        for user, scores in zip(block, np.asarray(scorer(block)), strict=True):
            others = np.ones(len(scores), dtype=bool)
            others[items_of(train, user)] = False
            good = items_of(held_out, user)
            others[good] = False
            bad = np.sort(scores[others])
            below = np.searchsorted(bad, scores[good], "left")
            up_to = np.searchsorted(bad, scores[good], "right")
            shares.append(float((below + up_to).mean() / 2 / len(bad)))  # a tie is half in order
    return float(np.mean(shares))


def items_of(matrix: csr_array, user: int) -> Any:
    """Columns of the entries of one row."""
    return matrix.indices[matrix.indptr[user] : matrix.indptr[user + 1]]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sets", nargs="+", choices=list(SETS))
    print(table(run(parser.parse_args().sets)))


if __name__ == "__main__":
    main()
