"""A fresh folder whose files belong to what is about to be published, or to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from spaceport.errors import StoreError
from spaceport.safe import inside
from spaceport.storage.catalog import Catalog
from spaceport.storage.files import Entry, Sealer, flush, listing, room
from spaceport.storage.upkeep import leftovers, sweep

__all__ = ["Staging"]


class Staging:
    """Files under ``spaces/<space>/<token>/``, brought to the disk before the catalog knows of them.

    Attributes
    ----------
    folder : Path
        Where to put them; made here, under a name that is new.
    inside : str
        The same, from the store's folder.
    """

    def __init__(self, root: Path, catalog: Catalog, space: str, token: str) -> None:
        self._root = root
        self._catalog = catalog
        self._space = space
        self.folder = inside(root, f"spaces/{space}/{token}")
        self.inside = self.folder.relative_to(root).as_posix()
        with room(root):
            self.folder.mkdir(parents=True)

    def seal(self) -> list[Entry]:
        """Bring the files to the disk for good; their manifest, with paths from the store's folder."""
        with room(self._root), closing(Sealer(self.folder)) as sealer:
            own = sealer.entries(listing(self.folder))
            for folder in (self.folder, *self.folder.parents):
                flush(folder)
                if folder == self._root:
                    break
        return [entry.under(self.inside) for entry in own]

    def remove(self, datasets: Sequence[Path] = ()) -> None:
        """Remove what nothing lists, here and in `datasets`.

        The catalog is asked, since Ctrl-C may come just after the row; where it does not answer,
        `gc` removes the rest another day.
        """
        with suppress(StoreError):
            listed = self._catalog.listed(self._space)
            for folder in (self.folder, *datasets):
                sweep(self._root, folder, leftovers(self._root, folder, listed))
            if not any(self.folder.parent.iterdir()):
                self.folder.parent.rmdir()
