"""Vectors from a file, joined with items by id and found again by content."""

from __future__ import annotations

import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from encoders.samples import SAMPLES
from spaceport.encoders.base import contents, load
from spaceport.encoders.precomputed import Precomputed
from spaceport.errors import InputError, NotFoundError, ParameterError
from spaceport.sources.base import Source

X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
IDS = [str(i) for i in range(40)]


class Texts(Source):
    modality = "texts"
    unique_ids = True

    def __init__(self, **texts):
        self.texts = texts

    def read(self):
        yield pa.record_batch({"id": list(self.texts), "content": list(self.texts.values())})

    def size(self):
        return 100


@pytest.fixture
def path(tmp_path):
    """Forty vectors, in another order than the items."""
    order = np.random.default_rng(1).permutation(40)
    np.savez(tmp_path / "vectors.npz", ids=np.array(IDS)[order], vectors=X[order])
    return str(tmp_path / "vectors.npz")


@pytest.mark.parametrize("modality", list(SAMPLES))
def test_items_of_every_modality_are_found_by_their_content(path, modality, tmp_path):
    sample = SAMPLES[modality]()
    encoder = Precomputed(path).fit(sample)
    assert np.array_equal(encoder.encode(sample), X)
    batch = next(sample.batches())
    assert np.array_equal(encoder.encode_batch(contents(batch)), X[:25])
    plain = batch.column("content").to_pylist()  # as canaries are kept
    assert np.array_equal(encoder.encode_batch(plain[3:7]), X[3:7])
    encoder.save(tmp_path)
    assert np.array_equal(load(tmp_path).encode_batch(plain[::-1]), X[:25][::-1])


def test_every_format_of_ids(tmp_path):
    source = Texts(a="one", b="two")
    np.save(tmp_path / "x.npy", X[:2])
    (tmp_path / "ids.txt").write_text("b\na\n")
    table = pa.table({"key": ["b", "a"], "v": pa.array(X[:2].tolist(), pa.list_(pa.float32(), 3)),
                      "w": pa.array(X[2:4].tolist(), pa.list_(pa.float32(), 3))})  # fmt: skip
    pq.write_table(table, tmp_path / "x.parquet")
    for encoder, wanted in [
        (Precomputed(tmp_path / "x.npy", ids=tmp_path / "ids.txt"), X[[1, 0]]),
        (Precomputed(tmp_path / "x.npy", ids=["a", "b"]), X[:2]),
        (Precomputed(tmp_path / "x.parquet", names="key", column="v"), X[[1, 0]]),
        (Precomputed(tmp_path / "x.parquet", names="key", column="w"), X[[3, 2]]),
    ]:
        assert np.array_equal(encoder.fit(source).encode(["one", "two"]), wanted)


def test_items_without_a_vector_are_counted_and_named(path):
    source = Texts(**{"0": "one", "x": "two", "y": "three"})
    with pytest.raises(
        InputError, match="2 of 3 items of .* have no vector in .*; the first is 'x'"
    ):
        Precomputed(path).fit(source)
    encoder = Precomputed(path, missing="zero").fit(source)
    assert np.array_equal(encoder.encode(source), [X[0], [0, 0, 0], [0, 0, 0]])
    told = {name: n for name, n in encoder.facts().items() if name != "seconds"}
    assert told == {"items": 3, "with_vector": 1, "in_file": 40}


def test_no_common_id_at_all_is_an_error_in_any_case(path):
    with pytest.raises(InputError, match="2 of 2 items .* the first is 'x'"):
        Precomputed(path, missing="zero").fit(Texts(x="one", y="two"))


def test_a_content_that_changed_is_not_found(path):
    encoder = Precomputed(path).fit(Texts(**{"0": "one", "1": "two"}))
    with pytest.raises(InputError, match="1 of 2 items have no vector in .*; the first is item 1"):
        encoder.encode(["two", "one, changed"])


def test_one_content_under_two_ids(path, tmp_path):
    twice = Texts(**{"0": "one", "1": "two", "2": "one"})
    with pytest.raises(
        InputError, match="1 items have the content of another .* '[02]' and '[02]'"
    ):
        Precomputed(path).fit(twice)
    np.savez(tmp_path / "same.npz", ids=np.array(["0", "1", "2"]), vectors=X[[0, 1, 0]])
    encoder = Precomputed(tmp_path / "same.npz").fit(twice)
    assert np.array_equal(encoder.encode(twice), X[[0, 1, 0]])


def test_the_place_of_the_file_is_no_part_of_its_identity(path, tmp_path):
    source = Texts(**{"0": "one", "1": "two"})
    shutil.copy(path, tmp_path / "copy.npz")
    one, other = Precomputed(path), Precomputed(tmp_path / "copy.npz")
    assert one.numbers() == other.numbers()
    assert one.fit(source).fingerprint == other.fit(source).fingerprint
    np.savez(tmp_path / "other.npz", ids=np.array(IDS), vectors=X + 1)
    assert Precomputed(tmp_path / "other.npz").numbers() != one.numbers()
    with_ids = Precomputed(path, ids=[*IDS[1:], IDS[0]])
    assert with_ids.numbers() != one.numbers()
    assert Precomputed(path, missing="zero").numbers() != one.numbers()


def test_a_loaded_one_needs_no_file(path, tmp_path):
    folder = tmp_path / "version"
    folder.mkdir()
    encoder = Precomputed(path).fit(Texts(**{"0": "one", "1": "two"}))
    told = encoder.numbers()
    encoder.save(folder)
    (tmp_path / "vectors.npz").unlink()
    loaded = load(folder)
    assert loaded.numbers() == told
    assert np.array_equal(loaded.encode(["two"]), X[[1]])


def test_errors(path):
    with pytest.raises(InputError, match="has not learnt anything yet"):
        Precomputed(path).encode(["one"])
    with pytest.raises(ParameterError, match="`missing` must be error or zero. Got 'skip'"):
        Precomputed(path, missing="skip")
    with pytest.raises(NotFoundError, match="There is no file or folder nowhere.npz"):
        Precomputed("nowhere.npz").fit(Texts(a="one"))
