"""Look after what lies on the disk: is it whole, and what of it does nobody need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from spaceport.errors import CorruptError
from spaceport.progress import track
from spaceport.safe import inside
from spaceport.storage.catalog import Record
from spaceport.storage.files import Entry, check, listing, prune
from spaceport.storage.vectors import HINT, VectorTable

__all__ = ["Removed", "leftovers", "sweep", "wrong_files", "wrong_rows"]


@dataclass(frozen=True)
class Removed:
    """A file that no version lists: its path from the store's folder, and its bytes."""

    path: str
    size: int


def wrong_files(root: Path, entries: Iterable[Entry], name: str) -> list[str]:
    """Which of `entries` below `root` are missing or changed, each as a line."""
    wrong = []
    for entry in track(entries, f"verifying {name}"):
        try:
            check(inside(root, entry.path), entry)
        except CorruptError as error:
            wrong.append(error.what)
    return wrong


def wrong_rows(table: VectorTable, record: Record) -> list[str]:
    """Where the rows are not what `record` says: their number, their dimension, ids that repeat."""
    try:
        ids = pa.chunked_array([batch.column("id") for batch in table.scan(["id"])], pa.string())
        found = {"rows": len(ids), "dimension": table.dimension}
        distinct = pc.count_distinct(ids).as_py()
    except CorruptError as error:
        return [error.what]
    said = {"rows": record.rows, "dimension": record.dimension}
    wrong = [
        f"{record.reference} has {found[k]} {k} in place of {said[k]}."
        for k in said
        if found[k] != said[k]
    ]
    if distinct < len(ids):
        wrong.append(f"{record.reference} has {len(ids) - distinct} repeated ids.")
    return wrong


def leftovers(root: Path, folder: Path, listed: set[str]) -> list[Removed]:
    """Find the files below `folder` that are not `listed`; all paths from `root`.

    Lance's hint, which names its newest version, is nobody's file; it stays where versions do.
    """
    inside = folder.relative_to(root).as_posix()
    found = (f"{inside}/{name}" for name in listing(folder))
    datasets = {path.partition(".lance/")[0] for path in listed if ".lance/" in path}
    hints = {f"{dataset}.lance/{HINT}" for dataset in datasets}
    return [
        Removed(path, (root / path).lstat().st_size) for path in sorted(set(found) - listed - hints)
    ]


def sweep(root: Path, folder: Path, removed: Iterable[Removed]) -> None:
    """Remove files, and the folders that this leaves empty."""
    inside = folder.relative_to(root).as_posix()
    prune(folder, (file.path.removeprefix(f"{inside}/") for file in removed))
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
            path.rmdir()
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
