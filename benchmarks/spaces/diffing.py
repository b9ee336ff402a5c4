"""Diff of two versions of 1,000,000 x 384: seconds and memory, part by part.

The new vectors are the old ones turned, with noise of .3 of the spread's mean axis. What the diff says of
them stands beside the times: the residual that was planted, and the neighbors' overlap with its interval.
The memory is that of a process of its own; the versions are written by another one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

import spaceport as sp
from spaceport.spaces.contract import Contract
from spaceport.spaces.layout import fixed
from spaceport.storage.names import Number

ROWS, DIMENSION, SAMPLE, BATCH, NOISE = 1_000_000, 384, 1_000, 8192, 0.3


def run(rows: int = ROWS) -> list[dict[str, object]]:
    """Each part's seconds, the whole, and the largest resident memory of the process."""
    with tempfile.TemporaryDirectory(prefix="spaceport-bench-") as place:
        planted = write(Path(place), rows)
        command = [sys.executable, "-m", "benchmarks.spaces.diffing", place]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    measured = json.loads(told.splitlines()[-1])
    parts = [{"what": name, "seconds": seconds} for name, seconds in measured["parts"].items()]
    whole = {
        "what": f"diff, {rows:,} x {DIMENSION}, {SAMPLE:,} asked",
        "seconds": measured["seconds"],
        "processor seconds": measured["processor seconds"],
        "MB": measured["MB"],
        "left by a rotation": measured["residual"],
        "planted": planted,
        "overlap@10": measured["overlap"],
        "target": "<= 90 s, <= 3,000 MB",
    }
    return [*parts, whole]


def write(folder: Path, rows: int) -> float:
    """Publish both versions through the store's writer; give the residual that was planted."""
    store = sp.open(folder)
    contract = Contract("vectors", DIMENSION, "cosine", False, "a" * 64).to_dict()
    schema = pa.schema({"id": pa.string(), "vector": pa.list_(pa.float32(), DIMENSION)})
    for major in (1, 2):
        with store.store.writing("big") as writer:
            writer.create_vectors(schema, _batches(schema, rows, turned=major == 2))
            writer.publish(Number(major), contract=contract, fingerprint="a" * 64)
    variance = float((_scales().astype(np.float64) ** 2).sum())
    noise = NOISE**2 * DIMENSION
    return noise / (variance + noise)


def _scales() -> np.ndarray:
    return np.linspace(2, 0.2, DIMENSION).astype(np.float32)


def _batches(schema: pa.Schema, rows: int, turned: bool) -> Iterator[pa.RecordBatch]:
    R = np.linalg.qr(np.random.default_rng(9).normal(size=(DIMENSION, DIMENSION)))[0]
    first, second = np.random.default_rng(0), np.random.default_rng(1)
    for start in range(0, rows, BATCH):
        count = min(BATCH, rows - start)
        X = first.standard_normal((count, DIMENSION), dtype=np.float32) * _scales()
        if turned:
            noise = second.standard_normal((count, DIMENSION), dtype=np.float32)
            X = X @ R.astype(np.float32) + np.float32(NOISE) * noise
        ids = pa.array([f"item-{row:07d}" for row in range(start, start + count)])
        yield pa.RecordBatch.from_arrays([ids, fixed(X)], schema=schema)


def measure(folder: str) -> dict[str, object]:
    """Diff the two versions, timing the parts where the work is."""
    import resource

    from spaceport.spaces.compatibility import diff as whole

    parts: dict[str, float] = {}
    for name in ("pair", "pass_over", "neighborhoods", "side_by_side"):
        setattr(whole, name, _timed(getattr(whole, name), name, parts))
    store = sp.open(folder)
    start, used = time.perf_counter(), time.process_time()
    found = whole.diff(store["big@1"], store["big@2"], sample=SAMPLE)
    seconds, processor = time.perf_counter() - start, time.process_time() - used
    overlap = found["neighbors' overlap@10"]
    return {
        "seconds": seconds,
        "processor seconds": processor,
        "parts": parts | {"the rest": seconds - sum(parts.values())},
        "MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "residual": found["left by a rotation"],
        "overlap": f"{overlap['mean']:.3f} ({overlap['low']:.3f} to {overlap['high']:.3f})",
    }


def _timed(function, name: str, parts: dict[str, float]):
    def timed(*given, **named):
        start = time.perf_counter()
        result = function(*given, **named)
        parts[name] = time.perf_counter() - start
        return result

    return timed


if __name__ == "__main__":
    os.environ.setdefault("LANCE_LOG", "error")
    print(json.dumps(measure(sys.argv[1])))
