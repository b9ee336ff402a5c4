"""One writer per space, across processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spaceport.errors import BusyError
from spaceport.storage.store import Record, Store

PUBLISHER = Path(__file__).with_name("publisher.py")
Publish = Callable[..., Record]


@pytest.fixture
def store(anywhere: Store) -> Store:
    return anywhere


@contextmanager
def holder(store: Store, space: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that has a writer open until it is sent a line."""
    catalog = store._foundation.database.url.render_as_string(hide_password=False)
    command = [sys.executable, str(PUBLISHER), "hold", str(store.place), space, catalog]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def holding(child: subprocess.Popen[str]) -> None:
    assert child.stdout is not None
    assert child.stdout.readline() == "holding\n"


def let_go(child: subprocess.Popen[str]) -> tuple[str, str]:
    return child.communicate("\n", timeout=60)


def test_the_second_process_is_told_that_the_space_is_busy(store: Store, first: Publish) -> None:
    first(store)
    with holder(store, "words") as child:
        holding(child)
        with pytest.raises(BusyError) as caught:
            first(store)
        assert str(caught.value).startswith("Another process writes to words at this moment.\n")
        assert store.resolve("words").reference == "words@1.0.0"
        first(store, "other")
        assert let_go(child) == ("words@2.0.0\n", "")
    assert [store.verify(record) for record in store.versions("words")] == [[], []]
    with store.writing("words"):
        pass


def test_the_other_order(store: Store, first: Publish) -> None:
    first(store)
    with store.writing("words") as writer, holder(store, "words") as child:
        _, said = child.communicate(timeout=60)
        assert "BusyError: Another process writes to words at this moment.\n" in said
        assert child.returncode == 1
        with holder(store, "other") as second:
            holding(second)
            assert let_go(second) == ("other@1.0.0\n", "")
        assert writer.latest is not None
    assert store.gc() == []
    assert store.spaces() == ["other", "words"]


def test_who_waits_gets_its_turn(store: Store, first: Publish, minor: Publish) -> None:
    first(store)
    with holder(store, "words") as child:
        holding(child)
        letting_go = threading.Timer(0.3, lambda: let_go(child))
        letting_go.start()
        with store.writing("words", wait=60.0) as writer:
            assert writer.latest is not None
            assert writer.latest.reference == "words@2.0.0"
        letting_go.join()
    assert minor(store, "words", [], ["new"]).reference == "words@2.1.0"


def test_a_killed_writer_holds_no_lock(store: Store, first: Publish, minor: Publish) -> None:
    first(store)
    with holder(store, "words") as child:
        holding(child)
        child.kill()
        child.wait(timeout=60)
    assert minor(store, "words", [], ["new"]).reference == "words@1.1.0"
    store.gc()
    assert [store.verify(record) for record in store.versions("words")] == [[], []]


def test_two_writers_in_one_process_are_kept_apart_too(store: Store, first: Publish) -> None:
    first(store)
    with store.writing("words"), pytest.raises(BusyError), store.writing("words"):
        pass


def test_one_writer_across_machines_on_postgresql(
    postgres_url: str, tmp_path: Path, first: Publish
) -> None:
    """Two mounts of one store whose lock files do not meet: the server's lock holds."""
    from spaceport.storage.store import open_store

    here = open_store(tmp_path / "store", catalog=postgres_url)
    first(here)
    with here.writing("words"):
        (tmp_path / "store" / "locks" / "words.lock").unlink()
        with (
            pytest.raises(BusyError),
            open_store(tmp_path / "store", postgres_url).writing("words"),
        ):
            pass
    with here.writing("words"):
        pass
