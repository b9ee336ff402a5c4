"""How often each test, and the panel, alarms where nothing drifted, beside how often it says.

    python -m benchmarks.drift.calibration [--runs 400] [--only "gaussian 32" ...] [--sizes 500,100 ...]
        [--tests cells ...]

Reference and window are drawn from one distribution, or without replacement from one set of real vectors; 199
splits. With 400 runs a share of false alarms of .05 is seen as .03 to .0725 in nineteen of twenty places. The
last row is the trap: video frames, thirty of one sign, divided by *sign*: rows that are not draws of their own.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import spaceport as sp
from benchmarks.data import data
from benchmarks.tables import table

Row = dict[str, Any]

RUNS, PERMUTATIONS, LEVEL, PROCESSES = 400, 199, 0.05, 2
SIZES = ((500, 100), (1000, 500), (2000, 2000))
TESTS = ("centroid", "mmd", "cells", "classifier", "ks", "wasserstein", "frechet", "novelty")
MADE = ("gaussian 32", "gaussian 384", "clustered 384")
REAL = ("abstracts, LSA", "words, word2vec", "signs, pixels")
TRAP = "signs, frames of whole tracks"
_CHUNK = 20


def run(
    runs: int = RUNS,
    only: tuple[str, ...] = (*MADE, *REAL, TRAP),
    sizes: tuple[tuple[int, int], ...] = SIZES,
    tests: tuple[str, ...] = TESTS,
) -> list[Row]:
    """Shares of false alarms at a level of .05."""
    rows = []
    with TemporaryDirectory() as name, _workers() as pool:
        for what in only:
            if what not in MADE and data() is None:
                continue
            path = _kept(what, Path(name))
            for n, m in ((1000, 500),) if what == TRAP else sizes:
                asked = [(what, path, n, m, first, runs, tests) for first in range(0, runs, _CHUNK)]
                began = time.perf_counter()
                found = np.concatenate(list(pool.map(p_values, asked)))
                rows.append(_row(what, n, m, tests, found, time.perf_counter() - began))
                print(json.dumps(rows[-1]), flush=True)
    return rows


def p_values(asked: tuple[str, str, int, int, int, int, tuple[str, ...]]) -> np.ndarray:
    """P-values of each test and of the panel in some runs, (runs, tests + 1)."""
    from spaceport.drift._joint import joint
    from spaceport.drift._pooled import Pooled
    from spaceport.drift.base import p_value
    from spaceport.drift.panel.comparing import PANEL
    from spaceport.methods import parse

    what, path, n, m, first, runs, names = asked
    tests = {name: parse("drift", name) for name in dict.fromkeys((*names, *PANEL))}
    found = []
    for seed in range(first, min(first + _CHUNK, runs)):
        reference, current = _samples(what, path, n, m, seed)
        pooled = Pooled.of_rows(reference, current, PERMUTATIONS, seed)
        each = {name: test.statistics(pooled) for name, test in tests.items()}
        panel = joint([each[name] for name in PANEL])
        found.append([*(p_value(each[name]) for name in names), p_value(panel)])
    return np.array(found)


def _row(
    what: str, n: int, m: int, tests: tuple[str, ...], found: np.ndarray, seconds: float
) -> Row:
    alarms = (found <= LEVEL).mean(axis=0)
    named = dict(zip((*tests, "panel"), map(float, alarms), strict=True))
    return {"data": what, "reference": n, "window": m, "runs": len(found), **named, "s": seconds}


def _samples(what: str, path: str, n: int, m: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng([seed, n, m])
    if what in MADE:
        both = _made(what, n + m, rng)
    elif what == TRAP:
        told = _loaded(path)  # (frames, 1 + d), the track first
        place = rng.permutation(int(told[:, 0].max()) + 1)[told[:, 0].astype(int)]
        both = told[np.argsort(place, kind="stable"), 1:]
        return both[:n], both[-m:]
    else:
        every = _loaded(path)
        both = every[rng.permutation(len(every))[: n + m]]
    return both[:n], both[n:]


def _made(what: str, count: int, rng: np.random.Generator) -> np.ndarray:
    if what.startswith("gaussian"):
        return rng.standard_normal((count, int(what.split()[1])), dtype=np.float32)
    spectrum = np.arange(1, 385) ** -0.5
    centers = 0.6 * np.random.default_rng(0).standard_normal((20, 384)) * spectrum
    rows = centers[rng.integers(0, 20, count)] + 0.5 * rng.standard_normal((count, 384)) * spectrum
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@cache
def _loaded(path: str) -> np.ndarray:
    return np.load(path, mmap_mode="r")


def _workers() -> ProcessPoolExecutor:
    """Two processes of one thread each."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = "1"
    return ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn"))


def _kept(what: str, folder: Path) -> str:
    if what in MADE:
        return ""
    path = folder / f"{what}.npy"
    np.save(path, np.asarray(_REAL[what](), np.float32))
    return str(path)


def abstracts() -> np.ndarray:
    """Abstracts of 2015 to 2018 by LSA, learnt on those of other years."""
    from benchmarks.spaces.adapters import Lines

    folder = data()
    assert folder is not None
    learnt, asked = [], []
    with gzip.open(folder / "paper-abstracts" / "abstracts.jsonl.gz", "rt") as file:
        for line in file:
            told = json.loads(line)
            (asked if 2015 <= int(told["year"]) <= 2018 else learnt).append(told["abstract"])
    found = np.asarray(sp.encoders.lsa(dimension=100).fit(Lines(learnt)).encode(asked))
    return found[found.any(axis=1)]


def words() -> np.ndarray:
    """The 20,000 most frequent words of half of wiki-en."""
    from benchmarks.spaces.adapters import learnt

    return np.stack([*learnt(1, 0, 20_000).values()])


def signs() -> np.ndarray:
    """Every picture of gtsrb-32."""
    return np.concatenate([rows for _, rows in _pictures()])


def tracks() -> np.ndarray:
    """Training pictures, the number of their track first."""
    numbers: dict[str, int] = {}
    found = []
    for names, rows in _pictures():
        for name, row in zip(names, rows, strict=True):
            track, _, frame = name.rpartition("_")
            if track and frame:
                found.append([numbers.setdefault(track, len(numbers)), *row])
    return np.array(found)


def _pictures() -> Iterator[tuple[list[str], np.ndarray]]:
    folder = data()
    assert folder is not None
    paths = [folder / "gtsrb-32" / f"{part}.tar.gz" for part in ("train", "test")]
    sources = [sp.sources.images(path, thumbnail=0) for path in paths]
    encoder = sp.encoders.pixels(dimension=64).fit(sources[0])
    for source in sources:
        for batch in source.batches():
            names = batch.column("id").to_pylist()
            yield names, np.asarray(encoder.encode(batch.column("content").to_pylist()))


_REAL = {
    "abstracts, LSA": abstracts,
    "words, word2vec": words,
    "signs, pixels": signs,
    TRAP: tracks,
}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--only", nargs="+", default=[*MADE, *REAL, TRAP])
    parser.add_argument("--sizes", nargs="+", default=[f"{n},{m}" for n, m in SIZES])
    parser.add_argument("--tests", nargs="+", default=TESTS, help="beside the panel; all as a rule")
    told = parser.parse_args()
    sizes = tuple((int(n), int(m)) for n, m in (pair.split(",") for pair in told.sizes))
    print(table(run(told.runs, tuple(told.only), sizes, tuple(told.tests))))
