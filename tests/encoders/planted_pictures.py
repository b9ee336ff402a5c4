"""Pictures with planted classes and places, as files in memory."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from spaceport.sources.base import Source

__all__ = ["Pictures", "bars", "ppm", "shuffled", "spots"]


class Pictures(Source):
    """Files from memory, with a column of kinds and one of tracks."""

    modality, unique_ids = "images", True

    def __init__(self, files, kinds=None, tracks=None, ids=None, label="kind", rows=50):
        self.files, self.kinds, self.tracks, self.label, self.rows = (
            files, kinds, tracks, label, rows,
        )  # fmt: skip
        self.ids = ids or [f"p{row}" for row in range(len(files))]

    def read(self):
        columns = {"id": pa.array(self.ids), "content": pa.array(self.files, pa.binary())}
        if self.kinds is not None:
            columns["kind"] = pa.array(self.kinds)
        if self.tracks is not None:
            columns["track"] = pa.array(self.tracks)
        yield from pa.table(columns).to_batches(max_chunksize=self.rows)

    def size(self):
        return sum(map(len, self.files))


def ppm(picture: np.ndarray) -> bytes:
    height, width, _ = picture.shape
    return f"P6 {width} {height} 255\n".encode() + picture.clip(0, 255).astype(np.uint8).tobytes()


def bars(count: int, seed: int = 0) -> tuple[list[bytes], list[str]]:
    """Two bars across, upright or aslant, dark or bright, anywhere, in light of any strength and noise."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:16, 0:16]
    files, kinds = [], []
    for number in range(count):
        kind = ("across", "upright", "aslant")[number % 3]
        along = {"across": rows, "upright": columns, "aslant": (rows + columns) / 1.5}[kind]
        places = rng.uniform(2, 13, 2) * (1.4 if kind == "aslant" else 1)
        gray = 120 + sum(rng.choice([-70, 70]) * (np.abs(along - place) < 1) for place in places)
        picture = gray[..., None] * rng.uniform(0.3, 1.3) * rng.uniform(0.8, 1.2, 3)
        files.append(ppm(picture + rng.normal(size=(16, 16, 3)) * 4))
        kinds.append(kind)
    return files, kinds


def shuffled(values: list, seed: int = 0) -> list:
    return np.random.default_rng(seed).permutation(values).tolist()


def spots(count: int, seed: int = 0) -> tuple[list[bytes], np.ndarray]:
    """A bright spot on dark ground, and where it is: (n, 2)."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:16, 0:16]
    places = rng.uniform(4, 12, (count, 2))
    lights = [40 + 180 * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 6) for y, x in places]
    return [ppm(np.repeat(light[..., None], 3, axis=2)) for light in lights], places
