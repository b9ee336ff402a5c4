"""Load files as Spaceport loads a stranger's, in a process that may be lost; a line of JSON for each.

``python trial.py CASES [SABOTEUR]``: CASES is a file of JSON lines with ``reader`` and ``path``. What is
printed: the path, then ``accepted``, ``refused`` (a SpaceportError of two lines) or what else was
raised. The process may take at most a gigabyte more than it has once everything is imported.
"""

from __future__ import annotations

import json
import resource
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import spaceport as sp
from spaceport.encoders.base import load
from spaceport.errors import SpaceportError
from spaceport.networks import origins
from spaceport.safe import read_arrays, read_json, read_layout
from spaceport.sources import _pictures, _sound
from spaceport.spaces import card
from spaceport.storage.store import Store, open_store

__all__ = ["READERS", "SABOTEURS"]

MORE = 1 << 30


def _consume(path: Path) -> None:
    rows = 0
    for batch in sp.sources.vectors(path).batches():
        rows += batch.num_rows
        flat = batch.column("content").flatten().to_numpy(zero_copy_only=False)
        if not np.isfinite(flat).all():
            raise AssertionError(f"{path} gave NaN")


def _pictures_of(path: Path) -> None:
    for batch in sp.sources.images(path).batches():
        for data in batch.column("content").to_pylist():
            _pictures.decode(data)


def whole(path: Path) -> None:
    """Do with a store whatever one does: nothing may be wrong with it."""
    store: Store = open_store(path)
    wrong: list[str] = []
    for space in store.spaces():
        store.aliases(space)
        store.history(space)
        store.artifacts(space)
        store.consumers(space)
        for record in store.versions(space):
            wrong += store.verify(record)
            for name in store.files(record):
                store.read(record, name)
            _touch_vectors(store, record, wrong)
            version = sp.open(path)[record.reference]
            version.card  # noqa: B018
            version.encode(["a text"])
    if wrong:
        raise SpaceportError(wrong[0], f"{len(wrong)} lines of verify")


def _touch_vectors(store: Store, record: Any, wrong: list[str]) -> None:
    """Reading what is damaged may fail or not, but takes the process with it in no case."""
    try:
        store.vectors(record).matrix()
    except SpaceportError:
        if not wrong:
            raise


def collected(path: Path) -> None:
    """Clean up; what lies outside of the store stays."""
    open_store(path).gc()
    whole(path)


READERS: dict[str, Callable[[Path], object]] = {
    "json": lambda path: read_json(path.read_bytes(), path.name),
    "arrays": lambda path: (
        read_arrays(path, path.name),
        read_arrays(path.read_bytes(), path.name),
    ),
    "weights": lambda path: read_layout(path, path.name),
    "card": lambda path: card.from_json(path.read_bytes()),
    "config": lambda path: origins.configuration(path.parent, path.name),
    "vectors": _consume,
    "picture": lambda path: _pictures.decode(path.read_bytes()),
    "pictures": _pictures_of,
    "sound": lambda path: _sound.read(path.read_bytes()),
    "encoder": load,
    "store": whole,
    "gc": collected,
}
"""Who reads what."""


def _numpy_with_pickle(path: Path) -> None:
    np.load(path, allow_pickle=True)


def _plain_safetensors(path: Path) -> None:
    from safetensors.numpy import load_file

    load_file(path)


def _unpickled(path: Path) -> None:
    import pickle

    pickle.loads(path.read_bytes())


SABOTEURS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "numpy with pickle": ("vectors", _numpy_with_pickle),
    "plain json": ("json", lambda path: json.loads(path.read_bytes())),
    "plain safetensors": ("arrays", _plain_safetensors),
    "pickle": ("arrays", _unpickled),
    "no hashes": ("store", lambda path: open_store(path).spaces()),
}
"""Lenient readers, and the reader whose place they take."""


def judged(read: Callable[[Path], object], path: Path) -> str:
    """What came of it, in a few words."""
    try:
        read(path)
    except SpaceportError as error:
        lines = str(error).split("\n")
        return "refused" if len(lines) == 2 and all(lines) else f"not two lines: {error!s}"
    except BaseException as error:
        import traceback

        return f"{type(error).__name__}: {error} {traceback.format_exc(limit=-3)}"
    return "accepted"


def main(cases: Path, saboteur: str | None = None) -> None:
    """Judge every case, each after it has been announced."""
    warnings.simplefilter("ignore")
    readers = dict(READERS)
    if saboteur is not None:
        replaced, lenient = SABOTEURS[saboteur]
        readers[replaced] = lenient
    told = [json.loads(line) for line in cases.read_text().splitlines()]
    for case in told:
        if case.get("warm"):
            judged(READERS[case["reader"]], Path(case["path"]))
    _limit()
    for case in told:
        if case.get("warm"):
            continue
        print(json.dumps({"path": case["path"], "reader": case["reader"]}), flush=True)
        print(json.dumps(judged(readers[case["reader"]], Path(case["path"]))), flush=True)


def _limit() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MORE
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
