"""Publishing a version beside writing the same table with Lance alone; looking up ids beside `take`."""

from __future__ import annotations

import hashlib
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa

from spaceport.storage.names import Number
from spaceport.storage.store import Record, Store, open_store

ROWS, DIMENSION, ASKED, BATCH = 1_000_000, 128, 1_000, 8192
ROUNDS, LOOKS = 5, 15


def run() -> list[dict[str, object]]:
    """Seconds (medians, alternating), and that both sides gave the same rows."""
    table = rows()
    with tempfile.TemporaryDirectory(prefix="spaceport-bench-") as place:
        return [*publishing(Path(place), table), *looking_up(Path(place), table)]


def rows() -> pa.Table:
    """Ids, content hashes and vectors, 1,000,000 x 128."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal(ROWS * DIMENSION, dtype=np.float32)
    hashes = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), ROWS, [None, pa.py_buffer(rng.bytes(16 * ROWS))]
    )
    return pa.table({
        "id": [f"item-{k:07d}" for k in rng.permutation(ROWS)],
        "content_hash": hashes,
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(values), DIMENSION),
    })  # fmt: skip


def publishing(place: Path, table: pa.Table) -> list[dict[str, object]]:
    """The whole of publishing: vectors, SHA-256 of every file, fsync, the catalog's row."""
    ways: dict[str, Callable[[Path], object]] = {
        "Lance alone": lambda folder: alone(folder, table),
        "Lance alone, then fsync": lambda folder: flushed(alone(folder, table)),
        "Lance alone, then fsync and SHA-256": lambda folder: hashed(flushed(alone(folder, table))),
        "publish": lambda folder: publish(folder, table),
    }
    times = alternate(place, ways)
    base = statistics.median(times["Lance alone"])
    return [
        {
            "what": f"{way}, {ROWS:,} x {DIMENSION}",
            "seconds": statistics.median(seconds),
            "fastest": min(seconds),
            "times Lance alone": statistics.median(seconds) / base,
            "target": "<= 1.3" if way == "publish" else "",
        }
        for way, seconds in times.items()
    ]


def looking_up(place: Path, table: pa.Table) -> list[dict[str, object]]:
    """1,000 ids drawn at random, another draw each time, the id index warm."""
    store, record = publish(place / "lookup", table)
    vectors = store.vectors(record)
    dataset = lance.dataset(str(store.root / record.dataset))
    start = time.perf_counter()
    index = vectors.index
    built = time.perf_counter() - start
    ids, rng = table.column("id").to_pylist(), np.random.default_rng(1)
    ours, theirs = [], []
    for _ in range(LOOKS):
        places = rng.choice(ROWS, ASKED, replace=False)
        asked = [ids[place] for place in places]
        ours.append(timed(lambda asked=asked: vectors.take(asked)))
        theirs.append(timed(lambda places=places: dataset.take(places)))
        assert vectors.take(asked).equals(dataset.take(places)), "the two sides gave other rows"
    peer = statistics.median(theirs)
    return [
        {"what": f"Lance's take of {ASKED:,} positions", "seconds": peer, "times Lance alone": 1.0},
        {
            "what": f"take of {ASKED:,} ids, index warm",
            "seconds": statistics.median(ours),
            "times Lance alone": statistics.median(ours) / peer,
            "target": "<= 2",
        },
        {"what": f"building the id index once ({index.nbytes / 1e6:.0f} MB)", "seconds": built},
    ]


def alternate(place: Path, ways: dict[str, Callable[[Path], object]]) -> dict[str, list[float]]:
    """Seconds of each way, one after the other, each on a disk that has come to rest."""
    times: dict[str, list[float]] = {way: [] for way in ways}
    for round in range(ROUNDS + 1):
        for way, work in ways.items():
            folder = place / "round"
            os.sync()
            seconds = timed(lambda work=work, folder=folder: work(folder))
            shutil.rmtree(folder)
            if round:  # the first is for warming up
                times[way].append(seconds)
    return times


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def reader(table: pa.Table) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=BATCH))


def alone(folder: Path, table: pa.Table) -> Path:
    lance.write_dataset(reader(table), str(folder), data_storage_version="stable")
    return folder


def flushed(folder: Path) -> Path:
    for path in [folder, *folder.rglob("*")]:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    return folder


def hashed(folder: Path) -> list[str]:
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                found.append(hashlib.file_digest(file, "sha256").hexdigest())
    return found


def publish(folder: Path, table: pa.Table) -> tuple[Store, Record]:
    store = open_store(folder)
    with store.writing("items") as writer:
        writer.create_vectors(table.schema, reader(table))
        return store, writer.publish(Number(1), contract={"metric": "cosine"}, fingerprint="a" * 64)
