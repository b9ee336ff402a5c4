"""What a published version holds, and what becomes of it: vectors, metadata, card, map, export, encoding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spaceport.arrays import Matrix, matrix
from spaceport.encoders.base import Encoder
from spaceport.errors import NotFoundError, ParameterError, choices
from spaceport.geometry import neighbors
from spaceport.spaces import card, prefixes, reading
from spaceport.spaces.canaries import CanaryReport
from spaceport.spaces.contract import Contract
from spaceport.spaces.layout import metadata_names, unfixed
from spaceport.spaces.query import asked
from spaceport.spaces.space_vectors import Coordinates, SpaceVectors

if TYPE_CHECKING:
    from spaceport.storage.store import Record, Store

__all__ = ["Holding"]


class Holding:
    """The part of a `Version` that is read from the store; late, and once."""

    def __init__(self, store: Store, record: Record) -> None:
        self._store = store
        self.record = record
        self.contract = Contract.from_dict(record.contract)

    def __repr__(self) -> str:
        rows = f"{len(self):,}".replace(",", " ")
        return f"{self.reference} · {rows} × {self.contract.dimension} · {self.contract.metric}"

    def __len__(self) -> int:
        return int(self.record.rows)

    @property
    def reference(self) -> str:
        """The full name, ``space@MAJOR.MINOR.PATCH``."""
        return str(self.record.reference)

    @property
    def store(self) -> Store:
        """Where it lies."""
        return self._store

    @property
    def coordinates(self) -> Coordinates:
        """Whose coordinates this version's vectors are in."""
        return Coordinates(self.record.space, self.record.number, self.record.fingerprint)

    @cached_property
    def ids(self) -> list[str]:
        """The ids of all rows, in the order of `vectors`."""
        return list(self._table.ids())

    def vectors(
        self, ids: Sequence[str] | None = None, dimension: int | None = None
    ) -> SpaceVectors:
        """Vectors of `ids` in the asked order, or of all rows.

        Parameters
        ----------
        ids : sequence of str, optional
        dimension : int, optional
            The first numbers only, as many as the contract permits (`contract.dimensions`), brought to
            unit length again where rows have it.

        Returns
        -------
        SpaceVectors of shape (n, d), float32
            A NumPy array that knows whose coordinates it is in.

        Raises
        ------
        NotFoundError
            Some of the ids are not in this version.
        ParameterError
            A dimension that the contract does not permit; the message lists those that it does.
        """
        if ids is None:
            return self._cut(self._known(self._matrix), dimension)
        rows = self._table.take(list(ids), columns=["vector"])
        return self._cut(self._known(unfixed(rows.column("vector"))), dimension)

    def metadata(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Metadata columns of all rows as an Arrow table (None: all of them)."""
        wanted = self.columns if columns is None else [self._column(name) for name in columns]
        return pa.Table.from_batches(
            self._table.scan(wanted), pa.schema([self._table.schema.field(name) for name in wanted])
        )

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield all rows, in the order of `ids`: ``id``, ``vector`` and the metadata columns."""
        yield from self._table.scan(["id", "vector", *self.columns])

    @property
    def columns(self) -> list[str]:
        """Names of the metadata columns."""
        return metadata_names(self._table.schema)

    @cached_property
    def encoder(self) -> Encoder | None:
        """What made the vectors, ready to encode; None where they were imported."""
        return reading.read_encoder(self._store, self.record)

    @cached_property
    def card(self) -> list[card.Fact]:
        """The measured facts of this version."""
        return card.from_json(self._store.read(self.record, "card.json"))

    def lineage(self) -> str:
        """Where this version comes from, as a tree: source, encoder, command, libraries, parents."""
        from spaceport.spaces.lineage import draw

        known = {each.reference: each for each in self._store.versions(self.record.space)}
        return draw(self.record, known)

    @cached_property
    def graph(self) -> neighbors.Graph:
        """The neighbor graph: indices and similarities, (n, k) each."""
        return reading.read_graph(self._store, self.record)

    @cached_property
    def cells(self) -> list[Matrix]:
        """Centroids (c, d) of each level of the partition, coarse first."""
        return reading.read_cells(self._store, self.record)

    @cached_property
    def texts(self) -> list[str] | None:
        """The items' texts, in the order of `ids`; None where they were not kept."""
        if "text" not in self.columns:
            return None
        texts: list[str] = self.metadata(["text"]).column("text").to_pylist()
        return texts

    @property
    def label(self) -> str | None:
        """The metadata column that the version was built to be colored and judged by."""
        label = self.record.notes.get("label")
        return str(label) if label in self.columns else None

    @property
    def cache(self) -> Path:
        """A folder for what can be computed again; may be deleted at any time."""
        return Path(self._store.root) / "cache" / self.record.space

    def map(
        self,
        path: str | Path,
        color: str | None = None,
        method: str = "umap",
        *,
        new: npt.ArrayLike | None = None,
        new_ids: Sequence[str] | None = None,
        new_texts: Sequence[str] | None = None,
    ) -> None:
        """Draw the map of this version: a self-contained ``.html`` page or a ``.png``.

        Parameters
        ----------
        path : path
            Where to write it.
        color : str, optional
            The metadata column to color by; by default `label`.
        method : str
            A projection with its parameters, ``"umap(neighbors=30)"``.
        new : SpaceVectors or array-like of shape (m, d), optional
            Items that are not in the version: placed among their nearest and colored by how unusual they
            are (conformal p-values). The map itself stays as it is; `spaces.newcomers` says how.
        new_ids, new_texts : sequence of m str, optional
            What the new items are called, and what to show of them.

        Raises
        ------
        MissingExtra
            The extra ``maps`` is not installed.
        MismatchError
            New vectors of other coordinates.
        """
        from spaceport.spaces.mapping import draw

        added = None if new is None else (new, new_ids, new_texts)
        draw(self, Path(path), color, method, added)

    def draw_curve(self, path: str | Path) -> None:
        """Draw how the encoder's training went, as ``.png`` or ``.svg``.

        Raises
        ------
        NotFoundError
            No training of several epochs stands on the card.
        """
        from spaceport.maps.page import curve

        told = next((fact for fact in self.card if fact.name == card.CURVE), None)
        if told is None:
            raise NotFoundError(
                f"The card of {self.reference} has no learning curve.",
                "Networks trained here have one, for example text_classifier.",
            )
        curve.write(path, told.value, f"{self.reference}   {self.record.spec}")

    def export(self, path: str | Path, to: str) -> None:
        """Write the vectors for another tool.

        Parameters
        ----------
        path : path
            Where to write; an existing file is replaced once the new one is whole.
        to : str
            One of the formats of `sources.vectors` that can be written. Parquet, Arrow and safetensors
            say whose coordinates they hold (`sources.formats.stamp` has the keys).
        """
        from spaceport.sources.formats import known

        stamp = self.coordinates.stamp(self.contract.metric)
        known.write(Path(path), self.ids, [np.asarray(self.vectors())], to, stamp)

    def encode(
        self,
        items: Sequence[Any],
        role: str = "query",
        through: str | None = None,
        dimension: int | None = None,
    ) -> SpaceVectors:
        """Encode new items into this version's coordinates.

        Parameters
        ----------
        items : sequence of n items
            What the space's encoder takes: texts; rows of a table as dicts; files as bytes or paths.
        role : {"document", "query"}
            Which side of a search they are on; one of `contract.roles`.
        through : str, optional
            Another version, ``"news@2"``, whose encoder serves this one: what it gives is brought over
            by the adapter that `Spaceport.align` published, and ``coordinates.through`` says so.
        dimension : int, optional
            As in `vectors`.

        Raises
        ------
        ParameterError
            The version was imported without its encoder; or the contract lacks the role or dimension.
        MismatchError
            No adapter leads from the other version to this one.
        """
        if through is not None:
            from spaceport.spaces.compatibility.adapted import encode_through

            return self._cut(encode_through(self, items, role, through), dimension)
        if self.encoder is None:
            raise ParameterError(
                f"{self.reference} was imported without an encoder, so nothing can be encoded.",
                "Give a vector, or the id of an item.",
            )
        self.contract.check_role(role)
        encoded = self.encoder.encode([asked(item) for item in items], role=role)
        return self._cut(self._known(encoded), dimension)

    def check_canaries(self) -> CanaryReport | None:
        """Encode the canaries again; None where there are none (imported vectors).

        Raises
        ------
        SpaceportError
            What the encoder raises: its model is missing, or is another one.
        """
        canaries = reading.read_canaries(self._store, self.record)
        if canaries is None or self.encoder is None:
            return None
        return canaries.check(self.encoder, self.contract.tolerance)

    def adapt(self, vectors: npt.ArrayLike, of: str | None = None) -> SpaceVectors:
        """Bring another version's vectors to this version's coordinates, by the published adapter.

        Parameters
        ----------
        vectors : SpaceVectors or array-like of shape (n, p)
            As another version's `encode` or `vectors` gives them.
        of : str, optional
            The version whose coordinates they are in, where they do not say so themselves.

        Raises
        ------
        MismatchError
            No adapter leads here; the message has the command that makes one.
        """
        from spaceport.spaces.compatibility.adapted import adapt

        return adapt(self, vectors, of)

    def _known(self, vectors: Matrix) -> SpaceVectors:
        return SpaceVectors(vectors, self.coordinates, self._advice)

    def _cut(self, vectors: SpaceVectors, dimension: int | None) -> SpaceVectors:
        """The first numbers, as many as the contract permits."""
        if dimension is None or self.contract.check_dimension(dimension) == vectors.shape[1]:
            return vectors
        short = prefixes.cut(np.asarray(vectors), dimension, self.contract.normalized)
        return SpaceVectors(short, vectors.coordinates, self._advice)

    @property
    def _advice(self) -> partial[str | None]:
        from spaceport.spaces.compatibility.adapted import advice

        return partial(advice, self._store)

    @property
    def _table(self) -> Any:
        return self._store.vectors(self.record)

    @cached_property
    def _matrix(self) -> Matrix:
        return matrix(self._table.matrix(), self.reference)

    def _column(self, name: str) -> str:
        if name not in self.columns:
            raise NotFoundError(
                f"{self.reference} has no column {name!r}.", choices(name, self.columns)
            )
        return name
