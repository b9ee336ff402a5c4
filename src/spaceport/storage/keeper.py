"""Keep an artifact: its files first, under a fresh path, its row last."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spaceport.errors import ParameterError
from spaceport.storage.catalog import Catalog, Record
from spaceport.storage.places import Place
from spaceport.storage.registry import Artifact, Consumer, Registry
from spaceport.storage.staging import Staging

__all__ = ["Keeper"]


class Keeper:
    """Keeps one artifact of one space; made by `Store.keeping`, which holds the space's lock.

    Attributes
    ----------
    folder : Path
        A fresh folder: every file put here belongs to the artifact.
    """

    def __init__(self, place: Place, local: Path, catalog: Catalog, space: str, token: str) -> None:
        self._registry = Registry(catalog.database)
        self._space = space
        self._staging = Staging(place, local, catalog, space, token)
        self._kept = False
        self.folder = self._staging.folder

    def keep(
        self,
        record: Record,
        kind: str,
        name: str,
        *,
        onto: Record | None = None,
        facts: Mapping[str, Any] | None = None,
        consumer: Consumer | None = None,
    ) -> Artifact:
        """Bring every file to the disk, hash it, and commit the artifact.

        Parameters
        ----------
        record : Record
            The version whose coordinates it holds in.
        kind, name, onto, facts
            As in `Artifact`.
        consumer : Consumer, optional
            Registered in the same transaction; the artifact has its task's files.

        Raises
        ------
        ParameterError
            It is kept already, `record` is of another space, or the consumer's name is taken.
        """
        if self._kept or record.space != self._space:
            raise ParameterError(
                f"This keeper keeps one artifact of {self._space}.", "Open another for another."
            )
        artifact = self._registry.keep(
            record, kind, name, self._staging.inside, self._staging.seal(), onto, facts, consumer
        )
        self._kept = True
        self._staging.finish()
        return artifact

    def leave(self) -> None:
        """Remove what was written, unless it was kept."""
        if not self._kept:
            self._staging.remove()
