"""Peak memory of word2vec on a corpus of 1 GB: the files of wiki-en, named again until it is full."""

from __future__ import annotations

import gzip
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.data import data

GIGABYTE = 10**9


def run() -> list[dict[str, Any]]:
    """Train one epoch in a fresh process."""
    if data() is None:
        return []
    command = [sys.executable, "-m", "benchmarks.encoders.memory"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [json.loads(done.stdout.splitlines()[-1])]


def unpacked(path: Path) -> int:
    """Bytes of a gzip file when unpacked."""
    with gzip.open(path) as file:
        return sum(len(part) for part in iter(lambda: file.read(1 << 20), b""))


def alone() -> dict[str, Any]:
    """Train on 1 GB in this process."""
    from spaceport.encoders import word2vec
    from spaceport.sources import corpus

    folder = data()
    if folder is None:
        raise SystemExit("the real data is absent (SPACEPORT_DATA)")
    files = sorted((folder / "wiki-en").glob("*.gz"))
    sizes = [unpacked(path) for path in files]
    paths: list[str] = []
    size = 0
    while size < GIGABYTE:
        size += sizes[len(paths) % len(files)]
        paths.append(str(files[len(paths) % len(files)]))
    start = time.perf_counter()
    facts = word2vec(epochs=1).fit(corpus(*paths)).facts()
    return {
        "what": "word2vec on text",
        "bytes": size,
        "words": facts["corpus_words"],
        "seconds": time.perf_counter() - start,
        "reading s": facts["reading_seconds"],
        "train words/s": facts["words_per_second"],
        "peak resident MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "target": "< 1,500",
    }


if __name__ == "__main__":
    print(json.dumps(alone()))
