"""A part of a source's items, drawn by a hash of their ids: the same items whatever their order."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from spaceport.encoders.base import contents
from spaceport.errors import NotFoundError, choices
from spaceport.sources.base import Source, content_bytes

__all__ = ["Sample", "draw"]


@dataclass(frozen=True)
class Sample:
    """Items, their metadata, and what they were drawn from.

    Attributes
    ----------
    items : list
        Contents.
    columns : dict of str to list
        The metadata that was asked for.
    seen, repeated : int
        Items of the source; those left out because the same content stands before them.
    """

    items: list[Any]
    columns: dict[str, list[Any]]
    seen: int
    repeated: int


def draw(
    source: Source, columns: Sequence[str], size: int, seed: int = 0, repeats: bool = False
) -> Sample:
    """Draw `size` items, or all where there are fewer; the source is read once.

    Parameters
    ----------
    source : Source
    columns : sequence of str
        Metadata to keep.
    size, seed : int
    repeats : bool
        Keep items whose content stands before them, too.

    Raises
    ------
    NotFoundError
        The source has no such column.
    """
    known: set[bytes] = set()
    seen = repeated = 0
    drawn: list[tuple[bytes, int, Any, tuple[Any, ...]]] = []
    for key, digest, content, values in _rows(source, columns, seed):
        seen += 1
        if digest in known and not repeats:
            repeated += 1
            continue
        known.add(digest)
        entry = (key, -seen, content, values)
        if len(drawn) < size:
            heapq.heappush(drawn, entry)
        elif key > drawn[0][0]:
            heapq.heapreplace(drawn, entry)
    drawn.sort(key=lambda entry: -entry[1])
    told = {name: [entry[3][place] for entry in drawn] for place, name in enumerate(columns)}
    return Sample([entry[2] for entry in drawn], told, seen, repeated)


def _rows(
    source: Source, columns: Sequence[str], seed: int
) -> Iterator[tuple[bytes, bytes, Any, tuple[Any, ...]]]:
    """Of each item: its lot, its content's digest, its content, its metadata."""
    for batch in source.batches():
        for name in columns:
            if name not in batch.schema.names:
                known = [other for other in batch.schema.names if other not in ("id", "content")]
                raise NotFoundError(f"{source.spec} has no column `{name}`.", choices(name, known))
        told = [batch.column(name).to_pylist() for name in columns]
        metadata = zip(*told, strict=True) if told else iter([()] * batch.num_rows)
        digests = [
            blake2b(data, digest_size=16).digest() for data in content_bytes(batch["content"])
        ]
        for id, digest, content, values in zip(
            batch.column("id").to_pylist(), digests, contents(batch), metadata, strict=True
        ):
            lot = blake2b(f"{seed} {id}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
            yield lot, digest, content, values
