"""Four million made events, 60,000 users, and 12,000 items: time and memory to read them as histories."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

EVENTS, USERS, ITEMS = 4_000_000, 60_000, 12_000
SHOWN = ("what", "seconds", "peak MB", "histories", "entries", "sum of the values")


def run() -> list[dict[str, object]]:
    """Ours, whole and a part, beside Arrow's own reader and grouping; each in a process of its own."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "events.csv")
        _write(path)
        return [_measured(name, path) for name in WAYS]


def _ours(**params: str) -> Callable[[str], tuple[int, int, float]]:
    def way(path: str) -> tuple[int, int, float]:
        import pyarrow.compute as pc

        from spaceport.sources.interactions import Interactions

        users, entries, total = 0, 0, 0.0
        for batch in Interactions(path, **params).batches():
            values = batch.column("content").flatten().field("value")
            users, entries = users + batch.num_rows, entries + len(values)
            total += pc.sum(values.cast("float64")).as_py()
        return users, entries, total

    return way


def _arrow(path: str) -> tuple[int, int, float]:
    """What pyarrow does with the same file: ids as text, values added up by user and item."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    kinds = {"user_id": pa.string(), "item_id": pa.string(), "rating": pa.float64()}
    converting = csv.ConvertOptions(include_columns=list(kinds), column_types=kinds)
    table = csv.read_csv(path, convert_options=converting)
    merged = table.group_by(["user_id", "item_id"]).aggregate([("rating", "sum")])
    users = len(pc.unique(merged["user_id"]))
    return users, len(merged), pc.sum(merged["rating_sum"]).as_py()


WAYS: dict[str, Callable[[str], tuple[int, int, float]]] = {
    "interactions": _ours(),
    "interactions(part='train', split='time')": _ours(part="train", split="time"),
    "pyarrow read_csv + group_by": _arrow,
}


def _write(path: Path) -> None:
    rng = np.random.default_rng(0)
    columns = (
        rng.integers(0, USERS, EVENTS),
        (rng.pareto(1, EVENTS) * 50).astype(int) % ITEMS,
        rng.integers(1, 11, EVENTS) / 2,
        rng.integers(10**9, 15 * 10**8, EVENTS),
    )
    with path.open("w") as stream:
        stream.write("user_id,item_id,rating,timestamp\n")
        for start in range(0, EVENTS, 100_000):
            rows = zip(
                *(column[start : start + 100_000].tolist() for column in columns), strict=True
            )
            stream.writelines(f"{user},{item},{value},{at}\n" for user, item, value, at in rows)


def _measured(name: str, path: Path) -> dict[str, object]:
    program = (
        "import sys; from benchmarks.sources.interactions import measure; measure(*sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, name, str(path)], capture_output=True, text=True, check=True
    )
    seconds, peak, *counts = map(float, done.stdout.split())
    return dict(zip(SHOWN, (name, seconds, round(peak), *map(int, counts)), strict=True))


def measure(name: str, path: str) -> None:
    """Run one way; print seconds, the process's peak memory in MB, and what came out."""
    start = time.perf_counter()
    found = WAYS[name](path)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(seconds, peak, *found)
