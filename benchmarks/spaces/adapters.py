"""Each adapter beside an affine map without a ridge: recall of a full re-embedding, and time.

    python -m benchmarks.spaces.adapters [--texts 10001] [--words 20000] [--only news seeds more]

Three changes of the model behind a space: MiniLM to LSA on AG News (another method, 384 to 100
dimensions, and back), word2vec with another seed, word2vec on twice the text. Learnt from 1, 2, 5, 20 times
as many pairs as the smaller dimension, and from all; judged on 1,000 items that were not learnt from.
`behind` is the paired difference to Procrustes of what the affine map finds, with its 95 % interval:
above zero where Procrustes loses.
"""

from __future__ import annotations

import argparse
import gzip
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

import spaceport as sp
from benchmarks.data import data
from benchmarks.tables import table
from spaceport.adapters.base import Adapter, Arrays, Double, linear
from spaceport.quality.recovery import Recovery, behind, recovery
from spaceport.sources.base import Source

Row = dict[str, Any]
Pairs = tuple[np.ndarray, np.ndarray]

HELD_OUT, TIMES, BATCH = 1000, (1, 2, 5, 20), 8192


class LeastSquares(Adapter):
    """The affine map that fits its pairs best, with nothing to hold it back."""

    spec = "affine without a ridge"

    def learn(self, X: Double, Y: Double) -> Arrays:  # noqa: D102
        near, far = X.mean(axis=0), Y.mean(axis=0)
        return linear(near, np.linalg.lstsq(X - near, Y - far, rcond=None)[0], far)


def run(
    texts: int = 10_001, words: int = 20_000, only: tuple[str, ...] = ("news", "seeds", "more")
) -> list[Row]:
    """A row for each change, number of pairs and adapter."""
    if data() is None:
        return []
    cases: dict[str, Callable[[], Iterator[tuple[str, Pairs]]]] = {
        "news": lambda: news(texts),
        "seeds": lambda: seeds(words),
        "more": lambda: more(words),
    }
    return [row for each in only for name, sides in cases[each]() for row in judged(name, *sides)]


def judged(name: str, X: np.ndarray, Y: np.ndarray) -> Iterator[Row]:
    """Each adapter for each number of pairs; the index is all of Y."""
    order = np.random.default_rng(0).permutation(len(X))
    held, rest = order[:HELD_OUT], order[HELD_OUT:]
    d = min(X.shape[1], Y.shape[1])
    for pairs in [*(times * d for times in TIMES), len(rest)]:
        learnt = rest[:pairs]
        found = [fitted(adapter, X, Y, learnt, held) for adapter in adapters(pairs, d)]
        (turn,) = (recovered for row, recovered in found if row["adapter"] == "procrustes()")
        for row, recovered in found:
            gap, half = behind(recovered.each, turn.each)
            told = "" if recovered is turn else f"{gap:+.3f} ± {half:.3f}"
            yield {"change": name, "pairs": pairs, **row, "behind": told}


def adapters(pairs: int, d: int) -> list[Adapter]:
    """Those worth fitting; a network wants more than a few rows."""
    few: list[Adapter] = [LeastSquares(), sp.adapters.procrustes(), sp.adapters.affine()]
    return [*few, sp.adapters.residual()] if pairs >= 20 * d else few


def fitted(
    adapter: Adapter, X: np.ndarray, Y: np.ndarray, learnt: np.ndarray, held: np.ndarray
) -> tuple[Row, Recovery]:
    began = time.perf_counter()
    adapter.fit(X[learnt], Y[learnt])
    seconds = time.perf_counter() - began
    found = recovery(adapter(X[held]), Y[held], Y, own=held)
    row = {
        "adapter": adapter.spec,
        "recall@10": round(found.recall or 0.0, 3),
        "MRR": round(found.mrr or 0.0, 3),
        "neighbors@10": round(found.neighbors, 3),
        "interval": f"{found.neighbors_low:.3f} to {found.neighbors_high:.3f}",
        "fit s": seconds,
        "µs a vector": pace(adapter, X),
    }
    return row, found


def pace(adapter: Adapter, X: np.ndarray) -> float:
    """Microseconds a vector in batches of 8,192, the best of five."""
    rows = np.resize(X, (BATCH, X.shape[1]))
    times = []
    for _ in range(6):
        began = time.perf_counter()
        adapter(rows)
        times.append(time.perf_counter() - began)
    return 1e6 * min(times[1:]) / BATCH


def news(count: int) -> Iterator[tuple[str, Pairs]]:
    """MiniLM and LSA on the same texts."""
    folder = data()
    assert folder is not None
    with gzip.open(folder / "ag-news" / "train-sample-10k.tsv.gz", "rt", encoding="utf-8") as file:
        texts = [line.rstrip("\n").rpartition("\t")[0] for line in file][:count]
    lsa = np.asarray(sp.encoders.lsa(dimension=100).fit(Lines(texts)).encode(texts))
    minilm = np.asarray(sp.encoders.activations("minilm").encode(texts))
    known = lsa.any(axis=1)
    yield "MiniLM → LSA, AG News", (minilm[known], lsa[known])
    yield "LSA → MiniLM, AG News", (lsa[known], minilm[known])


def seeds(words: int) -> Iterator[tuple[str, Pairs]]:
    """word2vec twice, with another seed."""
    yield "word2vec seed 0 → 1, wiki AA", shared(learnt(1, 0, words), learnt(1, 1, words))


def more(words: int) -> Iterator[tuple[str, Pairs]]:
    """word2vec on one file and on two."""
    yield "word2vec wiki AA → AA + AB", shared(learnt(1, 0, words), learnt(2, 0, words))


def learnt(files: int, seed: int, words: int) -> dict[str, np.ndarray]:
    """The most frequent words with their vectors."""
    folder = data()
    assert folder is not None
    paths = sorted((folder / "wiki-en").glob("*.gz"))[:files]
    encoder = sp.encoders.word2vec(dimension=100, seed=seed).fit(sp.sources.corpus(*paths))
    ids, vectors = encoder.entities()
    return dict(zip(ids[:words], vectors[:words], strict=True))


def shared(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> Pairs:
    """Rows of the words that both know."""
    both = [word for word in left if word in right]
    return np.stack([left[word] for word in both]), np.stack([right[word] for word in both])


class Lines(Source):
    """Texts held in memory."""

    modality, unique_ids = "texts", True

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    def read(self) -> Iterator[pa.RecordBatch]:  # noqa: D102
        yield pa.record_batch({"id": [*map(str, range(len(self.texts)))], "content": self.texts})

    def size(self) -> int:  # noqa: D102
        return sum(map(len, self.texts))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=10_001)
    parser.add_argument("--words", type=int, default=20_000)
    parser.add_argument("--only", nargs="+", default=["news", "seeds", "more"])
    told = parser.parse_args()
    print(table(run(told.texts, told.words, tuple(told.only))))
