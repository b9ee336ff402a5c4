"""A fresh folder whose files belong to what is about to be published, or to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from spaceport.errors import StoreError
from spaceport.storage.catalog import Catalog
from spaceport.storage.files import Entry
from spaceport.storage.places import Place
from spaceport.storage.upkeep import leftovers, sweep

__all__ = ["MONITORS", "STAGED", "VERSIONS", "Staging", "staged"]

VERSIONS = "spaces"
"""The store's folder with what versions and artifacts list."""
MONITORS = "monitors"
"""The store's folder with what monitors list; locked by itself, so that watching waits for no build."""

STAGED = "staged"
"""The local folder with what is on its way to a place that is not on this machine."""


class Staging:
    """Files for ``<top>/<space>/<token>/``, there for good before the catalog knows of them.

    Parameters
    ----------
    place : Place
        The store's.
    local : Path
        A folder of this machine, for what is on its way.
    catalog : Catalog
        As the holder of the space's lock has it.
    space, token : str
        What it is for; a name that is new.
    top : {"spaces", "monitors"}
        Whose files they are.

    Attributes
    ----------
    folder : Path
        Where to put them, on this machine.
    inside : str
        Where they will lie, from the store's folder.
    """

    def __init__(
        self,
        place: Place,
        local: Path,
        catalog: Catalog,
        space: str,
        token: str,
        top: str = VERSIONS,
    ) -> None:
        self._place = place
        self._catalog = catalog
        self._space = space
        self._top = top
        self.inside = f"{top}/{space}/{token}"
        with place.working():
            self.folder = (place / self.inside).stage(local / staged(top) / space / token)

    def seal(self) -> list[Entry]:
        """Put the files where they belong, for good; their manifest, with paths from the store."""
        with self._place.working():
            own = (self._place / self.inside).bring(self.folder)
        return [entry.under(self.inside) for entry in own]

    def finish(self) -> None:
        """Let go of what was on its way, once it is there."""
        (self._place / self.inside).forget(self.folder)

    def remove(self, datasets: Sequence[str] = ()) -> None:
        """Remove what nothing lists, here and in `datasets`.

        The catalog is asked, since Ctrl-C may come just after the row; where it does not answer, or
        where the space's lock is lost and another writer may be at work, `gc` removes the rest
        another day.
        """
        self.finish()
        with suppress(StoreError):
            self._catalog.database.check_held()
            listed = self._catalog.listed(self._space)
            for inside in (self.inside, *datasets):
                sweep(self._place, inside, leftovers(self._place, inside, listed))
            (self._place / f"{self._top}/{self._space}").drop()


def staged(top: str) -> str:
    """Name the local folder with what is on its way to `top`."""
    return STAGED if top == VERSIONS else f"{STAGED}-{top}"
