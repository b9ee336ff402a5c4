"""Kill -9 and Ctrl-C at random moments of publishing: real processes, real signals."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import pytest

from spaceport.storage.store import Record, Store, Writer, open_store

PUBLISHER = Path(__file__).with_name("publisher.py")
SPACES = ("left", "right")
ROUNDS = 8
Publish = Callable[..., Record]


def start(store: Store, space: str) -> subprocess.Popen[str]:
    catalog = store._foundation.database.url.render_as_string(hide_password=False)
    command = [sys.executable, str(PUBLISHER), "loop", str(store.place), space, catalog]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def stop_at_random(store: Store, number: signal.Signals, rng: random.Random) -> list[str]:
    """Publish in two spaces at once, stop both at moments of their own; what they said on the way."""
    children = [start(store, space) for space in SPACES]
    try:
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n", child.stderr and child.stderr.read()
        for child in children:
            time.sleep(rng.uniform(0, 0.25))
            child.send_signal(number)
        return [child.communicate(timeout=30)[1] for child in children]
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
                child.communicate()


def problems(store: Store) -> list[str]:
    """What is wrong with a store after a crash, before anyone has cleaned up; none if it is whole."""
    found = []
    for space in store.spaces():
        for record in store.versions(space):
            found += [f"{record.reference}: {line}" for line in store.verify(record)]
            if not found:
                shape = store.vectors(record).matrix().shape
                found += [f"{record.reference}: {shape}"] * (
                    shape != (record.rows, record.dimension)
                )
    return found


def unlisted(store: Store) -> set[str]:
    """The files of the store's spaces that no version lists, found without the store's own sweep."""
    catalog = store._foundation.catalog
    listed = {path for space in store.spaces() for path in catalog.listed(space)}
    there = {f"spaces/{name}" for name in (store.place / "spaces").listing()}
    published = {path.split("/_versions/")[0] for path in listed if "/_versions/" in path}
    hints = {f"{dataset}/_versions/latest_version_hint.json" for dataset in published}
    return there - listed - hints


def swept(store: Store, dry_run: bool = False) -> set[str]:
    """What `gc` removes of the store's place; not what was on its way to a bucket."""
    return {f.path for f in store.gc(dry_run) if not f.path.startswith("staged/")}


def after_the_crash(store: Store, minor: Publish, k: int) -> int:
    """All that must hold; gives how many files the crash left behind."""
    assert problems(store) == []
    left = unlisted(store)
    assert swept(store, dry_run=True) == left
    if k % 4 < 2:  # the next publish works with the leftovers and without them
        assert swept(store) == left
    for space in SPACES:
        before = store.resolve(space)
        record = minor(store, space, [], [f"after-{k}"], seed=k)
        assert record.rows == before.rows + 1
        assert store.vectors(record).take([f"after-{k}"]).num_rows == 1
    store.gc()
    assert unlisted(store) == set()
    assert [store.verify(store.resolve(space)) for space in SPACES] == [[], []]
    return len(left)


def test_kill_minus_nine_at_random_moments(tmp_path: Path, minor: Publish) -> None:
    rng = random.Random(20261122)
    left = []
    for k in range(ROUNDS):
        store = open_store(tmp_path / f"store-{k % 2}")
        stop_at_random(store, signal.SIGKILL, rng)
        left.append(after_the_crash(store, minor, k))
    assert any(left), "no kill came while a version was being written: the test proves nothing"
    for k in range(2):
        store = open_store(tmp_path / f"store-{k}")
        assert problems(store) == []
        assert len(store.versions("left")) >= ROUNDS


@pytest.mark.parametrize("catalog", ["sqlite", "postgresql"])
def test_kill_minus_nine_while_a_bucket_is_written_to(
    bucket_uri: str, catalog: str, tmp_path: Path, minor: Publish, request: pytest.FixtureRequest
) -> None:
    rng = random.Random(11)
    url = f"sqlite:///{tmp_path}/catalog.sqlite"
    store = open_store(
        bucket_uri, url if catalog == "sqlite" else request.getfixturevalue("postgres_url")
    )
    left = []
    for k in range(4):
        stop_at_random(store, signal.SIGKILL, rng)
        left.append(after_the_crash(store, minor, k))
        assert [path for path in (store.root / "staged").rglob("*") if path.is_file()] == []
    assert any(left), "no kill came while a version was being written: the test proves nothing"


def test_kill_minus_nine_while_the_store_is_being_made(tmp_path: Path, first: Publish) -> None:
    rng = random.Random(7)
    for k in range(3):
        store = open_store(tmp_path / f"store-{k}")
        child = start(store, "words")
        while not store.root.exists():
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.4))
        child.kill()
        child.communicate()
        if (store.root / "spaces").exists():
            assert problems(store) == []
        first(store, space="next")
        store.gc()
        assert problems(store) == []
        assert unlisted(store) == set()


def test_control_c_at_random_moments_leaves_nothing_behind(tmp_path: Path, minor: Publish) -> None:
    rng = random.Random(3)
    for k in range(2):
        store = open_store(tmp_path / "store")
        for said in stop_at_random(store, signal.SIGINT, rng):
            assert "KeyboardInterrupt" in said
            assert "Fatal" not in said
            assert "panicked" not in said
        assert unlisted(store) == set()
        after_the_crash(store, minor, k)


@contextmanager
def interrupted_at(call: int) -> Iterator[list[int]]:
    """Raise KeyboardInterrupt at the `call`-th call of a function of the store; counts the calls."""
    count = [0]

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and "/spaceport/storage/" in frame.f_code.co_filename:
            count[0] += 1
            if count[0] == call:
                sys.setprofile(None)
                raise KeyboardInterrupt

    sys.setprofile(profile)
    try:
        yield count
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize("kind", ["major", "minor"])
def test_control_c_at_each_call_of_publishing(
    store: Store, first: Publish, minor: Publish, kind: str
) -> None:
    base = first(store)

    def publish(k: int) -> None:
        if kind == "minor":
            minor(store, "words", [], [f"new-{k}"], seed=k)
        else:
            first(store, f"space-{k}")

    with interrupted_at(0) as count:
        publish(0)
    calls = count[0]
    assert calls > 50
    for k in range(1, calls + 1, 3):
        with interrupted_at(k), suppress(KeyboardInterrupt):
            publish(k)
        fresh = open_store(store.root)
        assert [fresh.verify(fresh.resolve(space)) for space in fresh.spaces()] == [
            [] for _ in fresh.spaces()
        ]
        assert fresh.verify(base) == []
        assert unlisted(fresh) == set()
    assert problems(open_store(store.root)) == []


class Hasty(Writer):
    """A saboteur: commits the row first, then puts the files in place; dies in between."""

    def _commit(self, record: Record, entries: object) -> None:
        dataset = (self._place / self._dataset).path
        dataset.rename(dataset.with_name("away"))
        super()._commit(record, entries)
        raise KeyboardInterrupt


class Forgetful(Writer):
    """A saboteur: leaves one file out of the manifest."""

    def _seal(self) -> list[object]:
        return super()._seal()[1:]


def test_the_checks_notice_a_row_before_its_files(
    store: Store, first: Publish, minor: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    for space in SPACES:
        first(store, space)
    monkeypatch.setattr(Store, "writer_class", Hasty)
    with pytest.raises(KeyboardInterrupt):
        minor(store, "left", [], ["x"])
    monkeypatch.setattr(Store, "writer_class", Writer)
    assert any("missing" in line for line in problems(store))
    with pytest.raises(AssertionError):
        after_the_crash(store, minor, 0)


def test_the_checks_notice_a_file_that_no_manifest_lists(
    store: Store, first: Publish, minor: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    for space in SPACES:
        first(store, space)
    monkeypatch.setattr(Store, "writer_class", Forgetful)
    minor(store, "left", [], ["x"])
    assert unlisted(store) != set()
