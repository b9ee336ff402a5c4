"""Gather what the kind of a version is decided on: canaries encoded again, shared items compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from spaceport.arrays import Matrix
from spaceport.encoders.base import Encoder
from spaceport.spaces.change import Evidence, compare_shared
from spaceport.spaces.contract import Contract
from spaceport.spaces.layout import pick, unfixed
from spaceport.spaces.reading import read_canaries

if TYPE_CHECKING:
    from spaceport.storage.store import Record, Store

__all__ = ["SHARED_SAMPLE", "of_entities", "of_items"]

SHARED_SAMPLE = 4096


def of_items(
    store: Store,
    base: Record,
    encoder: Encoder | None,
    same_fingerprint: bool,
    batches: Iterable[pa.RecordBatch],
    shared: Iterable[str],
    vectors_of: Callable[[pa.RecordBatch], Matrix],
) -> Evidence:
    """Look at the old canaries through `encoder`, and at up to 4,096 of the `shared` items.

    Parameters
    ----------
    store, base
        The latest version, where it lies.
    encoder : Encoder or None
        The new encoder.
    same_fingerprint : bool
        Nothing is known to have changed what the numbers depend on.
    batches : iterable of pyarrow.RecordBatch
        The new items.
    shared : iterable of str
        Ids that both have and whose vectors are worth comparing.
    vectors_of : callable
        Gives the new vectors (n, d) of a batch.
    """
    chosen = set(sorted(shared)[:SHARED_SAMPLE])
    picked = (
        [found for found in (pick(batch, chosen) for batch in batches) if found.num_rows]
        if chosen
        else []
    )
    ids = [name for batch in picked for name in batch.column("id").to_pylist()]
    after = (
        np.concatenate([vectors_of(batch) for batch in picked])
        if picked
        else np.empty((0, 1), np.float32)
    )
    return _evidence(store, base, encoder, same_fingerprint, ids, after)


def of_entities(
    store: Store, base: Record, encoder: Encoder, ids: list[str], vectors: Matrix
) -> Evidence:
    """As `of_items`, for the things that `encoder` learnt: `ids` with their `vectors` (n, d)."""
    places = {name: place for place, name in enumerate(ids)}
    names = [name for name in store.vectors(base).ids() if name in places][:SHARED_SAMPLE]
    after = vectors[[places[name] for name in names]]
    return _evidence(store, base, encoder, encoder.fingerprint == base.fingerprint, names, after)


def _evidence(
    store: Store,
    base: Record,
    encoder: Encoder | None,
    same_fingerprint: bool,
    ids: list[str],
    after: Matrix,
) -> Evidence:
    before = unfixed(store.vectors(base).take(ids, columns=["vector"]).column("vector"))
    contract = Contract.from_dict(base.contract)
    shared, moved = compare_shared(before, after, contract.tolerance)
    alike = encoder is not None and encoder.takes(contract.modality) and not encoder.closed
    canaries = read_canaries(store, base) if alike else None
    departure = None if canaries is None or encoder is None else canaries.departure(encoder)
    return Evidence(departure, shared, moved, same_fingerprint)
