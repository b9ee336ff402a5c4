"""The map of a version with new items on it: placed among their nearest, colored by how unusual they are.

The map stays as it is; see `maps.page.placing` for why a new item's place can never show that it is
new, and its color must.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, generator, ids, integer, matrix
from spaceport.drift._conformal import conformal
from spaceport.errors import InputError
from spaceport.geometry import cells
from spaceport.geometry.neighbors import nearest
from spaceport.maps.page.base import Level, Page
from spaceport.maps.page.placing import place
from spaceport.spaces.space_vectors import SpaceVectors, agreeing

if TYPE_CHECKING:
    from spaceport.spaces.holding import Holding

__all__ = ["NOVELTY", "Newcomers", "added", "newcomers"]

NOVELTY = "novelty (p-value)"
"""The column that the map is colored by."""
SIDE = "side"
"""The column that tells old from new, and new from unusual."""
UNUSUAL = 0.05
"""The p-value from which on an item is called unusual: of ordinary ones it is one in twenty."""

NEIGHBORS = 10
_LARGEST = 20_000  # rows of the version in which the p-values' neighbors are looked for


@dataclass(frozen=True, eq=False)
class Newcomers:
    """New items, ready for the map.

    Attributes
    ----------
    ids : list of m str
    positions : ndarray of shape (m, 2), float32
    cells : list of ndarray of shape (m,), int32
        The cell of each item, by level.
    p : ndarray of shape (m,), float64
        Conformal p-values of the distance to the tenth neighbor in the version.
    texts : list of m str
    """

    ids: list[str]
    positions: Matrix
    cells: list[npt.NDArray[np.int32]]
    p: npt.NDArray[np.float64]
    texts: list[str]


def newcomers(
    version: Holding,
    positions: npt.ArrayLike,
    vectors: npt.ArrayLike,
    names: Sequence[str] | None = None,
    texts: Sequence[str] | None = None,
    neighbors: int = NEIGHBORS,
    seed: int = 0,
) -> Newcomers:
    """Place new items on a version's map and tell how unusual each is.

    Parameters
    ----------
    version : Holding
    positions : array-like of shape (n, 2)
        The version's map, in the order of its ids.
    vectors : SpaceVectors or array-like of shape (m, d)
        In the version's coordinates.
    names, texts : sequence of m str, optional
        Ids (``new 1``, ``new 2``, … without) and what to show of each.
    neighbors : int
        For places and p-values.
    seed : int
        For the halves of the version that p-values come from.

    Raises
    ------
    MismatchError
        Vectors that know that they are of other coordinates.
    InputError
        No vectors, NaN, another dimension, or a version with fewer than 20 items.
    """
    if isinstance(vectors, SpaceVectors):
        agreeing(version.coordinates, vectors.coordinates)
    old, metric = np.asarray(version.vectors()), version.contract.metric
    X = matrix(vectors, "new", old.shape[1])
    if not len(X):
        raise InputError("There are no new items to show.", "Give at least one vector.")
    k = min(integer(neighbors, "neighbors", 1), max(len(old) // 2, 1))
    indices, similarities = nearest(old, X, k, metric)
    p = conformal(_some(old, seed), X, k, metric, seed)
    return Newcomers(
        ids=_distinct(names, len(X), set(version.ids)),
        positions=place(positions, indices, similarities),
        cells=[cells.assign(X, centroids, metric) for centroids in version.cells],
        p=p,
        texts=[""] * len(X) if texts is None else [text or "" for text in texts],
    )


def added(shown: Page, new: Newcomers) -> Page:
    """A map's page with new items on it, drawn over the others and colored by their p-values."""
    count, more = shown.count, len(new.ids)
    columns = {name: [*values, *[None] * more] for name, values in shown.columns.items()}
    unusual = new.p <= UNUSUAL
    told = np.where(unusual, f"new, p ≤ {UNUSUAL:g}", "new").tolist()
    levels = [
        Level(np.concatenate([level.assignment, cells]), level.labels)
        for level, cells in zip(shown.levels, new.cells, strict=True)
    ]
    return replace(
        shown,
        subtitle=f"{shown.subtitle} · {more:,} new items, {int(unusual.sum()):,} of them with "
        f"p ≤ {UNUSUAL:g} ({UNUSUAL * more:,.0f} expected by chance)",
        positions=np.concatenate([shown.positions, new.positions]),
        ids=[*shown.ids, *new.ids],
        texts=[*shown.texts, *new.texts],
        columns={
            NOVELTY: [*[None] * count, *new.p.tolist()],
            SIDE: [*["in the version"] * count, *told],
            **columns,
        },
        levels=levels,
        pictures=[*shown.pictures, *[None] * more],
        notes=[*shown.notes, _NOTE],
        color=NOVELTY,
        missing="in the version",
    )


_NOTE = (
    "New items stand among the items of the version that are nearest to them, so even what is unlike "
    "all of them stands on some of them; its color tells: the smaller the p-value, the more unusual."
)


def _some(old: Matrix, seed: int) -> Matrix:
    """The version's rows, or so many of them that the search stays quick."""
    if len(old) <= _LARGEST:
        return old
    chosen = generator(seed).choice(len(old), _LARGEST, replace=False)
    return old[np.sort(chosen)]


def _distinct(names: Sequence[str] | None, count: int, known: set[str]) -> list[str]:
    """Unique ids; one that the version has too is marked, since the map tells items by their ids."""
    if names is None:
        names = [f"new {number}" for number in range(1, count + 1)]
    told = [f"{name} (new)" if name in known else name for name in ids(names, "ids", count)]
    return ids([f"{name} (new)" if name in known else name for name in told], "ids", count)
