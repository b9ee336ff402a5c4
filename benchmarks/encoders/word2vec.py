"""word2vec beside gensim: words per second, with the quality of the vectors and the peak memory.

Each contender runs in a process of its own, one after the other, on the same files and the same
tokens: ours, gensim with its sentences as lists in memory (its faster mode), ours reproducible, and
ours once more, so that a change of the machine's pace shows. A word is a word of the corpus, before
rare and frequent ones are left out; an epoch counts it once.

    python -m benchmarks.encoders.word2vec [--files 2] [--epochs 3] [--threads 2] [--gigabyte]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.data import data
from benchmarks.tables import table

ORDER = ["spaceport", "gensim", "reproducible", "spaceport"]
PARAMS: dict[str, Any] = {"dimension": 100, "window": 5, "negatives": 5, "minimum_count": 5}
SAMPLE = 1e-3

Row = dict[str, Any]


def run(files: int = 2, epochs: int = 3, threads: int = 2) -> list[Row]:
    """Train all contenders; gives one row each."""
    if data() is None:
        return []
    rows = [child(who, files, epochs, threads) for who in ORDER]
    peer = next(row for row in rows if row["who"] == "gensim")
    for row in rows:
        row["ratio"] = row["train words/s"] / peer["train words/s"]
        row["total ratio"] = row["total words/s"] / peer["total words/s"]
    return rows


def child(who: str, files: int, epochs: int, threads: int) -> Row:
    """Run one contender in a fresh process."""
    told = [
        "--only",
        who,
        "--files",
        str(files),
        "--epochs",
        str(epochs),
        "--threads",
        str(threads),
    ]
    command = [sys.executable, "-m", "benchmarks.encoders.word2vec", *told]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    row: Row = json.loads(done.stdout.splitlines()[-1])
    return row


def alone(who: str, files: int, epochs: int, threads: int) -> Row:
    """Train one contender in this process and judge its vectors."""
    folder = data()
    if folder is None:
        raise SystemExit("the real data is absent (SPACEPORT_DATA)")
    paths = sorted((folder / "wiki-en").glob("*.gz"))[:files]
    contender: Callable[..., Row] = theirs if who == "gensim" else ours
    row = contender(who, paths, epochs, threads)
    row["peak MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    words, vectors = row.pop("words"), row.pop("vectors")
    return row | judged(folder, words, vectors)


def ours(who: str, paths: list[Path], epochs: int, threads: int) -> Row:
    """Our encoder, fitted as a user would."""
    import spaceport.encoders.kernels.walk  # noqa: F401 - compiled here, before the clock starts
    from spaceport.encoders import word2vec
    from spaceport.sources import corpus

    told = {**PARAMS, "sample": SAMPLE, "epochs": epochs, "threads": threads}
    processor = time.process_time()
    encoder = word2vec(**told, reproducible=who == "reproducible").fit(corpus(*map(str, paths)))
    processor = time.process_time() - processor
    facts = encoder.facts()
    words, vectors = encoder.entities()
    return timed(who, facts["words"], facts["seconds"], facts["reading_seconds"], processor) | {
        "words": words,
        "vectors": vectors,
    }


def theirs(who: str, paths: list[Path], epochs: int, threads: int) -> Row:
    """Train gensim with all sentences as lists in memory; making them is its reading."""
    from gensim.models import Word2Vec

    from spaceport.sources import corpus
    from spaceport.tokens import Tokenizer

    processor, start = time.process_time(), time.perf_counter()
    tokenize = Tokenizer()
    texts = (text for texts in corpus(*map(str, paths)).contents() for text in texts)
    sentences = [tokenize(text) for text in texts]
    model = Word2Vec(
        vector_size=PARAMS["dimension"],
        window=PARAMS["window"],
        negative=PARAMS["negatives"],
        min_count=PARAMS["minimum_count"],
        sample=SAMPLE,
        sg=1,
        workers=threads,
        epochs=epochs,
        seed=1,
    )
    model.build_vocab(sentences)
    reading = time.perf_counter() - start
    start = time.perf_counter()
    model.train(sentences, total_examples=model.corpus_count, epochs=epochs)
    seconds = time.perf_counter() - start
    total = model.corpus_total_words * epochs
    row = timed(who, total, seconds, reading, time.process_time() - processor)
    return row | {"words": model.wv.index_to_key, "vectors": model.wv.vectors}


def timed(who: str, words: int, seconds: float, reading: float, processor: float) -> Row:
    """The speeds of a contender; `processor` is CPU seconds of reading and training together."""
    return {
        "who": who,
        "train words/s": words / seconds,
        "total words/s": words / (seconds + reading),
        "train s": seconds,
        "reading s": reading,
        "CPU s": processor,
    }


def judged(folder: Path, words: list[str], vectors: Any) -> Row:
    """Quality of the vectors, each measured on the 30,000 most frequent words or on all."""
    from spaceport.quality.analogies import analogies, read_questions
    from spaceport.quality.similarity import read_pairs, word_similarity

    questions = read_questions(folder / "word-analogies" / "questions-words.txt")
    answered = analogies(words, vectors, questions, restrict=30000)
    row: Row = {"analogies": answered.accuracy, "questions": answered.overall.covered}
    for name, file in (("WordSim-353", "WS-353-ALL"), ("MEN", "MEN-TR-3k")):
        pairs = read_pairs(folder / "word-similarity" / f"EN-{file}.txt")
        row[name] = word_similarity(words, vectors, pairs).spearman
    return row


def main() -> int:
    """Print the table, or one row as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=2, help="of the two of wiki-en")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--only", choices=[*ORDER[:3]], help="one contender, in this process, as JSON"
    )
    parser.add_argument("--gigabyte", action="store_true", help="the peak memory of a 1 GB corpus")
    told = parser.parse_args()
    if told.only:
        print(json.dumps(alone(told.only, told.files, told.epochs, told.threads)))
    elif told.gigabyte:
        from benchmarks.encoders import memory

        print(table(memory.run()))
    else:
        print(table(run(told.files, told.epochs, told.threads)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
