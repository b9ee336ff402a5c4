"""GloVe and PPMI-SVD beside our word2vec on the same text: speed, quality, and words never seen.

Each contender runs in a process of its own, one after the other, on wiki-en and novels-en. An update is
one entry of the co-occurrence matrix trained on once. WordSim-353 and MEN are Spearman's correlations;
RW, the rare words, has many that a corpus of this size does not: it is judged on the pairs whose words
were seen, and with `subwords` on all of them.

    python -m benchmarks.encoders.glove [--epochs 15] [--threads 2] [--small]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.data import data
from benchmarks.tables import table

CONTENDERS = ["word2vec", "glove", "glove reproducible", "ppmi_svd", "word2vec"]
EPOCHS = 15
WORD2VEC_EPOCHS = 3

Row = dict[str, Any]


def run(epochs: int = EPOCHS, threads: int = 2, small: bool = False) -> list[Row]:
    """Train all contenders; gives one row each. `small` takes half of wiki-en only."""
    if data() is None:
        return []
    return [child(who, epochs, threads, small) for who in CONTENDERS]


def child(who: str, epochs: int, threads: int, small: bool) -> Row:
    """Run one contender in a fresh process."""
    told = ["--only", who, "--epochs", str(epochs), "--threads", str(threads)]
    command = [sys.executable, "-m", "benchmarks.encoders.glove", *told, *["--small"] * small]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    row: Row = json.loads(done.stdout.splitlines()[-1])
    return row


def alone(who: str, epochs: int, threads: int, small: bool) -> Row:
    """Train one contender in this process and judge its vectors."""
    from spaceport.sources import corpus

    folder = data()
    if folder is None:
        raise SystemExit("the real data is absent (SPACEPORT_DATA)")
    paths = sorted((folder / "wiki-en").glob("*.gz"))
    paths = paths[:1] if small else [*paths, folder / "novels-en" / "novels.tar.gz"]
    processor = time.process_time()
    encoder = made(who, epochs, threads).fit(corpus(*paths))
    processor = time.process_time() - processor
    row = {"who": who} | speeds(encoder.facts()) | {"CPU s": processor}
    row["peak MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return row | judged(folder, encoder)


def made(who: str, epochs: int, threads: int) -> Any:
    """A contender, its kernels compiled before the clock starts."""
    import spaceport.encoders.kernels.adagrad
    import spaceport.encoders.kernels.cooccurrence
    import spaceport.encoders.kernels.walk  # noqa: F401
    from spaceport import encoders

    told: Row = {"dimension": 100, "subwords": True}
    if who == "word2vec":
        return encoders.word2vec(**told, epochs=WORD2VEC_EPOCHS, threads=threads)
    if who == "ppmi_svd":
        return encoders.ppmi_svd(**told)
    reproducible = who.endswith("reproducible")
    return encoders.glove(**told, epochs=epochs, threads=threads, reproducible=reproducible)


def speeds(facts: Row) -> Row:
    """What the encoder says of its training, under the names of the table."""
    names = {
        "updates_per_second": "updates/s",
        "updates_per_second_per_thread": "per core",
        "seconds_per_epoch": "epoch s",
        "counting_seconds": "counting s",
        "seconds": "train s",
        "subword_seconds": "subwords s",
        "reading_seconds": "reading s",
    }
    return {name: facts.get(fact) for fact, name in names.items()}


def judged(folder: Path, encoder: Any) -> Row:
    """Quality of the vectors of all words, and of rare words by their n-grams where they are unknown."""
    import numpy as np

    from spaceport.quality.similarity import read_pairs, word_similarity

    words, vectors = encoder.entities()
    pairs = {
        name: read_pairs(folder / "word-similarity" / f"EN-{file}.txt")
        for name, file in (
            ("WordSim-353", "WS-353-ALL"),
            ("MEN", "MEN-TR-3k"),
            ("RW", "RW-STANFORD"),
        )
    }
    scores = {name: word_similarity(words, vectors, judged) for name, judged in pairs.items()}
    row: Row = {name: score.spearman for name, score in scores.items()}
    row["RW pairs"] = scores["RW"].covered
    rare = {word.lower() for first, second, _ in pairs["RW"] for word in (first, second)}
    unseen = sorted(rare - set(words))
    everything = np.concatenate([vectors, encoder.encode(unseen)])
    score = word_similarity([*words, *unseen], everything, pairs["RW"])
    return row | {"RW subwords": score.spearman, "RW subwords pairs": score.covered}


def main() -> int:
    """Print the table, or one row as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--small", action="store_true", help="half of wiki-en only")
    parser.add_argument(
        "--only", choices=sorted(set(CONTENDERS)), help="one contender, in this process, as JSON"
    )
    told = parser.parse_args()
    if told.only:
        print(json.dumps(alone(told.only, told.epochs, told.threads, told.small)))
    else:
        print(table(run(told.epochs, told.threads, told.small)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
