"""Small versions to publish, for the tests of the store."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from spaceport.spaces.names import Number
from spaceport.spaces.store import Record, Store, open_store


def rows(ids: Sequence[str], dimension: int = 8, seed: int = 0) -> pa.RecordBatch:
    """A batch with an id and a random vector for each of `ids`."""
    values = np.random.default_rng(seed).random(len(ids) * dimension, dtype=np.float32)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(values), dimension)
    return pa.record_batch({"id": pa.array(ids, pa.string()), "vector": vectors})


def first(
    store: Store, space: str = "words", ids: Sequence[str] = ("cat", "dog", "queen")
) -> Record:
    """Publish 1.0.0."""
    batch = rows(ids)
    with store.writing(space) as writer:
        (writer.folder / "card.json").write_text('{"measured": 1}')
        writer.create_vectors(batch.schema, [batch])
        return writer.publish(Number(1), contract={"metric": "cosine"}, fingerprint="a" * 64)


def minor(
    store: Store, space: str, remove: Sequence[str], add: Sequence[str], seed: int = 1
) -> Record:
    """Publish the next minor."""
    with store.writing(space) as writer:
        assert writer.latest is not None
        (writer.folder / "card.json").write_text(f'{{"measured": {seed}}}')
        added = [rows(add, writer.latest.dimension, seed)] if add else []
        writer.extend_vectors(writer.latest, remove, added)
        number = writer.latest.number.bump("minor")
        return writer.publish(number, contract={"metric": "cosine"}, fingerprint="a" * 64)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store that is not made yet."""
    return open_store(tmp_path / "store")


@pytest.fixture(name="rows")
def _rows() -> Callable[..., pa.RecordBatch]:
    return rows


@pytest.fixture(name="first")
def _first() -> Callable[..., Record]:
    return first


@pytest.fixture(name="minor")
def _minor() -> Callable[..., Record]:
    return minor


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server of our own, on a socket in a folder of its own."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not binaries and shutil.which("initdb") is None:
        pytest.skip(
            "PostgreSQL is not installed: no initdb in /usr/lib/postgresql/*/bin or on the path"
        )
    place = binaries[-1] if binaries else Path(shutil.which("initdb") or "").parent
    user = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="spaceport-pg-"))
    if user is not None:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)

    def call(*command: str) -> None:
        given = [place / command[0], *command[1:]]
        subprocess.run(given, user=user, cwd=folder, check=True, capture_output=True, timeout=60)

    try:
        call("initdb", "-D", "data", "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync")
        settings = f"-c listen_addresses='' -c fsync=off -k {folder}"
        call("pg_ctl", "-D", "data", "-l", "log", "-w", "-o", settings, "start")
        try:
            yield f"postgresql://tester@/postgres?host={folder}"
        finally:
            call("pg_ctl", "-D", "data", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


@pytest.fixture
def postgres_url(postgres: str) -> Iterator[str]:
    """A database of its own on that server."""
    import sqlalchemy as sa
    from sqlalchemy.pool import NullPool

    server = sa.make_url(postgres).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(server, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    name = f"test_{os.urandom(4).hex()}"
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield postgres.replace("/postgres?", f"/{name}?")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
