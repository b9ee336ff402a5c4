"""One writer of each space: a lock of this machine's kernel, and one of the catalog's server.

Both die with their process or their session. A folder has both; a bucket has the server's, or, where
the catalog is an SQLite file, lock files beside that file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from spaceport.errors import BusyError
from spaceport.safe import inside
from spaceport.storage.database import Database

__all__ = ["Locks"]


class Locks:
    """The locks of one store.

    Parameters
    ----------
    folder : Path or None
        Where the lock files lie; None where the server's locks are enough.
    database : Database
        Of the catalog.
    """

    def __init__(self, folder: Path | None, database: Database) -> None:
        self._folder = folder
        self._database = database

    @contextmanager
    def hold(self, name: str, wait: float, what: str) -> Iterator[Database]:
        """Hold the lock `name`, of `what`; gives the catalog's database as its holder has it.

        Raises
        ------
        BusyError
            Another process still has it after `wait` seconds.
        """
        with self._file(name, wait, what), self._database.lock(name, wait, what) as held:
            yield held

    @contextmanager
    def _file(self, name: str, wait: float, what: str) -> Iterator[None]:
        if self._folder is None:
            yield
            return
        path = inside(self._folder, f"{name}.lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        try:
            lock.acquire(timeout=wait)
        except Timeout as error:
            raise BusyError(
                f"Another process writes to {what} at this moment.",
                "Try again when it has finished.",
            ) from error
        try:
            yield
        finally:
            lock.release()
