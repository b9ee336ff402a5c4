"""What a map shows, as one value that the page and the picture both draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, ids, matrix
from spaceport.errors import InputError, NotFoundError, choices

__all__ = ["Level", "Page", "Palette", "anchors", "palette"]

Assignment: TypeAlias = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Palette:
    """The colors of one theme, as ``#rrggbb``.

    Parameters
    ----------
    paper, ink : str
        Background and text.
    missing, other : str
        For a missing value, and for values too rare for a color of their own.
    categories : tuple of str
        For the most frequent values, in order; told apart with any color vision.
    scale : tuple of str
        Stops of the numeric scale, from the smallest value to the largest.
    """

    paper: str
    ink: str
    missing: str
    other: str
    categories: tuple[str, ...]
    scale: tuple[str, ...]


_VIRIDIS = (
    *("#440154", "#482878", "#3e4989", "#31688e", "#26828e"),
    *("#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"),
)


def palette(dark: bool = False) -> Palette:
    """Give the colors of the light or the dark theme.

    Categories are Paul Tol's schemes *muted* (its sand, too pale for points, made darker; without
    olive) and *light* (without grey); the scale is viridis without the end that fades into the paper.

    References
    ----------
    Tol (2021), "Colour schemes", SRON/EPS/TN/09-002, issue 3.2, sections 2 and 4.

    Examples
    --------
    >>> palette().categories[0], palette(dark=True).paper
    ('#332288', '#14171c')
    """
    if dark:
        tol = (
            "#77aadd",
            "#ee8866",
            "#eedd88",
            "#44bb99",
            "#ffaabb",
            "#99ddff",
            "#bbcc33",
            "#aaaa00",
        )
        return Palette("#14171c", "#e8eaed", "#4a4f57", "#7c828c", tol, _VIRIDIS[2:])
    tol = ("#332288", "#cc6677", "#117733", "#88ccee", "#aa4499", "#ddaa33", "#44aa99", "#882255")
    return Palette("#fbfaf8", "#1d2126", "#d5d3ce", "#a3a19b", tol, _VIRIDIS[:9])


@dataclass(frozen=True)
class Level:
    """One resolution of the map's labels.

    Parameters
    ----------
    assignment : ndarray of shape (n,), int32
        Each item's cell, in [0, number of labels).
    labels : sequence of str
        One per cell; an empty one is not drawn.
    """

    assignment: Assignment
    labels: Sequence[str]


@dataclass(frozen=True)
class Page:
    """Everything that a map shows; checked when it is made.

    Parameters
    ----------
    title, subtitle : str
        The space's version, and a line under it.
    positions : array-like of shape (n, 2)
        Where each item lies.
    ids : sequence of n str
        Unique names of the items.
    texts : sequence of n str
        What to show of each item; may be empty.
    columns : mapping of str to sequence of n values
        Metadata to color by: numbers, booleans, dates, text; None or NaN where missing.
    levels : sequence of Level
        Cells with labels, the coarsest first.
    card : sequence of (str, str)
        Facts and their values.
    notes : sequence of str
        Sentences under the card.
    pictures : sequence of n bytes or None
        A small PNG, JPEG or WebP file of each item, None where there is none; may be empty. The page
        shows it beside the pointer and in search results.
    color : str
        The column to color by at first; ``""`` is the coarsest cells.
    missing : str
        What the legend calls items without a value.

    Raises
    ------
    InputError
        Another number of texts, pictures, values or cells than of items, or a cell without a label.
    NotFoundError
        `color` is no column.

    Examples
    --------
    >>> Page("demo@1.0.0", [[0, 0], [1, 2]], ["a", "b"], columns={"year": [1999, None]}).count
    2
    """

    title: str
    positions: Matrix
    ids: Sequence[str]
    texts: Sequence[str] = ()
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    levels: Sequence[Level] = ()
    card: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()
    pictures: Sequence[bytes | None] = ()
    subtitle: str = ""
    color: str = ""
    missing: str = "missing"

    def __post_init__(self) -> None:
        object.__setattr__(self, "positions", matrix(self.positions, "positions", 2))
        object.__setattr__(self, "ids", ids(self.ids, "ids", self.count))
        object.__setattr__(self, "texts", list(self.texts) or [""] * self.count)
        object.__setattr__(self, "pictures", list(self.pictures) or [None] * self.count)
        if not self.count:
            raise InputError("The map has no items.", "Give at least one.")
        told = {"texts": self.texts, "pictures": self.pictures, **self.columns}
        for name, values in told.items():
            if len(values) != self.count:
                raise InputError(
                    f"`{name}` must hold {self.count} values. Got {len(values)}.",
                    "Give one per item.",
                )
        for level in self.levels:
            _check(level, self.count)
        if self.color and self.color not in self.columns:
            raise NotFoundError(
                f"There is no column `{self.color}`.", choices(self.color, self.columns)
            )

    @property
    def count(self) -> int:
        """Number of items."""
        return len(self.positions)


def _check(level: Level, count: int) -> None:
    cells = np.asarray(level.assignment)
    if cells.shape != (count,) or cells.dtype.kind not in "iu":
        raise InputError(
            f"`assignment` must be {count} integers. Got {cells.dtype} of shape {cells.shape}.",
            "Give each item's cell.",
        )
    if cells.min() < 0 or cells.max() >= len(level.labels):
        raise InputError(
            f"`assignment` holds cells {cells.min()} to {cells.max()} for {len(level.labels)} labels.",
            "Give one label per cell.",
        )


def anchors(positions: npt.ArrayLike, assignment: Assignment, sample: int = 1000) -> Matrix:
    """Find where to write each cell's label: in its densest part, which the mean may miss.

    For each cell: of its members, the one whose nearest quarter of the cell lies closest around
    it; the label goes to the mean of that quarter. Cells of more than `sample` members are read
    at even steps.

    Parameters
    ----------
    positions : array-like of shape (n, 2)
    assignment : ndarray of shape (n,), int32

    Returns
    -------
    ndarray of shape (largest cell + 1, 2), float32; the origin for a cell without members

    Examples
    --------
    >>> anchors([[0, 0], [0, 0], [0, 0], [9, 9]], np.zeros(4, np.int32)).tolist()
    [[0.0, 0.0]]
    """
    from scipy.spatial import cKDTree

    plane = matrix(positions, "positions", 2)
    cells = np.asarray(assignment)
    places = np.zeros((int(cells.max()) + 1, 2), np.float32)
    order = np.argsort(cells, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(cells[order])) + 1):
        members = plane[rows[:: -(-len(rows) // sample)]]  # (m, 2)
        quarter = -(-len(members) // 4)
        radius, nearest = cKDTree(members).query(members, np.arange(1, quarter + 1))  # (m, quarter)
        places[cells[rows[0]]] = members[nearest[radius[:, -1].argmin()]].mean(axis=0)
    return places
