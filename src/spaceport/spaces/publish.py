"""Measure a version that is about to be, write its files, and publish it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spaceport.arrays import Matrix
from spaceport.encoders.base import Encoder
from spaceport.geometry import cells, neighbors
from spaceport.progress import task
from spaceport.spaces import card, identity, prefixes
from spaceport.spaces.canaries import Canaries, spread_rows, tolerance_of
from spaceport.spaces.contract import TOLERANCE, Contract
from spaceport.spaces.fingerprints import ENCODER, fingerprint_of
from spaceport.spaces.items import Spool
from spaceport.spaces.layout import content_names
from spaceport.spaces.lineage import of_draft
from spaceport.spaces.reading import read_canaries, read_cells
from spaceport.storage.names import Number

if TYPE_CHECKING:
    from spaceport.spaces.draft import Draft, Order
    from spaceport.storage.store import Record, Store, Writer

__all__ = ["CELL_COUNTS", "NEIGHBORS", "publish"]

NEIGHBORS = 15
CELL_COUNTS = (10, 64)


def publish(store: Store, writer: Writer, draft: Draft) -> Record:
    """Measure, write the version's files, and commit it."""
    vectors, metric = draft.table.matrix(), draft.order.metric
    with task("finding neighbors", total=1, unit="steps"):
        graph = neighbors.graph(vectors, k=NEIGHBORS, metric=metric)
    _write_graph(writer.folder, graph)
    levels = _write_cells(store, writer.folder, draft, vectors, metric)
    encoder = draft.order.encoder
    if encoder is not None:
        encoder.save(writer.folder)
        identity.write(writer.folder, encoder)
    canaries, tolerance = _canaries(store, draft, vectors, levels)
    if canaries is not None:
        (writer.folder / "canaries.json").write_text(canaries.to_json(), encoding="utf-8")
    contract = _contract(draft, vectors, canaries, tolerance)
    facts = card.measure(draft, contract, vectors, graph, canaries)
    (writer.folder / "card.json").write_text(card.to_json(facts), encoding="utf-8")
    return writer.publish(
        _number(draft),
        kind=draft.change.kind,
        contract=contract.to_dict(),
        fingerprint=contract.fingerprint,
        spec="" if encoder is None else encoder.spec,
        notes=_notes(draft, contract),
        lineage=of_draft(draft, contract.fingerprint),
    )


def _contract(
    draft: Draft, vectors: Matrix, canaries: Canaries | None, tolerance: float
) -> Contract:
    encoder, order = draft.order.encoder, draft.order
    lengths = np.linalg.norm(vectors, axis=1)
    unit = bool(np.all((np.abs(lengths - 1) < 1e-4) | (lengths == 0)) and lengths.any())
    shorter = _shorter(draft, vectors)
    return Contract(
        modality=_modality(order),
        dimension=vectors.shape[1],
        metric=order.metric,
        normalized=unit,
        fingerprint=fingerprint_of(draft, vectors, canaries),
        roles=("document", "query") if isinstance(encoder, Encoder) else ("document",),
        dimensions=tuple(shorter),
        tolerance=tolerance,
        losses=tuple(shorter.values()),
    )


def _shorter(draft: Draft, vectors: Matrix) -> dict[int, float]:
    """Shorter dimensions with what is lost: as asked for, as promised, and as offered if worth it."""
    encoder, base, width = draft.order.encoder, draft.base, vectors.shape[1]
    promised: tuple[int, ...] = ()
    if base is not None and draft.change.kind != "major":
        promised = Contract.from_dict(base.contract).dimensions
    sure = prefixes.wanted((*draft.order.dimensions, *promised), width)
    offered = prefixes.halves(width) if encoder is not None and encoder.leading else ()
    every = prefixes.wanted((*sure, *offered), width)
    lost = dict(zip(every, prefixes.losses(vectors, every, draft.order.metric), strict=True))
    return {each: loss for each, loss in lost.items() if each in sure or loss <= prefixes.WORTH}


def _canaries(
    store: Store, draft: Draft, vectors: Matrix, levels: Sequence[Matrix]
) -> tuple[Canaries | None, float]:
    """The canaries and their tolerance: the base's where they held, else chosen and measured anew."""
    encoder, base = draft.order.encoder, draft.base
    if encoder is None or draft.contents is None:
        return None, TOLERANCE
    if base is not None and draft.change.kind != "major":
        tolerance = Contract.from_dict(base.contract).tolerance
        kept, evidence = read_canaries(store, base), draft.evidence
        departure = None if evidence is None else evidence.canary_departure
        if kept is not None and departure is not None and departure <= tolerance:
            return kept, tolerance
    ids = draft.table.ids()
    rows = spread_rows(vectors, levels, draft.order.metric)
    items = draft.contents([ids[row] for row in rows])
    with task("measuring canaries", total=1, unit="steps"):
        canaries = Canaries.of(encoder, items, vectors[rows] if draft.encoded else None)
    return canaries, tolerance_of(canaries.noise or 0.0)


def _modality(order: Order) -> str:
    """Words learnt from texts are words; everything else is what the source gives."""
    learnt_words = order.rows == "entities" and order.source.modality == "texts"
    return "words" if learnt_words else order.source.modality


def _number(draft: Draft) -> Number:
    return Number(1, 0, 0) if draft.base is None else draft.base.number.bump(draft.change.kind)


def _notes(draft: Draft, contract: Contract) -> dict[str, Any]:
    notes: dict[str, Any] = {
        "reason": draft.change.reason,
        "source": draft.order.source.spec,
        "label": draft.order.source.label,
    }
    if draft.evidence is not None:
        notes["evidence"] = draft.evidence.to_dict()
    encoder = draft.order.encoder
    if encoder is not None:
        notes["encoder"] = encoder.name
        if encoder.fingerprint != contract.fingerprint:
            notes[ENCODER] = encoder.fingerprint
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


def _write_cells(
    store: Store, folder: Path, draft: Draft, vectors: Matrix, metric: str
) -> list[Matrix]:
    """A major gets its own partition; what follows keeps it, so that cells can be compared."""
    from safetensors.numpy import save_file

    if draft.base is not None and draft.change.kind != "major":
        (folder / "cells.safetensors").write_bytes(store.read(draft.base, "cells.safetensors"))
        return read_cells(store, draft.base)
    levels = cells.fit(vectors, counts=CELL_COUNTS, metric=metric, seed=0)
    arrays = {f"level{level}": np.ascontiguousarray(rows) for level, rows in enumerate(levels)}
    save_file(arrays, folder / "cells.safetensors")
    return levels
