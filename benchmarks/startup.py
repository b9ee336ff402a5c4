"""How long the command line takes to say what it can do."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path


def run() -> list[dict[str, object]]:
    """Wall seconds of ``spaceport --help`` in a fresh process, warm, beside an empty Python."""
    spaceport = str(Path(sys.executable).with_name("spaceport"))
    return [
        {
            "what": "python -c pass",
            "seconds (median of 9)": wall([sys.executable, "-c", "pass"]),
            "target": "",
        },
        {
            "what": "spaceport --help",
            "seconds (median of 9)": wall([spaceport, "--help"]),
            "target": "< 0.4",
        },
    ]


def wall(command: list[str]) -> float:
    """Median wall seconds of nine runs after one warm-up."""
    times = []
    for _ in range(10):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])
