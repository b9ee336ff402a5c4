"""Which rows of a version its encoder never learnt from.

A fitted encoder fits the rows that it learnt from better than any others. So rows that it never saw lie
elsewhere *even where nothing drifted* (``python -m benchmarks learnt_rows`` shows it with LSA on abstracts).
Only rows that it never saw are a fair reference.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spaceport.errors import NotFoundError, SpaceportError

if TYPE_CHECKING:
    from spaceport.spaces.version import Version

__all__ = ["ENOUGH", "enough", "fair_rows", "unseen"]

ENOUGH = 200
"""Rows that a reference of unseen ones must have."""


def unseen(version: Version) -> npt.NDArray[np.bool_]:
    """Tell of each row whether the encoder never learnt from it, shape (n,).

    An encoder is kept from the first version that has its fingerprint on; it learnt from that one's
    items. An item with another content since then is another item. Where the encoder learns from no
    collection (a given network, hashing), and where vectors were imported, every row counts as unseen.
    """
    from spaceport.spaces.compatibility.pairing import pair

    if version.encoder is None or not version.encoder.fitted:
        return np.ones(len(version), bool)
    taught = _taught(version)
    if taught.reference == version.reference:
        return np.zeros(len(version), bool)
    fresh = np.ones(len(version), bool)
    with suppress(NotFoundError):  # where nothing is left of what it learnt from
        fresh[pair(taught, version).new_rows] = False
    return fresh


def enough(fresh: npt.NDArray[np.bool_]) -> bool:
    """Whether there are enough unseen rows to compare with."""
    return bool(fresh.sum() >= min(ENOUGH, len(fresh)))


def fair_rows(version: Version) -> npt.NDArray[np.intp]:
    """Give the places of the rows that others may be compared with.

    Raises
    ------
    SpaceportError
        The encoder learnt from (nearly) all of them; the message says what else to compare with.
    """
    fresh = unseen(version)
    rows = np.flatnonzero(fresh)
    if enough(fresh):
        return rows
    assert version.encoder is not None
    raise SpaceportError(
        f"{version.encoder.name} learnt from {len(version) - len(rows):,} of the {len(version):,} rows of "
        f"{version.reference}, and rows that it never saw lie elsewhere even where nothing drifted.",
        "Compare with rows that it never saw: a file of earlier ones, the first windows of a log (`--reference "
        f"first:1`), or a version that {ENOUGH} items were added to; or say that it is meant (`drift "
        "--in-sample`, `watch --reference in-sample`).",
    )


def _taught(version: Version) -> Version:
    """The first version that the encoder made."""
    from spaceport.spaces.version import Version as Opened

    records = version.store.versions(version.record.space)
    same = [record for record in records if record.fingerprint == version.record.fingerprint]
    return Opened(version.store, min(same, key=lambda record: record.number))
