"""Look after what lies on the disk: is it whole, and what of it does nobody need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from spaceport.errors import CorruptError
from spaceport.progress import track
from spaceport.storage.catalog import Record
from spaceport.storage.files import Entry
from spaceport.storage.places import Place
from spaceport.storage.vectors import HINT, VectorTable

__all__ = ["Removed", "leftovers", "sweep", "wrong_files", "wrong_rows"]


@dataclass(frozen=True)
class Removed:
    """A file that no version lists: its path from the store's folder, and its bytes."""

    path: str
    size: int


def wrong_files(place: Place, entries: Iterable[Entry], name: str) -> list[str]:
    """Which of `entries` below `place` are missing or changed, each as a line."""
    wrong = []
    for entry in track(entries, f"verifying {name}"):
        try:
            place.check(entry)
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


def leftovers(place: Place, inside: str, listed: set[str]) -> list[Removed]:
    """Find the files in `inside` that are not `listed`; all paths from `place`.

    Lance's hint, which names its newest version, is nobody's file; it stays where versions do.
    """
    found = {f"{inside}/{name}": size for name, size in (place / inside).listing().items()}
    datasets = {path.partition(".lance/")[0] for path in listed if ".lance/" in path}
    hints = {f"{dataset}.lance/{HINT}" for dataset in datasets}
    return [Removed(path, found[path]) for path in sorted(found.keys() - listed - hints)]


def sweep(place: Place, inside: str, removed: Iterable[Removed]) -> None:
    """Remove files in `inside`, and the folders that this leaves empty."""
    (place / inside).prune([file.path.removeprefix(f"{inside}/") for file in removed])
    (place / inside).tidy()
