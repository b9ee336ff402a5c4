"""Rows in Lance: found by id, read in order, written with what the manifest needs."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path

import lance
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spaceport.errors import CorruptError, InputError, NotFoundError
from spaceport.hashes import hashes
from spaceport.storage import datasets
from spaceport.storage import index as indexes
from spaceport.storage.datasets import create, extend
from spaceport.storage.files import listing
from spaceport.storage.folder import Folder
from spaceport.storage.index import IdIndex
from spaceport.storage.vectors import HINT, VectorTable

Rows = Callable[..., pa.RecordBatch]
NASTY = ["'", "''", "\\", "\\'", '"', "a'b", "%", "_", "\0", "\n", "; --", "雪", "🦄", "é", "e\u0301", " ", "$1",
         "a" * 1000, "'); DROP TABLE x", "{}", "\u202e", "NULL", "1"]  # fmt: skip


@pytest.fixture
def table(tmp_path: Path, rows: Rows) -> VectorTable:
    ids = [f"item-{k}" for k in range(1000)]
    batches = [rows(ids[k : k + 100], seed=k) for k in range(0, 1000, 100)]
    return create(Folder(tmp_path / "a.lance"), batches[0].schema, batches, "t").table


def dense(table: pa.Table) -> np.ndarray:
    return np.array(table.column("vector").to_pylist(), np.float32)


def test_what_was_written_is_read_in_order(tmp_path: Path, rows: Rows, table: VectorTable) -> None:
    whole = np.concatenate([
        rows(["x"] * 100, seed=k).column("vector").flatten().to_numpy().reshape(-1, 8)
        for k in range(0, 1000, 100)
    ])  # fmt: skip
    assert table.count == 1000
    assert table.dimension == 8
    assert table.ids() == [f"item-{k}" for k in range(1000)]
    np.testing.assert_array_equal(table.matrix(), whole)
    assert table.matrix().dtype == np.float32
    scanned = pa.Table.from_batches(table.scan(["vector"], batch_size=64))
    np.testing.assert_array_equal(dense(scanned), whole)
    places = [999, 0, 500, 0]
    np.testing.assert_array_equal(dense(table.rows(places)), whole[places])


def test_rows_come_by_id_in_the_order_asked(table: VectorTable) -> None:
    places = np.random.default_rng(0).choice(1000, 300, replace=False)
    asked = [f"item-{k}" for k in places] + ["item-3", "item-3"]
    taken = table.take(asked)
    assert taken.column("id").to_pylist() == asked
    np.testing.assert_array_equal(dense(taken), table.matrix()[[*places, 3, 3]])
    assert table.take(asked, columns=["vector"]).column_names == ["vector"]
    assert table.take([]).num_rows == 0


def test_unknown_ids_are_counted_and_near_ones_named(table: VectorTable) -> None:
    with pytest.raises(NotFoundError) as caught:
        table.take(["item-1", "itm-7", "nothing like it"])
    assert str(caught.value).startswith(
        "2 of 3 ids are not in a.lance; the first is 'itm-7'.\nDid you mean 'item-7'"
    )
    with pytest.raises(NotFoundError, match="spelt"):
        table.take(["ZZZZ"])
    with pytest.raises(NotFoundError, match="item-12"):
        table.take(["ITEM-12"])


def test_unknown_columns_and_rows(table: VectorTable) -> None:
    with pytest.raises(NotFoundError, match="Did you mean vector"):
        table.take(["item-1"], columns=["vectr"])
    for places in ([1000], [-1], [0, 5000]):
        with pytest.raises(NotFoundError, match="0 to 999"):
            table.rows(places)


def test_colliding_hashes_are_told_apart_by_the_ids(
    table: VectorTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = indexes.hashes
    monkeypatch.setattr(indexes, "hashes", lambda strings: real(strings) % np.uint64(7))
    asked = ["item-500", "item-3", "item-999", "item-3"]
    assert table.take(asked).column("id").to_pylist() == asked
    np.testing.assert_array_equal(dense(table.take(asked)), table.matrix()[[500, 3, 999, 3]])
    with pytest.raises(NotFoundError, match="2 of 3"):
        table.take(["x", "item-1", "y"])


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True))
def test_hashes_are_of_the_bytes_alone(ids: list[str]) -> None:
    whole = hashes(pa.array(ids, pa.string()))
    one_by_one = [hashes(pa.array([name], pa.string()))[0] for name in ids]
    assert list(whole) == one_by_one
    assert len(set(whole.tolist())) == len(ids)
    sliced = pa.array(["before", *ids, "after"], pa.string()).slice(1, len(ids))
    np.testing.assert_array_equal(hashes(sliced), whole)
    np.testing.assert_array_equal(hashes(pa.array(ids, pa.large_string())), whole)


def test_hashes_tell_ids_apart_that_differ_in_length_or_late() -> None:
    ids = ["\0" * k for k in range(30)] + ["a" * k for k in range(1, 30)]
    ids += ["a" * k + "b" for k in range(30)] + ["a" * k + "\0" for k in range(1, 30)]
    assert len(set(hashes(pa.array(ids)).tolist())) == len(ids)


def test_the_index_finds_each_id_as_a_dict_does() -> None:
    ids = [f"{k * 7919 % 20011}" for k in range(20000)]
    index = IdIndex(pa.array(ids[k : k + 999]) for k in range(0, 20000, 999))
    asked, places = index.candidates(pa.array([*ids[::17], "none"]))
    known = {name: place for place, name in enumerate(ids)}
    assert asked.tolist() == list(range(len(ids[::17])))
    assert places.tolist() == [known[name] for name in ids[::17]]
    assert index.nbytes == 12 * 20000


def test_removing_survives_any_id(tmp_path: Path, rows: Rows) -> None:
    batch = rows([*NASTY, "stays"])
    base = create(Folder(tmp_path / "a.lance"), batch.schema, [batch], "t1").table
    for name in NASTY:
        assert base.take([name]).column("id").to_pylist() == [name]
    after = extend(base.place, base.version, NASTY, [], "t2").table
    assert after.ids() == ["stays"]
    assert base.count == len(NASTY) + 1


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@settings(max_examples=15)
@given(st.lists(texts, min_size=1, max_size=30, unique=True), st.data())
def test_a_minor_is_what_was_asked(
    tmp_path_factory: pytest.TempPathFactory, ids: list[str], drawn: st.DataObject
) -> None:
    from tempfile import TemporaryDirectory

    gone = drawn.draw(st.lists(st.sampled_from(ids), unique=True))
    with TemporaryDirectory(dir=tmp_path_factory.getbasetemp()) as folder:
        _extend_and_compare(Path(folder) / "a.lance", ids, gone)


def _extend_and_compare(folder: Path, ids: list[str], gone: list[str]) -> None:
    vectors = np.arange(len(ids) * 2, dtype=np.float32).reshape(-1, 2)

    def batch(names: list[str], values: np.ndarray) -> pa.RecordBatch:
        column = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), 2)
        return pa.record_batch({"id": pa.array(names, pa.string()), "vector": column})

    whole = batch(ids, vectors)
    base = create(Folder(folder), whole.schema, [whole], "t1").table
    changed = batch(gone, -np.ones((len(gone), 2), np.float32))
    after = extend(Folder(folder), base.version, gone, [changed], "t2").table
    kept = [name for name in ids if name not in set(gone)]
    assert after.ids() == [*kept, *gone]
    known = {name: place for place, name in enumerate(ids)}
    np.testing.assert_array_equal(
        after.matrix()[: len(kept)], vectors[[known[name] for name in kept]]
    )
    assert (after.matrix()[len(kept) :] == -1).all()
    assert base.ids() == ids
    np.testing.assert_array_equal(base.matrix(), vectors)


def test_many_ids_are_removed_in_chunks(
    table: VectorTable, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "DELETE_CHUNK", 64)
    gone = [f"item-{k}" for k in range(0, 1000, 2)]
    after = extend(table.place, table.version, gone, [rows(["new"])], "t2").table
    assert after.ids() == [f"item-{k}" for k in range(1, 1000, 2)] + ["new"]
    assert lance.dataset(table.place.uri).versions()[-1]["version"] == after.version


def test_what_a_crash_left_at_the_head_is_not_in_the_next_version(
    table: VectorTable, rows: Rows
) -> None:
    lance.dataset(table.place.uri).delete("id = 'item-5'")
    lance.write_dataset(pa.Table.from_batches([rows(["half"])]), table.place.uri, mode="append")
    after = extend(table.place, table.version, ["item-7"], [rows(["new"])], "t2").table
    assert set(after.ids()) == {f"item-{k}" for k in range(1000) if k != 7} | {"new"}


def test_the_entries_are_all_that_the_version_needs(
    tmp_path: Path, table: VectorTable, rows: Rows
) -> None:
    written = extend(table.place, table.version, ["item-1"], [rows(["new"])], "t2")
    folder = table.place.path
    for entry in written.entries:
        data = (folder / entry.path).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (entry.size, entry.sha256)
    kinds = {entry.path.split("/")[0] for entry in written.entries}
    assert kinds == {"data", "_versions", "_deletions", "_transactions", "_refs"}
    first = table.files() | {"_refs/tags/t.json"}
    assert listing(folder) == first | written.needed | {HINT}
    for name in listing(folder) - written.needed:
        (folder / name).unlink()
    alone = VectorTable(Folder(folder), written.table.version)
    assert alone.count == 1000
    assert len(alone.matrix()) == 1000


def test_lances_own_cleanup_keeps_what_is_tagged(table: VectorTable, rows: Rows) -> None:
    from datetime import timedelta

    after = extend(table.place, table.version, ["item-1"], [rows(["new"])], "t2").table
    newest = extend(table.place, after.version, ["item-2"], [], "t3").table
    dataset = lance.dataset(table.place.uri)
    dataset.cleanup_old_versions(
        older_than=timedelta(0), delete_unverified=True, error_if_tagged_old_versions=False
    )
    for version, count in ((table.version, 1000), (after.version, 1000), (newest.version, 999)):
        assert len(VectorTable(table.place, version).matrix()) == count


def test_what_the_batches_raise_is_raised_as_it_is(tmp_path: Path, rows: Rows) -> None:
    batch = rows(["a"])
    for error in (InputError("what", "remedy"), KeyboardInterrupt(), ZeroDivisionError()):

        def broken(error: BaseException = error) -> Iterator[pa.RecordBatch]:
            for _ in range(20):
                yield batch
            raise error

        with pytest.raises(type(error)):
            create(Folder(tmp_path / "a.lance"), batch.schema, broken(), "t")


def test_the_batches_are_read_in_the_callers_thread_and_context(tmp_path: Path, rows: Rows) -> None:
    here: ContextVar[str] = ContextVar("here", default="elsewhere")
    here.set("here")
    seen = set()

    def batches() -> Iterator[pa.RecordBatch]:
        for name in "abc":
            seen.add((threading.get_ident(), here.get()))
            yield rows([name])

    create(Folder(tmp_path / "a.lance"), rows(["a"]).schema, batches(), "t")
    assert seen == {(threading.get_ident(), "here")}


def test_rows_of_another_shape_are_refused(tmp_path: Path, rows: Rows, table: VectorTable) -> None:
    with pytest.raises(InputError, match=r"\[5\]"):
        extend(table.place, table.version, [], [rows(["new"], dimension=5)], "t2")
    with pytest.raises(InputError, match="vector"):
        create(Folder(tmp_path / "b.lance"), table.schema, [pa.record_batch({"id": ["a"]})], "t")
    for schema in (
        pa.schema({"id": pa.string()}),
        pa.schema({"id": pa.int64(), "vector": pa.list_(pa.float32(), 2)}),
    ):
        with pytest.raises(InputError, match="cannot be published"):
            create(Folder(tmp_path / "c.lance"), schema, [], "t")


def test_files_that_are_broken_or_gone(tmp_path: Path, table: VectorTable) -> None:
    with pytest.raises(CorruptError):
        VectorTable(Folder(tmp_path / "nowhere.lance"), 1).ids()
    with pytest.raises(CorruptError):
        VectorTable(table.place, 77).ids()
    (data,) = (table.place.path / "data").iterdir()
    data.write_bytes(data.read_bytes()[:-100] + bytes(100))
    for look in ("ids", "matrix"):
        with pytest.raises(CorruptError) as caught:
            getattr(VectorTable(table.place, table.version), look)()
        assert len(str(caught.value).split("\n")) == 2


def test_lance_says_nothing_to_the_user(
    tmp_path: Path, rows: Rows, capfd: pytest.CaptureFixture[str]
) -> None:
    batch = rows(["a", "b"])
    base = create(Folder(tmp_path / "a.lance"), batch.schema, [batch], "t1").table
    after = extend(base.place, base.version, ["a"], [rows(["c"])], "t2").table
    after.take(["c"])
    after.matrix()
    with pytest.raises(CorruptError):
        VectorTable(Folder(tmp_path / "nowhere.lance"), 1).ids()
    assert capfd.readouterr() == ("", "")
