"""What each worker says it is about to do and has done; a line is one write, so a kill leaves it whole."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["IDLE", "Journal", "Journals", "last", "lines"]

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


def last(path: Path) -> str:
    """What the worker is at now."""
    if not path.exists():
        return "starting"
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))
        whole = file.read().split(b"\n")[:-1]
    try:
        return str(json.loads(whole[-1])["phase"]) if whole else "starting"
    except ValueError:  # one line longer than what was read
        return "fault"


class Journals:
    """All journals of a folder; what has been read is not read again.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places: dict[Path, int] = {}
        self._said: dict[Path, list[dict[str, Any]]] = {}

    def said(self) -> list[dict[str, Any]]:
        """Every line so far, each worker's in order."""
        for path in sorted(self._folder.glob("*.jsonl")):
            place = self._places.get(path, 0)
            if path.stat().st_size == place:
                continue
            with path.open("rb") as file:
                file.seek(place)
                whole = file.read().rpartition(b"\n")[0]
            self._places[path] = place + len(whole) + 1 if whole else place
            new = [json.loads(line) for line in whole.split(b"\n")] if whole else []
            self._said.setdefault(path, []).extend(new)
        return [line for of_one in self._said.values() for line in of_one]


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Every whole line of a journal so far."""
    if path.exists():
        for line in path.read_bytes().split(b"\n")[:-1]:
            yield json.loads(line)
