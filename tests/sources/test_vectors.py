"""Vectors: where ids and metadata come from, and what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spaceport.errors import InputError, NotFoundError, ParameterError
from spaceport.sources.formats import known
from spaceport.sources.vectors import Vectors

X = np.arange(6, dtype=np.float32).reshape(3, 2)


def items(*args: Any, **kwargs: Any) -> list[dict[str, Any]]:
    return [row for batch in Vectors(*args, **kwargs).batches() for row in batch.to_pylist()]


def ids(*args: Any, **kwargs: Any) -> list[str]:
    return [row["id"] for row in items(*args, **kwargs)]


@pytest.fixture
def npy(tmp_path: Path) -> Path:
    np.save(tmp_path / "x.npy", X)
    return tmp_path / "x.npy"


def test_ids_from_a_file_a_list_or_the_position(npy: Path, tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_bytes("naïve\r\nb b\nc\n".encode())
    (tmp_path / "ids.gz").write_bytes(gzip.compress(b"x\ny\nz"))
    assert ids(npy) == ["0", "1", "2"]
    assert ids(npy, ids=tmp_path / "ids.txt") == ["naïve", "b b", "c"]
    assert ids(npy, ids=str(tmp_path / "ids.gz")) == ["x", "y", "z"]
    assert ids(npy, ids=["p", "q", "r"]) == ["p", "q", "r"]
    assert [row["content"] for row in items(npy, ids=["p", "q", "r"])] == X.tolist()


def test_ids_given_win_over_the_formats_words(tmp_path: Path) -> None:
    known.write(tmp_path / "x", ["a", "b", "c"], [X], "word2vec")
    assert ids(tmp_path / "x", ids=["p", "q", "r"]) == ["p", "q", "r"]


@pytest.mark.parametrize("count", [2, 4])
def test_another_number_of_ids(npy: Path, count: int) -> None:
    with pytest.raises(InputError, match=rf"There are {count} ids for the 3 rows of"):
        items(npy, ids=list("abcd")[:count])


def test_bad_ids_are_counted(npy: Path, tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_text("a\n\na\n")
    with pytest.raises(InputError, match=r"ids.txt` has 1 empty id; the first is at position 1"):
        items(npy, ids=tmp_path / "ids.txt")
    with pytest.raises(InputError, match=r"1 repeated id; the first, 'a', stands 2 times"):
        items(npy, ids=["a", "b", "a"])
    with pytest.raises(NotFoundError, match=r"Did you mean ids\.txt"):
        items(npy, ids=tmp_path / "idz.txt")


def test_duplicate_words_are_counted(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("cat 1 2\ndog 3 4\ncat 5 6\ncat 7 8\n")
    message = r"has 2 repeated ids; the first repeated one, 'cat', stands 3 times"
    with pytest.raises(InputError, match=message):
        items(tmp_path / "x")


def test_nothing_is_yielded_from_the_first_bad_batch_on(tmp_path: Path) -> None:
    words = [f"w{row}" for row in range(30_000)]
    words[20_000] = words[5]
    (tmp_path / "x").write_text("".join(f"{word} 1 2\n" for word in words))
    batches = Vectors(tmp_path / "x").batches()
    assert [next(batches).num_rows, next(batches).num_rows] == [8192, 8192]
    with pytest.raises(InputError, match=r"1 repeated id; .*'w5', stands 2 times"):
        next(batches)


@pytest.mark.parametrize("kind", ["parquet", "arrow", "stream"])
@pytest.mark.parametrize(
    "list_type", [pa.list_(pa.float32(), 2), pa.list_(pa.float64()), pa.large_list(pa.int8())]
)
def test_tables_of_arrow(tmp_path: Path, kind: str, list_type: pa.DataType) -> None:
    columns = {
        "id": [7, 8, 9],
        "name": ["a", "b", "c"],
        "text": ["x", "y", None],
        "tags": [["t"], [], None],
        "v": pa.array(X.tolist(), list_type),
    }
    table = pa.table(columns)
    path = tmp_path / "x"
    if kind == "parquet":
        pq.write_table(table, path)
    else:
        make = {"arrow": pa.ipc.new_file, "stream": pa.ipc.new_stream}[kind]
        with make(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=2)
    assert items(path)[1] == {"id": "8", "content": [2.0, 3.0], "name": "b", "text_": "y"}
    found = items(path, names="name", column="v", label="id_")
    assert found[2] == {"id": "c", "content": [4.0, 5.0], "id_": 9, "text_": None}
    assert Vectors(path, label="name").label == "name"
    for wrong, message in (
        ({"names": "nam"}, "no column `nam`.\nDid you mean name"),
        ({"column": "name"}, "no column of vectors `name`"),
        ({"label": "nam"}, "no metadata column `nam`.\nDid you mean name"),
    ):
        with pytest.raises(NotFoundError, match=message):
            items(path, **wrong)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1.0, 2.0], [3.0], [4.0]], "2 rows are not of dimension 2; row 1 has 1 numbers"),
        ([[1.0, 2.0], None], "1 rows are not of dimension 2; row 1 has nothing"),
        ([[]], "1 rows are not of dimension 0|row 0 has 0 numbers"),
        ([[1.0, None]], "NaN or infinity in 1 of 1 rows"),
    ],
)
def test_ragged_and_missing_lists(tmp_path: Path, rows: list[Any], message: str) -> None:
    pq.write_table(pa.table({"v": pa.array(rows, pa.list_(pa.float32()))}), tmp_path / "x")
    with pytest.raises(InputError, match=message):
        items(tmp_path / "x")


def test_a_missing_row_of_a_fixed_size_list(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"v": pa.array([[1, 2], None], pa.list_(pa.float32(), 2))}), tmp_path / "x"
    )
    with pytest.raises(InputError, match="row 1 has nothing"):
        items(tmp_path / "x")


def test_arrays_by_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=X, b=-X, words=np.array(["p", "q", "r"]), n=np.arange(3))
    with pytest.raises(
        NotFoundError, match=r"2 arrays with two axes.*\nSay column=. There are: a, b"
    ):
        items(tmp_path / "x.npz")
    found = items(tmp_path / "x.npz", column="b", names="words")
    assert found[1] == {"id": "q", "content": [-2.0, -3.0]}
    assert ids(tmp_path / "x.npz", column="a", names="n") == ["0", "1", "2"]
    with pytest.raises(NotFoundError, match=r"no array `word`.\nDid you mean words"):
        items(tmp_path / "x.npz", column="a", names="word")
    with pytest.raises(InputError, match="not n ids"):
        items(tmp_path / "x.npz", column="a", names="b")


def test_a_pickle_is_never_read(tmp_path: Path) -> None:
    with (tmp_path / "x.npz").open("wb") as stream:
        np.savez(stream, vectors=X, ids=np.array(["a", None, 3], dtype=object))
    with pytest.raises(InputError, match=r"ids in .* cannot be read"):
        items(tmp_path / "x.npz")


def test_nan_and_infinity_are_counted_over_the_whole_file(tmp_path: Path) -> None:
    vectors = np.ones((20_000, 2), dtype=np.float64)
    vectors[9000, 1], vectors[9001, 0], vectors[19_999] = np.nan, -np.inf, 1e300
    np.save(tmp_path / "x.npy", vectors)
    source = Vectors(tmp_path / "x.npy")
    with pytest.raises(
        InputError, match=r"NaN or infinity in 3 of 20000 rows; the first is row 9000\."
    ):
        list(source.batches())
    (tmp_path / "x.txt").write_text("cat 1 2\ndog nan 4\n")
    with pytest.raises(InputError, match="1 of 2 rows; the first is row 1, 'dog'"):
        items(tmp_path / "x.txt")


def test_compressed_words(tmp_path: Path) -> None:
    for format in ("word2vec", "word2vec-text", "glove"):
        known.write(tmp_path / "plain", ["a", "b", "c"], [X], format)
        (tmp_path / "x.gz").write_bytes(gzip.compress((tmp_path / "plain").read_bytes()))
        assert ids(tmp_path / "x.gz") == ["a", "b", "c"]
        (tmp_path / "x.gz").write_bytes((tmp_path / "x.gz").read_bytes()[:-6])
        with pytest.raises(InputError, match="truncated or damaged"):
            items(tmp_path / "x.gz")
    (tmp_path / "x.gz").write_bytes(gzip.compress(b"5 9999999999\na 1 2\n"))
    with pytest.raises(InputError, match="a row is too wide"):
        items(tmp_path / "x.gz", format="word2vec")


def test_wrong_paths_and_parameters(npy: Path) -> None:
    with pytest.raises(NotFoundError, match=r"Did you mean x\.npy"):
        items(npy.with_name("y.npy"))
    with pytest.raises(InputError, match="is a folder"):
        items(npy.parent)
    with pytest.raises(ParameterError, match="`errors` must be strict or replace"):
        Vectors(npy, errors="ignore")
    with pytest.raises(ParameterError, match="Give one of them"):
        Vectors(npy, ids=["a"], names="a")
    with pytest.raises(InputError, match=r"no whole|cannot be read|no NumPy header|does not start"):
        items(npy, format="word2vec")
