"""One side of a comparison, whatever it is told as."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import spaceport as sp
from spaceport.arrays import Matrix
from spaceport.errors import InputError, MismatchError, NotFoundError, ParameterError
from spaceport.monitoring.samples import check_coordinates, sample

TEXTS = [f"the {animal} number {i} sleeps" for i in range(20) for animal in ("cat", "dog")]


@pytest.fixture
def port(tmp_path: Path) -> sp.Spaceport:
    rows = pa.table(
        {"id": [str(i) for i in range(40)], "text": TEXTS, "year": list(range(1980, 2020))}
    )
    pq.write_table(rows, tmp_path / "texts.parquet")
    source = sp.sources.texts(str(tmp_path / "texts.parquet"), column="text", id="id")
    port = sp.open(tmp_path / "store")
    port.build("texts", sp.encoders.hashing(dimension=16), source)
    return port


def matrix_of(side: object) -> Matrix:
    return np.concatenate([part.vectors for part in side.parts()])  # type: ignore[attr-defined]


def test_a_version_gives_its_rows_in_order_with_metadata(port: sp.Spaceport) -> None:
    side = sample("texts@1", port)
    assert np.array_equal(matrix_of(side), np.asarray(port["texts"].vectors()))
    (part,) = side.parts()
    assert part.ids == port["texts"].ids
    assert part.metadata.column("year").to_pylist() == list(range(1980, 2020))


def test_a_condition_keeps_the_rows_it_names(port: sp.Spaceport) -> None:
    side = sample("texts@1", port, where="year >= 2017")
    (part,) = side.parts()
    assert part.ids == ["37", "38", "39"]
    assert np.array_equal(part.vectors, np.asarray(port["texts"].vectors(["37", "38", "39"])))
    with pytest.raises(InputError, match="None of the 40 rows"):
        list(sample("texts@1", port, where="year > 2100").parts())
    with pytest.raises(NotFoundError, match="yaer"):
        list(sample("texts@1", port, where="yaer > 2100").parts())


def test_contents_are_encoded_by_the_version(port: sp.Spaceport, tmp_path: Path) -> None:
    version = port["texts"]
    side = sample(str(tmp_path / "texts.parquet"), port, column="text", encoded_by=version)
    assert np.allclose(matrix_of(side), np.asarray(version.vectors()))


def test_exported_vectors_know_their_coordinates(port: sp.Spaceport, tmp_path: Path) -> None:
    version = port["texts"]
    version.export(tmp_path / "out.parquet", to="parquet")
    other = port.build(
        "others",
        sp.encoders.hashing(dimension=16, seed=1),
        sp.sources.texts(str(tmp_path / "texts.parquet"), column="text", id="id"),
    )
    mine, theirs = sample("texts@1", port), sample(other.reference, port)
    file = sample(str(tmp_path / "out.parquet"), port)
    assert np.array_equal(matrix_of(file), matrix_of(mine))
    check_coordinates(mine, file)
    with pytest.raises(MismatchError, match="their distance says nothing"):
        check_coordinates(theirs, file)
    with pytest.raises(MismatchError):
        check_coordinates(file, theirs)


def test_what_nobody_vouches_for_is_taken_as_it_comes(port: sp.Spaceport, tmp_path: Path) -> None:
    np.save(tmp_path / "bare.npy", np.ones((3, 16), np.float32))
    check_coordinates(sample("texts@1", port), sample(str(tmp_path / "bare.npy"), port))


def test_what_is_not_there_is_told(port: sp.Spaceport) -> None:
    with pytest.raises(NotFoundError, match=r"no file lost\.parquet"):
        sample("lost.parquet", port)
    with pytest.raises(NotFoundError, match="no space"):
        sample("lost@1", port)
    with pytest.raises(ParameterError):
        sample("texts@1", port, where="year >=")
