"""text_classifier on AG News: 10,001 texts to learn from, the official 7,600 to be told.

Beside it MiniLM and LSA with the linear probe of `quality.probe` (which standardizes and chooses its
penalty), each fitted on the same texts; and the nearest words of a few, within what was learnt.
"""

from __future__ import annotations

import csv
import gzip
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import spaceport as sp
from benchmarks.data import data
from spaceport.geometry.neighbors import nearest
from spaceport.quality.probe import Accuracy, linear_probe_accuracy
from spaceport.sources.base import Source

TOPICS = ("World", "Sports", "Business", "Sci/Tech")
ASKED = ("striker", "nasdaq", "spacecraft", "ministers")

Row = dict[str, object]


def run(minilm: bool = True) -> list[Row]:
    """Ours by its own softmax and by the probe; then the peers; then nearest words."""
    folder = data()
    if folder is None:
        return []
    source, texts, labels = collection(folder / "ag-news")
    ours = sp.encoders.text_classifier()
    rows = [_fitted(ours, source, lambda: _told(ours, texts, labels))]
    ways: dict[str, Any] = {"the same, linear probe": ours, "lsa": sp.encoders.lsa(dimension=100)}
    if minilm:
        ways["MiniLM"] = sp.encoders.activations("minilm", unit=True)
    for name, encoder in ways.items():
        rows.append(_probed(name, encoder, source, texts, labels))
    return rows + _neighbors(ours)


def collection(folder: Path) -> tuple[Source, list[str], list[str]]:
    """The texts to learn from, and the test texts with their topics."""
    source = sp.sources.texts(
        folder / "train-sample-10k.tsv.gz",
        "text",
        label="topic",
        names=["text", "topic"],
        quote="",
    )
    with gzip.open(folder / "test.csv.gz", "rt", encoding="utf-8") as lines:
        rows = list(csv.reader(lines))
    return (
        source,
        [f"{title} {text}" for _, title, text in rows],
        [TOPICS[int(kind) - 1] for kind, *_ in rows],
    )


def _fitted(encoder: Any, source: Source, told: Callable[[], Accuracy]) -> Row:
    start = time.perf_counter()
    encoder.fit(source)
    fitting = time.perf_counter() - start
    start = time.perf_counter()
    found = told()
    row = _row(encoder.spec, found, encoder.dimension)
    row["fit s"], row["texts/s"] = fitting, found.total / (time.perf_counter() - start)
    return row


def _told(encoder: Any, texts: Sequence[str], labels: Sequence[str]) -> Accuracy:
    found = encoder.predict(texts)[0]
    return Accuracy(sum(a == b for a, b in zip(found, labels, strict=True)), len(labels))


def _probed(
    name: str, encoder: Any, source: Source, texts: Sequence[str], labels: Sequence[str]
) -> Row:
    topics = [t for batch in source.batches() for t in batch.column("topic").to_pylist()]
    fitting = None
    if encoder.fitted and not encoder.facts():
        start = time.perf_counter()
        encoder.fit(source)
        fitting = time.perf_counter() - start
    learnt = encoder.encode(source)
    start = time.perf_counter()
    asked = encoder.encode(texts)
    seconds = time.perf_counter() - start
    row = _row(name, linear_probe_accuracy(learnt, topics, asked, labels), asked.shape[1])
    row["fit s"], row["texts/s"] = fitting, len(texts) / seconds
    return row


def _row(name: str, found: Accuracy, dimension: int) -> Row:
    low, high = found.interval
    return {
        "what": name,
        "dimension": dimension,
        "test accuracy": found.value,
        "95 %": f"{low:.3f}-{high:.3f}",
    }


def _neighbors(encoder: Any) -> list[Row]:
    words, vectors = encoder.entities()
    often = [place for place, count in enumerate(encoder.vocabulary_.counts) if count >= 10]
    rows: list[Row] = []
    for word in ASKED:
        near, _ = nearest(vectors[often], vectors[[words.index(word)]], 6, "cosine")
        found = [words[often[place]] for place in near[0]]
        rows.append({"what": f"near {word}: {', '.join(w for w in found if w != word)}"})
    return rows
