"""Networks for pictures, trained here: how well they tell classes apart, and the stop-sign story.

German traffic signs (gtsrb-32: training files against test files, the tracks of the training files kept
whole) and digits (mnist-t10k, the first 5,000 against the last 5,000, other writers), in 64 numbers,
beside `pixels` and `hog`, which learn no network. The accuracy of the classifier's own last layer is in
the column "own".

The stop-sign story: encoders that have seen German signs alone rank 63 drawn signs of twenty countries
by their likeness to German stop signs. Fifteen of them are stop signs, in other scripts, and one of
another shape. Nothing was chosen by these icons.

    python -m benchmarks.encoders.image_networks [--set gtsrb-32] [--encoder "hog(dimension=64)" ...]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import spaceport as sp
from benchmarks.data import data
from benchmarks.encoders.images import Files, Split
from benchmarks.tables import table
from spaceport.encoders.base import Encoder
from spaceport.geometry.similarity import normalize
from spaceport.methods import parse
from spaceport.quality.probe import linear_probe_accuracy, nearest_neighbor_accuracy

ENCODERS = (
    "image_classifier(dimension=64, group='(.*)_')",
    "image_autoencoder(dimension=64, group='(.*)_')",
    "image_autoencoder(dimension=64, objective='reconstruction', group='(.*)_')",
    "hog(dimension=64)",
    "pixels(dimension=64)",
)
STOP = "00014"

Row = dict[str, object]


def run() -> list[Row]:
    """All encoders on both sets; those that saw signs also on the icons."""
    return [row for name in ("gtsrb-32", "mnist-t10k") for row in measured(name, ENCODERS)]


def measured(name: str, specs: Sequence[str]) -> list[Row]:
    """Fit encoders on one set and judge them, the icons with them where the set is of signs."""
    folder = data()
    if folder is None:
        return []
    split = signs(folder) if name == "gtsrb-32" else digits(folder)
    rows = []
    for spec in specs:
        asked = spec if name == "gtsrb-32" else spec.replace(", group='(.*)_'", "")
        encoder, row = fitted(asked, split)
        rows.append({"set": name, **row, **judged(encoder, split)})
        if name == "gtsrb-32":
            rows[-1] |= story(encoder, split.test, folder)
    return rows


def signs(folder: Path) -> Split:
    """German signs: training files and test files."""
    paths = (folder / "gtsrb-32" / f"{part}.tar.gz" for part in ("train", "test"))
    return Split(
        *(_files(list(sp.sources.images(p, thumbnail=0).batches()), "folder") for p in paths)
    )


def digits(folder: Path) -> Split:
    """Digits: one half of the writers, and the other."""
    path = folder / "mnist-t10k" / "t10k-images-idx3-ubyte.gz"
    everything = pa.Table.from_batches(list(sp.sources.images(path, thumbnail=0).batches()))
    halves = (everything.slice(start, 5000).to_batches() for start in (0, 5000))
    return Split(*(_files(half, "label") for half in halves))


def _files(batches: list[pa.RecordBatch], label: str) -> Files:
    files = Files(batches, label)
    files.label = label
    return files


def fitted(spec: str, split: Split) -> tuple[Encoder, Row]:
    """An encoder fitted on the training part, and how long that took."""
    start = time.perf_counter()
    encoder: Encoder = parse("encoders", spec).fit(split.train)
    row: Row = {"what": spec, "fit s": time.perf_counter() - start}
    return encoder, row | {"epochs": encoder.facts().get("epochs")}


def judged(encoder: Encoder, split: Split) -> Row:
    """Neighbors and a linear probe on the test part, and the speed of encoding it."""
    X = encoder.encode(split.train.files)
    start = time.perf_counter()
    Q = encoder.encode(split.test.files)
    told = (X, split.train.labels, Q, split.test.labels)
    row: Row = {"pictures/s": len(Q) / (time.perf_counter() - start)}
    row |= {f"{k}-NN": nearest_neighbor_accuracy(*told, k).value for k in (1, 10)}
    row["linear probe"] = linear_probe_accuracy(*told).value
    if predict := getattr(encoder, "predict", None):
        right = np.array(predict(split.test.files)) == split.test.labels.astype(str)
        row["own"] = float(right.mean())
    return row


def story(encoder: Encoder, test: Files, folder: Path) -> Row:
    """Rank the drawn signs by cosine to the mean of the German stop signs, and to each one alone."""
    icons = next(sp.sources.images(folder / "world-signs-icons" / "signs.tar.gz").batches())
    names = [name.removesuffix(".png") for name in icons.column("id").to_pylist()]
    stop = np.array([name.endswith("stop") for name in names])
    X = normalize(encoder.encode(icons.column("content").to_pylist()))
    queries = normalize(encoder.encode(np.array(test.files, object)[test.labels == STOP].tolist()))
    order = np.argsort(-X @ queries.mean(axis=0), kind="stable")
    row: Row = {f"recall@{k}": float(recall(stop[order], k)) for k in (5, 10, 15, 20)}
    row["average precision"] = average_precision(stop[order])
    alone = [stop[np.argsort(-X @ query, kind="stable")] for query in queries]
    row["each alone: recall@15"] = float(np.mean([recall(ranked, 15) for ranked in alone]))
    row["each alone: first is a stop sign"] = float(np.mean([ranked[0] for ranked in alone]))
    last = int(np.flatnonzero(stop[order])[-1])
    missed = [names[place] for place in order[15:] if stop[place]]
    before = [names[place] for place in order[: last + 1] if not stop[place]]
    return row | {"missed in 15": " ".join(missed), "before the last": " ".join(before)}


def recall(ranked: npt.NDArray[np.bool_], k: int) -> float:
    """Which share of the relevant ones is among the first k."""
    return float(ranked[:k].sum() / ranked.sum())


def average_precision(ranked: npt.NDArray[np.bool_]) -> float:
    """The mean, over the relevant ones, of the share of relevant ones up to there."""
    precision = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    return float(precision[ranked].mean())


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--set", choices=["gtsrb-32", "mnist-t10k"], help="only this one")
    parser.add_argument("--encoder", nargs="*", default=ENCODERS, help="only these")
    told = parser.parse_args()
    sets = [told.set] if told.set else ["gtsrb-32", "mnist-t10k"]
    print(table([row for name in sets for row in measured(name, told.encoder)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
