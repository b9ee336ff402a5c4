"""How spooled items become rows: one an item, or one for each of its positions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from spaceport.arrays import Matrix
from spaceport.encoders.base import Encoder, contents
from spaceport.errors import InputError
from spaceport.spaces.journal import Encoded, Journal
from spaceport.spaces.layout import item_rows, unfixed

if TYPE_CHECKING:
    from spaceport.storage.vectors import VectorTable

__all__ = ["Encoding", "hashes", "keeps_positions", "row_ids", "row_schema"]

POSITION_COLUMNS = (("parent", pa.string()), ("position", pa.int32()), ("token", pa.string()))
"""What a row for a position has besides: the item it is of, its place from 0, what stands there."""


class Encoding:
    """An encoder, and what it has done already.

    Parameters
    ----------
    encoder : Encoder or None
        None: the items are vectors.
    unpublished : Path
        The space's folder for work that is not published yet; a `costly` encoder's goes there.
    """

    def __init__(self, encoder: Encoder | None, unpublished: Path) -> None:
        self.encoder = encoder
        self.positions = encoder is not None and encoder.keeps_positions
        self._journal: Journal | None = None
        if encoder is not None and encoder.costly:
            self._journal = Journal(unpublished / encoder.fingerprint[:32])

    def vectors(self, batch: pa.RecordBatch) -> Matrix:
        """The vectors of spooled items (r, d)."""
        return self._encoded(batch).vectors

    def rows(self, schema: pa.Schema, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Spooled items as rows of `schema`."""
        encoded = self._encoded(batch)
        return item_rows(
            schema, _spread(batch, encoded) if self.positions else batch, encoded.vectors
        )

    def _encoded(self, batch: pa.RecordBatch) -> Encoded:
        if self._journal is None or self.encoder is None:
            return self._fresh(batch)
        return self._journal.through(
            batch.column("content_hash").to_pylist(),
            lambda places: self._fresh(batch.take(pa.array(places))),
            self.encoder.at_once,
        )

    def _fresh(self, batch: pa.RecordBatch) -> Encoded:
        ones = np.ones(batch.num_rows, np.int64)
        if self.encoder is None:
            return Encoded(unfixed(batch.column("content")), ones)
        if not self.positions:
            return Encoded(self.encoder.encode(contents(batch)), ones)
        parts = self.encoder.parts(contents(batch))
        return Encoded(
            vectors=np.concatenate([vectors for _, vectors in parts]),
            counts=np.array([len(tokens) for tokens, _ in parts], np.int64),
            tokens=[token for tokens, _ in parts for token in tokens],
        )


def row_schema(items: pa.Schema, positions: bool) -> pa.Schema:
    """The spooled items' schema, with the columns of positions where these are kept.

    Raises
    ------
    InputError
        The items have a column of that name already.
    """
    if not positions:
        return items
    taken = [name for name, _ in POSITION_COLUMNS if name in items.names]
    if taken:
        raise InputError(
            f"The items have a column `{taken[0]}`, which rows of positions need for themselves.",
            "Rename it, or leave it out (--keep).",
        )
    return pa.schema([*items, *(pa.field(name, kind) for name, kind in POSITION_COLUMNS)])


def keeps_positions(table: pa.Schema) -> bool:
    """Whether a version's rows are positions of items."""
    return all(
        name in table.names and table.field(name).type == kind for name, kind in POSITION_COLUMNS
    )


def hashes(table: VectorTable) -> Iterator[tuple[str, bytes, bytes]]:
    """Of the item behind each row: id, content hash, item hash; an item comes as often as it has rows."""
    name = "parent" if keeps_positions(table.schema) else "id"
    for batch in table.scan([name, "content_hash", "item_hash"]):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def row_ids(table: VectorTable, items: Iterable[str]) -> list[str]:
    """The ids of the rows of some items."""
    wanted = set(items)
    if not keeps_positions(table.schema):
        return sorted(wanted)
    return [
        row
        for batch in table.scan(["id", "parent"])
        for row, parent in zip(*(column.to_pylist() for column in batch.columns), strict=True)
        if parent in wanted
    ]


def _spread(batch: pa.RecordBatch, encoded: Encoded) -> pa.RecordBatch:
    """A row for each position: the item's columns, repeated, with an id of its own."""
    item = np.repeat(np.arange(batch.num_rows), encoded.counts)
    starts = np.cumsum(encoded.counts) - encoded.counts
    position = np.arange(len(item)) - np.repeat(starts, encoded.counts)
    spread = {name: batch.column(name).take(pa.array(item)) for name in batch.schema.names}
    parents = spread["id"].to_pylist()
    ids = [f"{parent}#{place}" for parent, place in zip(parents, position, strict=True)]
    own = (spread["id"], pa.array(position, pa.int32()), pa.array(encoded.tokens, pa.string()))
    columns = spread | dict(zip((name for name, _ in POSITION_COLUMNS), own, strict=True))
    return pa.RecordBatch.from_pydict(columns | {"id": pa.array(ids, pa.string())})
