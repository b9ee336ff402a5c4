"""The catalog's database: transactions, the schema's revision, and errors in our words.

SQLite keeps a rollback journal, not a write-ahead log: one file, readable from a read-only folder.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    StatementError,
)
from sqlalchemy.pool import NullPool

from spaceport.errors import (
    BusyError,
    CorruptError,
    MissingExtra,
    NewerStoreError,
    ParameterError,
    SpaceportError,
    StoreError,
)
from spaceport.storage.files import room
from spaceport.storage.typed import dumps, loads

__all__ = ["HEAD", "MIGRATIONS", "Database", "Held"]

HEAD = "0003"
MIGRATIONS = Path(__file__).parent / "migrations"
PATIENCE = 30.0  # seconds that SQLite waits for another process's commit, which takes milliseconds
_TO_SERVER = {"connect_timeout": 10, "keepalives_idle": 60}  # a writer's session is idle for hours


class Database:
    """Transactions on one URL.

    Parameters
    ----------
    url : str or sqlalchemy.URL
        ``sqlite:///…`` or ``postgresql://…``.
    """

    def __init__(self, url: str | sa.URL) -> None:
        self.url = _checked(url)
        self._engine = _engine(self.url)
        self._writing_engine = self._engine.execution_options(writes=True)
        self._reading_engine = (
            self._engine
            if self._is_sqlite  # where a transaction is one look anyway
            else self._engine.execution_options(isolation_level="REPEATABLE READ")
        )

    def __str__(self) -> str:
        return self.url.set(query={}).render_as_string(hide_password=True)

    @classmethod
    def in_file(cls, path: Path) -> Database:
        """Keep the catalog in a SQLite file."""
        return cls(sa.URL.create("sqlite", database=str(path)))

    def exists(self) -> bool:
        """Whether the tables are there; never makes a file."""
        return self.known_revision() is not None

    def known_revision(self) -> str | None:
        """Give the schema's revision, None where there is no schema; never makes a file."""
        if self._is_sqlite and not Path(self.url.database or "").is_file():
            return None
        return self.revision()

    def revision(self) -> str | None:
        """Give the schema's revision; None where there is no schema."""
        with self.reading() as connection:
            return _revision(connection)

    def check(self) -> None:
        """Bring a known older schema up to date.

        Raises
        ------
        NewerStoreError
            The revision is none that this release knows.
        """
        if not self.is_current():
            self.make()

    def is_current(self) -> bool:
        """Whether the tables are as this release makes them."""
        return self.revision() == HEAD

    def make(self) -> None:
        """Make the tables, or bring them up to date: all in one transaction."""
        with self.writing() as connection:
            if not self._is_sqlite:
                connection.execute(
                    sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _key("schema")}
                )
            revision = _revision(connection)
            if revision != HEAD:
                _migrate(connection, revision)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """One consistent look."""
        with self._translated(), self._reading_engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """All or nothing, committed at the end."""
        with self._translated(), self._writing_engine.begin() as connection:
            yield connection

    @contextmanager
    def lock(self, name: str, wait: float, what: str = "") -> Iterator[Database]:
        """Hold a lock that PostgreSQL keeps across machines; on SQLite the lock file is enough.

        Gives the database as the holder has it: what is written through it is committed by the very
        session that has the lock, so it is not written where the lock was lost.

        Raises
        ------
        BusyError
            Someone else has it after `wait` seconds.
        """
        if self._is_sqlite:
            yield self
            return
        with self._translated():
            connection = self._engine.connect()
        try:
            with self._translated():
                _wait_for(connection, _key(f"lock {name}"), what or name, wait)
            yield Held(self.url, connection)
        finally:
            connection.invalidate()  # the server lets go of the lock with its session
            connection.close()

    def check_held(self) -> None:
        """Raise StoreError where the lock that this was given with is lost."""

    @property
    def file(self) -> Path | None:
        """The SQLite file; None on a server."""
        return Path(self.url.database).absolute() if self._is_sqlite and self.url.database else None

    @property
    def on_server(self) -> bool:
        """Whether it is PostgreSQL's."""
        return not self._is_sqlite

    @property
    def _is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def _translated(self) -> Iterator[None]:
        with room(Path(self.url.database or ".") if self._is_sqlite else Path()):
            try:
                yield
            except StatementError as error:
                if isinstance(error.orig, SpaceportError):
                    raise error.orig from None
                if not isinstance(error, DBAPIError):
                    raise
                raise self._in_our_words(error) from error

    def _in_our_words(self, error: DBAPIError) -> Exception:
        words = str(error.orig).strip().split("\n")[0]
        if isinstance(error, IntegrityError) or "disk is full" in words:
            return error
        if "locked" in words:
            return BusyError(f"The catalog {self} is being written to.", "Try again in a moment.")
        if "not a database" in words or "malformed" in words:
            return CorruptError(
                f"The catalog {self} is broken: {words}.", "Restore it from a backup."
            )
        return StoreError(
            f"The catalog {self} cannot be used: {words}.",
            "Check that it is there and that you may read and write it.",
        )


class Held(Database):
    """A database as the holder of a lock has it; made by `Database.lock`.

    Parameters
    ----------
    url : sqlalchemy.URL
    session : sqlalchemy.Connection
        The one that has the lock.
    """

    def __init__(self, url: sa.URL, session: sa.Connection) -> None:
        super().__init__(url)
        self._session = session

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """All or nothing, if the lock is held until the end."""
        with self._lost(), self._translated(), self._session.begin():
            yield self._session

    def check_held(self) -> None:
        """Ask the session."""
        with self.writing() as connection:
            connection.execute(sa.text("SELECT 1"))

    @contextmanager
    def _lost(self) -> Iterator[None]:
        try:
            yield
        except SpaceportError as error:
            if self._session.invalidated or self._session.closed:
                raise StoreError(
                    f"The catalog {self} went away, and with it the lock of this writer.",
                    "Run it again when the catalog is back; all published versions are whole.",
                ) from error
            raise


def _checked(url: str | sa.URL) -> sa.URL:
    try:
        made = sa.make_url(url)
    except ArgumentError as error:
        raise ParameterError(  # what came may hold a password
            "The text given is not a catalog's URL.",
            "Write for example postgresql://user@host/database or sqlite:////folder/catalog.sqlite.",
        ) from error
    if made.get_backend_name() not in ("sqlite", "postgresql"):
        raise ParameterError(
            f"A catalog cannot be kept in {made.get_backend_name()}.", "Use SQLite or PostgreSQL."
        )
    return made.set(drivername="postgresql+psycopg") if made.drivername == "postgresql" else made


def _engine(url: sa.URL) -> sa.Engine:
    sqlite = url.get_backend_name() == "sqlite"
    try:
        engine = sa.create_engine(
            url,
            poolclass=NullPool,
            connect_args={"timeout": PATIENCE} if sqlite else {},
            json_serializer=dumps,
            json_deserializer=loads,
        )
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise MissingExtra.of("postgres", "psycopg") from error
    if sqlite:
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = (
        None  # transactions begin where `_begin_sqlite` says, tables included
    )
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = EXTRA")  # a commit outlives a power cut


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return found


def _migrate(connection: sa.Connection, revision: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise NewerStoreError(
            f"The store's catalog has revision {revision}, which this release does not know.",
            "A newer release made it. Run: pip install --upgrade spaceport",
        )
    command.upgrade(config, "head")


def _wait_for(connection: sa.Connection, key: int, name: str, wait: float) -> None:
    until = time.monotonic() + wait
    while not _try(connection, key):
        if time.monotonic() >= until:
            raise BusyError(
                f"Another process writes to {name} at this moment.",
                "Try again when it has finished.",
            )
        time.sleep(0.05)


def _try(connection: sa.Connection, key: int) -> bool:
    with connection.begin():  # the lock is the session's; no transaction stays open beside the work
        return bool(connection.scalar(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": key}))


def _key(name: str) -> int:
    return int.from_bytes(
        hashlib.sha256(f"spaceport {name}".encode()).digest()[:8], "big", signed=True
    )
