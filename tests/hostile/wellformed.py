"""One well-formed file of each kind, made with the public libraries; all hostile ones start from these."""

from __future__ import annotations

import io
import json
import wave
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from safetensors.numpy import save

import spaceport as sp

__all__ = ["FILES", "encoder", "files", "store"]

VALUES = np.random.default_rng(7).random((40, 4), np.float32)
IDS = [f"item-{row}" for row in range(len(VALUES))]


def _npy() -> bytes:
    with io.BytesIO() as file:
        np.save(file, VALUES)
        return file.getvalue()


def _npz() -> bytes:
    with io.BytesIO() as file:
        np.savez_compressed(file, vectors=VALUES, ids=np.array(IDS))
        return file.getvalue()


def _table() -> pa.Table:
    flat = pa.FixedSizeListArray.from_arrays(pa.array(VALUES.ravel()), 4)
    return pa.table({"id": IDS, "vector": flat})


def _parquet() -> bytes:
    with io.BytesIO() as file:
        pq.write_table(_table(), file)
        return file.getvalue()


def _arrow() -> bytes:
    with io.BytesIO() as file:
        with pa.ipc.new_file(file, _table().schema) as writer:
            writer.write_table(_table())
        return file.getvalue()


def _text(header: bool) -> bytes:
    rows = [f"{id} {' '.join(map(str, row))}" for id, row in zip(IDS, VALUES, strict=True)]
    return ("\n".join([f"{len(IDS)} 4"] * header + rows) + "\n").encode()


def _word2vec() -> bytes:
    rows = [id.encode() + b" " + row.tobytes() + b"\n" for id, row in zip(IDS, VALUES, strict=True)]
    return f"{len(IDS)} 4\n".encode() + b"".join(rows)


def _picture(kind: str) -> bytes:
    with io.BytesIO() as file:
        pixels = np.random.default_rng(1).integers(0, 255, (24, 24, 3), np.uint8)
        Image.fromarray(pixels).save(file, kind)
        return file.getvalue()


def _sound() -> bytes:
    with io.BytesIO() as file:
        with wave.open(file, "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", ""))
            sound.writeframes(np.arange(400, dtype="<i2").tobytes())
        return file.getvalue()


def _zip() -> bytes:
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("signs/stop.png", _picture("PNG"))
        return file.getvalue()


FILES = {
    "json": lambda: json.dumps({"a": [1, 2.5, "x"], "b": {"c": None}}).encode(),
    "arrays.safetensors": lambda: save({"vectors": VALUES, "n": np.arange(3)}, {"made": "here"}),
    "weights.safetensors": lambda: save({"layer.0": VALUES, "layer.1": VALUES}, {"format": "pt"}),
    "card.json": lambda: b'[{"name": "rows", "value": 2, "text": "2", "how": "counted"}]',
    "config.json": lambda: b'{"model_type": "bert", "hidden_size": 4}',
    "vectors.npy": _npy,
    "vectors.npz": _npz,
    "vectors.safetensors": lambda: save({"vectors": VALUES}),
    "vectors.parquet": _parquet,
    "vectors.arrow": _arrow,
    "vectors.vec": lambda: _text(header=True),
    "vectors.bin": _word2vec,
    "vectors.txt": lambda: _text(header=False),
    "picture.png": lambda: _picture("PNG"),
    "picture.jpg": lambda: _picture("JPEG"),
    "sound.wav": _sound,
    "pictures.zip": _zip,
}
"""Name, whose ending or stem says who reads it, and bytes."""


def files() -> dict[str, bytes]:
    """All of `FILES`, made."""
    return {name: make() for name, make in FILES.items()}


def texts(folder: Path) -> Path:
    """A few texts to fit on."""
    path = folder / "texts.txt"
    words = ("cat", "dog", "queen", "king", "tree", "sea", "stop", "sign")
    rng = np.random.default_rng(3)
    path.write_text("\n".join(" ".join(rng.choice(words, 6)) + f" {row}" for row in range(40)))
    return path


def encoder(folder: Path) -> Path:
    """A fitted encoder, saved."""
    source = sp.sources.texts(texts(folder), format="lines")
    target = folder / "encoder"
    target.mkdir()
    sp.encoders.lsa(dimension=4, maximum_share=1.0).fit(source).save(target)
    return target


def store(folder: Path) -> Path:
    """A store with a space of two versions, an alias and a consumer."""
    source = sp.sources.texts(texts(folder), format="lines")
    opened = sp.open(folder / "store")
    opened.build("words", sp.encoders.hashing(dimension=16), source)
    opened.promote("words@1", "live")
    return folder / "store"
