"""Whose neighbors changed: second-order cosines, the items that moved most, and where they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.geometry import cells
from spaceport.quality.overlap import Overlap
from spaceport.quality.second_order import second_order_cosines
from spaceport.spaces.compatibility.pairing import Pairs, table_of

if TYPE_CHECKING:
    from spaceport.arrays import Matrix
    from spaceport.spaces.compatibility.passing import Passed

__all__ = ["Item", "Named", "Neighborhoods", "Region", "neighborhoods"]

Places: TypeAlias = npt.NDArray[np.int64]
Double: TypeAlias = npt.NDArray[np.float64]

_SHOWN = 5  # neighbors of an item that are told
_TEXT = 80
_LEAST = 5  # items that a region is told with
_REGIONS = 12


@dataclass(frozen=True)
class Named:
    """An item's id, and its title or text where one is stored."""

    id: str
    text: str


@dataclass(frozen=True)
class Item:
    """An item with its old and new neighbors.

    Attributes
    ----------
    id, text : str
        The text is empty where none is stored.
    overlap, second_order : float
        Share of its neighbors that stay; see `quality.second_order`.
    before, after : list of Named
        Its nearest in each version, best first.
    """

    id: str
    text: str
    overlap: float
    second_order: float
    before: list[Named]
    after: list[Named]


@dataclass(frozen=True)
class Region:
    """A part of the old version: how many items of the sample lie there, and their mean overlap."""

    name: str
    items: int
    overlap: float


@dataclass(frozen=True, eq=False)
class Neighborhoods:
    """What became of the sample's neighbors.

    Attributes
    ----------
    overlap : Overlap
    second_order : ndarray of shape (q,), float64
    seed : int
        With which the sample was drawn.
    moved : list of Item
        Those of smallest overlap, of these those of smallest second-order cosine.
    regions : list of Region
        By label, or by the old version's cells, the smallest overlap first; none where there are
        neither.
    by : str
        What the regions are.
    """

    overlap: Overlap
    second_order: Double
    seed: int
    moved: list[Item]
    regions: list[Region]
    by: str


def neighborhoods(
    pairs: Pairs, passed: Passed, seed: int, shown: int, label: str | None
) -> Neighborhoods | None:
    """Look closer at the sample; None where a single item is shared."""
    overlap = passed.overlap
    if overlap is None:
        return None
    union, (before, after) = _compact(overlap)
    left, right = pairs.take(overlap.places)
    rows = pairs.take(union)
    second = second_order_cosines(left, right, *rows, before, after)
    order = np.lexsort((second, overlap.each))[:shown]
    by, regions = _regions(pairs, overlap, left, label)
    return Neighborhoods(overlap, second, seed, _items(pairs, overlap, second, order), regions, by)


def _compact(overlap: Overlap) -> tuple[Places, tuple[Places, Places]]:
    """The rows that are anybody's neighbor, and the neighbors as places among them."""
    union = np.unique(np.concatenate([overlap.before.ravel(), overlap.after.ravel()]))
    return union, (np.searchsorted(union, overlap.before), np.searchsorted(union, overlap.after))


def _items(pairs: Pairs, overlap: Overlap, second: Double, order: Places) -> list[Item]:
    near = [side[order, :_SHOWN] for side in (overlap.before, overlap.after)]
    wanted = np.unique(np.concatenate([overlap.places[order], *(side.ravel() for side in near)]))
    told = zip(pairs.names(wanted), _texts(pairs, wanted), strict=True)
    named = {int(place): Named(*both) for place, both in zip(wanted, told, strict=True)}
    items = [named[int(place)] for place in overlap.places[order]]
    return [
        Item(
            id=item.id,
            text=item.text,
            overlap=float(overlap.each[row]),
            second_order=float(second[row]),
            before=[named[place] for place in before.tolist()],
            after=[named[place] for place in after.tolist()],
        )
        for row, item, before, after in zip(order, items, *near, strict=True)
    ]


def _texts(pairs: Pairs, places: Places) -> list[str]:
    """What tells people which item it is: its title, else its text, cut; empty where it has neither."""
    for name in ("title", "text"):
        for side, rows in ((pairs.new, pairs.new_rows), (pairs.old, pairs.old_rows)):
            if name in side.columns:
                told = table_of(side).rows(rows[places], columns=[name]).column(name).to_pylist()
                return [_cut(str(text)) if text is not None else "" for text in told]
    return [""] * len(places)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TEXT else f"{line[: _TEXT - 1].rstrip()}…"


def _regions(
    pairs: Pairs, overlap: Overlap, left: Matrix, label: str | None
) -> tuple[str, list[Region]]:
    """Mean overlap by the label's values, or by the old version's coarse cells."""
    values = _labels(pairs, overlap.places, label or pairs.old.label)
    if values is not None:
        return f"by {label or pairs.old.label}", _grouped(values, overlap.each)
    if "cells.safetensors" not in pairs.old.store.files(pairs.old.record):
        return "", []
    found = cells.assign(left, pairs.old.cells[0], pairs.old.contract.metric)
    names = _cell_names(pairs, overlap, left, found)
    return "by cell of the old version", _grouped([names[cell] for cell in found], overlap.each)


def _labels(pairs: Pairs, places: Places, label: str | None) -> list[Any] | None:
    if label is None:
        return None
    if label not in pairs.old.columns:
        return None
    column = table_of(pairs.old).rows(pairs.old_rows[places], columns=[label]).column(label)
    values: list[Any] = column.to_pylist()
    return values if 2 * len(set(values)) <= len(values) else None


def _cell_names(
    pairs: Pairs, overlap: Overlap, left: Matrix, found: npt.NDArray[np.int32]
) -> dict[int, str]:
    """Name each cell by the three of the sample's items nearest to its middle."""
    named = {}
    for cell in np.unique(found):
        rows = np.flatnonzero(found == cell)
        toward = left[rows] @ left[rows].mean(axis=0)
        best = rows[np.argsort(-toward, kind="stable")[:3]]
        named[int(cell)] = ", ".join(_cut(name) for name in pairs.names(overlap.places[best]))
    return named


def _grouped(values: Sequence[Any], each: Double) -> list[Region]:
    counts = Counter(values)
    common = [value for value, times in counts.most_common() if times >= _LEAST]
    told = np.array([str(value) for value in values])
    regions = [
        Region(str(value), counts[value], float(each[told == str(value)].mean()))
        for value in common[:_REGIONS]
    ]
    return sorted(regions, key=lambda region: region.overlap)
