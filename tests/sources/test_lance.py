"""Lance datasets as sources of vectors, written here by Lance itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from spaceport.encoders.base import contents
from spaceport.errors import InputError, NotFoundError, ParameterError
from spaceport.sources.formats import known
from spaceport.sources.vectors import Vectors
from spaceport.testing.sources import check_source

lance = pytest.importorskip("lance")

X = np.random.default_rng(0).normal(size=(9000, 4)).astype(np.float32)


def dataset(path: Path, vectors: np.ndarray = X, mode: str = "create") -> Path:
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
    ids = [f"v{row}" for row in range(len(vectors))]
    table = pa.table({"id": ids, "vector": column, "year": np.arange(len(vectors))})
    lance.write_dataset(table, str(path), mode=mode)
    return path


def stacked(path: Path) -> np.ndarray:
    return np.concatenate([contents(batch) for batch in Vectors(path).batches()])


def test_the_public_checks(tmp_path: Path) -> None:
    path = dataset(tmp_path / "x.lance")
    check_source(lambda: Vectors(path, label="year"))


def test_a_dataset_is_read_whole_and_in_order(tmp_path: Path) -> None:
    path = dataset(tmp_path / "x.lance")
    batches = list(Vectors(path).batches())
    assert [batch.num_rows for batch in batches] == [8192, 808]
    assert batches[0].schema.names == ["id", "content", "year"]
    assert batches[1].column("id")[0].as_py() == "v8192"
    np.testing.assert_array_equal(stacked(path), X)
    assert Vectors(path).size() == sum(f.stat().st_size for f in path.rglob("*") if f.is_file())


def test_the_latest_version_is_read(tmp_path: Path) -> None:
    path = dataset(tmp_path / "x.lance")
    dataset(path, X[:5] + 1, mode="overwrite")
    np.testing.assert_array_equal(stacked(path), X[:5] + 1)


def test_a_path_that_lance_would_not_take(tmp_path: Path) -> None:
    odd = tmp_path / "ü#x%20.lance"
    dataset(tmp_path / "x.lance").rename(odd)
    np.testing.assert_array_equal(stacked(odd), X)
    assert [path.name for path in tmp_path.iterdir()] == [odd.name]


def test_a_column_is_chosen(tmp_path: Path) -> None:
    path = dataset(tmp_path / "x.lance")
    assert known.find(path) is known.named("lance")
    with pytest.raises(NotFoundError, match=r"no column of vectors `vektor`.*\n.*vector"):
        next(Vectors(path, column="vektor").batches())


def test_a_damaged_dataset_and_a_folder_that_is_none(tmp_path: Path) -> None:
    path = dataset(tmp_path / "x.lance")
    data = next((path / "data").iterdir())
    data.write_bytes(data.read_bytes()[:100])
    with pytest.raises(InputError, match=r"x.lance is no whole Lance dataset: .*\n.+"):
        stacked(path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="is a folder, and no Lance dataset"):
        stacked(tmp_path / "empty")


def test_it_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"read, not written\.\nExport parquet"):
        known.write(tmp_path / "x", ["a"], [X[:1]], "lance")
