"""The fingerprint of a version: that of its encoder, or of the vectors where they came without one."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from spaceport.arrays import Matrix
from spaceport.spaces.change import coordinates_moved
from spaceport.spaces.contract import Contract

if TYPE_CHECKING:
    from spaceport.spaces.canaries import Canaries
    from spaceport.spaces.draft import Draft
    from spaceport.storage.store import Record

__all__ = ["ENCODER", "fingerprint_of", "of_vectors"]

ENCODER = "encoder_fingerprint"
"""The note with the encoder's own fingerprint, where the version's is another one."""


def fingerprint_of(draft: Draft, vectors: Matrix, canaries: Canaries | None) -> str:
    """The fingerprint of a version that is about to be.

    - With an encoder: the encoder's. But an encoder that gives other vectors under the same fingerprint
      (a service that changed behind its name, a function behind its revision) does not hide it: the
      canaries' new vectors are taken in, for this major and the versions that follow.
    - Vectors alone: what the file or the array said of itself; else a hash over the ids and vectors of
      the major's first version, which the versions that follow keep. Two foreign spaces of one dimension
      are never taken for one.
    """
    encoder, base = draft.order.encoder, draft.base
    follows = base is not None and draft.change.kind != "major"
    if encoder is None:
        if base is not None and follows:
            return str(base.fingerprint)
        stamp = draft.order.stamp
        return of_vectors(draft.table.ids(), vectors) if stamp is None else stamp.fingerprint
    own = str(encoder.fingerprint)
    if base is None or base.notes.get(ENCODER, base.fingerprint) != own:
        return own
    if follows:
        return str(base.fingerprint)
    if canaries is None or not _moved(draft, base):
        return str(base.fingerprint)
    return sha256(own.encode() + np.ascontiguousarray(canaries.vectors).tobytes()).hexdigest()


def of_vectors(ids: Sequence[str], vectors: Matrix) -> str:
    """SHA-256 over ids and vectors (n, d), whatever the order of the rows.

    Examples
    --------
    >>> X = np.eye(2, dtype=np.float32)
    >>> of_vectors(["a", "b"], X) == of_vectors(["b", "a"], X[::-1])
    True
    """
    digest = sha256(f"{vectors.shape[1]}".encode())
    for place in sorted(range(len(ids)), key=ids.__getitem__):
        name = ids[place].encode("utf-8", "surrogatepass")
        digest.update(len(name).to_bytes(8, "little") + name)
        digest.update(np.ascontiguousarray(vectors[place], "<f4").tobytes())
    return digest.hexdigest()


def _moved(draft: Draft, base: Record) -> bool:
    tolerance = Contract.from_dict(base.contract).tolerance
    return draft.evidence is not None and bool(coordinates_moved(draft.evidence, tolerance))
