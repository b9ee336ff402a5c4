"""Write what a monitor keeps: files first, under a fresh path, all rows last, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spaceport.errors import ParameterError
from spaceport.safe import inside
from spaceport.storage.catalog import Catalog, Record
from spaceport.storage.monitors import Changes, Monitors, Watch
from spaceport.storage.places import Place
from spaceport.storage.staging import MONITORS, Staging

__all__ = ["Recorder"]


class Recorder:
    """One update of the monitors of a space; made by `Store.recording`, which holds their lock.

    Attributes
    ----------
    monitors : Monitors
        As the holder of the lock has them.
    """

    def __init__(self, place: Place, local: Path, catalog: Catalog, space: str, token: str) -> None:
        self.monitors = Monitors(catalog.database)
        self._place = place
        self._space = space
        self._open = True
        self._staging = Staging(place, local, catalog, space, token, MONITORS)

    def put(self, name: str, data: bytes) -> str:
        """Write a file of this update; gives its path from the store's folder."""
        inside(self._staging.folder, name).write_bytes(data)
        return f"{self._staging.inside}/{name}"

    def create(self, record: Record, name: str, settings: Mapping[str, Any]) -> Watch:
        """Make a monitor of `record` exist, with the files that were put."""
        self._once(record.space)
        watch = self.monitors.create(
            record, name, settings, self._staging.inside, self._staging.seal()
        )
        self._close()
        return watch

    def commit(self, watch: Watch, changes: Changes) -> None:
        """Write the update down; ticks may name the files that were put.

        The files of the editions before are removed then; where that is cut short, `gc` does it.
        """
        self._once(watch.space)
        replaced = self.monitors.commit(watch, changes, self._staging.seal())
        self._close()
        with self._place.working():
            self._place.prune(replaced)

    def leave(self) -> None:
        """Remove what was written, unless it was committed."""
        if self._open:
            self._staging.remove()

    def _once(self, space: str) -> None:
        if not self._open or space != self._space:
            raise ParameterError(
                f"This recorder writes one update of {self._space}.", "Open another for another."
            )

    def _close(self) -> None:
        self._open = False
        self._staging.finish()
