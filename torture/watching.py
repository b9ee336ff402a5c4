"""A monitor under siege: what its workers do, and what anybody who looks at it must find."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection

import numpy as np
import pyarrow as pa

from spaceport.hashes import hashes
from spaceport.monitoring.book import Book
from spaceport.monitoring.events import Events
from spaceport.monitoring.monitor import Monitor
from spaceport.spaces.spaceport import Spaceport
from spaceport.storage.monitors import Watch
from spaceport.storage.store import Store

__all__ = ["DAYS", "ROWS", "events", "open_monitor", "wrong"]

ROWS, DAYS = 20, 60
_START = np.datetime64("2025-01-01", "us")


def open_monitor(store: Store, reference: str) -> Monitor:
    """The one monitor of a version, judged month by month."""
    monitor: Monitor = Spaceport(store)[reference].monitor(alpha=0.05, least=8)
    return monitor


def names(token: str) -> list[str]:
    """The ids of the events of a token."""
    return [f"{token}-{row}" for row in range(ROWS)]


def events(token: str, dimension: int, labeled: bool = True) -> Events:
    """A day's events, a function of a token; one in four is far from where the others are."""
    rng = random.Random(int(token, 16))
    day = np.timedelta64(rng.randrange(DAYS), "D")
    X = np.random.default_rng(int(token, 16)).standard_normal((ROWS, dimension))
    far = 3.0 * (rng.random() < 0.25)
    said, label = (pa.array([rng.choice("ab") for _ in range(ROWS)]) for _ in range(2))
    return Events(
        pa.array(names(token), pa.string()),
        np.full(ROWS, _START + day),
        (X + far).astype(np.float32),
        np.zeros(ROWS, np.uint8),
        prediction=said,
        label=label if labeled else None,
    )


def wrong(
    store: Store, space: str, done: Collection[str], begun: Callable[[], Collection[str]]
) -> list[str]:
    """What of the monitors of a space is not as one whole update after another leaves it.

    Parameters
    ----------
    done : collection of str
        Tokens whose update came back: they must be in.
    begun : callable
        Gives the tokens whose update began: nothing else may be in. Asked after the monitor was
        read, since updates begin and end meanwhile.
    """
    found = []
    for watch in store.watched.monitors(space):
        for _ in range(200):
            before = len(store.watched.updates(watch))
            try:
                lines = _Look(store, watch).lines(done, begun)
            except Exception as error:
                lines = [f"{type(error).__name__}: {error}"]
            if len(store.watched.updates(watch)) == before:
                found += [f"the monitor {watch.name} of {watch.of}: {line}" for line in lines]
                break
        else:
            found.append(f"the monitor {watch.name} of {watch.of} never stood still")
    return found


class _Look:
    """One look at a monitor that nobody updates meanwhile."""

    def __init__(self, store: Store, watch: Watch) -> None:
        self._book = Book(store.watched, watch)
        self._verdicts = store.watched.verdicts(watch)
        self._alarms = store.watched.alarms(watch.space, watch)
        self._updates = store.watched.updates(watch)

    def lines(self, done: Collection[str], begun: Callable[[], Collection[str]]) -> list[str]:
        return [
            *self._ticks(),
            *self._sums(),
            *self._alarming(),
            *self._tokens(done, begun),
        ]

    def _ticks(self) -> list[str]:
        """Each tick against its own files."""
        found = []
        for tick in self._book.ticks:
            sketch = self._book.sketch(tick.begins, tick.segment)
            known = self._book.known(tick.begins)
            rows = {tick.rows, sketch.count if sketch else 0, len(known.ids)}
            if len(rows) > 1:
                found.append(f"{tick.begins} has {sorted(rows)} rows, by tick, sketch and ids")
            outcomes = self._book.outcomes(tick.begins, tick.segment)
            counted = (int(outcomes.rows.sum()), int(outcomes.labeled.sum()))
            if counted != (len(known.predicted), len(known.labeled)):
                found.append(f"{tick.begins} has other predictions and labels than it counted")
        return found

    def _sums(self) -> list[str]:
        """Verdicts against ticks, updates against ticks."""
        found = []
        for verdict in self._verdicts:
            inside = (t for t in self._book.ticks if verdict.begins <= t.begins < verdict.ends)
            rows = sum(tick.rows for tick in inside)
            if rows != verdict.rows:
                found.append(f"{verdict.window} was judged on {verdict.rows} rows of {rows}")
        added = sum(update.facts["added"] for update in self._updates)
        kept = sum(tick.rows for tick in self._book.ticks)
        judged = {verdict.begins[:7] for verdict in self._verdicts}
        found += [f"{added} rows were added, {kept} are kept"] * (added != kept)
        missing = {tick.begins[:7] for tick in self._book.ticks} - judged
        return found + [f"{window} is over and has no verdict" for window in sorted(missing)]

    def _alarming(self) -> list[str]:
        """Every verdict that alarms is in an alarm, and only those; one alarm is active at a time."""
        alarming = {verdict.window for verdict in self._verdicts if verdict.state == "alarm"}
        raised = {window for alarm in self._alarms for window in alarm.windows}
        active = [alarm.id for alarm in self._alarms if alarm.state != "resolved"]
        found = [f"{window} alarms in one place only" for window in sorted(alarming ^ raised)]
        return found + [f"{len(active)} alarms are active at once"] * (len(active) > 1)

    def _tokens(self, done: Collection[str], begun: Callable[[], Collection[str]]) -> list[str]:
        """All of a token's events are in, or none; what came back is in."""
        seen = [self._book.known(begins).ids for begins in self._book.begins]
        there = np.concatenate(seen) if seen else np.empty(0, np.uint64)
        found = [f"{len(there) - len(set(there.tolist()))} ids are in twice"]
        found *= len(there) > len(set(there.tolist()))
        known = 0
        for token in begun():
            inside = int(np.isin(hashes(pa.array(names(token), pa.string())), there).sum())
            known += inside
            if inside not in (0, ROWS):
                found.append(f"{inside} of {ROWS} events of {token} are in")
            if token in done and not inside:
                found.append(f"the update of {token} came back and is gone")
        return found + [f"{len(there) - known} events came from nobody"] * (known < len(there))
