"""A program that publishes; the tests start it, stop it and kill it.

``publisher.py loop STORE SPACE [CATALOG]`` publishes majors, minors and patches until it is stopped.
``publisher.py hold STORE SPACE [CATALOG]`` opens a writer, says so, waits for a line, publishes a new
major.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from spaceport.storage.names import Number
from spaceport.storage.store import Writer, open_store

FIELDS = {"contract": {"metric": "cosine"}, "fingerprint": "a" * 64}
SCHEMA = pa.schema({"id": pa.string(), "vector": pa.list_(pa.float32(), 32)})


def batches(start: int, count: int = 4) -> Iterator[pa.RecordBatch]:
    for batch in range(count):
        ids = [f"item-{start}-{batch}-{row}" for row in range(200)]
        values = np.full(200 * 32, start, np.float32)
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(values), 32)
        yield pa.RecordBatch.from_arrays([pa.array(ids), vectors], schema=SCHEMA)


def write(writer: Writer, round: int) -> Number:
    """Write a version of the kind whose turn it is."""
    for name in ("card.json", "cells.bin"):
        (writer.folder / name).write_bytes(bytes(round % 7 + 1) * 5000)
    latest = writer.latest
    if latest is None or round % 6 == 0:
        writer.create_vectors(SCHEMA, batches(round))
        return Number(latest.number.major + 1 if latest else 1)
    if round % 3 == 2:
        writer.keep_vectors(latest)
        return latest.number.bump("patch")
    table = writer.extend_vectors(latest, [], batches(round, 1))
    assert table.count == latest.rows + 200
    return latest.number.bump("minor")


def loop(path: str, space: str, catalog: str | None = None) -> None:
    store = open_store(path, catalog)
    for round in itertools.count():
        with store.writing(space) as writer:
            number = write(writer, round)
            writer.publish(number, **FIELDS)
        if round == 0:
            print("ready", flush=True)


def hold(path: str, space: str, catalog: str | None = None) -> None:
    with open_store(path, catalog).writing(space) as writer:
        print("holding", flush=True)
        sys.stdin.readline()
        number = write(writer, 0)
        print(writer.publish(number, **FIELDS).reference, flush=True)


if __name__ == "__main__":
    {"loop": loop, "hold": hold}[sys.argv[1]](*sys.argv[2:])
