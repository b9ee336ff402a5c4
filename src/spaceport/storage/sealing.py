"""Hash what was written, and see that it is there for good, while more is being written."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

from spaceport.storage.files import Entry
from spaceport.storage.places import Place

__all__ = ["Sealer", "sealed"]


class Sealer:
    """Seals files of a place in threads.

    Hashing, fsync and the network release the interpreter, so it costs little beside the writing.

    Parameters
    ----------
    place : Place
        Where the files lie.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._pool = ThreadPoolExecutor(2, "spaceport-seal")
        self._jobs: dict[str, Future[Entry]] = {}

    def add(self, name: str) -> None:
        """Seal the finished file `name`, once."""
        if name not in self._jobs:
            self._jobs[name] = self._pool.submit(self._place.seal, name)

    def entries(self, names: Iterable[str]) -> list[Entry]:
        """Seal what of `names` is not sealed yet, and the folders they lie in; sorted by path."""
        wanted = sorted(names)
        for name in wanted:
            self.add(name)
        entries = [self._jobs[name].result() for name in wanted]
        self._place.settle(wanted)
        return entries

    def close(self) -> None:
        """Forget what has not begun, wait for the rest."""
        self._pool.shutdown(cancel_futures=True)


def sealed(place: Place, names: Iterable[str]) -> list[Entry]:
    """Seal `names` at once; their manifest, sorted by path."""
    with closing(Sealer(place)) as sealer:
        return sealer.entries(names)
