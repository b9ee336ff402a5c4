"""ALS beside implicit: time until implicit's final NDCG@10 is reached, and the quality at the end.

Both get the same matrix of values (1 + ln(count) for lastfm-2k, ratings as they are for
movielens-small, counts for the planted set), two threads, and OPENBLAS_NUM_THREADS=1 as implicit's
README asks. implicit takes the values as confidences and runs with its defaults (regularization 0.01,
alpha 1, 15 iterations, 3 conjugate gradient steps). Ours runs with its own defaults, and once more
with implicit's objective (λ = 0.01, ν = 0, w = 1, confidences c + w = the values, here at least 1).
Time is that of the iterations; looking at the quality after each of them is not counted.

    python -m benchmarks.encoders.als [--sets lastfm-2k ...] [--dimensions 64 128 256]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from scipy.sparse import csr_array, csr_matrix

from benchmarks.data import data
from benchmarks.interactions import SETS, Split, split
from benchmarks.tables import table
from spaceport.arrays import Matrix
from spaceport.encoders._alternating import alternate, side_of
from spaceport.encoders._histories import weigh
from spaceport.encoders.als import ALS
from spaceport.quality.ranking import popularity, ranking
from spaceport.threads import one_thread

THREADS = 2
ITERATIONS = 15
JUDGED = 5000  # users of a large set whose ranking is looked at

Row = dict[str, Any]
Visit = tuple[float, Matrix, Matrix]


def run(
    sets: list[str] | None = None, dimensions: tuple[int, ...] = (64, 128, 256)
) -> list[dict[str, object]]:
    """One row for each set, dimension and contender."""
    if data() is None:
        return []
    rows: list[Row] = []
    for name in sets or list(SETS):
        parts = judged(split(name, SETS[name]()))
        rows.append({"set": name, "who": "popularity", "NDCG@10": ndcg(popularity, parts)})
        for dimension in dimensions:
            rows += beside(parts, dimension)
    return rows


def beside(parts: Split, dimension: int) -> list[Row]:
    """All contenders, each run once; the peer's last NDCG@10 is the mark."""
    import spaceport.encoders.kernels.als
    import spaceport.encoders.kernels.subspaces  # noqa: F401 - compiled before the clock starts

    told: dict[str, Any] = {"dimension": dimension, "threads": THREADS}
    same: dict[str, Any] = {"regularization": 0.01, "frequency_scaling": 0.0}
    same |= {"unobserved_weight": 1.0, "zeros": "unobserved", "weighting": "value"}
    values = parts.train.copy()
    values.data = np.maximum(values.data - 1, 0)
    with one_thread():
        visits = {
            "implicit": list(watched(theirs(parts.train, dimension), parts)),
            "ours": list(watched(ours(ALS(**told), parts.train), parts)),
            "ours, block": list(watched(ours(ALS(**told, solver="block"), parts.train), parts)),
            "ours, implicit's objective": list(watched(ours(ALS(**told, **same), values), parts)),
        }
    mark, total = visits["implicit"][-1][1], visits["implicit"][-1][0]
    rows = []
    for who, seen in visits.items():
        reached = next((seconds for seconds, quality in seen if quality >= mark), None)
        row: Row = {"set": parts.name, "dimension": dimension, "who": who}
        row |= {"s / iteration": seen[-1][0] / len(seen), "s in all": seen[-1][0]}
        row |= {"NDCG@10": seen[-1][1], "reached implicit's s": reached}
        rows.append(row | {"ratio": None if reached is None else reached / total})
    return rows


def ours(encoder: ALS, matrix: csr_array) -> Iterator[Visit]:
    """Our iterations: the seconds of each, and the vectors after it."""
    start = time.perf_counter()
    told, weights = encoder.settings(), weigh(matrix, encoder.weighting, encoder.alpha)
    users, items = side_of(weights, told), side_of(weights.T.tocsr(), told)
    with ThreadPoolExecutor(THREADS) as pool:
        steps = alternate(users, items, told, pool)
        for _ in range(ITERATIONS):
            next(steps)
            seconds = time.perf_counter() - start
            yield seconds, users.learnt(), items.learnt()
            start = time.perf_counter()


def theirs(matrix: csr_array, dimension: int) -> Iterator[Visit]:
    """The peer's iterations: the seconds of each as it reports them itself."""
    from implicit.cpu.als import AlternatingLeastSquares

    confidence = csr_matrix((matrix.data, matrix.indices, matrix.indptr), shape=matrix.shape)
    told = {"iterations": ITERATIONS, "num_threads": THREADS, "random_state": 0}
    model = AlternatingLeastSquares(factors=dimension, **told)
    visits: list[Visit] = []

    def visit(number: int, seconds: float, loss: float) -> None:
        visits.append((seconds, model.user_factors.copy(), model.item_factors.copy()))

    model.fit(confidence, show_progress=False, callback=visit)
    yield from visits


def watched(visits: Iterator[Visit], parts: Split) -> Iterator[tuple[float, float]]:
    """Seconds so far, and NDCG@10, after each iteration."""
    total = 0.0
    for seconds, users, items in visits:
        total += seconds
        yield total, ndcg(lambda _, X=users, Y=items: lambda rows: X[rows] @ Y.T, parts)


def ndcg(scorer: Any, parts: Split) -> float:
    """NDCG@10 of the held-out entries among what a user has not seen."""
    return ranking(scorer(parts.train), parts.train, parts.held_out, k=10).ndcg


def judged(parts: Split) -> Split:
    """The same split, with held-out entries of at most `JUDGED` users, drawn at random."""
    n = parts.train.shape[0]
    kept = np.zeros(n, dtype=bool)
    kept[np.random.default_rng(0).permutation(n)[:JUDGED]] = True
    held_out = parts.held_out.copy()
    held_out.data = held_out.data * np.repeat(kept, np.diff(held_out.indptr))
    held_out.eliminate_zeros()
    return Split(parts.name, parts.train, held_out)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sets", nargs="+", choices=list(SETS))
    parser.add_argument("--dimensions", nargs="+", type=int, default=[64, 128, 256])
    told = parser.parse_args()
    print(table(run(told.sets, tuple(told.dimensions))))


if __name__ == "__main__":
    main()
