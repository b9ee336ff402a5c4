"""Kill -9 in the middle of updates, two writers at once: the state is the one before or the one after."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from torture.journal import Journals
from torture.watching import wrong

from monitoring.worlds import world
from spaceport.storage.store import Store

WATCHER = Path(__file__).with_name("watcher.py")
ROUNDS, WRITERS = 4, 2


def check(store: Store, journals: Path) -> list[str]:
    lines = Journals(journals).said()
    done = {line["events"] for line in lines if line["phase"] == "watched"}

    def begun() -> set[str]:
        return {line["events"] for line in lines}

    found = wrong(store, "g", done, begun) + store.verify(store.resolve("g@1"))
    store.gc()
    strays = {f"monitors/{name}" for name in (store.place / "monitors").listing()}
    listed = [store.watched.files(watch) for watch in store.watched.monitors("g")]
    found += [f"a stray: {path}" for path in strays - {p for files in listed for p in files}]
    return found + wrong(store, "g", done, begun)


@pytest.mark.slow
def test_kill_minus_nine_in_the_middle_of_updates(tmp_path: Path, catalog_url: str) -> None:
    store = world(tmp_path, catalog_url).store
    rng, journals = random.Random(6), tmp_path / "journals"
    journals.mkdir()
    born = 0
    for _ in range(ROUNDS):
        children = []
        for _ in range(WRITERS):
            born += 1
            told = [tmp_path / "store", catalog_url, "g@1", journals / f"{born}.jsonl", born]
            command = [sys.executable, str(WATCHER), *map(str, told)]
            children.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
        count = len(Journals(journals).said())
        until = time.monotonic() + 120
        while len(Journals(journals).said()) < count + 6 and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(rng.uniform(0, 1.0))
        for child in children:
            said = child.poll()
            child.kill()
            assert said is None, child.communicate()[1]
            child.communicate()
        assert check(store, journals) == []
    (watch,) = store.watched.monitors("g")
    assert len(store.watched.updates(watch)) >= ROUNDS
