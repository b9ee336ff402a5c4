"""Read a version's files back, checked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from spaceport.arrays import Matrix
from spaceport.encoders.base import Encoder, load
from spaceport.errors import CorruptError
from spaceport.geometry.neighbors import Graph
from spaceport.spaces.contract import Canaries

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
    arrays, told = _load(store, record, "graph.safetensors")
    return Graph(
        indices=arrays["indices"],
        similarities=arrays["similarities"],
        metric=told["metric"],
        method=told["method"],
        recall=float(told["recall"]),
        recall_queries=int(told["recall_queries"]),
    )


def read_cells(store: Store, record: Record) -> list[Matrix]:
    """The centroids of each level, coarse first; one partition for all versions of a major."""
    arrays, _ = _load(store, record, "cells.safetensors")
    return [arrays[name] for name in sorted(arrays)]


def _load(store: Store, record: Record, name: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The arrays and the strings beside them of a safetensors file."""
    from safetensors import SafetensorError
    from safetensors.numpy import load as load_arrays

    data = store.read(record, name)
    try:
        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + size])
        return load_arrays(data), header.get("__metadata__", {})
    except (SafetensorError, ValueError) as error:
        raise CorruptError(
            f"{name} of {record.reference} cannot be read.", "Build it again."
        ) from error
