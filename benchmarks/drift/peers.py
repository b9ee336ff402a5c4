"""Evidently's four methods, as they come and by bootstrap, beside the panel on the same data.

    python -m benchmarks.drift.peers [--runs 20] [--permutations 199]

Evidently cannot live beside this project's libraries, so the benchmark makes an environment of its own under
`.bench/evidently` and runs a script there that reads `.npy` files. Where it cannot be installed there are only
the panel's rows, and a row that says so. Seconds are of one comparison on this machine, without reading
and importing; memory is what the process held at most.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.drift.worlds import WORLDS, World
from benchmarks.tables import table

Row = dict[str, Any]

WANTED = ("evidently==0.7.23", "pandas<3")
PLACE = Path(__file__).resolve().parents[2] / ".bench" / "evidently"
PANEL = "spaceport panel"

SCRIPT = """
import json, resource, sys, time, warnings
warnings.filterwarnings("ignore")
import numpy as np, pandas as pd
from evidently.legacy.metrics.data_drift.embedding_drift_methods import distance, mmd, model, ratio
ways = {
    "model": model(), "model, bootstrap": model(bootstrap=True),
    "mmd": mmd(), "mmd, bootstrap": mmd(bootstrap=True),
    "ratio": ratio(), "distance": distance(), "distance, bootstrap": distance(bootstrap=True),
}
way = ways[sys.argv[1]]
for line in sys.stdin:
    X, Y = (pd.DataFrame(np.load(path)) for path in line.split())
    X.columns = Y.columns = [f"c{i}" for i in range(X.shape[1])]
    start = time.perf_counter()
    alarm = bool(way(Y, X)[1])
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps([alarm, seconds, peak]), flush=True)
"""
OURS = """
import json, resource, sys, time
import numpy as np
from spaceport.drift._pooled import Pooled
from spaceport.drift.panel.comparing import judge
for line in sys.stdin:
    X, Y = (np.load(path) for path in line.split())
    start = time.perf_counter()
    alarm = judge(Pooled.of_rows(X, Y, int(sys.argv[1]))).drift
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps([alarm, seconds, peak]), flush=True)
"""
WAYS = (
    "model",
    "model, bootstrap",
    "mmd",
    "mmd, bootstrap",
    "ratio",
    "distance",
    "distance, bootstrap",
)


def run(runs: int = 20, permutations: int = 199, only: tuple[str, ...] = ()) -> list[Row]:
    """A row for each world and method."""
    theirs = installed()
    rows: list[Row] = []
    if theirs is None:
        rows.append({"method": "evidently cannot be installed here: the panel alone is measured"})
    with tempfile.TemporaryDirectory() as folder:
        for name, world in WORLDS.items():
            if only and name not in only:
                continue
            pairs = list(written(Path(folder), world, runs))
            for row in judged(pairs, theirs, permutations):
                rows.append({"world": name, **row})
                print(json.dumps(rows[-1]), flush=True)
    return rows


def judged(pairs: list[str], theirs: Path | None, permutations: int) -> Iterator[Row]:
    """Ours, and theirs if they are there."""
    yield measured(PANEL, [sys.executable, "-c", OURS, str(permutations)], pairs)
    for way in WAYS if theirs else ():
        yield measured(f"evidently {way}", [str(theirs), "-c", SCRIPT, way], pairs)


def measured(method: str, command: list[str], pairs: list[str]) -> Row:
    """How often one method alarms, how long it takes, what it holds."""
    done = subprocess.run(
        command, input="\n".join(pairs), capture_output=True, text=True, check=False
    )
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    if len(told) < len(pairs):
        return {"method": method, "alarms": f"failed: {done.stderr.strip().splitlines()[-1:]}"}
    alarms, seconds, peaks = (np.array(each) for each in zip(*told, strict=True))
    return {
        "method": method,
        "alarms": f"{int(alarms.sum())} of {len(alarms)}",
        "seconds": float(np.median(seconds)),
        "MiB": float(peaks.max() / 1024),
    }


def written(folder: Path, world: World, runs: int) -> Iterator[str]:
    """Draw each pair once, for all methods."""
    for seed in range(runs):
        paths = []
        for name, rows in zip("XY", world(np.random.default_rng(seed)), strict=True):
            paths.append(folder / f"{name}{seed}.npy")
            np.save(paths[-1], rows.astype(np.float32))
        yield " ".join(map(str, paths))


def installed() -> Path | None:
    """The other environment's Python, made where it is not there; None where that fails."""
    python = PLACE / "bin" / "python"
    if not _works(python):
        make: list[Callable[[], list[str]]] = [
            lambda: [sys.executable, "-m", "venv", str(PLACE)],
            lambda: [str(python), "-m", "pip", "install", "-q", *WANTED],
        ]
        for command in make:
            if subprocess.run(command(), capture_output=True, check=False).returncode:
                return None
    return python if _works(python) else None


def _works(python: Path) -> bool:
    told = [str(python), "-c", "import evidently, pandas"]
    return python.exists() and not subprocess.run(told, capture_output=True, check=False).returncode


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--permutations", type=int, default=199)
    parser.add_argument("--only", nargs="*", default=())
    told = parser.parse_args()
    start = time.perf_counter()
    print(table(run(told.runs, told.permutations, tuple(told.only))))
    print(f"{time.perf_counter() - start:.0f} s")
