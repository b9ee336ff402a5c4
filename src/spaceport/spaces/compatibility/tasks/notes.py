"""The two small files that every kept task has: what it is, and what it scored at first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from spaceport.safe import read_arrays, read_json
from spaceport.spaces.compatibility.tasks.base import Read, Scores

__all__ = ["read_notes", "write_notes"]


def write_notes(folder: Path, notes: dict[str, Any], baseline: Scores) -> None:
    """Write ``task.json`` and ``baseline.safetensors``."""
    from safetensors.numpy import save_file

    told = json.dumps(notes, ensure_ascii=False, allow_nan=False, sort_keys=True)
    (folder / "task.json").write_text(told, encoding="utf-8")
    save_file({"scores": baseline}, folder / "baseline.safetensors")


def read_notes(read: Read) -> tuple[dict[str, Any], Scores]:
    """Undo `write_notes`."""
    arrays, _ = read_arrays(read("baseline.safetensors"), "the task's baseline")
    notes: dict[str, Any] = read_json(read("task.json"), "task.json")
    return notes, arrays["scores"]
