"""Two processes that bring one catalog up to date at once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spaceport.storage import database as databases
from spaceport.storage.database import Database

UPGRADE = """
import sys
from spaceport.storage.database import Database
sys.stdout.write("ready\\n"); sys.stdout.flush()
sys.stdin.readline()
Database(sys.argv[1]).check()
"""


def test_an_older_catalog_is_upgraded_once(
    catalog_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tmp_path / "first"
    shutil.copytree(
        databases.MIGRATIONS, first, ignore=shutil.ignore_patterns("r000[2-9]*", "*.pyc")
    )
    with monkeypatch.context() as patched:
        patched.setattr(databases, "MIGRATIONS", first)
        patched.setattr(databases, "HEAD", "0001")
        Database(catalog_url).make()
    command = [sys.executable, "-c", UPGRADE, catalog_url]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    children = [subprocess.Popen(command, text=True, **pipes) for _ in range(4)]
    try:
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        said = [child.communicate(timeout=120)[1] for child in children]
    finally:
        for child in children:
            child.kill()
            child.wait()
    assert said == [""] * 4
    assert [child.returncode for child in children] == [0] * 4
    assert Database(catalog_url).revision() == databases.HEAD
