"""The classes of a collection: what the metadata column says that a source's `label` names."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from spaceport.errors import InputError
from spaceport.sources.base import Source

__all__ = ["Classes", "held_out", "read_classes"]

Codes = npt.NDArray[np.int64]

UNLABELED = -1


@dataclass(frozen=True)
class Classes:
    """The classes of n items.

    Attributes
    ----------
    names : list of c str, int or bool
        Sorted by how they are written.
    codes : ndarray of shape (n,), int64
        The place of each item's class in `names`; -1 where it has none.
    """

    names: list[Any]
    codes: Codes

    def digest(self) -> str:
        """64 hexadecimal digits over the classes and which item has which."""
        found = sha256(repr(self.names).encode())
        found.update(self.codes.data)
        return found.hexdigest()


def read_classes(source: Source) -> Classes:
    """Read the label of each item.

    Raises
    ------
    InputError
        The source names no label, or its labels are measurements or of fewer than two classes.
    """
    if source.label is None:
        raise InputError(
            f"{source.spec} does not say which class an item is of.",
            "Name the column: label='…', or --label on the command line.",
        )
    told: list[Any] = []
    for batch in source.batches():
        told += batch.column(source.label).to_pylist()
    told = [None if label is None or label != label else label for label in told]
    names = sorted({label for label in told if label is not None}, key=str)
    _refuse(names, source.label)
    code = {name: place for place, name in enumerate(names)}
    return Classes(names, np.array([code.get(label, UNLABELED) for label in told], np.int64))


def held_out(codes: Codes, share: float, seed: int) -> tuple[Codes, Codes]:
    """Rows to learn from and rows held out, both ascending; rows without a class are in neither.

    Of a class with m rows, round(share · m) are held out, at most m - 1, drawn without replacement.

    Raises
    ------
    InputError
        Nothing is held out.
    """
    rng = np.random.default_rng((seed, 1))
    held = []
    for code in range(int(codes.max(initial=-1)) + 1):
        rows = rng.permutation(np.flatnonzero(codes == code))
        held.append(rows[: min(round(share * len(rows)), len(rows) - 1)])
    test = np.sort(np.concatenate([np.empty(0, np.int64), *held]))
    if not len(test):
        raise InputError(
            f"Of {int((codes >= 0).sum())} items with a class a share of {share} is none.",
            "Give more items, or raise `validation`.",
        )
    return np.setdiff1d(np.flatnonzero(codes >= 0), test), test


def _refuse(names: list[Any], column: str) -> None:
    if any(isinstance(name, float) for name in names):
        raise InputError(
            f"The column `{column}` holds measurements ({len(names)} different ones), not classes.",
            "Divide them into classes, for example low, middle and high.",
        )
    if len(names) < 2:
        raise InputError(
            f"The column `{column}` holds {len(names)} class{'es' * (len(names) != 1)}.",
            "A classifier needs two.",
        )
