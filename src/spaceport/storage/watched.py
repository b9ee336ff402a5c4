"""What is kept of the watching of a store's spaces: monitors, their files, alarms, messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from spaceport.errors import NotFoundError, choices
from spaceport.storage.alarms import Alarm
from spaceport.storage.catalog import Record
from spaceport.storage.files import Entry, room
from spaceport.storage.foundation import Foundation
from spaceport.storage.monitors import Monitors, Tick, Update, Verdict, Watch
from spaceport.storage.outbox import Outbox
from spaceport.storage.recorder import Recorder
from spaceport.storage.staging import MONITORS
from spaceport.storage.upkeep import wrong_files

__all__ = ["Watched"]


class Watched:
    """The part of a `Store` that monitors use; made by it.

    Parameters
    ----------
    foundation : Foundation
        What the store stands on.
    token : callable
        Gives a fresh name.
    """

    def __init__(self, foundation: Foundation, token: Callable[[], str]) -> None:
        self._foundation = foundation
        self._token = token

    def monitors(self, space: str) -> list[Watch]:
        """All monitors of a space's versions, the oldest first."""
        return self._monitors.find(space)

    def monitor(self, record: Record, name: str) -> Watch | None:
        """Give the monitor of this name of a version; None where there is none."""
        for watch in self.monitors(record.space):
            if (watch.of, watch.name) == (record.reference, name):
                return watch
        return None

    def ticks(self, watch: Watch) -> list[Tick]:
        """As `Monitors.ticks`."""
        return self._monitors.ticks(watch)

    def verdicts(self, watch: Watch, every_edition: bool = False) -> list[Verdict]:
        """As `Monitors.verdicts`."""
        return self._monitors.verdicts(watch, every_edition)

    def updates(self, watch: Watch) -> list[Update]:
        """As `Monitors.updates`."""
        return self._monitors.updates(watch)

    def files(self, watch: Watch) -> dict[str, Entry]:
        """As `Monitors.files`."""
        return self._monitors.files(watch)

    def read(self, watch: Watch, path: str, files: dict[str, Entry] | None = None) -> bytes:
        """Give the bytes of a monitor's file, checked.

        Parameters
        ----------
        path : str
            From the store's folder.
        files : dict, optional
            What `files` gave, where many are read.

        Raises
        ------
        NotFoundError
            The monitor lists no such file.
        CorruptError
            The file is missing, or its bytes are not those that were written.
        """
        listed = self.files(watch) if files is None else files
        if path not in listed:
            raise NotFoundError(
                f"The monitor {watch.name} of {watch.of} has no file {path}.",
                choices(path, listed, shown=0) or "It may have been replaced; read it again.",
            )
        return self._foundation.place.read_checked(listed[path])

    def wrong(self, record: Record) -> list[str]:
        """Hash every file of a version's monitors; say what is wrong, in lines.

        What an update replaces meanwhile is not wrong: a file counts if it is listed afterwards, too.
        """
        found = []
        for watch in self.monitors(record.space):
            if watch.of == record.reference:
                what = f"{watch.of}, monitor {watch.name}"
                place, before = self._foundation.place, self.files(watch)
                if wrong_files(place, before.values(), what):
                    still = before.items() & self.files(watch).items()
                    found += wrong_files(
                        place, [entry for _, entry in sorted(still, key=str)], what
                    )
        return found

    @contextmanager
    def recording(self, space: str, wait: float = 0.0) -> Iterator[Recorder]:
        """Write what a monitor of `space` keeps; one at a time, and no build is waited for.

        What was written is removed again unless it is committed inside the block.

        Raises
        ------
        BusyError
            Another process still updates a monitor of the space after `wait` seconds.
        StoreError
            The disk is full.
        """
        place, local = self._foundation.place, self._foundation.local
        with room(place.disk), self._foundation.lock(space, wait, MONITORS) as catalog:
            recorder = Recorder(place, Path(local), catalog, space, self._token())
            try:
                yield recorder
            finally:
                recorder.leave()

    def alarms(self, space: str, watch: Watch | None = None) -> list[Alarm]:
        """Give the alarms of a space, or of one monitor, the oldest first."""
        return self._foundation.alarms.find(space, watch.id if watch else None)

    def acknowledge(self, space: str, number: int, note: str = "") -> Alarm:
        """As `Alarms.acknowledge`."""
        return self._foundation.alarms.acknowledge(space, number, note)

    def resolve(self, space: str, number: int, note: str) -> Alarm:
        """As `Alarms.resolve`."""
        return self._foundation.alarms.resolve(space, number, note)

    def outbox(self, watch: Watch) -> Outbox:
        """Give the messages of a monitor."""
        return Outbox(self._foundation.catalog.database, watch.id)

    @property
    def _monitors(self) -> Monitors:
        return self._foundation.monitors
