"""What a version whose encoder learnt from interactions can be asked: recommend, similar, explain.

Ids are those of the source; the version's own, with ``user:`` or ``item:`` before them, are known too,
and so is an item's title where no other item has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.errors import NotFoundError, ParameterError

if TYPE_CHECKING:
    from spaceport.spaces.version import Version

__all__ = [
    "History",
    "Ranked",
    "Recommender",
    "explain",
    "item_of",
    "items_of",
    "recommend",
    "similar",
]

History: TypeAlias = str | Sequence[str] | Mapping[str, float]
"""A known user's id; or items of someone never seen in training, with their values if they have any."""


@runtime_checkable
class Recommender(Protocol):
    """What an encoder must have to be asked: those that learn from interactions have it."""

    users_: list[str]
    items_: list[str]
    titles_: dict[str, str]

    def recommend(
        self, user: History, k: int = 10, exclude_seen: bool = True
    ) -> tuple[list[str], npt.NDArray[np.float32]]:
        """Give items for a known user's id, or for a history, with their scores, best first."""

    def similar(self, item: str, k: int = 10) -> tuple[list[str], npt.NDArray[np.float32]]:
        """Give the items nearest to an item, with their cosines, itself left out."""

    def explain(self, user: History, item: str, k: int = 10) -> list[tuple[str, float]]:
        """Give the items of the history with their share in the score, the largest first."""


@dataclass(frozen=True, eq=False)
class Ranked:
    """Items with a number each, the largest first.

    Attributes
    ----------
    ids : list of str
    numbers : ndarray of shape (k,), float32
    what : str
        What the numbers are: ``"score"``, ``"similarity"`` or ``"share"``.
    titles : list of str or None
        The items' names, as far as the source told them.
    """

    ids: list[str]
    numbers: npt.NDArray[np.float32]
    what: str
    titles: list[str | None]

    @property
    def table(self) -> pa.Table:
        """Everything as one Arrow table: id, the number under the name `what`, title."""
        titles = pa.array(self.titles, pa.string())
        return pa.table({"id": self.ids, self.what: self.numbers, "title": titles})

    def rows(self) -> list[dict[str, Any]]:
        """Everything as a list of plain dicts."""
        rows: list[dict[str, Any]] = self.table.to_pylist()
        return rows

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        width = max(map(len, self.ids), default=0)
        rows = zip(self.ids, self.numbers, self.titles, strict=True)
        return "\n".join(
            f"{id:<{width}}  {number:.3f}  {title or ''}".rstrip() for id, number, title in rows
        )


def recommend(version: Version, user: History, k: int = 10, exclude_seen: bool = True) -> Ranked:
    """The `k` items with the highest scores for a known user, or for a history that is folded in."""
    encoder = _encoder(version)
    ids, scores = encoder.recommend(_history(version, encoder, user), k, exclude_seen)
    return _ranked(encoder, ids, scores, "score")


def similar(version: Version, item: str, k: int = 10) -> Ranked:
    """The `k` items with the highest cosine to `item`, itself left out."""
    encoder = _encoder(version)
    ids, cosines = encoder.similar(item_of(version, item), k)
    return _ranked(encoder, ids, cosines, "similarity")


def explain(version: Version, user: History, item: str, k: int = 10) -> Ranked:
    """The `k` items of the history that add most to the score of `item`, with their shares."""
    encoder = _encoder(version)
    found = encoder.explain(_history(version, encoder, user), item_of(version, item), k)
    shares = np.array([share for _, share in found], np.float32)
    return _ranked(encoder, [id for id, _ in found], shares, "share")


def item_of(version: Version, name: str) -> str:
    """The id of the item that `name` means: an id, one with ``item:`` before it, or a title.

    Raises
    ------
    NotFoundError
        There is no such item; near ids and titles are told.
    ParameterError
        Several items have this title; their ids are told.
    """
    encoder = _encoder(version)
    for id in (name, name.removeprefix("item:")):
        if id in encoder.items_:
            return id
    called = [id for id, title in encoder.titles_.items() if title == name]
    if len(called) > 1:
        raise ParameterError(
            f"{version.reference} has {len(called)} items called {name!r}.",
            f"Give the id of one: {', '.join(called)}.",
        )
    if not called:
        raise NotFoundError(f"{version.reference} has no item {name!r}.", _near(encoder, name))
    return called[0]


def items_of(version: Version, text: str) -> list[str]:
    """The ids of the items that `text` means: one item, or several with commas between them.

    A title with a comma in it is one item.
    """
    try:
        return [item_of(version, text)]
    except NotFoundError:
        if "," not in text:
            raise
    return [item_of(version, part.strip()) for part in text.split(",")]


def _encoder(version: Version) -> Recommender:
    asked: object = version.encoder
    if isinstance(asked, Recommender):
        return asked
    name = None if version.encoder is None else version.encoder.name
    made = "was imported without an encoder" if name is None else f"was made by {name}"
    raise ParameterError(
        f"{version.reference} {made}, which knows no users and items.",
        "Build a space of interactions, for example with als(); or ask for nearest().",
    )


def _history(version: Version, encoder: Recommender, user: History) -> History:
    if isinstance(user, str):
        return user if user in encoder.users_ else user.removeprefix("user:")
    if isinstance(user, Mapping):
        values: dict[str, float] = {}  # an id and its title are one item
        for item, value in user.items():
            id = item_of(version, item)
            values[id] = values.get(id, 0.0) + value
        return values
    return [item_of(version, item) for item in user]


def _ranked(
    encoder: Recommender, ids: list[str], numbers: npt.NDArray[np.float32], what: str
) -> Ranked:
    return Ranked(ids, numbers, what, [encoder.titles_.get(id) for id in ids])


def _near(encoder: Recommender, name: str) -> str:
    """Titles that hold the name, else ids and titles that are spelled like it."""
    titles = encoder.titles_.values()
    holding = [title for title in titles if name.lower() in title.lower()]
    same_start = [
        known for known in (*encoder.items_, *titles) if known[:1].lower() == name[:1].lower()
    ]
    near = sorted(holding, key=len)[:3] or get_close_matches(name, same_start, n=3)
    return (
        f"Did you mean {' or '.join(near)}?" if near else "Give an item's id, or its whole title."
    )
