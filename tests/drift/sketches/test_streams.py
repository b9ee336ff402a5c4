"""One pass over batches: whatever their size, from whatever file, on however many threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from drift.sketches.planted import D, basis, names, rows
from drift.sketches.test_merging import same
from spaceport.drift.sketches import streams
from spaceport.drift.sketches.sketch import Sketch
from spaceport.drift.sketches.streams import columns
from spaceport.errors import InputError, MismatchError, SpaceportError
from spaceport.sources.vectors import Vectors


def batches(size: int, n: int = 9000) -> Iterator[tuple[list[str], Any]]:
    for start in range(0, n, size):
        yield names()[start : min(n, start + size)], rows()[start : min(n, start + size)]


@pytest.mark.parametrize("size", [1000, 4096, 9000])
def test_batches_of_any_size_give_one_sketch(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PORTION", 3000)
    same(Sketch.of_stream(basis(), batches(size)), Sketch.of(basis(), rows(), names()))


def test_threads_do_not_change_a_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PORTION", 700)
    one, three = (Sketch.of_stream(basis(), batches(300), threads=t) for t in (1, 3))
    assert one.ids == three.ids
    assert (one.rows == three.rows).all()
    for name, array in one.totals.sums.items():
        assert array.tobytes() == three.totals.sums[name].tobytes(), name
    assert one.moments.scatter.tobytes() == three.moments.scatter.tobytes()


def test_a_stream_is_read_as_it_is_worked_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PORTION", 500)
    ahead: list[int] = []
    done: list[int] = []

    def counted() -> Iterator[tuple[list[str], Any]]:
        for place, batch in enumerate(batches(500)):
            ahead.append(place - len(done))
            yield batch

    work = streams._Worker.__call__

    def noted(worker: Any, portion: Any) -> Any:
        found = work(worker, portion)
        done.append(1)
        return found

    monkeypatch.setattr(streams._Worker, "__call__", noted)
    Sketch.of_stream(basis(), counted())
    assert len(done) == 18
    assert max(ahead) <= 8


def test_rows_without_ids_are_called_by_their_position() -> None:
    bare = Sketch.of_stream(basis(), [(None, rows()[:700]), (None, rows()[700:2000])], room=5000)
    assert sorted(bare.ids, key=int) == [str(place) for place in range(2000)]
    places = [int(name) for name in bare.ids]
    assert (bare.rows == rows()[places]).all()
    named = Sketch.of_stream(basis(), [(None, rows()[:3])], prefix="2026-01-01/")
    assert sorted(named.ids) == ["2026-01-01/0", "2026-01-01/1", "2026-01-01/2"]


def test_refs_stay_with_their_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PORTION", 300)
    refs = [f"s3://bucket/{place}.png" for place in range(2000)]
    found = Sketch.of(basis(), rows()[:2000], names()[:2000], refs, room=100)
    assert len(found.refs) == 100
    for name, ref, row in zip(found.ids, found.refs, found.rows, strict=True):
        place = names().index(name)
        assert ref == refs[place]
        assert (row == rows()[place]).all()
    assert set(Sketch.of(basis(), rows()[:9], names()[:9]).refs) == {""}


@pytest.mark.parametrize(
    "ids",
    [
        pa.array(names()[:50]),
        pa.array(names()[:50], pa.large_string()),
        pa.array(names()[:50]).dictionary_encode(),
        pa.array(["other", *names()[:50]]).slice(1),
        pa.chunked_array([names()[:20], names()[20:50]]),
        tuple(names()[:50]),
        np.array(names()[:50]),
    ],
    ids=["string", "large", "dictionary", "slice", "chunked", "tuple", "numpy"],
)
def test_ids_come_as_arrow_or_as_a_sequence(ids: Any) -> None:
    same(Sketch.of(basis(), rows()[:50], ids), Sketch.of(basis(), rows()[:50], names()[:50]))


def table() -> pa.Table:
    vectors = pa.FixedSizeListArray.from_arrays(rows()[:2000].ravel(), D)
    return pa.table({"id": pa.array(names()[:2000]), "vector": vectors})


def parquet(path: Path) -> Iterator[Any]:
    import pyarrow.parquet as pq

    pq.write_table(table(), path)
    return columns(Vectors(path).batches())


def ipc(path: Path) -> Iterator[Any]:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table().schema) as file:
        file.write_table(table(), 300)
    return columns(Vectors(path).batches())


def npy(path: Path) -> Iterator[Any]:
    np.save(path, rows()[:2000])
    (path.parent / "ids.txt").write_text("\n".join(names()[:2000]))
    return columns(Vectors(f"{path}.npy", ids=path.parent / "ids.txt").batches())


def memmap(path: Path) -> Iterator[Any]:
    np.save(path, rows()[:2000])
    yield names()[:2000], np.load(f"{path}.npy", mmap_mode="r")


def lance(path: Path) -> Iterator[Any]:
    from spaceport.storage.vectors import lance_library

    library = lance_library()
    library.write_dataset(table(), str(path))
    return columns(library.dataset(str(path)).to_batches(batch_size=300), "vector")


@pytest.mark.parametrize("write", [parquet, ipc, npy, memmap, lance])
def test_every_file_gives_the_sketch_of_its_rows(
    write: Callable[[Path], Iterator[Any]], tmp_path: Path
) -> None:
    found = Sketch.of_stream(basis(), write(tmp_path / "rows"))
    same(found, Sketch.of(basis(), rows()[:2000], names()[:2000]))


def broken(value: float) -> Any:
    found = rows()[:40].copy()
    found[7, 3] = value
    return found


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ((names()[:40], broken(np.nan)), "NaN or infinity in 1 of 40 rows"),
        ((names()[:40], broken(np.inf)), "NaN or infinity in 1 of 40 rows"),
        ((names()[:39], rows()[:40]), "40 rows and 39 ids"),
        ((names()[:40], rows()[:40], ["a"]), "40 rows and 1 refs"),
        (([None, *names()[:39]], rows()[:40]), "1 of 40 ids are null"),
        (([1, 2], rows()[:2]), "not all strings"),
        ((None, rows()[:40, :5]), "dimension 7. Got 5"),
        ((None, rows()[0]), "shape"),
    ],
)
def test_what_cannot_be_sketched_is_refused_in_two_lines(batch: Any, message: str) -> None:
    with pytest.raises(SpaceportError, match=message) as caught:
        Sketch.of_stream(basis(), [batch])
    assert len(str(caught.value).splitlines()) == 2


def test_batches_of_two_dimensions_are_refused() -> None:
    with pytest.raises(MismatchError, match="dimension 5, those before it 7"):
        Sketch.of_stream(basis(), [(None, rows()[:40]), (None, rows()[:40, :5])])


def test_a_row_without_a_vector_is_refused() -> None:
    vectors = pa.array([[0.0] * D, None], pa.list_(pa.float32(), D))
    batch = pa.record_batch({"id": ["a", "b"], "content": vectors})
    with pytest.raises(InputError, match="no vector in 1 of 2 rows"):
        list(columns([batch]))


def test_a_slice_of_a_batch_is_not_the_batch() -> None:
    whole = pa.RecordBatch.from_arrays(
        [pa.array(names()[:9]), pa.FixedSizeListArray.from_arrays(rows()[:9].ravel(), D)],
        ["id", "content"],
    )
    ((ids, vectors, _),) = columns([whole.slice(4, 3)])
    assert ids.to_pylist() == names()[4:7]
    assert (vectors == rows()[4:7]).all()
