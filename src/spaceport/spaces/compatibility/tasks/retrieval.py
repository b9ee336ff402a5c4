"""Searches: whether what is relevant to a query is found among the items that are nearest to it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.arrays import Matrix, integer
from spaceport.errors import InputError, NotFoundError, ParameterError, choices
from spaceport.quality.retrieval import MEASURES, retrieval
from spaceport.spaces.compatibility.tasks.base import Read, Scores, VectorTask
from spaceport.spaces.compatibility.tasks.items import pack_items, unpack_items, vectors_of
from spaceport.spaces.compatibility.tasks.notes import read_notes, write_notes

if TYPE_CHECKING:
    from spaceport.spaces.version import Version

__all__ = ["LEAST", "RetrievalTask"]

LEAST = 10


class RetrievalTask(VectorTask):
    """NDCG or recall of queries against the pinned version's vectors, which the consumer searches.

    Parameters
    ----------
    queries : pyarrow.Array of length m
        Contents; a query stands once for each item that is relevant to it.
    relevant : sequence of m str
        Ids of items of the space.
    measure : {"ndcg", "recall"}
    k : int

    Notes
    -----
    Queries and relevant items together are what the field calls qrels, a row a pair.
    """

    def __init__(
        self, queries: pa.Array, relevant: Sequence[str], measure: str = "ndcg", k: int = 10
    ) -> None:
        if measure not in MEASURES:
            raise ParameterError(
                f"`measure` must be one of {', '.join(MEASURES)}. Got {measure!r}.",
                choices(str(measure), MEASURES),
            )
        self.kind = "retrieval"
        self.pairs, self.relevant = queries, list(relevant)
        self.by, self.k = measure, integer(k, "k", 1)
        self.measure = f"{'NDCG' if measure == 'ndcg' else 'recall'}@{k}"
        places: dict[Any, int] = {}
        for row, query in enumerate(queries.to_pylist()):
            places.setdefault(str(query), row)
        self._first = list(places.values())
        order = {name: place for place, name in enumerate(places)}
        self._wanted: list[set[str]] = [set() for _ in places]
        for query, item in zip(queries.to_pylist(), self.relevant, strict=True):
            self._wanted[order[str(query)]].add(item)

    def prepare(self, pinned: Version, where: str) -> None:
        """Search the pinned version with its own queries."""
        if len(self._first) < LEAST:
            raise InputError(
                f"The task has {len(self._first)} queries.",
                f"Give {LEAST} or more: a score of fewer says next to nothing.",
            )
        known = set(pinned.ids)
        missing = [name for name in self.relevant if name not in known]
        if missing:
            raise NotFoundError(
                f"{len(missing)} of {len(self.relevant)} relevant items are not in {pinned.reference}; "
                f"the first is {missing[0]!r}.",
                "Give ids of the pinned version.",
            )
        X, _ = self.vectors(pinned, all_items=True)
        self.baseline = self.judge(X, pinned)

    def vectors(self, version: Version, all_items: bool) -> tuple[Matrix, npt.NDArray[np.bool_]]:
        """The version's vectors of the queries."""
        queries = self.pairs.take(pa.array(self._first))
        return vectors_of(version, queries, by_id=False, role="query")

    def scored(self, rows: npt.NDArray[Any], all_items: bool) -> npt.NDArray[Any]:
        """Every query."""
        return rows

    def judge(self, vectors: Matrix, index: Version) -> Scores:
        """Each query's measure."""
        place = {name: row for row, name in enumerate(index.ids)}
        relevant = [{place[name] for name in wanted} for wanted in self._wanted]
        own = np.asarray(index.vectors())
        return retrieval(own, vectors, relevant, self.k, self.by, index.contract.metric)

    def facts(self) -> dict[str, Any]:
        """Queries and pairs."""
        return {
            "kind": self.kind,
            "measure": self.measure,
            "scored": len(self._first),
            "pairs": len(self.relevant),
        }

    def save(self, folder: Path) -> None:
        """Write notes and pairs."""
        columns = {"query": self.pairs, "relevant": pa.array(self.relevant, pa.string())}
        (folder / "items.arrow").write_bytes(pack_items(columns))
        write_notes(folder, {"kind": self.kind, "by": self.by, "k": self.k}, self.baseline)

    @classmethod
    def load(cls, read: Read) -> RetrievalTask:
        """Undo `save`."""
        notes, baseline = read_notes(read)
        columns = unpack_items(read("items.arrow"))
        task = cls(columns["query"], columns["relevant"].to_pylist(), notes["by"], notes["k"])
        task.baseline = baseline
        return task
