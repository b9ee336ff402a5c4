"""A full disk, a database that goes away, a bucket: an update is there whole, or not at all."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from databases import Server, binaries, server
from monitoring.worlds import log, world
from spaceport.errors import SpaceportError
from spaceport.monitoring.events import Events
from spaceport.monitoring.monitor import Monitor
from spaceport.spaces.spaceport import Spaceport
from spaceport.storage.store import open_store

MONTHS = ("2026-01-01", "2026-02-01", "2026-03-01")


@pytest.fixture
def own() -> Iterator[Server]:
    """A server that a test may stop."""
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    with server() as started:
        yield started


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    mount = tmp_path / "disk"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(mount)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no small file system can be mounted here: {done.stderr.strip()}")
    yield mount
    subprocess.run(["umount", str(mount)], check=True)


def kept(monitor: Monitor) -> Any:
    """What the store has of it."""
    files = sorted((monitor.version.store.place / "monitors").listing().items())
    return monitor.ticks(), monitor.history(every_edition=True), monitor.updates(), files


def judged(monitor: Monitor) -> Any:
    return [(v.window, v.state, v.rows, v.p) for v in monitor.history()]


def logs() -> list[Events]:
    return [log(month, days=4, rows=120, segments="ab") for month in MONTHS]


def refused(update: Callable[[], object]) -> str:
    with pytest.raises(SpaceportError) as caught:
        update()
    assert len(str(caught.value).split("\n")) == 2
    return str(caught.value)


def test_a_full_disk_in_the_middle_of_an_update(small_disk: Path, tmp_path: Path) -> None:
    monitor = world(small_disk).monitor(alpha=0.02, segment="country", reference="first:1")
    monitor.update(logs()[0])
    before, seen = kept(monitor), judged(monitor)
    filler, free = small_disk / "filler", shutil.disk_usage(small_disk).free
    filler.write_bytes(bytes(free - 40_000))
    assert "disk is full" in refused(lambda: monitor.update(logs()))
    assert kept(monitor) == before
    filler.unlink()
    monitor.update(logs())
    assert monitor.history()[: len(seen)] == before[1]
    other = world(tmp_path / "roomy").monitor(alpha=0.02, segment="country", reference="first:1")
    other.update(logs()[0])
    other.update(logs())
    assert judged(monitor) == judged(other)


def test_the_database_goes_away_while_a_log_is_read(own: Server, tmp_path: Path) -> None:
    with own.database() as url:
        monitor = world(tmp_path, url).monitor(alpha=0.02)
        monitor.update(logs()[0])
        before = kept(monitor)

        def read() -> Iterator[Events]:
            yield logs()[1]
            own.stop()
            yield logs()[2]

        try:
            assert "tester" in refused(lambda: monitor.update(read())), "the catalog is named"
        finally:
            own.start()
        again = Spaceport(open_store(tmp_path / "store", url))["g@1"].monitor()
        assert kept(again) == before
        assert [v.window for v in again.update(logs())] == ["2026-02", "2026-03"]
        again.version.store.gc()
        assert again.version.store.verify(again.version.store.resolve("g@1")) == []


def test_a_monitor_in_a_bucket_is_that_of_a_folder(
    bucket_uri: str, tmp_path: Path, catalog_url: str
) -> None:
    here = world(tmp_path).monitor(alpha=0.02, segment="country", reference="first:1")
    there = _published(bucket_uri, catalog_url).monitor(
        alpha=0.02, segment="country", reference="first:1"
    )
    for monitor in (here, there):
        monitor.update([*logs(), log("2026-04-01", days=4, shift=1.5, segments="ab")])
    assert judged(there) == judged(here)
    again = Spaceport(open_store(bucket_uri, catalog_url))["g@1"].monitor()
    assert again.history() == there.history()
    assert again.update(logs()) == []
    store = again.version.store
    store.gc()
    assert store.verify(store.resolve("g@1")) == []
    last = again.update(log("2026-05-01", days=4, rows=200, segments="ab"))
    assert [v.rows for v in last if v.segment is None] == [200]


def _published(where: str, catalog: str) -> Any:
    port = Spaceport(open_store(where, catalog))
    X = np.random.default_rng(0).standard_normal((200, 4)).astype(np.float32)
    return port.publish("g", [f"item {row}" for row in range(200)], X, metric="euclidean")
