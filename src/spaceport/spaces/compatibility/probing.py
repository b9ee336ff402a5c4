"""How well a label can be read from either version, and from the new one by the old one's probe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.errors import InputError, NotFoundError, choices
from spaceport.quality.overlap import draw
from spaceport.quality.probe import Accuracy, linear_probe, split
from spaceport.spaces.card import Fact
from spaceport.spaces.compatibility.pairing import Pairs, table_of

if TYPE_CHECKING:
    from spaceport.arrays import Matrix
    from spaceport.spaces.version import Version

__all__ = ["label_of", "probes"]

Places: TypeAlias = npt.NDArray[np.int64]

_MOST = 20_000
_CLASSES = 100


def label_of(pairs: Pairs, asked: str | None) -> str | None:
    """The label to judge by: the one asked for, else the versions' own where both have it.

    Raises
    ------
    NotFoundError
        The one asked for is no column of both versions.
    """
    known = [name for name in pairs.new.columns if name in pairs.old.columns]
    if asked is not None and asked not in known:
        both = f"{pairs.old.reference} and {pairs.new.reference}"
        raise NotFoundError(f"{both} do not both have a column {asked!r}.", choices(asked, known))
    own = asked or pairs.new.label or pairs.old.label
    return own if own in known else None


def probes(pairs: Pairs, label: str, seed: int, strict: bool) -> list[Fact]:
    """Score a linear probe on held-out shared items in both versions.

    Parameters
    ----------
    pairs : Pairs
    label : str
        A column of both; the new version's values are what is right.
    seed : int
        For what is drawn where more than 20,000 items are shared.
    strict : bool
        Raise where the label makes no classes; else nothing is told.
    """
    places = draw(len(pairs), _MOST, seed)
    values = _values(pairs.new, label, pairs.new_rows[places])
    try:
        rows, codes = _classes(values, label)
    except InputError:
        if strict:
            raise
        return []
    train, test = split(codes, seed=0)
    told, right = codes[train], codes[test]
    left, new = pairs.take(places[rows])
    old_probe, new_probe = linear_probe(left[train], told), linear_probe(new[train], told)
    drawn = f", of {len(places):,} items drawn with seed {seed}" if len(places) < len(pairs) else ""
    how = f"logistic regression on the same {len(train):,} shared items{drawn}; interval: Wilson, 95 %"
    facts = [
        _fact(f"probe of {label}, old", _score(old_probe, left[test], right), how),
        _fact(f"probe of {label}, new", _score(new_probe, new[test], right), how),
    ]
    if left.shape[1] == new.shape[1]:
        raw = _score(old_probe, new[test], right)
        facts.append(
            _fact(
                f"probe of {label}, old one on new vectors", raw, f"{how}; as they are, no adapter"
            )
        )
    return facts


def _values(version: Version, label: str, rows: Places) -> list[Any]:
    found: list[Any] = table_of(version).rows(rows, columns=[label]).column(label).to_pylist()
    return found


def _classes(values: list[Any], label: str) -> tuple[Places, Places]:
    """Rows whose class another row has too, and their classes as numbers."""
    told = np.array(["" if value is None or value != value else str(value) for value in values])
    names, codes, counts = np.unique(told, return_inverse=True, return_counts=True)
    fit = (counts > 1) & (names != "")
    if not 2 <= fit.sum() <= _CLASSES:
        raise InputError(
            f"`{label}` has {int(fit.sum())} values that two shared items or more have.",
            f"A probe needs from 2 to {_CLASSES} classes; give another label.",
        )
    rows = np.flatnonzero(fit[codes])
    return rows, codes[rows]


def _score(probe: tuple[Any, Any], vectors: Matrix, right: Places) -> Accuracy:
    scaler, model = probe
    return Accuracy(int((model.predict(scaler.transform(vectors)) == right).sum()), len(right))


def _fact(name: str, accuracy: Accuracy, how: str) -> Fact:
    low, high = accuracy.interval
    value = {"accuracy": accuracy.value, "interval": [low, high], "held_out": accuracy.total}
    text = f"{accuracy.value:.1%} ({low:.1%} to {high:.1%}) of {accuracy.total:,} held-out items"
    return Fact(name, value, text, how)
