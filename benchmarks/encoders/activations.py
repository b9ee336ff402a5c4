"""MiniLM's vectors beside sentence-transformers': the same numbers, texts per second, and memory.

    python -m benchmarks.encoders.activations [--texts 7600] [--pairs 1379] [--memory 200000]

All run in one process, one after the other, ours again at the end, so that a change of the machine's
pace shows. `share of peak` is the network's multiplications and additions per second beside what a
plain product of matrices reaches here, in the same run.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from scipy.stats import spearmanr

import spaceport as sp
from benchmarks.data import data
from benchmarks.tables import table
from spaceport.arrays import Matrix
from spaceport.networks import origins
from spaceport.networks.models import read
from spaceport.networks.texts import Tokenizer

Row = dict[str, Any]
PEER = "sentence-transformers"


def run(texts: int = 7600, pairs: int = 1379, memory: int = 200_000) -> list[Row]:
    """Give a row for each way on AG News, one for each layer on STS-B, and one of the memory."""
    if data() is None:
        return []
    return [*_speed(texts, pairs), *_layers(pairs), *([_fresh(memory)] if memory else [])]


def _speed(count: int, pairs: int) -> list[Row]:
    texts = _news()[:count]
    ways: list[tuple[str, Callable[[list[str]], Matrix]]] = [
        ("last", _ours("last")),
        (PEER, _peer()),
        ("first", _ours("first")),
        ("table", _ours("table")),
        (PEER, _peer()),
        ("last", _ours("last")),
    ]
    rows = [_measured(name, encode, texts) for name, encode in ways]
    alike = {name: _spearman(encode, pairs) for name, encode in ways[:4]}
    theirs = max(row["texts/s"] for row in rows if row["what"] == PEER)
    whole = max(row["texts/s"] for row in rows if row["what"] == "last")
    for row in rows:
        row["Spearman STS-B test"] = alike[row["what"]]
        row["x peer"] = row["texts/s"] / theirs
        row["x last"] = row["texts/s"] / whole
    return rows


def _measured(name: str, encode: Callable[[list[str]], Matrix], texts: list[str]) -> Row:
    encode(texts[:64])  # read the model, warm the caches
    began = time.perf_counter()
    encode(texts)
    seconds = time.perf_counter() - began
    spent = _flops(texts, {"first": 1, "table": 0}.get(name, 6)) / seconds
    return {
        "what": name,
        "texts": len(texts),
        "seconds": seconds,
        "texts/s": len(texts) / seconds,
        "GFLOP/s": spent / 1e9,
        "share of peak": spent / _peak(),
    }


def _ours(where: str) -> Callable[[list[str]], Matrix]:
    return sp.encoders.activations("minilm", where=where, unit=True).encode


@cache
def _peer() -> Callable[[list[str]], Matrix]:
    from sentence_transformers import SentenceTransformer

    encode: Callable[[list[str]], Matrix] = SentenceTransformer(
        str(origins.find("minilm")), device="cpu"
    ).encode
    return encode


def _flops(texts: list[str], layers: int) -> float:
    """Multiplications and additions of the layers for the texts' own tokens, padding left out.

    ::

        Σ over texts  t · 2 (4 d² + 2 d f) + 4 t² d      per layer, d = 384, f = 1,536
    """
    t = Tokenizer(origins.find("minilm")).pieces(texts).lengths.astype(float)
    d, f = 384, 1536
    return float(layers * (t * 2 * (4 * d * d + 2 * d * f) + 4 * t * t * d).sum())


@cache
def _peak() -> float:
    """Multiplications and additions per second of a product of matrices that fits the network's."""
    one = np.ones((2048, 384), np.float32)
    other = np.ones((384, 1536), np.float32)
    times = []
    for _ in range(40):
        began = time.perf_counter()
        one @ other
        times.append(time.perf_counter() - began)
    return 2 * 2048 * 384 * 1536 / float(np.median(times))


def _spearman(encode: Callable[[list[str]], Matrix], count: int) -> float:
    pairs = _sts()[:count]
    one, other = (encode([pair[side] for pair in pairs]) for side in (0, 1))
    cosines = (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
    return float(spearmanr(cosines, [pair[2] for pair in pairs]).statistic)


def _layers(count: int) -> list[Row]:
    """Each layer's mean beside transformers' own `output_hidden_states`, and the last beside the peer's."""
    import torch

    texts = [text for pair in _sts()[:count] for text in pair[:2]]
    network, tokenizer = read(origins.find("minilm")), Tokenizer(origins.find("minilm"))
    wanted: list[list[Matrix]] = []
    for text in texts:
        ids = tokenizer.pieces([text]).tokens[0][None]
        with torch.inference_mode():
            found = network.module(torch.from_numpy(ids), output_hidden_states=True)
        wanted.append([state[0].mean(0).numpy() for state in found.hidden_states])
    rows = []
    for layer in range(7):
        given = sp.encoders.activations("minilm", where=str(layer)).encode(texts)
        theirs = np.stack([states[layer] for states in wanted])
        rows.append(
            {
                "what": f"layer {layer} beside transformers",
                "texts": len(texts),
                "largest difference": float(np.abs(given - theirs).max()),
                "least cosine": _least_cosine(given, theirs),
            }
        )
    ours = _ours("last")(texts)
    least = _least_cosine(ours, _peer()(texts))
    return [*rows, {"what": f"last beside {PEER}", "texts": len(texts), "least cosine": least}]


def _least_cosine(one: Matrix, other: Matrix) -> float:
    product = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return float(((one * other).sum(1) / product).min())


def _fresh(count: int) -> Row:
    command = [sys.executable, "-m", "benchmarks.encoders.activations", "--alone", str(count)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    row: Row = json.loads(done.stdout.splitlines()[-1])
    return row


def _alone(count: int) -> Row:
    """Encode so many texts in this process; what the model and the texts take is told apart."""
    news = _news()
    texts = [news[place % len(news)] for place in range(count)]
    encoder = sp.encoders.activations("minilm", where="first")
    encoder.encode(["one text, so that the model is read"])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began = time.perf_counter()
    vectors = encoder.encode(texts)
    return {
        "what": "first, in a fresh process",
        "texts": len(vectors),
        "seconds": time.perf_counter() - began,
        "MiB before": before,
        "MiB at most, besides": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before,
        "MiB of vectors": vectors.nbytes / 2**20,
    }


@cache
def _news() -> list[str]:
    folder = data()
    assert folder is not None, "`run` has looked"
    path = folder / "ag-news" / "test.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        return [f"{row[1]} {row[2]}" for row in csv.reader(stream)]


@cache
def _sts() -> list[tuple[str, str, float]]:
    folder = data()
    assert folder is not None, "`run` has looked"
    lines = (folder / "stsb" / "sts-test.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    return [(row[5], row[6], float(row[4])) for row in rows]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--texts", type=int, default=7600)
    parser.add_argument("--pairs", type=int, default=1379)
    parser.add_argument("--memory", type=int, default=200_000)
    parser.add_argument("--alone", type=int)
    told = parser.parse_args()
    if told.alone:
        print(json.dumps(_alone(told.alone)))
    else:
        print(table(run(told.texts, told.pairs, told.memory)))
