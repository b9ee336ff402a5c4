"""PCA of 1,000,000 x 384 float32 rows of a Lance dataset, beside scikit-learn's IncrementalPCA.

Each contender runs in a process of its own, one after the other, and reads the same dataset. The
components of each are compared with those of scikit-learn's PCA on all the rows in float64 (signs by
our rule). The rows are drawn with variances that fall by 4 % from one axis to the next, turned at
random, far from the origin.

    python -m benchmarks.encoders.pca [--rows 1000000] [--dimension 64]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tables import table

WIDTH = 384
BLOCK = 8192
WHO = ("spaceport", "scikit-learn IncrementalPCA")
REFERENCE = "scikit-learn PCA"

Row = dict[str, Any]


def run(rows: int = 1_000_000, dimension: int = 64) -> list[Row]:
    """Write the dataset, then run the contenders and the reference."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "rows.lance"
        write(path, rows)
        found = {who: child(who, path, dimension, place) for who in (*WHO, REFERENCE)}
        truth = np.load(Path(place) / f"{REFERENCE}.npy")
        table = []
        for who in WHO:
            row = found[who]
            components = np.load(Path(place) / f"{who}.npy")
            row["largest difference from PCA"] = float(np.abs(components - truth).max())
            row["times as fast"] = found[WHO[1]]["seconds"] / row["seconds"]
            table.append(row)
        return table


def write(path: Path, rows: int) -> None:
    """Write the dataset in blocks."""
    import lance
    import pyarrow as pa

    kind = pa.list_(pa.float32(), WIDTH)
    schema = pa.schema([("id", pa.string()), ("vector", kind)])

    def batches() -> Iterator[pa.RecordBatch]:
        for start in range(0, rows, BLOCK):
            X = block(start, min(BLOCK, rows - start))
            ids = [str(row) for row in range(start, start + len(X))]
            vectors = pa.FixedSizeListArray.from_arrays(pa.array(X.ravel()), WIDTH)
            yield pa.record_batch([pa.array(ids), vectors], schema=schema)

    reader = pa.RecordBatchReader.from_batches(schema, batches())
    lance.write_dataset(reader, str(path), data_storage_version="stable")


def block(start: int, rows: int) -> Any:
    """Some rows of the dataset."""
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(WIDTH, WIDTH)))[0]
    mixing = (0.98 ** np.arange(WIDTH))[:, None] * turn
    noise = np.random.default_rng((1, start)).standard_normal((rows, WIDTH), dtype=np.float32)
    return noise @ mixing.astype(np.float32) + np.float32(3)


def child(who: str, path: Path, dimension: int, place: str) -> Row:
    """Run one contender in a fresh process."""
    told = ["--only", who, "--path", str(path), "--dimension", str(dimension), "--place", place]
    command = [sys.executable, "-m", "benchmarks.encoders.pca", *told]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    row: Row = json.loads(done.stdout.splitlines()[-1])
    return row


def alone(who: str, path: Path, dimension: int, place: str) -> Row:
    """Fit one contender in this process and leave its components in `place`."""
    import lance
    import sklearn.decomposition  # noqa: F401 - imported before the clock starts, for both

    import spaceport.encoders.pca  # noqa: F401

    rows = lance.dataset(str(path)).count_rows()
    fit: Callable[[Path, int], Any] = {"spaceport": ours, WHO[1]: theirs}.get(who, reference)
    processor, start = time.process_time(), time.perf_counter()
    components = fit(path, dimension)
    row = {
        "who": who,
        "rows": rows,
        "seconds": time.perf_counter() - start,
        "CPU s": time.process_time() - processor,
        "peak MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    largest = np.abs(components).argmax(axis=0)
    signs = np.sign(components[largest, np.arange(dimension)])
    np.save(Path(place) / f"{who}.npy", components * signs)
    return row


def ours(path: Path, dimension: int) -> Any:
    """Our encoder, fitted as a user would."""
    import spaceport as sp

    return sp.encoders.pca(dimension=dimension).fit(sp.sources.vectors(path)).components_


def stacked(path: Path, rows: int = BLOCK) -> Iterator[Any]:
    """The vectors of the dataset in batches."""
    import lance

    for batch in lance.dataset(str(path)).to_batches(columns=["vector"], batch_size=rows):
        flat = batch.column("vector").flatten().to_numpy(zero_copy_only=False)
        yield flat.reshape(-1, WIDTH)


def theirs(path: Path, dimension: int) -> Any:
    """IncrementalPCA in batches of 4,096 rows, which were quicker than 8,192 and than its own 1,920."""
    from sklearn.decomposition import IncrementalPCA

    peer = IncrementalPCA(dimension)
    for X in stacked(path, 4096):
        if len(X) >= dimension:
            peer.partial_fit(X)
    return peer.components_.T


def reference(path: Path, dimension: int) -> Any:
    """PCA by the covariance of all rows at once, in float64."""
    from sklearn.decomposition import PCA

    X = np.concatenate(list(stacked(path))).astype(np.float64)
    return PCA(dimension, svd_solver="covariance_eigh").fit(X).components_.T


def main() -> int:
    """Print the table, or one row as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dimension", type=int, default=64)
    parser.add_argument("--only", help="one contender, in this process, as JSON")
    parser.add_argument("--path", type=Path)
    parser.add_argument("--place", default=".")
    told = parser.parse_args()
    if told.only:
        print(json.dumps(alone(told.only, told.path, told.dimension, told.place)))
    else:
        print(table(run(told.rows, told.dimension)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
