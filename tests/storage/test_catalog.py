"""One catalog, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import dataclasses
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import IntegrityError

from spaceport.errors import (
    BusyError,
    CorruptError,
    NewerStoreError,
    NotFoundError,
    ParameterError,
    SpaceportError,
    StoreError,
)
from spaceport.storage import database as databases
from spaceport.storage import tables
from spaceport.storage.aliases import Aliases, earlier
from spaceport.storage.catalog import Catalog, Record
from spaceport.storage.clock import now
from spaceport.storage.database import Database
from spaceport.storage.files import Entry
from spaceport.storage.names import Number
from spaceport.storage.store import open_store

A = Record(
    space="words",
    number=Number(1),
    created=now(),
    kind="major",
    contract={"metric": "cosine", "canaries": ["雪", 0.5, None]},
    fingerprint="f" * 64,
    rows=3_000_000_000,
    dimension=100,
    dataset="spaces/words/x.lance",
    lance_version=1,
    folder="spaces/words/x",
    spec="word2vec(dimension=100)",
    notes={"seconds": 1.25},
)
FILES = [Entry("spaces/words/x/b", 7, "b" * 64), Entry("spaces/words/x/a", 5_000_000_000, "a" * 64)]


@pytest.fixture
def url(catalog_url: str) -> str:
    return catalog_url


@pytest.fixture
def catalog(url: str) -> Catalog:
    database = Database(url)
    database.make()
    return Catalog(database)


def numbered(major: int, minor: int = 0, patch: int = 0) -> Record:
    return dataclasses.replace(A, number=Number(major, minor, patch))


def test_the_revisions_make_the_tables_that_the_code_uses(catalog: Catalog) -> None:
    with catalog.database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_the_comparison_notices_a_column_that_no_revision_makes(catalog: Catalog) -> None:
    other = sa.MetaData()
    for table in tables.metadata.tables.values():
        table.to_metadata(other)
    other.tables["files"].append_column(sa.Column("color", sa.Text))
    with catalog.database.reading() as connection:
        (difference,) = compare_metadata(MigrationContext.configure(connection), other)
    assert difference[0] == "add_column"


def test_a_version_comes_back_as_it_was_committed(catalog: Catalog) -> None:
    catalog.commit(A, FILES)
    assert catalog.versions("words") == [A]
    assert catalog.spaces() == ["words"]
    assert catalog.files(A) == sorted(FILES, key=lambda entry: entry.path)
    assert catalog.listed("words") == {entry.path for entry in FILES}
    assert catalog.versions("other") == []
    assert catalog.listed("other") == set()


def test_versions_are_sorted_by_number_not_by_text(catalog: Catalog) -> None:
    for number in [(1, 10), (2,), (1, 9), (1, 9, 1)]:
        catalog.commit(numbered(*number), [])
    found = [str(record.number) for record in catalog.versions("words")]
    assert found == ["1.9.0", "1.9.1", "1.10.0", "2.0.0"]


def test_a_number_is_taken_once_and_the_second_leaves_nothing(catalog: Catalog) -> None:
    catalog.commit(A, FILES[:1])
    again = dataclasses.replace(A, rows=5)
    with pytest.raises(ParameterError, match=r"is a version words@1\.0\.0 already"):
        catalog.commit(again, FILES)
    assert catalog.versions("words") == [A]
    assert catalog.files(A) == FILES[:1]


def test_a_manifest_that_cannot_be_written_leaves_no_version(catalog: Catalog) -> None:
    twice = [FILES[0], FILES[0]]
    with pytest.raises(SpaceportError):
        catalog.commit(A, twice)
    assert catalog.versions("words") == []
    assert catalog.spaces() == []


def test_no_row_speaks_of_a_version_that_there_is_not(catalog: Catalog) -> None:
    row = {"version_id": 77, "path": "a", "size": 1, "sha256": "a" * 64}
    with pytest.raises(IntegrityError), catalog.database.writing() as connection:
        connection.execute(tables.files.insert(), row)


def test_of_many_committers_of_one_number_one_wins(catalog: Catalog) -> None:
    catalog.commit(A, [])

    def attempt(rows: int) -> bool:
        try:
            catalog.commit(dataclasses.replace(A, number=Number(2), rows=rows), [])
        except ParameterError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(attempt, range(6))) == 1
    assert len(catalog.versions("words")) == 2


def test_an_alias_moves_and_its_moves_are_kept(catalog: Catalog) -> None:
    one, two = numbered(1), numbered(2)
    catalog.commit(one, [])
    catalog.commit(two, [])
    Aliases(catalog.database).move(one, "live", "promote", "first")
    Aliases(catalog.database).move(two, "live", "promote", "better")
    Aliases(catalog.database).move(two, "live", "promote", "again")
    assert Aliases(catalog.database).of("words") == {"live": Number(2)}
    moves = Aliases(catalog.database).history("words", "live")
    assert [(move.before, move.after, move.note) for move in moves] == [
        (None, Number(1), "first"),
        (Number(1), Number(2), "better"),
    ]
    assert all(move.who and move.at.endswith("Z") for move in moves)
    assert earlier(moves) == Number(1)
    assert Aliases(catalog.database).history("words", "other") == []


def test_rollbacks_go_back_one_step_each(catalog: Catalog) -> None:
    versions = [numbered(major) for major in (1, 2, 3)]
    for record in versions:
        catalog.commit(record, [])
        Aliases(catalog.database).move(record, "live", "promote", "")
    for expected in (versions[1], versions[0]):
        assert earlier(Aliases(catalog.database).history("words", "live")) == expected.number
        Aliases(catalog.database).move(expected, "live", "rollback", "")
    with pytest.raises(NotFoundError, match="no other version"):
        earlier(Aliases(catalog.database).history("words", "live"))


def test_making_the_tables_at_once_from_many_threads_makes_them_once(url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: Database(url).make(), range(4)))
    assert Database(url).is_current()


def test_an_unknown_revision_is_a_newer_store(catalog: Catalog) -> None:
    with catalog.database.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerStoreError) as caught:
        catalog.database.check()
    assert "9999" in caught.value.what
    assert "pip install --upgrade spaceport" in caught.value.remedy


@pytest.fixture
def next_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Pretend to be the next release, whose fourth revision runs `line`."""

    def become(line: str) -> None:
        folder = tmp_path / "migrations"
        shutil.copytree(databases.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "versions" / "r0004_next.py").write_text(
            "import sqlalchemy as sa\nfrom alembic import op\n"
            "revision = '0004'\ndown_revision = '0003'\n"
            f"def upgrade():\n    op.add_column('spaces', sa.Column('owner', sa.Text))\n    {line}\n"
        )
        monkeypatch.setattr(databases, "MIGRATIONS", folder)
        monkeypatch.setattr(databases, "HEAD", "0004")

    return become


def test_an_older_catalog_is_brought_up_to_date(
    catalog: Catalog, next_release: Callable[[str], None]
) -> None:
    catalog.commit(A, FILES)
    next_release("pass")
    catalog.database.check()
    assert catalog.database.revision() == "0004"
    assert catalog.versions("words") == [A]
    with catalog.database.reading() as connection:
        assert "owner" in {
            column["name"] for column in sa.inspect(connection).get_columns("spaces")
        }


def test_the_first_release_s_catalog_keeps_every_row(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tmp_path / "first"
    shutil.copytree(
        databases.MIGRATIONS, first, ignore=shutil.ignore_patterns("r000[2-9]*", "*.pyc")
    )
    with monkeypatch.context() as patched:
        patched.setattr(databases, "MIGRATIONS", first)
        patched.setattr(databases, "HEAD", "0001")
        Database(url).make()
    rows = [
        "INSERT INTO spaces VALUES ('words', '2026-01-02T03:04:05Z')",
        "INSERT INTO versions VALUES (7, 'words', 1, 0, 0, '2026-01-02T03:04:05Z', 'major', "
        f"'{{\"metric\": \"cosine\"}}', '{'f' * 64}', 3, 8, 'd', 1, 'spaces/words/x', 'lsa()', '{{}}')",
        "INSERT INTO files VALUES (7, 'spaces/words/x/a', 5, 'abc')",
        "INSERT INTO aliases VALUES ('words', 'live', 7)",
        "INSERT INTO alias_history VALUES "
        "(100, 'words', 'live', 'promote', 'ann', '2026-01-02T03:04:05Z', NULL, 7, 'first')",
    ]
    database = Database(url)
    with database.writing() as connection:
        for row in rows:
            connection.execute(sa.text(row.replace(":", "\\:")))
    database.check()
    assert database.revision() == databases.HEAD
    (record,) = Catalog(database).versions("words")
    assert (record.reference, record.rows, record.who, record.lineage) == ("words@1.0.0", 3, "", {})
    assert Catalog(database).files(record) == [Entry("spaces/words/x/a", 5, "abc")]
    (move,) = Aliases(database).history("words")
    assert (move.who, move.note, move.after, move.evidence) == ("ann", "first", Number(1), {})
    Aliases(database).move(record, "other", "promote", "new rows go in as well")


def test_an_upgrade_that_fails_half_way_leaves_the_catalog_as_it_was(
    catalog: Catalog, next_release: Callable[[str], None]
) -> None:
    catalog.commit(A, FILES)
    next_release("raise RuntimeError('power cut')")
    with pytest.raises(RuntimeError, match="power cut"):
        catalog.database.check()
    assert catalog.database.revision() == "0003"
    with catalog.database.reading() as connection:
        assert "owner" not in {
            column["name"] for column in sa.inspect(connection).get_columns("spaces")
        }


def test_a_lock_of_postgresql_is_one_across_machines(postgres_url: str) -> None:
    here, there = Database(postgres_url), Database(postgres_url)
    with here.lock("words", 0.0):
        with pytest.raises(BusyError, match="words"), there.lock("words", 0.1):
            pass
        with there.lock("other", 0.0):
            pass
    with there.lock("words", 0.0):
        pass


def test_a_whole_store_on_postgresql(
    postgres_url: str, tmp_path: Path, first: Callable[..., Record], minor: Callable[..., Record]
) -> None:
    store = open_store(tmp_path / "store", catalog=postgres_url)
    first(store)
    minor(store, "words", ["cat"], ["king"])
    store.promote("words@1", "live")
    fresh = open_store(tmp_path / "store", catalog=postgres_url)
    assert [record.reference for record in fresh.versions("words")] == [
        "words@1.0.0",
        "words@1.1.0",
    ]
    assert [fresh.verify(record) for record in fresh.versions("words")] == [[], []]
    assert fresh.vectors(fresh.resolve("words@live")).ids() == ["dog", "queen", "king"]
    assert fresh.gc() == []
    assert not (tmp_path / "store" / "catalog.sqlite").exists()


def test_another_stores_catalog_is_refused(
    postgres_url: str, tmp_path: Path, first: Callable[..., Record]
) -> None:
    first(open_store(tmp_path / "one", catalog=postgres_url))
    first(open_store(tmp_path / "two"))
    mixed = open_store(tmp_path / "two", catalog=postgres_url)
    for attempt in (mixed.spaces, mixed.gc, lambda: first(mixed)):
        with pytest.raises(StoreError, match="is not that of the store"):
            attempt()
    assert open_store(tmp_path / "two").verify(open_store(tmp_path / "two").resolve("words")) == []


def test_an_empty_catalog_beside_a_full_store_is_refused_and_sweeps_nothing(
    tmp_path: Path, first: Callable[..., Record]
) -> None:
    first(open_store(tmp_path / "store"))
    wrong = open_store(tmp_path / "store", catalog=f"sqlite:///{tmp_path}/other.sqlite")
    for attempt in (wrong.spaces, wrong.gc, lambda: first(wrong)):
        with pytest.raises(CorruptError, match="no catalog"):
            attempt()
    right = open_store(tmp_path / "store")
    assert right.verify(right.resolve("words")) == []


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "catalog.sqlite").write_bytes(b"not a database, whatever its name says" * 100)
    with pytest.raises(CorruptError) as caught:
        Database.in_file(tmp_path / "catalog.sqlite").exists()
    assert len(str(caught.value).split("\n")) == 2


def test_a_locked_catalog_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "PATIENCE", 0.1)
    database = Database.in_file(tmp_path / "catalog.sqlite")
    database.make()
    holder = sqlite3.connect(tmp_path / "catalog.sqlite", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(BusyError):
        Catalog(database).commit(A, [])
    holder.execute("ROLLBACK")
    holder.close()
    Catalog(database).commit(A, [])


def test_a_server_that_is_not_there_shows_no_password() -> None:
    pytest.importorskip(
        "psycopg", reason="psycopg is not installed: pip install 'spaceport[postgres]'"
    )
    for url in (
        "postgresql://me:secret@127.0.0.1:1/none",
        "postgresql://127.0.0.1:1/none?password=secret",
    ):
        with pytest.raises(StoreError) as caught:
            Database(url).exists()
        assert "secret" not in str(caught.value)
        assert len(str(caught.value).split("\n")) == 2
    with pytest.raises(ParameterError) as refused:
        Database("postgresql//me:secret@127.0.0.1/none")
    assert "secret" not in str(refused.value)


def test_a_space_may_be_called_like_a_lock_of_ours(postgres_url: str) -> None:
    """Who writes to a space `schema` keeps nobody from bringing the tables up to date."""
    database = Database(f"{postgres_url}?options=-c%20lock_timeout%3D5s")
    with database.lock("schema", 0.0):
        database.make()


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", ""])
def test_a_url_that_is_no_catalog(url: str) -> None:
    with pytest.raises(ParameterError):
        Database(url)


def test_opening_an_up_to_date_catalog_imports_no_alembic(tmp_path: Path) -> None:
    database = Database.in_file(tmp_path / "catalog.sqlite")
    database.make()
    code = (
        "import sys; from pathlib import Path; from spaceport.storage.database import Database;"
        f"d = Database.in_file(Path({str(tmp_path / 'catalog.sqlite')!r}));"
        "assert d.exists(); d.check(); assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
