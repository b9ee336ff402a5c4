"""A program that updates a monitor until it is killed: ``watcher.py STORE CATALOG REFERENCE JOURNAL SEED``."""

from __future__ import annotations

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from torture.journal import Journal
from torture.watching import events, open_monitor

from spaceport.storage.store import open_store


def main(path: str, catalog: str, reference: str, journal: str, seed: str) -> None:
    said, rng = Journal(Path(journal), "watch"), random.Random(seed)
    monitor = open_monitor(open_store(path, catalog), reference)
    for _ in range(1000):
        token = f"{rng.getrandbits(64):016x}"
        said.say("updating", events=token)
        for labeled in (False, True):
            told = events(token, monitor.version.contract.dimension, labeled)
            monitor.update(told, wait=60.0)
        said.say("watched", events=token)


if __name__ == "__main__":
    main(*sys.argv[1:])
