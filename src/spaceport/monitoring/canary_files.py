"""Canaries on their way to production and back: the inputs as a file, the vectors that production gives them.

What makes production's vectors often runs elsewhere. It is held to its word by encoding the version's
canaries, and handing in what it gave.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spaceport.arrays import Matrix
from spaceport.errors import InputError, ParameterError
from spaceport.sources.formats.base import writing
from spaceport.sources.vectors import Vectors
from spaceport.spaces.canaries import Canaries, CanaryReport, departures
from spaceport.spaces.plain import plain
from spaceport.spaces.reading import read_canaries

if TYPE_CHECKING:
    from spaceport.spaces.version import Version

__all__ = ["canary_ids", "production_report", "write_canaries"]


def canary_ids(count: int) -> list[str]:
    """The ids under which canaries travel.

    Examples
    --------
    >>> canary_ids(3)
    ['canary-00', 'canary-01', 'canary-02']
    """
    return [f"canary-{place:02d}" for place in range(count)]


def write_canaries(version: Version, path: str | os.PathLike[str]) -> int:
    """Write the canaries of a version as JSON lines, ``id`` and ``content``; gives their number.

    Contents that JSON has no form for are written as `spaces.plain` writes them.

    Raises
    ------
    ParameterError
        The version has no canaries: its vectors were imported.
    """
    kept = _canaries(version)
    lines = [
        json.dumps({"id": id, "content": plain(item)}, ensure_ascii=False)
        for id, item in zip(canary_ids(len(kept.items)), kept.items, strict=True)
    ]
    with writing(Path(path)) as stream:
        stream.write("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass"))
    return len(lines)


def production_report(version: Version, path: str | os.PathLike[str]) -> CanaryReport:
    """Compare what production gave for the canaries with what the version has for them.

    Parameters
    ----------
    version : Version
    path : str or path
        Vectors in any format of `sources.vectors`: with the ids of `write_canaries` in any order, or
        without ids, in its order. Another dimension is a model that moved.

    Raises
    ------
    ParameterError
        The version has no canaries.
    InputError
        The file has vectors of other things.
    """
    kept = _canaries(version)
    found = _in_order(os.fspath(path), len(kept.items))
    return CanaryReport(departures(kept.vectors, found), version.contract.tolerance)


def _canaries(version: Version) -> Canaries:
    kept = read_canaries(version.store, version.record)
    if kept is None:
        raise ParameterError(
            f"{version.reference} has no canaries: its vectors were imported.",
            "Import it with its encoder, or go without canaries.",
        )
    return kept


def _in_order(path: str, count: int) -> Matrix:
    batches = list(Vectors(path).batches())
    ids = [id for batch in batches for id in batch.column("id").to_pylist()]
    parts = [batch.column("content") for batch in batches]
    rows = np.concatenate(
        [part.flatten().to_numpy(zero_copy_only=False).reshape(len(part), -1) for part in parts]
    )
    for known in (canary_ids(count), [str(place) for place in range(count)]):
        if set(ids) == set(known):
            place = {id: row for row, id in enumerate(ids)}
            return np.asarray(rows[[place[id] for id in known]], np.float32)
    raise InputError(
        f"{path} holds {len(ids)} vectors, the first called {ids[0][:40]!r}; the version has {count} "
        "canaries.",
        f"Give one vector for each of canary-00 … {canary_ids(count)[-1]}.",
    )
