"""What must hold after a kill and at the end: the store against what the workers said they did."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from spaceport.storage.store import Record, Store
from torture import reading
from torture.contents import expected
from torture.journal import Journals
from torture.watching import wrong
from torture.workers import BUILT, MOVED

__all__ = ["Checks"]

_MEASURED = (BUILT, MOVED)
"""Spaces whose rows an encoder makes, not a token."""
AT_ONCE = 8
_HINT = "_versions/latest_version_hint.json"


class Checks:
    """Compare the store with the journals.

    Parameters
    ----------
    store : Store
    journals : Path
        The folder with a journal for each worker.
    """

    def __init__(self, store: Store, journals: Path) -> None:
        self.store = store
        self._journals = Journals(journals)
        self.verified: set[str] = set()

    def said(self) -> list[dict[str, Any]]:
        """Every line of every journal, each worker's in order."""
        return self._journals.said()

    def after_a_kill(self, rng: random.Random) -> list[str]:
        """All numbers, moves and reports; some versions that were not looked at yet, and some that were."""
        before = self.said()
        records = self._records()
        fresh = sorted(records.keys() - self.verified)
        known = rng.sample(fresh, min(AT_ONCE, len(fresh)))
        old = rng.sample(sorted(self.verified), min(3, len(self.verified)))
        chosen = [records[name] for name in known + old]
        return self._catalog(before, records) + self._monitors(before) + self._versions(chosen)

    def at_the_end(self) -> list[str]:
        """Everything, whole; then `gc`, and everything again."""
        before, records = self.said(), self._records()
        found = self._catalog(before, records) + self._versions(records.values())
        found += self._artifacts(before) + self._monitors(before)
        self.store.gc()
        found += [f"left behind by gc: {name}" for name in sorted(self._strays())]
        for record in records.values():
            found += [f"after gc, {record.reference}: {line}" for line in self.store.verify(record)]
        return found + self._artifacts(before) + self._monitors(before)

    def _monitors(self, before: list[dict[str, Any]]) -> list[str]:
        """What came back is in; what is in was begun."""
        done = {line["events"] for line in before if line["phase"] == "watched"}
        there = self.store.spaces()
        return [line for space in there for line in wrong(self.store, space, done, self._begun)]

    def _begun(self) -> set[str]:
        return {line["events"] for line in self.said() if "events" in line}

    def _records(self) -> dict[str, Record]:
        there = self.store.spaces()
        return {r.reference: r for space in there for r in self.store.versions(space)}

    def _catalog(self, before: list[dict[str, Any]], records: dict[str, Record]) -> list[str]:
        """Reports read before the catalog must be in it; what is in it, reports read after must announce."""
        moves = {space: self.store.history(space) for space in self.store.spaces()}
        after = self.said()
        found = [f"said by a worker: {line['what']}" for line in after if line["phase"] == "fault"]
        for space in self.store.spaces():
            found += reading.gaps(space, [r.number for r in self.store.versions(space)])
        found += self._publications(before, after, records)
        found += self._moves(before, after, moves)
        return found

    def _publications(
        self, before: list[dict[str, Any]], after: list[dict[str, Any]], records: dict[str, Record]
    ) -> list[str]:
        done = [line for line in before if line["phase"] == "published"]
        times = Counter(line["reference"] for line in done if "token" in line)
        found = [f"{name} was published {n} times" for name, n in times.items() if n > 1]
        for line in done:
            record = records.get(line["reference"])
            if record is None:
                found.append(f"{line['reference']} was published and is gone")
            elif line.get("token", record.notes.get("token")) != record.notes.get("token"):
                found.append(f"{line['reference']} is another than the one published")
            elif line.get("rows", record.rows) != record.rows:
                found.append(f"{line['reference']} has {record.rows} rows, not {line['rows']}")
        announced = {(line.get("reference"), line.get("token")) for line in after}
        found += [
            f"{name} is there, but nobody published it"
            for name, record in records.items()
            if record.space not in _MEASURED and (name, record.notes["token"]) not in announced
        ]
        return found

    def _moves(
        self, before: list[dict[str, Any]], after: list[dict[str, Any]], moves: dict[str, Any]
    ) -> list[str]:
        found = []
        in_history = Counter(move.note for of_space in moves.values() for move in of_space)
        for line in before:
            if line["phase"] == "moved" and in_history[line["note"]] != 1:
                times = in_history[line["note"]]
                found.append(
                    f"{line['alias']} → {line['reference']} stands {times} times in the history"
                )
        announced = {line.get("note") for line in after}
        found += [f"the move {note} was made by nobody" for note in in_history.keys() - announced]
        found += [f"the move {note} stands {n} times" for note, n in in_history.items() if n > 1]
        for space in moves:
            found += self._standing(space)
        return found

    def _standing(self, space: str) -> list[str]:
        """Aliases and history read apart: what moved in between is no fault."""
        for _ in range(50):
            moves = self.store.history(space)
            now = {alias: record.number for alias, record in self.store.aliases(space).items()}
            if moves == self.store.history(space):
                return reading.unlikely_moves(space, moves, now)
        return [f"{space} never stood still"]

    def _versions(self, records: Iterable[Record]) -> list[str]:
        found = []
        tokens = self._tokens()
        intents = {
            line["reference"]: line
            for line in self.said()
            if line["phase"] == "publishing" and tokens.get(line["reference"]) == line["token"]
        }
        for record in records:
            wrong = reading.halves(self.store, record)
            if not wrong and record.space not in _MEASURED:
                wrong = self._contents(record, intents)
            found += wrong
            if not wrong:
                self.verified.add(record.reference)
        return found

    def _tokens(self) -> dict[str, str]:
        return {name: str(r.notes.get("token")) for name, r in self._records().items()}

    def _contents(self, record: Record, intents: dict[str, dict[str, Any]]) -> list[str]:
        table = self.store.vectors(record)
        there = dict(zip(table.ids(), table.matrix(), strict=True))
        same = reading.same(there, expected(record.reference, intents))
        return [] if same else [f"{record.reference} holds other rows than were published"]

    def _artifacts(self, before: list[dict[str, Any]]) -> list[str]:
        found = []
        wanted = {line["token"]: line for line in before if line["phase"] == "kept"}
        kept = {a.name: a for space in self.store.spaces() for a in self.store.artifacts(space)}
        found += [f"the artifact {name} is gone" for name in wanted.keys() - kept.keys()]
        for name, artifact in kept.items():
            try:
                held = [self.store.read(artifact, file) for file in self.store.files(artifact)]
                if artifact.kind == "probe" and name in wanted and held != [name.encode()]:
                    found.append(f"the artifact {name} holds something else")
            except Exception as error:
                found.append(f"the artifact {name}: {error}")
        return found

    def _strays(self) -> set[str]:
        """Files of the store's spaces that nothing lists, found without the store's own sweep."""
        root = self.store.root
        there = {
            path.relative_to(root).as_posix()
            for top in ("spaces", "staged", "unpublished", "monitors", "staged-monitors")
            for path in (root / top).rglob("*")
            if not path.is_dir()
        }
        owners: list[Any] = [*self._records().values()]
        owners += [a for space in self.store.spaces() for a in self.store.artifacts(space)]
        listed = {entry.path for owner in owners for entry in self.store._entries(owner)}
        watched = self.store.watched
        for space in self.store.spaces():
            for watch in watched.monitors(space):
                listed |= watched.files(watch).keys()
        datasets = {record.dataset for record in self._records().values()}
        return there - listed - {f"{dataset}/{_HINT}" for dataset in datasets}
