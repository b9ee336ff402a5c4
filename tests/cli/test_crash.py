"""`kill -9`, Ctrl-C and a full disk in the middle of `spaceport build`: real processes, a real file system."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import spaceport as sp

SPACEPORT = str(Path(sys.executable).with_name("spaceport"))
ROWS = 3000


def write_rows(path: Path, edition: int) -> None:
    lines = (
        f"{i},row {i} of edition {edition if i % 3 == 0 else 0} tells of subject {i % 11}"
        for i in range(ROWS)
    )
    path.write_text("id,text\n" + "\n".join(lines) + "\n")


def build(folder: Path, store: Path) -> list[str]:
    told = (
        "--column",
        "text",
        "--id",
        "id",
        "--space",
        "rows",
        "--method",
        "hashing(dimension=64)",
    )
    return [SPACEPORT, "build", "texts", str(folder / "rows.csv"), *told, "--store", str(store)]


def start(folder: Path, store: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        build(folder, store), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run(folder: Path, store: Path) -> tuple[int, str]:
    """Build to the end; gives the exit code and what was told on the error stream."""
    process = start(folder, store)
    _, told = process.communicate()
    return process.returncode, told


def check_whole(store: Path) -> int:
    """Every version in the catalog reads back whole; gives how many there are."""
    port = sp.open(store)
    versions = port.versions("rows")
    for version in versions:
        assert port.verify(version.reference) == []
        assert len(version.vectors()) == len(version.ids) == ROWS
        assert version.card
        assert version.encoder is not None
    return len(versions)


def test_kill_9_and_ctrl_c_at_any_moment_of_a_build(tmp_path: Path) -> None:
    store, chance = tmp_path / "store", random.Random(0)
    for edition in (0, 1):  # the first build of a fresh machine is no measure of the others
        write_rows(tmp_path / "rows.csv", edition)
        started = time.monotonic()
        assert run(tmp_path, store) == (0, "")
        usual = time.monotonic() - started
    published, ended_early = 2, 0
    for edition in range(2, 14):
        write_rows(tmp_path / "rows.csv", edition)
        started = time.monotonic()
        process = start(tmp_path, store)
        try:
            process.communicate(timeout=chance.uniform(0.3, 1.1) * usual)
            usual = min(usual, time.monotonic() - started)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL if edition % 3 else signal.SIGINT)
            ended_early += 1
        process.communicate()
        now = check_whole(store)
        assert published <= now <= published + 1
        published = now
    assert ended_early >= 4, "the builds were over before they could be ended"
    write_rows(tmp_path / "rows.csv", 99)
    assert run(tmp_path, store) == (0, "")
    assert check_whole(store) == published + 1
    port = sp.open(store)
    port.gc()
    assert port.gc() == []
    assert check_whole(store) == published + 1


def wait_for_workers(process: subprocess.Popen[str]) -> None:
    """Until the sources are being parsed: on a busy machine the imports alone take seconds."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        time.sleep(3)
        return
    until = time.monotonic() + 60
    while not children.read_text():
        assert process.poll() is None, "it ended before it began"
        assert time.monotonic() < until, "no worker was started in a minute"
        time.sleep(0.05)
    time.sleep(0.5)


def test_ctrl_c_is_two_lines_also_from_every_process_of_the_terminal(tmp_path: Path) -> None:
    told = (SPACEPORT, "build", "pydocs", "--space", "rows", "--store", str(tmp_path / "store"))
    process = subprocess.Popen(told, stderr=subprocess.PIPE, text=True, start_new_session=True)
    wait_for_workers(process)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error.count("\n") == 2, error
    assert sp.open(tmp_path / "store").gc() == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    mount = tmp_path / "disk"
    mount.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(mount)],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip(f"no small file system can be mounted here: {done.stderr.strip()}")
    yield mount
    subprocess.run(["umount", str(mount)], check=True)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 65536)


def test_a_full_disk_is_two_lines_and_loses_nothing(tmp_path: Path, small_disk: Path) -> None:
    store = small_disk / "store"
    write_rows(tmp_path / "rows.csv", 0)
    assert run(tmp_path, store) == (0, "")
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space left"):
        fill(filler)
    write_rows(tmp_path / "rows.csv", 1)
    code, told = run(tmp_path, store)
    assert code == 1, told
    lines = told.rstrip("\n").split("\n")
    assert len(lines) == 2, told
    assert "disk is full" in lines[0]
    assert check_whole(store) == 1
    filler.unlink()
    assert run(tmp_path, store) == (0, "")
    assert check_whole(store) == 2
