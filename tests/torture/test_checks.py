"""What the checks of a siege take for a fault, and what not."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from torture.checks import Checks
from torture.journal import Journal
from torture.watching import events, open_monitor
from torture.workers import BUILT

from spaceport.monitoring.known import Known
from spaceport.spaces.spaceport import Spaceport
from spaceport.storage.store import Store, open_store

DIMENSION = 4


@pytest.fixture
def checks(tmp_path: Path) -> Checks:
    """The checks of a store with one version and its monitor, into which one day has come."""
    store = open_store(tmp_path / "store")
    X = np.random.default_rng(0).standard_normal((60, DIMENSION)).astype(np.float32)
    Spaceport(store).publish(BUILT, [f"item {row}" for row in range(60)], X)
    (tmp_path / "journals").mkdir()
    checks = Checks(store, tmp_path / "journals")
    update(store, "a1", tell=Journal(tmp_path / "journals" / "1.jsonl", "watch").say)
    return checks


def update(store: Store, token: str, tell: Callable[..., None]) -> None:
    tell("updating", events=token)
    open_monitor(store, f"{BUILT}@1.0.0").update(events(token, DIMENSION))
    tell("watched", events=token)


def test_an_update_may_begin_and_end_while_the_checks_are_at_work(
    checks: Checks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "journals" / "2.jsonl", "watch")
    tokens, watched = ["b1"], checks.store.watched
    monitors = watched.monitors

    def late(space: str) -> object:
        if tokens:
            update(open_store(tmp_path / "store"), tokens.pop(), journal.say)
        return monitors(space)

    monkeypatch.setattr(watched, "monitors", late)
    assert checks.after_a_kill(random.Random(0)) == []
    assert not tokens


def test_what_nobody_began_is_found(checks: Checks) -> None:
    update(checks.store, "c1", tell=lambda *_, **__: None)
    (found,) = checks.after_a_kill(random.Random(0))
    assert found.endswith("20 events came from nobody")


def test_what_came_back_and_is_not_in_is_found(checks: Checks, tmp_path: Path) -> None:
    Journal(tmp_path / "journals" / "3.jsonl", "watch").say("watched", events="d1")
    (found,) = checks.after_a_kill(random.Random(0))
    assert found.endswith("the update of d1 came back and is gone")


def test_labels_that_are_counted_twice_are_found(
    checks: Checks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgets(one: Known, other: Known) -> Known:
        return Known(np.union1d(one.ids, other.ids), np.union1d(one.predicted, other.predicted))

    monkeypatch.setattr(Known, "__or__", forgets)
    update(checks.store, "e1", Journal(tmp_path / "journals" / "4.jsonl", "watch").say)
    (found,) = checks.after_a_kill(random.Random(0))
    assert found.endswith("has other predictions and labels than it counted")
