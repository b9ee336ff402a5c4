"""Read a version's files back, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spaceport.arrays import Matrix
from spaceport.encoders.base import Encoder, load
from spaceport.errors import CorruptError
from spaceport.geometry.neighbors import Graph
from spaceport.safe import read_arrays
from spaceport.spaces.canaries import Canaries

if TYPE_CHECKING:
    from spaceport.storage.store import Record, Store

__all__ = ["read_canaries", "read_cells", "read_encoder", "read_graph"]


def read_encoder(store: Store, record: Record) -> Encoder | None:
    """What made the vectors, ready to encode; None where they were imported."""
    if "encoder.json" not in store.files(record):
        return None
    store.file(record, "encoder.safetensors")
    return load(store.file(record, "encoder.json").parent)


def read_canaries(store: Store, record: Record) -> Canaries | None:
    """The inputs kept with their vectors; None where the vectors were imported."""
    if "canaries.json" not in store.files(record):
        return None
    return Canaries.from_json(store.read(record, "canaries.json"))


def read_graph(store: Store, record: Record) -> Graph:
    """The neighbor graph that was computed when the version was published."""
    arrays, told = _load(store, record, "graph.safetensors", finite=False)
    try:
        indices, similarities = arrays["indices"], arrays["similarities"]
        inside = (
            indices.dtype == np.int32 and (indices >= -1).all() and (indices < record.rows).all()
        )
        if not inside or similarities.shape != indices.shape or np.isnan(similarities).any():
            raise ValueError(indices.shape)
        return Graph(
            indices=indices,
            similarities=similarities,
            metric=told["metric"],
            method=told["method"],
            recall=float(told["recall"]),
            recall_queries=int(told["recall_queries"]),
        )
    except (KeyError, ValueError) as error:
        raise CorruptError(
            f"graph.safetensors of {record.reference} holds no neighbor graph.", "Build it again."
        ) from error


def read_cells(store: Store, record: Record) -> list[Matrix]:
    """The centroids of each level, coarse first; one partition for all versions of a major."""
    arrays, _ = _load(store, record, "cells.safetensors")
    return [arrays[name] for name in sorted(arrays)]


def _load(
    store: Store, record: Record, name: str, finite: bool = True
) -> tuple[dict[str, Any], dict[str, str]]:
    """The arrays and the strings beside them of a safetensors file."""
    return read_arrays(store.read(record, name), f"{name} of {record.reference}", finite=finite)
