"""Choosing a layer of MiniLM: all layers in one pass beside transformers' own, and what is chosen."""

from __future__ import annotations

import csv
import io
import tempfile
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import spaceport as sp
from benchmarks.data import data

TEXTS = 500
BATCH = 32


def run() -> list[dict[str, object]]:
    """One pass over 500 questions, ours and the peer's; the choice on three sets."""
    folder = data()
    if folder is None:
        return []
    with tempfile.TemporaryDirectory() as place:
        train, test = (_trec(folder, Path(place), part) for part in ("train", "test"))
        return [
            *_captured(next(train.contents())[:TEXTS]),
            *_chosen(folder, Path(place), train, test),
        ]


def _captured(texts: Sequence[str]) -> list[dict[str, object]]:
    """Means of every layer, with the largest difference between the two ways."""
    from spaceport.spaces.sweeping import Sweeper

    sweeper = Sweeper("minilm", device="cpu")
    sweeper.network_for(texts)
    spots = [spot for spot in sweeper.spots(["mean"]) if " " not in spot.where]
    start = time.perf_counter()
    found = sweeper.vectors(texts, spots)
    ours = time.perf_counter() - start
    peer, seconds = _peer(texts)
    apart = max(float(np.abs(found[spot] - peer[layer]).max()) for layer, spot in enumerate(spots))
    return [
        {"what": "all layers, one pass", "texts": len(texts), "s": ours, "apart": apart},
        {
            "what": "transformers, output_hidden_states",
            "texts": len(texts),
            "s": seconds,
            "apart": 0.0,
        },
    ]


def _peer(texts: Sequence[str]) -> tuple[list[Any], float]:
    """As one writes it by hand: batches of 32 in the order given, padded to the longest."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    from spaceport.networks import origins

    folder = origins.find("minilm")
    model, words = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    parts = []
    start = time.perf_counter()
    with torch.inference_mode():
        for first in range(0, len(texts), BATCH):
            given = words(
                texts[first : first + BATCH], padding=True, truncation=True, return_tensors="pt"
            )
            mask = given["attention_mask"][:, :, None].float()
            states = model(**given, output_hidden_states=True).hidden_states
            parts.append([(state * mask).sum(1) / mask.sum(1) for state in states])
    layers = [np.concatenate([part[layer] for part in parts]) for layer in range(len(parts[0]))]
    return layers, time.perf_counter() - start


def _chosen(folder: Path, place: Path, train: Any, test: Any) -> list[dict[str, object]]:
    news = sp.sources.texts(
        folder / "ag-news" / "train-sample-10k.tsv.gz", column="text", label="topic",
        names=["text", "topic"], quote="",
    )  # fmt: skip
    dev, proof = (_pairs(folder, place, part) for part in ("dev", "test"))
    asked: dict[str, dict[str, Any]] = {
        "TREC questions": {"source": train, "test": test},
        "AG News": {"source": news},
        "STS-B": {"source": dev, "test": proof, "pairs": ("sentence2", "score")},
    }
    return [_row(name, sp.choose_layer("minilm", **told)) for name, told in asked.items()]


def _row(name: str, choice: Any) -> dict[str, object]:
    mine, highest, usual = choice.proof
    return {
        "what": f"{name}: {choice.task}",
        "texts": choice.facts["chosen on"],
        "s": choice.facts["seconds of encoding"] + choice.facts["seconds of scoring"],
        "chosen": f"{mine.where}, {mine.pooling}",
        "proof": mine.score,
        "highest": f"{highest.where}, {highest.pooling}",
        "its proof": highest.score,
        "last mean": usual.score,
        "gain from": mine.gain_low,
        "to": mine.gain_high,
    }


def _trec(folder: Path, place: Path, part: str) -> Any:
    with zipfile.ZipFile(folder / "trec-qc" / "qc.zip") as packed:
        text = packed.read(f"qc/{part}.txt").decode("latin-1")
    lines = [line.partition(" ") for line in text.splitlines() if line.strip()]
    rows = [(question, label.partition(":")[0]) for label, _, question in lines]
    path = _written(place / f"trec-{part}.csv", ("question", "class"), rows)
    return sp.sources.texts(path, column="question", label="class")


def _pairs(folder: Path, place: Path, part: str) -> Any:
    text = (folder / "stsb" / f"sts-{part}.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t")[4:7] for line in io.StringIO(text)]
    told = [(score, first, second.rstrip("\n")) for score, first, second in rows]
    path = _written(place / f"sts-{part}.csv", ("score", "sentence1", "sentence2"), told)
    return sp.sources.texts(path, column="sentence1")


def _written(path: Path, names: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([names, *rows])
    return path
