"""What others do between two looks of ours changes no answer into a wrong one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from spaceport.errors import BusyError
from spaceport.storage.store import Move, Record, Store, open_store

Publish = Callable[..., Record]


@pytest.fixture
def ours(tmp_path: Path, catalog_url: str, first: Publish, minor: Publish) -> Store:
    """A store with words@1.0.0, 1.1.0 and 1.2.0; `live` stood for the first two."""
    store = open_store(tmp_path / "store", catalog_url)
    first(store)
    for name in ("lion", "wolf"):
        minor(store, "words", [], [name])
    for number in ("1.0.0", "1.1.0"):
        store.promote(f"words@{number}", "live")
    return store


def meanwhile(store: Store, method: str, deed: Callable[[], Any]) -> None:
    """Let `deed` be done once, right after the first call of a method."""
    real, done = getattr(store, method), []

    def call(*arguments: Any) -> Any:
        answer = real(*arguments)
        if not done:
            done.append(True)
            deed()
        return answer

    setattr(store, method, call)


@pytest.mark.parametrize("others", [["1.2.0"], ["1.2.0", "1.1.0"]])
def test_a_rollback_goes_nowhere_where_the_way_back_is_another(
    ours: Store, others: list[str]
) -> None:
    theirs = open_store(ours.root, str(ours._foundation.database.url))
    meanwhile(ours, "history", lambda: [theirs.promote(f"words@{n}", "live") for n in others])
    with pytest.raises(BusyError, match="was moved by somebody else"):
        ours.rollback("words", "live")
    assert str(theirs.aliases("words")["live"].number) == others[-1]
    assert theirs.rollback("words", "live").reference == f"words@{['1.1.0', *others][-2]}"


def test_an_alias_of_a_version_that_is_just_there_is_found(ours: Store, minor: Publish) -> None:
    theirs = open_store(ours.root, str(ours._foundation.database.url))

    def publish_and_promote() -> None:
        minor(theirs, "words", [], ["bear"])
        theirs.promote("words@1.3.0", "live")

    meanwhile(ours, "versions", publish_and_promote)
    assert ours.aliases("words")["live"].reference == "words@1.1.0"
    assert ours.aliases("words")["live"].reference == "words@1.3.0"


def test_a_new_alias_is_found_or_not_but_never_leads_nowhere(ours: Store, minor: Publish) -> None:
    theirs = open_store(ours.root, str(ours._foundation.database.url))

    def publish_and_promote() -> None:
        minor(theirs, "words", [], ["bear"])
        theirs.promote("words@1.3.0", "live")

    meanwhile(ours, "versions", publish_and_promote)
    assert ours.resolve("words@live").reference == "words@1.1.0"


def test_the_history_is_one_look_on_a_server(
    tmp_path: Path, postgres_url: str, first: Publish, minor: Publish
) -> None:
    store = open_store(tmp_path / "store", postgres_url)
    first(store)
    store.promote("words@1", "live")
    theirs, done = open_store(tmp_path / "store", postgres_url), []

    def publish_and_promote(*_: Any) -> None:
        if not done:
            done.append(True)
            minor(theirs, "words", [], ["bear"])
            theirs.promote("words@1.1.0", "live")

    engine = store._foundation.aliases.database._reading_engine
    sa.event.listen(engine, "after_cursor_execute", publish_and_promote)
    moves: list[Move] = store._foundation.aliases.history("words")
    assert [str(move.after) for move in moves] == ["1.0.0"]
    assert done
