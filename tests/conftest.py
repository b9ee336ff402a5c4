"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from buckets import S3, missing, s3_server
from databases import Server, binaries, server

# No deadline: these machines are shared, and a slow call is not a wrong one.
settings.register_profile("spaceport", deadline=None)
settings.load_profile("spaceport")

# A shell that runs the tests in the background has them ignore Ctrl-C, and all that they start inherits it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real data; the tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("SPACEPORT_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "README.md").is_file():
        pytest.skip(f"no real data in {folder}: set SPACEPORT_DATA to the folder that holds it")
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server of our own on the loopback."""
    if binaries() is None:
        pytest.skip(
            "PostgreSQL is not installed: no initdb in /usr/lib/postgresql/*/bin or on the path"
        )
    with server() as started:
        yield started


@pytest.fixture
def postgres_url(postgres: Server) -> Iterator[str]:
    """The URL of a database of its own on that server."""
    with postgres.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def catalog_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty catalog, once in SQLite and once in PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/catalog.sqlite"
    made: str = request.getfixturevalue("postgres_url")
    return made


@pytest.fixture(scope="session")
def _s3() -> Iterator[S3]:
    if lacking := missing():
        pytest.skip(lacking)
    with s3_server() as started:
        yield started


@pytest.fixture
def s3(_s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> S3:
    """An S3 server of our own on the loopback, which the environment speaks of."""
    for name, value in _s3.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SPACEPORT_CACHE", str(tmp_path / "caches"))
    return _s3


@pytest.fixture
def bucket_uri(s3: S3) -> str:
    """Where a store may be made in a bucket of its own."""
    return f"s3://{s3.bucket()}/team/spaces"
