"""Write a version: files and vectors first, under fresh paths, the catalog's row last."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from spaceport.errors import ParameterError
from spaceport.storage import datasets
from spaceport.storage.catalog import Catalog, Record
from spaceport.storage.clock import now, who
from spaceport.storage.files import Entry
from spaceport.storage.names import KINDS, Number
from spaceport.storage.places import Place
from spaceport.storage.staging import Staging
from spaceport.storage.upkeep import leftovers, sweep
from spaceport.storage.vectors import VectorTable

__all__ = ["INDEX", "UNPUBLISHED", "Writer"]

INDEX = "ids.safetensors"
"""The file of a large version that says where each id stands."""
INDEXED = 50_000
"""From how many rows on it is written: with fewer, it is made as fast as it is read."""
UNPUBLISHED = "unpublished"
"""The store's folder with a folder of unfinished work for each space."""


class Writer:
    """Writes one version of one space; made by `Store.writing`, which holds the space's lock.

    Attributes
    ----------
    space : str
        The space's name.
    latest : Record or None
        Its highest version so far.
    folder : Path
        A fresh folder: every file put here belongs to the version.
    unpublished : Path
        The space's folder for long work that no version has yet (vectors encoded, training reached),
        which the next writer goes on with; removed once a version is published.
    """

    def __init__(self, place: Place, local: Path, catalog: Catalog, space: str, token: str) -> None:
        self.space = space
        versions = catalog.versions(space)
        self.latest: Record | None = versions[-1] if versions else None
        self._place = place
        self._catalog = catalog
        self._token = token
        self._base: Record | None = None
        self._dataset = ""
        self._table: VectorTable | None = None
        self._vector_entries: tuple[Entry, ...] = ()
        self._published = False
        self.unpublished = local / UNPUBLISHED / space
        self._staging = Staging(place, local, catalog, space, token)
        self.folder = self._staging.folder

    def create_vectors(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> VectorTable:
        """Write the vectors of a new major, in a dataset of their own.

        Parameters
        ----------
        schema : pyarrow.Schema
            Has at least ``id`` (string) and ``vector`` (fixed-size list of float32).
        batches : iterable of pyarrow.RecordBatch
            Read once, in the caller's thread; what it raises is raised here.
        """
        self._begin_vectors(f"spaces/{self.space}/{self._token}.lance", None)
        written = datasets.create(self._place / self._dataset, schema, batches, self._token)
        return self._keep(written.table, written.entries)

    def extend_vectors(
        self, base: Record, remove_ids: Sequence[str], batches: Iterable[pa.RecordBatch]
    ) -> VectorTable:
        """Write the vectors of a new minor: `base` without `remove_ids`, then `batches`."""
        self._begin_vectors(base.dataset, base)
        left = leftovers(self._place, base.dataset, self._catalog.listed(self.space))
        sweep(self._place, base.dataset, left)
        known = {entry.path: entry for entry in self._catalog.files(base)}
        place = self._place / base.dataset
        written = datasets.extend(place, base.lance_version, remove_ids, batches, self._token)
        new = {entry.path for entry in written.entries}
        kept = [known[f"{base.dataset}/{name}"] for name in written.needed - new]
        return self._keep(written.table, written.entries, kept)

    def keep_vectors(self, base: Record) -> VectorTable:
        """Take the vectors of `base` as they are: a patch."""
        self._begin_vectors(base.dataset, base)
        self._vector_entries = tuple(
            entry
            for entry in self._catalog.files(base)
            if entry.path.startswith(f"{base.dataset}/")
        )
        self._table = VectorTable(self._place / base.dataset, base.lance_version, base.reference)
        return self._table

    def publish(
        self,
        number: Number,
        *,
        contract: Mapping[str, Any],
        fingerprint: str,
        kind: str | None = None,
        spec: str = "",
        notes: Mapping[str, Any] | None = None,
        lineage: Mapping[str, Any] | None = None,
    ) -> Record:
        """Bring every file to the disk, hash it, and commit the version.

        Parameters
        ----------
        number : Number
            One step after `latest`; after `keep_vectors` a patch.
        contract, notes, lineage : mapping
            Anything that JSON can hold.
        fingerprint, spec : str
            Of the encoder.
        kind : str, optional
            Major, minor or patch; told from the number where it is left out.

        Raises
        ------
        ParameterError
            No vectors, published already, or a number that is taken or does not fit the vectors.
        """
        table = self._table
        if table is None or self._published:
            state = "has been published already" if self._published else "has no vectors yet"
            raise ParameterError(
                f"The version {self.space}@{number} {state}.", "Write vectors, publish once."
            )
        self._check_number(number)
        record = Record(
            space=self.space,
            number=number,
            created=now(),
            kind=kind or _kind(number),
            contract=dict(contract),
            fingerprint=fingerprint,
            rows=table.count,
            dimension=table.dimension,
            dataset=self._dataset,
            lance_version=table.version,
            folder=self._staging.inside,
            spec=spec,
            notes=dict(notes or {}),
            who=who(),
            lineage=dict(lineage or {}),
        )
        self._commit(record, self._seal())
        self._published = True
        self._staging.finish()
        shutil.rmtree(self.unpublished, ignore_errors=True)
        return record

    def leave(self) -> None:
        """Remove what was written and no version lists: all of it, unless it was published."""
        if not self._published:
            self._staging.remove([self._dataset] if self._dataset else [])

    def _seal(self) -> list[Entry]:
        if self._table is not None and self._table.count >= INDEXED:
            (self.folder / INDEX).write_bytes(self._table.index.to_bytes())
        return [*self._staging.seal(), *self._vector_entries]

    def _commit(self, record: Record, entries: Sequence[Entry]) -> None:
        self._catalog.commit(record, entries)

    def _begin_vectors(self, dataset: str, base: Record | None) -> None:
        if self._dataset:
            raise ParameterError(
                f"The vectors of this version of {self.space} are written already.",
                "Open another writer for another version.",
            )
        if base is not None and base.space != self.space:
            raise ParameterError(
                f"{base.reference} is no version of {self.space}.",
                "Extend a version of the same space.",
            )
        self._dataset, self._base = dataset, base

    def _keep(
        self, table: VectorTable, new: Iterable[Entry], kept: Iterable[Entry] = ()
    ) -> VectorTable:
        self._table = table
        self._vector_entries = (*(entry.under(self._dataset) for entry in new), *kept)
        return table

    def _check_number(self, number: Number) -> None:
        """Hold the number to one step after the latest; kept vectors can only be a patch."""
        base, table = self._base, self._table
        kept = base is not None and table is not None and table.version == base.lance_version
        kinds = KINDS[2:] if kept else KINDS
        fitting = [self.latest.number.bump(kind) for kind in kinds] if self.latest else [Number(1)]
        if number not in fitting:
            raise ParameterError(
                f"The number {number} does not fit: it must be {' or '.join(map(str, fitting))}.",
                "Go on from the latest version by one step.",
            )


def _kind(number: Number) -> str:
    return (
        KINDS[0] if number == Number(number.major) else KINDS[1] if not number.patch else KINDS[2]
    )
