"""A file that must be refused, and the trap for whoever unpickles."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Case", "Trap"]


class Case(NamedTuple):
    """A file that must be refused: who reads it, what it is called, its bytes."""

    reader: str
    name: str
    data: bytes


class Trap:
    """Whoever unpickles this writes a file, and is caught by it."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (str(self.place), "w"))
