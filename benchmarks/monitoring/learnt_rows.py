"""Why rows that an encoder learnt from are no reference: false alarms with and without them.

LSA learns from half of the abstracts of 2012 to 2018, drawn at random. Windows of the other half are
compared with rows that it learnt from, and with rows of the other half that are in no window. Nothing
drifts in either case. MiniLM, which never saw any of them, stands beside.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa

import spaceport as sp
from benchmarks.data import data
from spaceport.arrays import Matrix
from spaceport.drift._pooled import Pooled
from spaceport.drift.panel.comparing import judge
from spaceport.sources.base import Source

RUNS, ROWS, WINDOW, PERMUTATIONS = 100, 1000, 500, 199


class Texts(Source):
    """Texts that are in memory."""

    modality = "texts"

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield all of them."""
        yield pa.record_batch({"id": [*map(str, range(len(self.texts)))], "content": self.texts})

    def size(self) -> int:
        """Count their letters."""
        return sum(map(len, self.texts))


def run() -> list[dict[str, object]]:
    """A row for each encoder and kind of reference."""
    folder = data()
    if folder is None:
        return []
    texts = abstracts(folder)
    places = np.random.default_rng(0).permutation(len(texts))
    taught = [texts[place] for place in places[: len(texts) // 2]]
    fresh = [texts[place] for place in places[len(texts) // 2 :]]
    encoders = {"lsa(dimension=100)": sp.encoders.lsa(dimension=100)}
    if find_spec("torch") is not None:
        encoders["activations(minilm)"] = sp.encoders.activations("minilm")
    rows = []
    for name, encoder in encoders.items():
        encoder.fit(Texts(taught))
        known, unknown = encoder.encode(taught), encoder.encode(fresh)
        half = len(unknown) // 2
        rows.append({"encoder": name, "reference": "learnt from"} | alarms(known, unknown))
        rows.append(
            {"encoder": name, "reference": "never seen"} | alarms(unknown[:half], unknown[half:])
        )
    return rows


def alarms(reference: Matrix, current: Matrix) -> dict[str, object]:
    """Share of the windows that were told to have drifted."""
    found = 0
    for seed in range(RUNS):
        rng = np.random.default_rng(seed)
        rows = reference[rng.choice(len(reference), ROWS, replace=False)]
        window = current[rng.choice(len(current), WINDOW, replace=False)]
        found += judge(Pooled.of_rows(rows, window, PERMUTATIONS, seed, "cosine")).drift
    return {"runs": RUNS, "rows": ROWS, "window": WINDOW, "false alarms": found / RUNS}


def abstracts(folder: Path) -> list[str]:
    """The abstracts of 2012 to 2018."""
    with gzip.open(
        folder / "paper-abstracts" / "abstracts.jsonl.gz", "rt", encoding="utf-8"
    ) as lines:
        rows = [json.loads(line) for line in lines]
    return [row["abstract"] for row in rows if 2012 <= int(row["year"]) <= 2018]
