"""The items of cells as a file, for whoever gives them labels anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spaceport.drift.panel.localization import CellChange

__all__ = ["write"]


def write(cells: Sequence[CellChange], path: str | Path) -> Path:
    """Write items as Parquet: ``id``, ``cell``, ``level``, ``why``, ``novelty``, and the metadata as columns.

    A column of the metadata with one of these names gets an underscore at its end.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [(cell, item) for cell in cells for item in cell.items]
    columns: dict[str, Any] = {
        "id": pa.array([item.id for _, item in rows], pa.string()),
        "cell": pa.array([cell.cell for cell, _ in rows], pa.int32()),
        "level": pa.array([cell.level for cell, _ in rows], pa.int32()),
        "why": pa.array([item.why for _, item in rows], pa.string()),
        "novelty": pa.array([item.novelty for _, item in rows], pa.float64()),
    }
    for name in dict.fromkeys(name for _, item in rows for name in item.metadata):
        free = name
        while free in columns:
            free += "_"
        columns[free] = pa.array([item.metadata.get(name) for _, item in rows])
    pq.write_table(pa.table(columns), path)
    return Path(path)
