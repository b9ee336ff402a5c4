"""Pictures in 64 numbers: do they tell classes apart better than their raw pixels, and how fast.

German traffic signs (gtsrb-32, the training files against the test files) and digits (mnist-t10k, the
first 5,000 against the last 5,000, other writers). The peer for quality is the raw pixels, at many
times the size; the peer for time is scikit-learn's PCA, and scikit-image's HOG in a plain loop, on the
same pixels from memory.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from PIL import Image

import spaceport as sp
from benchmarks.data import data
from spaceport.arrays import Matrix
from spaceport.encoders._pictures import arrays, standardized
from spaceport.quality.probe import nearest_neighbor_accuracy
from spaceport.sources.base import Source

ENCODERS = (
    "pixels(dimension=64)",
    "pixels(dimension=64, contrast='equalize', whitening=1.0)",
    "hog(dimension=64)",
)


def run() -> list[dict[str, object]]:
    """Ours, raw pixels, and scikit-learn's PCA of the same pixels, on both sets."""
    folder = data()
    if folder is None:
        return []
    return [row for name, split in _splits(folder).items() for row in _measured(name, split)]


class Files(Source):
    """Files and labels from memory."""

    modality, unique_ids = "images", True

    def __init__(self, batches: Sequence[pa.RecordBatch], label: str) -> None:
        self.held = batches
        self.files: list[bytes] = [f for b in batches for f in b.column("content").to_pylist()]
        self.labels = np.array([v for b in batches for v in b.column(label).to_pylist()])

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield what was given."""
        yield from self.held

    def size(self) -> int:
        """Bytes of all files."""
        return sum(map(len, self.files))


class Split(NamedTuple):
    """What is learnt from, and what is asked."""

    train: Files
    test: Files


def _splits(folder: Path) -> dict[str, Split]:
    signs, digits = folder / "gtsrb-32", folder / "mnist-t10k"
    parts = [_items(signs / f"{part}.tar.gz") for part in ("train", "test")]
    all_digits = pa.Table.from_batches(_items(digits / "t10k-images-idx3-ubyte.gz"))
    halves = [all_digits.slice(start, 5000).to_batches() for start in (0, 5000)]
    return {
        "gtsrb-32": Split(*(Files(part, "folder") for part in parts)),
        "mnist-t10k": Split(*(Files(half, "label") for half in halves)),
    }


def _items(path: Path) -> list[pa.RecordBatch]:
    return list(sp.sources.images(path, thumbnail=0).batches())


def _measured(name: str, split: Split) -> list[dict[str, object]]:
    ways: dict[str, Callable[[], tuple[Matrix, Matrix]]] = {
        spec: partial(_ours, spec, split) for spec in ENCODERS
    }
    width, height = Image.open(io.BytesIO(split.train.files[0])).size
    for size in {(width, height), (32, 32)}:
        ways[f"raw pixels ({size[0]} x {size[1]} x 3)"] = partial(_raw_parts, split, size)
    ways["scikit-learn PCA(64) of standardized pixels"] = partial(_peer, split)
    ways["scikit-image hog in a loop, scikit-learn PCA(64)"] = partial(_peer_hog, split)
    return [{"set": name} | _scored(what, way, split) for what, way in ways.items()]


def _scored(what: str, way: Callable[[], tuple[Matrix, Matrix]], split: Split) -> dict[str, object]:
    start = time.perf_counter()
    X, Q = way()
    seconds = time.perf_counter() - start
    scores = {
        f"{k}-NN": nearest_neighbor_accuracy(X, split.train.labels, Q, split.test.labels, k).value
        for k in (1, 10)
    }
    row: dict[str, object] = {"what": what, "dimension": X.shape[1], **scores}
    return row | {"decode, fit and encode s": seconds, "pictures": len(X) + len(Q)}


def _ours(spec: str, split: Split) -> tuple[Matrix, Matrix]:
    from spaceport.methods import parse

    encoder = parse("encoders", spec).fit(split.train)
    return encoder.encode(split.train.files), encoder.encode(split.test.files)


def _raw_parts(split: Split, size: tuple[int, int]) -> tuple[Matrix, Matrix]:
    return _raw(split.train, size=size), _raw(split.test, size=size)


def _raw(files: Files, contrast: bool = False, size: tuple[int, int] = (32, 32)) -> Any:
    pictures = arrays(files.files, size, equalize=False)
    return (standardized(pictures) if contrast else pictures).reshape(len(pictures), -1)


def _peer(split: Split) -> tuple[Matrix, Matrix]:
    from sklearn.decomposition import PCA

    peer = PCA(64, svd_solver="covariance_eigh").fit(_raw(split.train, contrast=True))
    train, test = (peer.transform(_raw(part, contrast=True)) for part in split)
    return train, test


def _peer_hog(split: Split) -> tuple[Matrix, Matrix]:
    from skimage.feature import hog
    from sklearn.decomposition import PCA

    def described(files: Files) -> Matrix:
        pictures = arrays(files.files, (32, 32), equalize=False)
        told = [hog(p, 9, (4, 4), (2, 2), transform_sqrt=True, channel_axis=-1) for p in pictures]
        return np.asarray(told, np.float32)

    X, Q = described(split.train), described(split.test)
    peer = PCA(64, svd_solver="covariance_eigh").fit(X)
    return peer.transform(X), peer.transform(Q)
