"""The stop-sign story: what has seen German signs alone looks for the stop signs of the world.

A small convolutional network learns sixteen German traffic signs from photographs, and its last hidden
layer is published as a space. Then 63 drawn signs of twenty countries are ranked by their likeness to
German stop signs that it never saw: fifteen are stop signs, most of them in other scripts, and one of
another shape. It takes a few minutes on two cores, and needs the data folder (SPACEPORT_DATA).
"""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path

import numpy as np

import spaceport as sp
from spaceport.geometry.similarity import normalize

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
DATA = Path(os.environ.get("SPACEPORT_DATA", BESIDE))
STORE = Path("demo-store")
PAGE = Path("german-signs.html")
STOP = "00014"
SHOWN = 24


def main() -> int:
    """Train, publish, rank, and say where it fails."""
    if not (DATA / "gtsrb-32").is_dir():
        print(f"There is no gtsrb-32 in {DATA}.", "Set SPACEPORT_DATA to the folder of real data.")
        return 1
    signs = published()
    print(f"{signs!r}, fingerprint {signs.record.fingerprint[:12]}\n")
    icons = icons_of_the_world()
    X = normalize(signs.encode([icon["content"] for icon in icons]))
    query = normalize(signs.encode(german_stop_signs())).mean(axis=0)
    similarities = X @ query
    order = np.argsort(-similarities, kind="stable")
    tell([icons[place] for place in order], similarities[order])
    signs.map(PAGE)
    print(
        f"\nWrote {PAGE}: the German signs, colored by their class; open it in a browser, offline."
    )
    return 0


def published() -> sp.Version:
    """The space of German signs; the second time nothing has changed, so nothing is trained."""
    encoder = sp.encoders.image_classifier(dimension=64, group="(.*)_")
    source = sp.sources.images(DATA / "gtsrb-32" / "train.tar.gz", label="folder")
    return sp.open(STORE).build("german-signs", encoder, source)


def german_stop_signs() -> list[bytes]:
    """The 270 stop signs of the test files, none of which was trained on."""
    source = sp.sources.images(DATA / "gtsrb-32" / "test.tar.gz", label="folder", thumbnail=0)
    rows = (row for batch in source.batches() for row in batch.to_pylist())
    return [row["content"] for row in rows if row["folder"] == STOP]


def icons_of_the_world() -> list[dict[str, object]]:
    """The drawn signs, each with its country and what it says."""
    folder = DATA / "world-signs-icons"
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as stream:
        known = {row["file"]: row for row in csv.DictReader(stream)}
    source = sp.sources.images(folder / "signs.tar.gz", thumbnail=0)
    rows = (row for batch in source.batches() for row in batch.to_pylist())
    return [row | known[row["id"]] for row in rows]


def tell(ranked: list[dict[str, object]], similarities: np.ndarray) -> None:
    """Print the ranking, the recall, and the stop signs that were not found."""
    stop = np.array([icon["sign"] == "stop" for icon in ranked])
    print(f"{'rank':>4}  {'cosine':>6}  sign          country")
    for place, icon in enumerate(ranked[:SHOWN]):
        mark = "<-- stop" if stop[place] else ""
        told = f"{icon['sign']:<12}  {icon['country']:<12}  {mark}".rstrip()
        print(f"{place + 1:>4}  {similarities[place]:>6.2f}  {told}")
    print()
    for k in (5, 10, 15, 20):
        print(f"{stop[:k].sum():>2} of the {stop.sum()} stop signs are among the first {k}")
    missed = [f"{icon['country']} (rank {place + 1})" for place, icon in enumerate(ranked)
              if stop[place] and place >= stop.sum()]  # fmt: skip
    print("Not among the first 15:", ", ".join(missed) or "none")


if __name__ == "__main__":
    sys.exit(main())
