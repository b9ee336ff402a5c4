"""A task's items: read from the consumer's file once, then kept in the store as one Arrow file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.arrays import Matrix
from spaceport.encoders.base import contents
from spaceport.errors import CorruptError, InputError, ParameterError
from spaceport.methods import make
from spaceport.sources.base import Source
from spaceport.spaces.samples import draw

if TYPE_CHECKING:
    from spaceport.spaces.version import Version

__all__ = ["MOST", "drawn", "pack_items", "source_of", "unpack_items", "vectors_of"]

MOST = 5000
"""Items that a task keeps at most; of a larger file so many are drawn by a hash of their ids."""


def source_of(
    task: Source | str | os.PathLike[str],
    modality: str,
    column: str | None,
    keep: str,
    by_id: str | None,
) -> Source:
    """The source that reads a task's file as the space's items are read.

    Parameters
    ----------
    task : Source or path
        A source is taken as it is.
    modality : str
        Of the space.
    column : str, optional
        The column with the content.
    keep : str
        The metadata column that is wanted besides.
    by_id : str, optional
        The column with ids of the space's own items, in place of contents.
    """
    if isinstance(task, Source):
        return task
    path = os.fspath(task)
    if by_id is not None or modality in ("words", "texts", "interactions", "pairs"):
        told: dict[str, Any] = {"column": by_id or column, "keep": [keep]}
        return _made("texts", {"path": path, **told, "skip_empty": True})
    if modality == "table":
        return _made("table", {"path": path, "label": keep})
    return _made(modality, {"path": path, "column": column, "label": keep})


def _made(name: str, params: dict[str, Any]) -> Source:
    found: Source = make("sources", name, params)
    return found


def drawn(source: Source, keep: str, repeats: bool = False) -> tuple[pa.Array, list[Any], int]:
    """The contents of at most `MOST` items as Arrow, the values of `keep`, and how many items there are.

    Contents that stand twice are taken once, unless `repeats`: what was learnt from is not asked.
    """
    if keep == "id":
        raise ParameterError("`id` names the items and is no label.", "Name another column.")
    sample = draw(source, [keep], MOST, repeats=repeats)
    kind = next(iter(source.batches())).column("content").type
    return pa.array(_plain(sample.items), kind), sample.columns[keep], sample.seen


def _plain(items: Sequence[Any]) -> list[Any]:
    """Items as Arrow takes them: a row of an array as a list, a struct of Arrow as a dict."""
    return [
        item.as_py() if isinstance(item, pa.Scalar) else item.tolist() if hasattr(item, "tolist") else item
        for item in items
    ]  # fmt: skip


def vectors_of(
    version: Version, items: pa.Array, by_id: bool, role: str
) -> tuple[Matrix, npt.NDArray[np.bool_]]:
    """The vectors (n, d) of a task's items in a version, and which of them the version has.

    Raises
    ------
    ParameterError
        The version was imported without an encoder, and the items are contents.
    InputError
        The encoder knows nothing of any of the items.
    """
    if by_id:
        return _looked_up(version, items.to_pylist())
    if version.encoder is None:
        raise ParameterError(
            f"{version.reference} was imported without an encoder, so the task's items cannot be encoded.",
            "Name the column with ids of the space's items (by_id=, --by-id).",
        )
    batch = pa.RecordBatch.from_pydict({"content": items})
    X = np.asarray(version.encoder.encode(contents(batch), role=role))
    if not X.any():
        raise InputError(
            f"{version.record.spec} knows nothing of any of the {len(items)} items.",
            "Give items of the kind that the space was built from.",
        )
    return X, np.ones(len(X), bool)


def _looked_up(version: Version, ids: Sequence[str]) -> tuple[Matrix, npt.NDArray[np.bool_]]:
    own = set(version.ids)
    known = np.array([name in own for name in ids], bool)
    if not known.any():
        raise InputError(
            f"None of the {len(ids)} ids of the task is in {version.reference}; the first is {ids[0]!r}.",
            "Name the column that holds ids of the space's items.",
        )
    X = np.zeros((len(ids), version.record.dimension), np.float32)
    X[known] = np.asarray(version.vectors([name for name in ids if name in own]))
    return X, known


def pack_items(columns: dict[str, pa.Array]) -> bytes:
    """Columns of one length as the bytes of an Arrow file."""
    batch = pa.RecordBatch.from_pydict(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, batch.schema) as writer:
        writer.write_batch(batch)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def unpack_items(data: bytes) -> dict[str, pa.Array]:
    """Undo `pack_items`."""
    try:
        table = pa.ipc.open_file(data).read_all().combine_chunks()
    except pa.ArrowInvalid as error:
        raise CorruptError(
            "A task's items cannot be read.", "Remove the consumer and add it again."
        ) from error
    return {name: table.column(name).chunk(0) for name in table.schema.names}
