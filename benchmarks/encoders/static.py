"""static beside the network it was distilled from and beside model2vec: texts per second, STS-B.

All from one MiniLM, in one process. Long texts are the 7,600 test texts of AG News, short ones the
sentences of STS-B's test set and the English of Tatoeba. Each is encoded twice: ours remembers the
parts of texts that it has met, so that the second time is faster. The score is Spearman's correlation of
the cosines with STS-B's ratings. ``sif`` counts tokens in 10,001 other AG News texts; ``zipf`` is
model2vec's way: Zipf's law for their frequency, a = 1e-4.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

import spaceport as sp
from benchmarks.data import data
from benchmarks.encoders.text_classifier import collection
from spaceport.arrays import Matrix
from spaceport.networks import origins

DIMENSION = 256

Row = dict[str, Any]
Encode = Callable[[list[str]], Any]


def run(long: int = 7600) -> list[Row]:
    """One row for each way; `long` cuts the AG News texts, for a quick look."""
    folder = data()
    if folder is None:
        return []
    source, texts, _ = collection(folder / "ag-news")
    ways: dict[str, Callable[[], Encode]] = {
        "sentence-transformers": _network,
        "model2vec, zipf, remove=0": lambda: _peer(source),
        **{
            f"static, {weighting}, remove={remove}": lambda w=weighting, r=remove: _ours(
                source, w, r
            )
            for weighting, remove in (("sif", 1), ("zipf", 0))
        },
    }
    rows = [_measured(name, made, texts[:long], folder) for name, made in ways.items()]
    network = rows[0]["AG News texts/s"]
    for row in rows:
        row["times the network"] = row["AG News texts/s"] / network
    return rows


def _measured(name: str, made: Callable[[], Encode], texts: list[str], folder: Path) -> Row:
    start = time.perf_counter()
    encode = made()
    seconds = time.perf_counter() - start
    row: Row = {"what": name, "made in s": seconds if seconds > 1 else None}  # else it was there
    one, other, ratings = _stsb(folder)
    shorts = {"STS-B": one + other}
    if name != "sentence-transformers":
        shorts["Tatoeba"] = _tatoeba(folder)
    encode(["warm up"])
    found: dict[str, Matrix] = {}
    for kind, items in {"AG News": texts, **shorts}.items():
        found[kind], row[f"{kind} texts/s"] = _timed(encode, items)
        if name != "sentence-transformers":
            row[f"{kind} again"] = _timed(encode, items)[1]
    cosines = _cosines(*np.split(found["STS-B"], 2))
    row["STS-B Spearman"] = float(spearmanr(cosines, ratings).statistic)
    return row


def _timed(encode: Encode, items: list[str]) -> tuple[Matrix, float]:
    start = time.perf_counter()
    found = encode(items)
    return found, len(items) / (time.perf_counter() - start)


def _network() -> Encode:
    from sentence_transformers import SentenceTransformer

    network = SentenceTransformer(str(origins.find("minilm")), device="cpu")
    return lambda texts: network.encode(texts, show_progress_bar=False)


def _peer(source: Any) -> Encode:
    """model2vec's encoder over our table; its distiller asks for other versions of transformers."""
    from model2vec import StaticModel
    from tokenizers import Tokenizer

    encoder = _fitted(source, "zipf", 0)
    arrays, _ = encoder.state()
    tokenizer = Tokenizer.from_str(arrays["tokenizer"].tobytes().decode())
    model = StaticModel(vectors=arrays["table"], tokenizer=tokenizer)
    return lambda texts: model.encode(texts)


def _ours(source: Any, weighting: str, remove: int) -> Encode:
    encoder = _fitted(source, weighting, remove)
    return lambda texts: encoder.encode(texts, batch_size=8192)


@lru_cache
def _fitted(source: Any, weighting: str, remove: int) -> Any:
    encoder = sp.encoders.static(
        "minilm", dimension=DIMENSION, weighting=weighting, sif=_SIF[weighting], remove=remove
    )
    return encoder.fit(source)


_SIF = {"sif": 1e-3, "zipf": 1e-4}


def _cosines(A: Matrix, B: Matrix) -> Any:
    lengths = np.linalg.norm(A, axis=1) * np.linalg.norm(B, axis=1)
    return (A * B).sum(axis=1) / np.maximum(lengths, 1e-12)


def _stsb(folder: Path) -> tuple[list[str], list[str], list[float]]:
    lines = (folder / "stsb" / "sts-test.tsv").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    return [row[5] for row in rows], [row[6] for row in rows], [float(row[4]) for row in rows]


def _tatoeba(folder: Path) -> list[str]:
    lines = (folder / "tatoeba-en-fr" / "fra.txt").read_text("utf-8").splitlines()[:-1]
    return [line.partition("\t")[0] for line in lines]
