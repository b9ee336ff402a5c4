"""What the panel costs: a million rows against a million from Lance, the curve by rows, a year of days.

Run with nothing beside it: each measurement has two threads. ``cpu s`` is what both together worked, which
other processes change less than ``seconds``; ``bound`` is the time that the arithmetic of linear algebra
alone takes at the speed of one product of this shape, measured in the same process.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

DIMENSION = 384
MILLION = 1_000_000
DAYS = 365
BANK = 65_536


def run() -> list[dict[str, Any]]:
    """Measure each part in a fresh process."""
    with tempfile.TemporaryDirectory(prefix="drift-cost-") as folder:
        for name, seed in (("reference", 1), ("current", 2)):
            write(Path(folder, name), MILLION, seed)
        rows = [alone("panel", folder), *(alone("curve", str(10**k)) for k in range(4, 8))]
        return [*rows, *alone_all("year", folder)]


def alone(part: str, told: str) -> dict[str, Any]:
    """Measure one thing in a process of its own."""
    return alone_all(part, told)[0]


def alone_all(part: str, told: str) -> list[dict[str, Any]]:
    """Measure several things in a process of their own."""
    command = [sys.executable, "-m", "benchmarks.drift.cost", part, told]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def bank(seed: int, count: int = BANK) -> Any:
    """Rows in forty clusters, (count, 384) float32."""
    rng = np.random.default_rng(seed)
    centers = np.random.default_rng(0).standard_normal((40, DIMENSION), np.float32)
    noise = rng.standard_normal((count, DIMENSION), np.float32)
    noise += centers[rng.integers(0, 40, count)]
    return noise


def write(path: Path, count: int, seed: int) -> None:
    """Write a Lance dataset of `count` rows."""
    import pyarrow as pa

    from spaceport.storage.vectors import lance_library

    schema = pa.schema([("id", pa.string()), ("vector", pa.list_(pa.float32(), DIMENSION))])

    def batches() -> Iterator[Any]:
        for start in range(0, count, BANK):
            rows = bank(seed + start, min(BANK, count - start))
            ids = [f"{seed}/{place}" for place in range(start, start + len(rows))]
            vectors = pa.FixedSizeListArray.from_arrays(rows.ravel(), DIMENSION)
            yield pa.record_batch([pa.array(ids), vectors], schema=schema)

    library = lance_library()
    reader = pa.RecordBatchReader.from_batches(schema, batches())
    library.write_dataset(reader, str(path), data_storage_version="stable")
    os.sync()  # or the disk is still busy with it while it is read


def panel(folder: str) -> list[dict[str, Any]]:
    """The whole way: read, sketch, compare."""
    from spaceport.drift.panel.comparing import compare
    from spaceport.drift.sketches.basis import Basis
    from spaceport.drift.sketches.sketch import Sketch
    from spaceport.drift.sketches.streams import columns
    from spaceport.storage.vectors import lance_library

    library = lance_library()
    sets = [library.dataset(str(Path(folder, name))) for name in ("reference", "current")]
    warm(Basis.fit(bank(9, 5000), "cosine"))
    reading = timed(lambda: sum(b.num_rows for b in sets[0].to_batches(scan_in_order=True)))
    began, worked = time.perf_counter(), time.process_time()
    places = np.sort(np.random.default_rng(0).permutation(MILLION)[:4096])
    few = sets[0].take(places, ["vector"]).column(0).combine_chunks().flatten().to_numpy()
    basis = Basis.fit(few.reshape(-1, DIMENSION), "cosine")
    fitted = time.perf_counter() - began
    sketches = [
        Sketch.of_stream(basis, columns(each.to_batches(scan_in_order=True), "vector"))
        for each in sets
    ]
    sketched = time.perf_counter() - began - fitted
    verdict = compare(*sketches)
    seconds = time.perf_counter() - began
    return [
        {
            "what": "1M + 1M x 384 from Lance",
            "rows": sum(sketch.count for sketch in sketches),
            "seconds": seconds,
            "cpu s": time.process_time() - worked,
            "of it reading s": 2 * reading,
            "fit s": fitted,
            "sketch s": sketched,
            "compare s": seconds - fitted - sketched,
            "bound s": MILLION * product_seconds(),
            "p": verdict.p,
            "peak MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "target": "20 s, 4,096 MiB",
        }
    ]


def product_seconds() -> float:
    """Seconds for two rows' products on one thread: with the basis, and with themselves."""
    from scipy.linalg.blas import ssyrk

    from spaceport.threads import one_thread

    rows, basis = bank(1, 1024), bank(2, 208).T.copy()
    with one_thread():
        best = min(timed(lambda: (rows @ basis, ssyrk(1.0, rows.T))) for _ in range(20))
    return best / 1024


def curve(count: str) -> list[dict[str, Any]]:
    """Sketch a stream of `count` rows that no disk holds: 65,536 rows, given again under other ids."""
    from spaceport.drift.sketches.basis import Basis
    from spaceport.drift.sketches.sketch import Sketch

    rows, n = bank(3), int(count)
    basis = Basis.fit(rows[:4096], "cosine")
    warm(basis)
    parts = ((None, rows[: min(BANK, n - start)]) for start in range(0, n, BANK))
    worked = time.process_time()
    made: list[Sketch] = []
    seconds = timed(lambda: made.append(Sketch.of_stream(basis, parts)))
    return [
        {
            "what": "sketch of a stream",
            "rows": made[0].count,
            "seconds": seconds,
            "cpu s": time.process_time() - worked,
            "us a row": seconds / n * 1e6,
            "sketch MiB": made[0].nbytes / 2**20,
            "peak MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    ]


def year(folder: str) -> list[dict[str, Any]]:
    """Daily sketches added and tested, from files and from memory."""
    from spaceport.drift._pooled import Pooled
    from spaceport.drift.panel.comparing import judge
    from spaceport.drift.sketches.basis import Basis
    from spaceport.drift.sketches.files import bytes_of, sketch_of
    from spaceport.drift.sketches.sketch import Sketch, total
    from spaceport.threads import in_order

    found = []
    for of_day in (2000, 500):
        rows = bank(4)
        basis = Basis.fit(rows[:4096], "cosine")
        reference = Sketch.of(basis, bank(5), room=8192, blocks=256)
        days = []
        for day in range(DAYS):
            chosen = np.random.default_rng(day).integers(0, BANK, of_day)
            ids = [f"{day}/{place}" for place in range(of_day)]
            days.append(Sketch.of(basis, rows[chosen], ids))
        paths = [Path(folder, f"{of_day}-{day}.safetensors") for day in range(DAYS)]
        for path, sketch in zip(paths, days, strict=True):
            path.write_bytes(bytes_of(sketch))

        def tested(parts: Iterable[Sketch], reference: Sketch = reference) -> None:
            judge(Pooled.of_sketches(reference, total(parts)))

        tested(days[:9])
        for span in (30, 365):
            first = (DAYS - span) // 2
            part, files = days[first : first + span], paths[first : first + span]
            for source, work in (
                ("memory", lambda part=part: tested(part)),
                (
                    "files",
                    lambda files=files, basis=basis: tested(
                        in_order(lambda file: sketch_of(file, basis), files)
                    ),
                ),
            ):
                worked = time.process_time()
                found.append(
                    {
                        "what": f"{span} days of {of_day} rows, {source}",
                        "rows": span * of_day,
                        "seconds": timed(work),
                        "cpu s": time.process_time() - worked,
                        "file MB": paths[0].stat().st_size / 1e6,
                        "target": "2 s",
                    }
                )
    return found


def warm(basis: Any) -> None:
    """Compile what is compiled, and start what is started, once."""
    from spaceport.drift.panel.comparing import compare
    from spaceport.drift.sketches.sketch import Sketch

    rows = bank(8, 4000)
    compare(Sketch.of(basis, rows[:2000]), Sketch.of(basis, rows[2000:]), permutations=99)


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    print(json.dumps({"panel": panel, "curve": curve, "year": year}[sys.argv[1]](sys.argv[2])))
