"""Real changes, each with its p-value, effect, and the cells named by what they hold.

    python -m benchmarks.drift.real_shifts [--only signs abstracts speeches elec2 digits spoken]

Encoders of this project, learnt on neither side or on both: what is learnt from one side fits it better, and the
panel sees that. Rows are draws of their own: of gtsrb the test files (the training files come in thirties of
one sign; one of each teaches the encoder). `0` and `halved` are the control: one set divided at random.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

import spaceport as sp
from benchmarks.data import data
from benchmarks.tables import table
from spaceport.drift.panel.comparing import compare
from spaceport.drift.panel.verdict import Verdict
from spaceport.sources.base import Source

Row = dict[str, Any]
STRENGTHS = (0, 1, 2, 3)


class Pair(NamedTuple):
    """Two samples, with a word for each row."""

    name: str
    reference: np.ndarray
    current: np.ndarray
    words: tuple[Sequence[Any], Sequence[Any]]


class Held(Source):
    """Contents from memory."""

    unique_ids = True

    def __init__(self, contents: Sequence[Any], modality: str) -> None:
        self.held, self.modality = contents, modality

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yield all of them."""
        names = [str(place) for place in range(len(self.held))]
        yield pa.record_batch({"id": names, "content": list(self.held)})

    def size(self) -> int:
        """How many."""
        return len(self.held)


def run(only: tuple[str, ...] = ()) -> list[Row]:
    """A row for each change."""
    if data() is None:
        return []
    rows = []
    for name, pairs in WORLDS.items():
        if not only or name in only:
            for pair in pairs():
                rows.append(judged(pair))
                print(json.dumps(rows[-1]), flush=True)
    return rows


def judged(pair: Pair) -> Row:
    """What the panel says of a pair."""
    verdict = compare(pair.reference, pair.current, metric="cosine", permutations=999)
    mean, moved = verdict.effect("mean"), verdict.effect("moved")
    assert mean is not None
    assert moved is not None
    return {
        "change": pair.name,
        "rows": f"{verdict.rows[0]} {verdict.rows[1]}",
        "p": verdict.p,
        "moved, at least": f"{moved.low:.1%}",
        "mean": f"{mean.value:.2f} ({mean.low:.2f} to {mean.high:.2f})",
        "cells": told(pair, verdict),
    }


def told(pair: Pair, verdict: Verdict) -> str:
    """The first named cells, each by the commonest word among its items."""
    assert verdict.where is not None
    found = []
    for cell in verdict.where.named()[:3]:
        words = [
            str(pair.words[item.why != "old"][item.place]) for item in cell.items if item.place >= 0
        ]
        commonest = Counter(words).most_common(1)[0][0] if words else "?"
        found.append(f"{commonest} {cell.kind} {cell.before[0]:.1%}→{cell.after[0]:.1%}")
    return "; ".join(found)


def halves(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two random halves of the places."""
    order = np.random.default_rng(seed).permutation(count)
    return order[: count // 2], order[count // 2 :]


def signs() -> Iterator[Pair]:
    """Traffic signs: brightness, blur, rotation at three strengths; the class mix."""
    from PIL import Image, ImageEnhance, ImageFilter

    folder = data()
    assert folder is not None
    files: dict[str, tuple[bytes, str]] = {}
    for batch in sp.sources.images(folder / "gtsrb-32" / "train.tar.gz", thumbnail=0).batches():
        for name, content, label in zip(
            *(batch.column(c).to_pylist() for c in ("id", "content", "folder")), strict=True
        ):
            files.setdefault(name.rpartition("_")[0], (content, label))
    learnt = Held([content for content, _ in files.values()], "images")
    encoder = sp.encoders.pixels(dimension=64, contrast="none").fit(learnt)
    contents, labels = _test_signs()
    left, right = halves(len(contents))

    def encoded(
        places: np.ndarray, change: Callable[[Any], Any] = lambda image: image
    ) -> np.ndarray:
        made = []
        for place in places:
            out = io.BytesIO()
            change(Image.open(io.BytesIO(contents[place])).convert("RGB")).save(out, "PNG")
            made.append(out.getvalue())
        return np.asarray(encoder.encode(made))

    reference, words = encoded(left), (labels[left], labels[right])
    changes: dict[str, Callable[[Any, int], Any]] = {
        "brighter": lambda image, s: ImageEnhance.Brightness(image).enhance(1 + 0.1 * s),
        "blurred": lambda image, s: image.filter(ImageFilter.GaussianBlur(0.4 * s)),
        "turned": lambda image, s: image.rotate(3 * s, Image.Resampling.BILINEAR),
    }
    for name, change in changes.items():
        for strength in STRENGTHS if name == "brighter" else STRENGTHS[1:]:
            now = encoded(right, lambda image, c=change, s=strength: c(image, s))
            yield Pair(f"signs, {name} {strength}", reference, now, words)
    plain = encoded(right)
    kept = (labels[right] != "00014") | (np.arange(len(right)) % 4 == 0)
    words = labels[left], labels[right][kept]
    yield Pair("signs, three in four stop signs missing", reference, plain[kept], words)


def _test_signs() -> tuple[list[bytes], np.ndarray]:
    """The test files, each of a sign of its own."""
    folder = data()
    assert folder is not None
    contents, labels = [], []
    for batch in sp.sources.images(folder / "gtsrb-32" / "test.tar.gz", thumbnail=0).batches():
        contents += batch.column("content").to_pylist()
        labels += batch.column("folder").to_pylist()
    return contents, np.array(labels)


def abstracts() -> Iterator[Pair]:
    """Abstracts: NeurIPS 2012 beside later years, and other venues of one year."""
    folder = data()
    assert folder is not None
    with gzip.open(folder / "paper-abstracts" / "abstracts.jsonl.gz", "rt") as file:
        papers = [json.loads(line) for line in file]
    old = [p["abstract"] for p in papers if int(p["year"]) < 2012]
    encoder = sp.encoders.lsa(dimension=100).fit(Held(old, "texts"))

    def side(venue: str, year: int) -> tuple[np.ndarray, list[str]]:
        chosen = [p for p in papers if p["venue"] == venue and int(p["year"]) == year]
        rows = np.asarray(encoder.encode([p["abstract"] for p in chosen]))
        there = rows.any(axis=1)
        return rows[there], [p["title"][:40] for p, here in zip(chosen, there, strict=True) if here]

    first, titles = side("nips", 2012)
    left, right = halves(len(first))
    words = [titles[i] for i in left], [titles[i] for i in right]
    yield Pair("abstracts, NeurIPS 2012 halved", first[left], first[right], words)
    for year in (2013, 2014, 2016, 2018):
        rows, other = side("nips", year)
        yield Pair(f"abstracts, NeurIPS 2012 → {year}", first, rows, (titles, other))
    for venue in ("aistats", "cvpr"):
        here, there = side("nips", 2016), side(venue, 2016)
        yield Pair(f"abstracts 2016, NeurIPS → {venue}", here[0], there[0], (here[1], there[1]))


def speeches() -> Iterator[Pair]:
    """Paragraphs of the State of the Union by decade, one in eight of each speech."""
    folder = data()
    assert folder is not None
    by_decade: dict[int, list[str]] = {}
    with zipfile.ZipFile(folder / "nltk-text" / "state_union.zip") as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".txt"):
                year = int(name.rpartition("/")[2][:4])
                text = archive.read(name).decode("latin-1")
                lines = [line for line in text.splitlines() if len(line.split()) > 15]
                by_decade.setdefault(year // 10 * 10, []).extend(lines[::8])
    encoder = sp.encoders.lsa(dimension=64).fit(Held(by_decade[1940], "texts"))
    rows = {decade: np.asarray(encoder.encode(lines)) for decade, lines in by_decade.items()}
    left, right = halves(len(rows[1950]))
    base = by_decade[1950]
    words = [base[i][:40] for i in left], [base[i][:40] for i in right]
    yield Pair("speeches, 1950s halved", rows[1950][left], rows[1950][right], words)
    for decade in (1960, 1970, 1980, 1990, 2000):
        words = [line[:40] for line in base], [line[:40] for line in by_decade[decade]]
        yield Pair(f"speeches, 1950s → {decade}s", rows[1950], rows[decade], words)


def elec2() -> Iterator[Pair]:
    """Half-hours of the electricity market, every 48th: the first third beside later sixths."""
    import pyarrow.csv as csv

    folder = data()
    assert folder is not None
    with gzip.open(folder / "elec2" / "elec.csv.gz") as file:
        market = csv.read_csv(file)
    market = market.take(pa.array(np.arange(7, len(market), 48)))  # one half-hour a day
    names = [name for name in market.column_names if name not in ("class", "period")]
    values = np.stack([np.asarray(market[name], float) for name in names], axis=1)
    third = len(values) // 3
    values = (values - values[:third].mean(axis=0)) / np.maximum(values[:third].std(axis=0), 1e-9)
    words = [f"day {place}" for place in range(len(values))]
    left, right = (np.sort(side) for side in halves(third))
    told = [words[i] for i in left], [words[i] for i in right]
    yield Pair("elec2, first third halved", values[left], values[right], told)
    for part in range(2, 6):
        span = slice(part * third // 2, (part + 1) * third // 2)
        yield Pair(f"elec2, sixth {part + 1}", values[:third], values[span], (words, words[span]))


def digits() -> Iterator[Pair]:
    """MNIST's test set: its first half's writers beside the second's."""
    folder = data()
    assert folder is not None
    source = sp.sources.images(folder / "mnist-t10k" / "t10k-images-idx3-ubyte.gz", thumbnail=0)
    batches = pa.Table.from_batches(list(source.batches()))
    contents, labels = batches["content"].to_pylist(), batches["label"].to_pylist()
    encoder = sp.encoders.pixels(dimension=32).fit(Held(contents[:5000], "images"))
    rows = np.asarray(encoder.encode(contents))
    left, right = halves(5000)
    words = [labels[i] for i in left], [labels[i] for i in right]
    yield Pair("digits, first half halved", rows[left], rows[right], words)
    yield Pair(
        "digits, first half → second", rows[:5000], rows[5000:], (labels[:5000], labels[5000:])
    )


def spoken() -> Iterator[Pair]:
    """Spoken digits: three speakers, halved; and a window half of which is a fourth's."""
    folder = data()
    assert folder is not None
    source = sp.sources.audio(folder / "spoken-digits" / "recordings.tar.gz")
    batches = pa.Table.from_batches(list(source.batches()))
    names = [name.rpartition("/")[2] for name in batches["id"].to_pylist()]
    contents = batches["content"].to_pylist()
    speakers = np.array([name.split("_")[1] for name in names])
    last = sorted(set(speakers))[-1]
    known, new = np.flatnonzero(speakers != last), np.flatnonzero(speakers == last)
    left, right = (known[side] for side in halves(len(known)))
    encoder = sp.encoders.logmel(dimension=64).fit(Held([contents[i] for i in known], "audio"))
    rows = np.asarray(encoder.encode(contents))
    for share in (0.0, 0.05, 0.1, 0.5):
        few = new[: int(share * len(right) / max(1 - share, 0.1))]
        now = np.concatenate([right, few])
        words = speakers[left].tolist(), speakers[now].tolist()
        yield Pair(f"spoken digits, {share:.0%} of a new speaker", rows[left], rows[now], words)


WORLDS = {
    "signs": signs,
    "abstracts": abstracts,
    "speeches": speeches,
    "elec2": elec2,
    "digits": digits,
    "spoken": spoken,
}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=(), choices=[*WORLDS, []])
    print(table(run(tuple(parser.parse_args().only))))
