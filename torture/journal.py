"""What each worker says it is about to do and has done; a line is one write, so a kill leaves it whole."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["IDLE", "Journal", "lines"]

IDLE = "between"


@dataclass
class Journal:
    """One worker's lines.

    Attributes
    ----------
    path : Path
    work : str
        What kind of worker it is.
    """

    path: Path
    work: str

    def __post_init__(self) -> None:
        self._file = os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def say(self, phase: str, **told: Any) -> None:
        """Write a line; `phase` is what is being done from now on."""
        line = json.dumps({"work": self.work, "phase": phase, **told}) + "\n"
        os.write(self._file, line.encode())


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Every whole line of a journal so far."""
    if path.exists():
        for line in path.read_bytes().split(b"\n")[:-1]:
            yield json.loads(line)
