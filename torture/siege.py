"""The siege itself: workers are kept at work, killed at random moments and replaced; see `Siege.run`."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from spaceport.storage.store import open_store
from torture.checks import Checks
from torture.journal import IDLE, last, lines

__all__ = ["Plan", "Report", "Siege"]

KILLED = {
    "publish": 5,
    "publish quietly": 3,
    "build": 4,
    "promote": 4,
    "rollback": 4,
    "migrate": 4,
    "keep": 2,
    "gc": 4,
    "watch": 5,
}
"""Which kinds of workers are killed, and how often each in proportion."""

_LASTS = {"publish": 0.12, "publish quietly": 0.12, "build": 0.6, "promote": 0.03, "rollback": 0.03, "migrate": 1.0,
          "keep": 0.06, "gc": 0.06, "watch": 1.0}  # fmt: skip
"""About how many seconds the work takes, so that a kill falls into it and not beside it."""


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes
    ----------
    root : Path
        An empty folder.
    catalog : str or None
        The catalog's URL; None for an SQLite file in the store.
    kills, writers, seed : int
        How many kills, how many writers of one space, and the seed of it all.
    saboteur : str or None
        What breaks the workers' store.
    """

    root: Path
    catalog: str | None = None
    kills: int = 200
    writers: int = 8
    seed: int = 0
    saboteur: str | None = None


@dataclass
class Report:
    """What was done, and what was found wrong."""

    kills: Counter[tuple[str, str]] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        by_work: dict[str, list[str]] = {}
        for (work, phase), times in sorted(self.kills.items()):
            by_work.setdefault(work, []).append(f"{phase} {times}")
        totals = Counter(dict.fromkeys(by_work, 0))
        for (work, _), times in self.kills.items():
            totals[work] += times
        rows = [
            f"  {work:<16}{totals[work]:>4}  {', '.join(told)}" for work, told in by_work.items()
        ]
        counted = ", ".join(f"{count:,} {name}" for name, count in self.counts.items())
        verdict = f"{len(self.findings)} findings" if self.findings else "nothing was found wrong"
        head = f"{sum(self.kills.values())} kills in {self.seconds:.0f} s; {counted}: {verdict}"
        return "\n".join([head, *rows, *(f"  FOUND {what[:600]}" for what in self.findings[:20])])


@dataclass
class _Worker:
    work: str
    process: int
    journal: Path

    @property
    def phase(self) -> str:
        return last(self.journal)


class Siege:
    """One store under siege.

    Parameters
    ----------
    plan : Plan
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._rng = random.Random(plan.seed)
        self._journals = plan.root / "journals"
        self._stop = plan.root / "stop"
        self._workers: list[_Worker] = []
        self._born = 0

    def run(self) -> Report:
        """Keep workers at work, kill and replace them, look after each kill, and at the end."""
        plan, report, start = self.plan, Report(), time.monotonic()
        self._journals.mkdir(parents=True)
        store = open_store(plan.root / "store", plan.catalog)
        checks = Checks(store, self._journals)
        with self._nursery() as self._orders:
            self._begin()
            for work in self._order_of_kills():
                report.kills[work, self._kill(work)] += 1
                report.findings += checks.after_a_kill(self._rng)
                if report.findings:
                    break
            self._end()
        report.findings += checks.at_the_end()
        report.findings = list(dict.fromkeys(report.findings))
        report.counts = self._counted(checks)
        report.seconds = time.monotonic() - start
        return report

    def _nursery(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "torture.nursery"]
        nursery = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
        )
        assert nursery.stdout is not None
        assert nursery.stdout.readline() == "ready\n"
        return nursery

    def _begin(self) -> None:
        """One writer of each space first, so that there is something to move and to clean."""
        for work in ("publish", "publish quietly", "build", "migrate"):
            self._bear(work)
        while not all(
            any(line["phase"] in ("published", "fault") for line in lines(worker.journal))
            for worker in self._workers
        ):
            time.sleep(0.02)
        for work in ["publish"] * (self.plan.writers - 1) + ["promote"] * 2 + ["rollback"]:
            self._bear(work)
        for work in ("keep", "gc", "read", "watch", "watch"):
            self._bear(work)

    def _bear(self, work: str) -> None:
        self._born += 1
        plan, journal = self.plan, self._journals / f"{self._born:04}.jsonl"
        order = {
            "work": work,
            "root": str(plan.root / "store"),
            "catalog": plan.catalog,
            "journal": str(journal),
            "stop": str(self._stop),
            "seed": self._rng.randrange(1 << 32),
            "saboteur": plan.saboteur,
        }
        assert self._orders.stdin is not None
        assert self._orders.stdout is not None
        self._orders.stdin.write(json.dumps(order) + "\n")
        self._orders.stdin.flush()
        self._workers.append(_Worker(work, int(self._orders.stdout.readline()), journal))

    def _order_of_kills(self) -> list[str]:
        """Every kind in its proportion, in random order."""
        total, order = sum(KILLED.values()), []
        for work, share in KILLED.items():
            order += [work] * -(-self.plan.kills * share // total)
        self._rng.shuffle(order)
        return order[: self.plan.kills]

    def _kill(self, work: str) -> str:
        """Kill one worker of a kind at a random moment of its work; what it was at."""
        worker = self._rng.choice([worker for worker in self._workers if worker.work == work])
        until = time.monotonic() + 2
        while worker.phase in (IDLE, "starting") and time.monotonic() < until:
            time.sleep(0.001)
        time.sleep(self._rng.uniform(0, _LASTS[work]))
        os.kill(worker.process, signal.SIGKILL)
        self._await_death(worker)
        self._workers.remove(worker)
        self._bear(work)
        return worker.phase

    def _await_death(self, worker: _Worker) -> None:
        while Path(f"/proc/{worker.process}").exists():
            time.sleep(0.001)

    def _end(self) -> None:
        """Let everyone finish, and the nursery close."""
        self._stop.touch()
        until = time.monotonic() + 120
        for worker in self._workers:
            while Path(f"/proc/{worker.process}").exists():
                time.sleep(0.01)
                if time.monotonic() > until:
                    os.kill(worker.process, signal.SIGKILL)
        assert self._orders.stdin is not None
        self._orders.stdin.close()

    def _counted(self, checks: Checks) -> Counter[str]:
        said, store = checks.said(), checks.store
        spaces = store.spaces()
        counts: Counter[str] = Counter()
        counts["versions"] = sum(len(store.versions(space)) for space in spaces)
        counts["moves"] = sum(len(store.history(space)) for space in spaces)
        counts["updates of monitors"] = sum(
            len(store.watched.updates(watch))
            for space in spaces
            for watch in store.watched.monitors(space)
        )
        counts["artifacts"] = sum(len(store.artifacts(space)) for space in spaces)
        counts["reads of a whole version"] = sum(line.get("reads", 0) for line in said)
        counts["files swept"] = sum(line.get("files", 0) for line in said)
        counts["workers"] = self._born
        return counts
