"""A space of texts to be migrated, and a process that is killed at a stage of it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import spaceport as sp
from spaceport.encoders.hashing import Hashing
from spaceport.spaces.compatibility import migration
from spaceport.spaces.spaceport import Spaceport
from spaceport.storage import aliases
from spaceport.storage.writer import Writer

OLD, NEW = "hashing(dimension=32)", "hashing(dimension=48, seed=1)"
WORDS = [
    "red",
    "green",
    "blue",
    "round",
    "square",
    "flat",
    "loud",
    "quiet",
    "near",
    "far",
    "old",
    "new",
]
COUNT = 300

STAGES = {
    "encoding": (Hashing, "encode_batch", 4),
    "committing": (Writer, "_commit", 1),
    "aligning": (migration, "_aligned", 1),
    "learning anew": (migration, "_learnt_anew", 1),
    "replaying": (migration, "gate", 1),
    "cutting over": (migration, "cut_over", 1),
    "inside the transaction": (aliases, "who", 1),
}
"""What is called when the process is to be killed: where, its name, at which call."""


def texts() -> list[tuple[str, str]]:
    """Texts of five words; those with more of the first six words than of the others are warm."""
    random = np.random.default_rng(0)
    made = []
    for _ in range(COUNT):
        words = [WORDS[place] for place in random.integers(len(WORDS), size=5)]
        warm = sum(WORDS.index(word) < 6 for word in words) > 2
        made.append((" ".join(words), "warm" if warm else "cold"))
    return made


def write(path: Path) -> Path:
    """Write the texts as a table."""
    rows = [f"t{n},{text},{label}" for n, (text, label) in enumerate(texts())]
    path.write_text("\n".join(["id,text,kind", *rows]) + "\n")
    return path


def ready(folder: Path, catalog: str | None = None, keep_text: bool = True) -> Spaceport:
    """A store with notes@1.0.0 in production, and one consumer."""
    store = sp.open(folder / "store", catalog)
    path = write(folder / "notes.csv")
    source = sp.sources.texts(str(path), column="text", id="id", label="kind")
    store.build("notes", sp.encoders.hashing(dimension=32), source, keep_text=keep_text)
    store.store.promote("notes@1", "production")
    return store


def consume(store: Spaceport, folder: Path, tolerance: float = 0.25) -> None:
    """Register a consumer that reads the kind off the texts."""
    store.add_consumer(
        "notes", "heating", folder / "notes.csv", pin="1", column="text", label="kind",
        tolerance=tolerance,
    )  # fmt: skip


def costly() -> None:
    """Let hashing be costly, twenty items at a time, so that a build keeps what is encoded."""
    Hashing.costly = True
    Hashing.at_once = 20


def dying(function: Callable[..., Any], at: int) -> Callable[..., Any]:
    """A function that kills its process, without a word, when it is called for the `at`-th time."""
    calls = 0

    def killed(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)

    return killed


def main(folder: str, catalog: str, stage: str) -> None:
    """Migrate; die at `stage` if there is one of that name."""
    costly()
    if stage in STAGES:
        place, name, at = STAGES[stage]
        setattr(place, name, dying(getattr(place, name), at))
    store = sp.open(Path(folder, "store"), catalog)
    store.migrate("notes", NEW, alias="production", bar=0.0)


if __name__ == "__main__":
    main(*sys.argv[1:])
