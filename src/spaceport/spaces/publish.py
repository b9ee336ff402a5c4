"""Measure a version that is about to be, write its files, and publish it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spaceport.arrays import Matrix
from spaceport.encoders.base import Encoder
from spaceport.geometry import cells, neighbors
from spaceport.progress import task
from spaceport.spaces import card, identity
from spaceport.spaces.contract import Contract
from spaceport.spaces.items import Spool
from spaceport.spaces.layout import content_names
from spaceport.spaces.lineage import of_draft
from spaceport.storage.names import Number

if TYPE_CHECKING:
    from spaceport.spaces.draft import Draft, Order
    from spaceport.storage.store import Record, Store, Writer

__all__ = ["CELL_COUNTS", "NEIGHBORS", "publish"]

NEIGHBORS = 15
CELL_COUNTS = (10, 64)


def publish(store: Store, writer: Writer, draft: Draft) -> Record:
    """Measure, write the version's files, and commit it."""
    vectors = draft.table.matrix()
    contract = _contract(draft, vectors)
    with task("finding neighbors", total=1, unit="steps"):
        graph = neighbors.graph(vectors, k=NEIGHBORS, metric=contract.metric)
    _write_graph(writer.folder, graph)
    _write_cells(store, writer.folder, draft, vectors, contract.metric)
    encoder = draft.order.encoder
    if encoder is not None:
        encoder.save(writer.folder)
        identity.write(writer.folder, encoder)
    if draft.canaries is not None:
        (writer.folder / "canaries.json").write_text(draft.canaries.to_json(), encoding="utf-8")
    facts = card.measure(draft, contract, vectors, graph)
    (writer.folder / "card.json").write_text(card.to_json(facts), encoding="utf-8")
    return writer.publish(
        _number(draft),
        kind=draft.change.kind,
        contract=contract.to_dict(),
        fingerprint=contract.fingerprint,
        spec="" if encoder is None else encoder.spec,
        notes=_notes(draft),
        lineage=of_draft(draft, contract.fingerprint),
    )


def _contract(draft: Draft, vectors: Matrix) -> Contract:
    encoder, order = draft.order.encoder, draft.order
    lengths = np.linalg.norm(vectors, axis=1)
    unit = bool(np.all((np.abs(lengths - 1) < 1e-4) | (lengths == 0)) and lengths.any())
    return Contract(
        modality=_modality(order),
        dimension=vectors.shape[1],
        metric=order.metric,
        normalized=unit,
        fingerprint=_given_fingerprint(vectors.shape[1])
        if encoder is None
        else encoder.fingerprint,
        roles=("document", "query") if isinstance(encoder, Encoder) else ("document",),
    )


def _modality(order: Order) -> str:
    """Words learnt from texts are words; everything else is what the source gives."""
    learnt_words = order.rows == "entities" and order.source.modality == "texts"
    return "words" if learnt_words else order.source.modality


def _given_fingerprint(dimension: int) -> str:
    """Vectors that came without their encoder: nothing is known but their dimension."""
    return f"{dimension:064x}"


def _number(draft: Draft) -> Number:
    return Number(1, 0, 0) if draft.base is None else draft.base.number.bump(draft.change.kind)


def _notes(draft: Draft) -> dict[str, Any]:
    notes: dict[str, Any] = {
        "reason": draft.change.reason,
        "source": draft.order.source.spec,
        "label": draft.order.source.label,
    }
    if draft.evidence is not None:
        notes["evidence"] = asdict(draft.evidence)
    if draft.order.encoder is not None:
        notes["encoder"] = draft.order.encoder.name
    if isinstance(draft.order.source, Spool):
        notes["content"] = content_names(draft.table.schema, draft.order.source.schema)
    if draft.source_digest is not None:
        notes["source_digest"] = draft.source_digest
    return notes


def _write_graph(folder: Path, graph: neighbors.Graph) -> None:
    from safetensors.numpy import save_file

    told = {
        "metric": graph.metric,
        "method": graph.method,
        "recall": repr(graph.recall),
        "recall_queries": str(graph.recall_queries),
    }
    arrays = {"indices": graph.indices, "similarities": graph.similarities}
    save_file(arrays, folder / "graph.safetensors", metadata=told)


def _write_cells(store: Store, folder: Path, draft: Draft, vectors: Matrix, metric: str) -> None:
    """A major gets its own partition; what follows keeps it, so that cells can be compared."""
    from safetensors.numpy import save_file

    if draft.base is not None and draft.change.kind != "major":
        (folder / "cells.safetensors").write_bytes(store.read(draft.base, "cells.safetensors"))
        return
    levels = cells.fit(vectors, counts=CELL_COUNTS, metric=metric, seed=0)
    arrays = {f"level{level}": np.ascontiguousarray(rows) for level, rows in enumerate(levels)}
    save_file(arrays, folder / "cells.safetensors")
