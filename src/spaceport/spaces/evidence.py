"""Gather what the kind of a version is decided on: canaries encoded again, shared items compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from spaceport.arrays import Matrix
from spaceport.encoders.base import Encoder
from spaceport.quality.mixing import mixing, strangers
from spaceport.quality.overlap import draw
from spaceport.spaces.change import Downstream, Evidence, compare_shared, coordinates_moved
from spaceport.spaces.contract import Contract
from spaceport.spaces.layout import pick, unfixed
from spaceport.spaces.reading import read_canaries

if TYPE_CHECKING:
    from spaceport.storage.store import Record, Store

__all__ = ["PROBE_TOLERANCE", "SHARED_SAMPLE", "of_entities", "of_items", "probed"]

SHARED_SAMPLE = 4096
PROBE_TOLERANCE = 0.01
_MOST_CLASSES = 50


def of_items(
    store: Store,
    base: Record,
    encoder: Encoder | None,
    same_fingerprint: bool,
    batches: Iterable[pa.RecordBatch],
    shared: Iterable[str],
    vectors_of: Callable[[pa.RecordBatch], Matrix],
    label: str | None = None,
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
    label : str, optional
        A metadata column, for a linear probe.
    """
    names = sorted(shared)
    chosen = _drawn(names)
    picked = (
        [found for found in (pick(batch, chosen) for batch in batches) if found.num_rows]
        if chosen
        else []
    )
    ids = [name for batch in picked for name in batch.column("id").to_pylist()]
    labels = [
        value
        for batch in picked
        if label is not None and label in batch.schema.names
        for value in batch.column(label).to_pylist()
    ]
    after = (
        np.concatenate([vectors_of(batch) for batch in picked])
        if picked
        else np.empty((0, 1), np.float32)
    )
    found = _evidence(store, base, encoder, same_fingerprint, ids, after, labels)
    return replace(found, of=len(names))


def of_entities(
    store: Store, base: Record, encoder: Encoder, ids: list[str], vectors: Matrix
) -> Evidence:
    """As `of_items`, for the things that `encoder` learnt: `ids` with their `vectors` (n, d)."""
    places = {name: place for place, name in enumerate(ids)}
    shared = [name for name in store.vectors(base).ids() if name in places]
    chosen = _drawn(shared)
    names = [name for name in shared if name in chosen]
    after = vectors[[places[name] for name in names]]
    same = encoder.fingerprint == base.fingerprint
    return replace(_evidence(store, base, encoder, same, names, after, []), of=len(shared))


def probed(before: Matrix, after: Matrix, labels: Sequence[Any]) -> tuple[Downstream, ...]:
    """A linear probe learnt on the old vectors, scored on the old and the new ones of a held-out fifth.

    Parameters
    ----------
    before, after : ndarray of shape (n, d), float32
    labels : sequence of length n
        None where an item has none.

    Returns
    -------
    tuple of Downstream
        Empty where fewer than two classes, or more than 50, have two items or more.
    """
    from spaceport.quality.linear import learn
    from spaceport.quality.probe import split

    told = np.array(["" if label is None else str(label) for label in labels], dtype=str)
    classes, codes, counts = np.unique(told, return_inverse=True, return_counts=True)
    usable = np.flatnonzero((counts[codes] >= 2) & (told != ""))
    if not 2 <= len(np.unique(codes[usable])) <= min(_MOST_CLASSES, len(classes)):
        return ()
    train, test = (usable[rows] for rows in split(codes[usable]))
    probe = learn(before[train], told[train].tolist())
    right = [
        float(np.mean(np.asarray(probe.answers(X[test])) == told[test])) for X in (before, after)
    ]
    return (Downstream("linear probe", right[0], right[1], PROBE_TOLERANCE, len(test)),)


def _evidence(
    store: Store,
    base: Record,
    encoder: Encoder | None,
    same_fingerprint: bool,
    ids: list[str],
    after: Matrix,
    labels: Sequence[Any],
) -> Evidence:
    before = unfixed(store.vectors(base).take(ids, columns=["vector"]).column("vector"))
    contract = Contract.from_dict(base.contract)
    shared, moved = compare_shared(before, after, contract.tolerance)
    alike = encoder is not None and encoder.takes(contract.modality) and not encoder.closed
    canaries = read_canaries(store, base) if alike else None
    departure = None if canaries is None or encoder is None else canaries.departure(encoder)
    widths = (before.shape[1], after.shape[1]) if shared else (0, 0)
    found = Evidence(
        departure, shared, moved, same_fingerprint, shared, widths, tolerance=contract.tolerance
    )
    if shared < 2 or widths[0] != widths[1]:
        return found
    if not coordinates_moved(found, contract.tolerance) and not strangers(before, after):
        return found
    seen = mixing(before, after, contract.metric)
    return replace(found, mixing=seen, downstream=_uses(before, after, labels))


def _uses(before: Matrix, after: Matrix, labels: Sequence[Any]) -> tuple[Downstream, ...]:
    """What can be tried of what the vectors are used for."""
    return probed(before, after, labels) if len(labels) == len(before) else ()


def _drawn(names: Sequence[str]) -> set[str]:
    """Up to 4,096 of the names, drawn with seed 0."""
    return {names[place] for place in draw(len(names), SHARED_SAMPLE, seed=0)}
