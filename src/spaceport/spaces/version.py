"""A published version, as its users see it: search, algebra, recommendations over what it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix, Vector, integer, vector
from spaceport.errors import NotFoundError, choices
from spaceport.geometry import algebra, neighbors
from spaceport.spaces.found import Found
from spaceport.spaces.holding import Holding
from spaceport.spaces.query import Query, read_query
from spaceport.spaces.space_vectors import SpaceVectors, agreeing

if TYPE_CHECKING:
    from spaceport.spaces.recommending import History, Ranked

__all__ = ["Version"]


class Version(Holding):
    """One immutable version of a space.

    Made by `Spaceport`; everything is read late and once.
    """

    def nearest(self, query: Query, k: int = 10, through: str | None = None) -> Found:
        """The `k` items nearest to a query.

        Parameters
        ----------
        query : str, Path, bytes, mapping or array-like of shape (d,)
            The id of an item (which is then left out of the answer), something to encode (a text, a
            file by its path or as bytes, a row of a table as a mapping or as JSON), or a vector: a
            `SpaceVectors` of these coordinates, or a plain one, whose coordinates nobody can check.
        k : int
            How many; fewer come back where the version has fewer.
        through : str, optional
            Another version that encodes what is to be encoded; see `encode`.

        Raises
        ------
        NotFoundError
            A single word that a space of words does not know; the message has near spellings.
        MismatchError
            A vector of other coordinates, even where the dimension is the same.
        """
        integer(k, "k", 1)
        if isinstance(query, SpaceVectors):
            agreeing(self.coordinates, query.coordinates, self._advice)
        place = self._places.get(query) if isinstance(query, str) else None
        if place is not None:
            return self._found(self._matrix[place], k, (place,))
        if isinstance(query, str | Path | bytes | Mapping):
            return self._found(self._encoded(query, through), k, ())
        return self._found(vector(query, "query", self.contract.dimension), k, ())

    def analogy(
        self, *plus: str, minus: str | Sequence[str] = (), k: int = 10, method: str = "3cosadd"
    ) -> Found:
        """The items that complete an analogy: `plus` added, `minus` subtracted.

        ``analogy("king", "woman", minus="man")`` asks what is to woman as king is to man.

        Parameters
        ----------
        *plus : str
            Ids that count for.
        minus : str or sequence of str
            Ids that count against.
        k : int
            How many.
        method : {"3cosadd", "3cosmul"}
            See `geometry.algebra.analogy`.
        """
        against = [minus] if isinstance(minus, str) else list(minus)
        positive, negative = (
            [self._place(name) for name in plus],
            [self._place(name) for name in against],
        )
        indices, scores = algebra.analogy(
            self._matrix, positive, negative, k=min(integer(k, "k", 1), len(self)), method=method
        )
        return self._answer(indices, scores)

    def translate(
        self, text: str, to: str | None = None, k: int = 5, retrieval: str = "csls"
    ) -> Found:
        """The words of another language of the space that are nearest to a word or a text.

        Parameters
        ----------
        text : str
            ``en:cat``, or a text after its language, ``en: the cat``.
        to : str, optional
            The language to search in; may be left out where there are two.
        k : int
        retrieval : {"csls", "cosine"}
            How neighbors are found; see `geometry.csls`.

        Raises
        ------
        NotFoundError
            The version has no languages, or not this one, or knows no word of the text.
        """
        from spaceport.spaces.translating import translate

        return translate(self, text, to, k, retrieval)

    def recommend(self, user: History, k: int = 10, exclude_seen: bool = True) -> Ranked:
        """Items that a user may like, of a space built from interactions.

        Parameters
        ----------
        user : str, sequence of str, or mapping of str to float
            A known user's id; or the items (ids or titles) of someone never seen in training, with
            their values if they have any.
        k : int
            How many; fewer come back where there are fewer.
        exclude_seen : bool
            Leave out what the user, or the history, has already.

        Returns
        -------
        Ranked
            Ids, scores (dot products) and titles, best first.

        Raises
        ------
        NotFoundError
            No such user or item; the message has near ones.
        ParameterError
            The version's encoder knows no users and items.
        """
        from spaceport.spaces.recommending import recommend

        return recommend(self, user, k, exclude_seen)

    def similar(self, item: str, k: int = 10) -> Ranked:
        """The `k` items (ids, cosines, titles) nearest to an item, which is an id or a title."""
        from spaceport.spaces.recommending import similar

        return similar(self, item, k)

    def explain(self, user: History, item: str, k: int = 10) -> Ranked:
        """The `k` items of a history that add most to the score of `item`, with their shares."""
        from spaceport.spaces.recommending import explain

        return explain(self, user, item, k)

    def monitor(
        self,
        budget: str | None = None,
        every: str | None = None,
        *,
        segment: str | None = None,
        segments: int | None = None,
        reference: str | None = None,
        alpha: float | None = None,
        tolerance: float | None = None,
        least: int | None = None,
        seed: int | None = None,
        name: str = "default",
    ) -> Any:
        """Watch this version: a `monitoring.monitor.Monitor`, made by its first update or opened again.

        What is left out is as it was told when the monitor was made; of a new one as said here.

        Parameters
        ----------
        budget : str
            False alarms that are allowed, over all windows, segments and tests. Default: ``"1 false alarm per
            year"``.
        every : str
            How long a window is: ``"month"`` (default), ``"week"``, ``"7 days"``, ``"hour"``.
        segment : str, optional
            What the events are divided by; each segment is judged by itself, beside the whole.
        segments : int, optional
            How many segments the budget is shared out for. Default: as many as the first update has.
        reference : str
            What windows are compared with: ``"version"`` (those of its own vectors that its encoder never
            learnt from), ``"first:1"`` (the first window that is recorded, or the first few),
            ``"rolling:3"``, ``"season"``, a span of days ``"2025-01-01..2025-12-31"``, or ``"in-sample"``
            (all of its own vectors). Default: ``"version"`` where it has 200 such vectors, and
            the segments where there are some, else ``"first:1"``.
        alpha : float, optional
            What each p-value is held against, in place of a budget.
        tolerance : float, optional
            The share of the items that may have moved: drift within it is told, and does not alarm.
        least : int
            Rows that a window must have. Default: 30.
        seed : int
            Of all that is drawn. Default: 0.
        name : str
            A version may have several monitors.

        Raises
        ------
        ParameterError
            There is a monitor of this name with other settings; or they cannot be used.
        """
        told = {
            "budget": budget,
            "every": every,
            "segment": segment,
            "segments": segments,
            "reference": reference,
            "alpha": alpha,
            "tolerance": tolerance,
            "least": least,
            "seed": seed,
        }
        # monitoring stands above spaces and is found by name, as methods are
        return import_module("spaceport.monitoring.monitor").monitor(self, name, told)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.ids)}

    def _place(self, name: str) -> int:
        place = self._places.get(name)
        if place is None:
            kind = "word" if self.contract.modality == "words" else "id"
            raise NotFoundError(f"{self.reference} has no {kind} {name!r}.", self._near_names(name))
        return place

    def _near_names(self, name: str) -> str:
        same_start = [known for known in self.ids if known[:1].lower() == name[:1].lower()]
        near = choices(name, same_start or self.ids, shown=0).partition("There are:")[0]
        return near.strip() or "Check the spelling."

    def _encoded(
        self, query: str | Path | bytes | Mapping[str, Any], through: str | None
    ) -> Vector:
        """Encode a query; what leaves nothing known in it is an error, not a search with zeros."""
        item = read_query(query, self.contract.modality)
        if item is None or (self.encoder is None and through is None):
            self._place(str(query))
        encoded: Vector = np.asarray(self.encode([item], through=through))[0]
        if not encoded.any():
            self._place(str(query))
        return encoded

    def _found(self, query: Vector, k: int, leave_out: tuple[int, ...]) -> Found:
        wanted = min(k + len(leave_out), len(self))
        indices, similarities = neighbors.nearest(
            self._matrix, query[None, :], wanted, self.contract.metric
        )
        keep = ~np.isin(indices[0], leave_out)
        return self._answer(indices[0][keep][:k], similarities[0][keep][:k])

    def _answer(self, indices: npt.NDArray[np.integer[Any]], similarities: Matrix) -> Found:
        ids = [self.ids[index] for index in indices]
        return Found(ids, similarities, self._table.take(ids, columns=self.columns))
