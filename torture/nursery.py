"""Brings workers into the world: imports everything once, then forks one for each line it is sent.

It never opens a store itself, so that no thread and no lock is in it when it forks.
"""

from __future__ import annotations

import ctypes
import json
import os
import random
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

__all__ = ["main"]

_DIE_WITH_PARENT = 1


def main() -> None:
    """Read orders from standard input, one a line; write each child's process id."""
    warnings.simplefilter("ignore")  # Lance says that forking is not safe; nothing of it runs here
    _import_all()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _live(order)
        print(child, flush=True)


def _import_all() -> None:
    import faiss
    import lance
    import sklearn.cluster

    import spaceport.encoders.hashing
    import spaceport.monitoring.monitor
    import spaceport.sources.texts
    import spaceport.spaces.spaceport
    import spaceport.storage.store
    import torture.saboteurs
    import torture.workers

    _ = (faiss, lance, sklearn, spaceport, torture)


def _live(order: dict[str, Any]) -> None:
    from torture import saboteurs, workers
    from torture.journal import Journal

    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    code = 1
    try:
        os.close(0)
        if order["saboteur"]:
            saboteurs.SABOTEURS[order["saboteur"]]()
        journal = Journal(Path(order["journal"]), order["work"])
        rng, stop = random.Random(order["seed"]), Path(order["stop"])
        workers.run(
            workers.Post(order["root"], order["catalog"], journal, rng, stop), order["work"]
        )
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
