"""The contract of a consumer's task: what is done with a version's vectors, scored item by item."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from spaceport.arrays import Matrix

if TYPE_CHECKING:
    from spaceport.spaces.version import Version

__all__ = ["Read", "Replay", "Scores", "Task", "Through", "VectorTask"]

Scores: TypeAlias = npt.NDArray[np.float64]
"""A number for each item, (n,); the larger the better, and their mean is the task's score."""

Read: TypeAlias = Callable[[str], bytes]
"""Gives the bytes of a kept file by its name, checked."""


@dataclass(frozen=True)
class Through:
    """An adapter as a task uses it.

    Attributes
    ----------
    name : str
        What it is called, and whence it leads.
    artifact : int
        Its number in the catalog.
    apply : callable
        Takes vectors (n, p) of the candidate, gives (n, q) in the coordinates that the task lives in.
    """

    name: str
    artifact: int
    apply: Callable[[Matrix], Matrix]


@dataclass(frozen=True, eq=False)
class Replay:
    """A task done once more on another version.

    Attributes
    ----------
    raw, adapted : ndarray of shape (n,), float64, or None
        With the version's own vectors, and through the adapter; None where that cannot be done.
    anew : float or None
        The score of what is learnt anew on the version's own vectors: for information alone.
    note : str
        What a reader should know: vectors of another dimension, items gone, a command's last lines.
    """

    raw: Scores | None
    adapted: Scores | None
    anew: float | None = None
    note: str = ""


class Task(ABC):
    """What a consumer does, with all that is needed to do it again.

    A kind of task writes `prepare`, `replay`, `state` and `restore`.

    Attributes
    ----------
    kind : str
        A key of `tasks.KINDS`.
    measure : str
        For people: what the score is.
    baseline : ndarray of shape (n,), float64
        The scores on the version that the consumer is pinned to, measured when it was registered.
    """

    kind: str
    measure: str
    baseline: Scores

    @abstractmethod
    def prepare(self, pinned: Version, where: str) -> None:
        """Do the task for the first time, on the pinned version of the store that lies at `where`."""

    @abstractmethod
    def replay(
        self, candidate: Version, pinned: Version, through: Through | None, where: str, anew: bool
    ) -> Replay:
        """Do the task with `candidate`; `pinned` is the version that it was prepared on."""

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """What people want to know of it; JSON-able."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write everything into `folder`."""

    @classmethod
    @abstractmethod
    def load(cls, read: Read) -> Task:
        """Undo `save`."""


class VectorTask(Task):
    """A task that is done with vectors of items of its own."""

    @abstractmethod
    def vectors(self, version: Version, all_items: bool) -> tuple[Matrix, npt.NDArray[np.bool_]]:
        """The vectors (n, d) of the items, zeros where the version lacks one, and which it has."""

    @abstractmethod
    def judge(self, vectors: Matrix, index: Version) -> Scores:
        """Score what is done with the scored items' vectors, in the coordinates of `index`."""

    @abstractmethod
    def scored(self, rows: npt.NDArray[Any], all_items: bool) -> npt.NDArray[Any]:
        """Pick the rows of the items that are scored, out of what `vectors` gave."""

    def learnt_anew(self, vectors: Matrix, known: npt.NDArray[np.bool_]) -> float | None:
        """The score of what is learnt anew from all items' vectors; None where nothing is learnt."""
        return None

    def replay(
        self, candidate: Version, pinned: Version, through: Through | None, where: str, anew: bool
    ) -> Replay:
        """Do the task with the candidate's vectors, as they are and through the adapter."""
        X, known = self.vectors(candidate, anew)
        own, there = self.scored(X, anew), self.scored(known, anew)
        fits = X.shape[1] == pinned.record.dimension

        def scores(vectors: Matrix) -> Scores:
            return np.where(there, self.judge(vectors, pinned), 0.0)

        notes = []
        if not fits:
            notes.append(f"{X.shape[1]} dimensions, the task lives in {pinned.record.dimension}")
        if not there.all():
            notes.append(
                f"{int((~there).sum())} of {len(there)} items are gone and count as failed"
            )
        return Replay(
            raw=scores(own) if fits else None,
            adapted=None if through is None else scores(through.apply(own)),
            anew=self.learnt_anew(X, known) if anew else None,
            note="; ".join(notes),
        )
