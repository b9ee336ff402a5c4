"""Formats of vector files: what is written comes back; other tools read it; broken files are refused."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors.numpy import load_file, save_file

from spaceport.arrays import pack
from spaceport.errors import InputError, NotFoundError
from spaceport.sources.formats import known
from spaceport.sources.formats.base import Request
from spaceport.sources.vectors import Vectors

NAMES = [format.name for format in known.FORMATS]
OF_WORDS = ("word2vec", "word2vec-text", "glove")
VECTORS = np.array([[1.5, -2, 0.1], [3e-38, 1e38, -0.0]], dtype=np.float32)


def read(path: Path, format: str | None = None, **options: str) -> tuple[list[str], np.ndarray]:
    source = Vectors(path, format=format, **options)
    table = pa.Table.from_batches(list(source.batches())).combine_chunks()
    content = table["content"].chunk(0)
    flat = content.flatten().to_numpy()
    return table["id"].to_pylist(), flat.reshape(len(table), content.type.list_size)


def write(path: Path, ids: list[str], vectors: np.ndarray, format: str, batch: int = 3) -> None:
    parts = (vectors[start : start + batch] for start in range(0, len(vectors), batch))
    known.write(path, ids, parts, format)


def text_id(excluded: str) -> st.SearchStrategy[str]:
    return st.text(
        st.characters(codec="utf-8", exclude_characters=excluded), min_size=1, max_size=8
    )


def tables(id: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[list[str], np.ndarray]]:
    floats = st.floats(width=32, allow_nan=False, allow_infinity=False)

    def with_vectors(ids: list[str]) -> st.SearchStrategy[tuple[list[str], np.ndarray]]:
        shape = st.tuples(st.just(len(ids)), st.integers(1, 5))
        return st.tuples(st.just(ids), arrays.arrays(np.float32, shape, elements=floats))

    return st.lists(id, unique=True, min_size=1, max_size=10).flatmap(with_vectors)


@pytest.mark.parametrize("format", OF_WORDS)
@given(table=tables(text_id(" \t\r\n")))
def test_words_come_back_to_the_bit(format: str, table: tuple[list[str], np.ndarray]) -> None:
    ids, vectors = table
    with TemporaryDirectory() as folder:
        write(Path(folder, "x"), ids, vectors, format)
        found_ids, found = read(Path(folder, "x"), format)
    assert found_ids == ids
    assert found.tobytes() == vectors.tobytes()


@pytest.mark.parametrize("format", ["npz", "safetensors", "parquet", "arrow"])
@given(table=tables(text_id("\0")))
def test_any_id_comes_back_to_the_bit(format: str, table: tuple[list[str], np.ndarray]) -> None:
    ids, vectors = table
    with TemporaryDirectory() as folder:
        write(Path(folder, "x"), ids, vectors, format)
        found_ids, found = read(Path(folder, "x"))
    assert found_ids == ids
    assert found.tobytes() == vectors.tobytes()


@given(table=tables(text_id("")))
def test_npy_comes_back_with_numbers_for_ids(table: tuple[list[str], np.ndarray]) -> None:
    ids, vectors = table
    with TemporaryDirectory() as folder:
        write(Path(folder, "x"), ids, vectors, "npy")
        found_ids, found = read(Path(folder, "x"))
        assert np.load(Path(folder, "x")).tobytes() == vectors.tobytes()
    assert found_ids == [str(row) for row in range(len(ids))]
    assert found.tobytes() == vectors.tobytes()


@pytest.mark.parametrize("format", NAMES)
@pytest.mark.parametrize("dimension", [2, 7, 300])
def test_the_format_is_found_by_content(tmp_path: Path, format: str, dimension: int) -> None:
    vectors = np.random.default_rng(dimension).normal(size=(20, dimension)).astype(np.float32)
    ids = [f"w{row}" for row in range(20)]
    write(tmp_path / "x", ids, vectors, format)
    assert known.find(tmp_path / "x").name == format


@pytest.mark.parametrize("format", NAMES)
def test_more_rows_than_one_batch(tmp_path: Path, format: str) -> None:
    vectors = np.random.default_rng(0).normal(size=(20_000, 3)).astype(np.float32)
    write(tmp_path / "x", [f"w{row}" for row in range(20_000)], vectors, format, batch=7001)
    batches = list(Vectors(tmp_path / "x").batches())
    assert len(batches) > 1
    assert max(batch.num_rows for batch in batches) <= 8192
    np.testing.assert_array_equal(read(tmp_path / "x")[1], vectors)


# gensim leaves the file open that it looked into for its shape
LEAKS = pytest.mark.filterwarnings("ignore::ResourceWarning")


@LEAKS
@pytest.mark.parametrize("format", OF_WORDS)
def test_gensim_reads_what_we_write(tmp_path: Path, format: str) -> None:
    models = pytest.importorskip("gensim.models")
    vectors = np.random.default_rng(1).normal(size=(50, 10)).astype(np.float32)
    ids = [f"naïve雪{row}" for row in range(50)]
    write(tmp_path / "x", ids, vectors, format)
    found = models.KeyedVectors.load_word2vec_format(
        str(tmp_path / "x"), binary=format == "word2vec", no_header=format == "glove"
    )
    assert found.index_to_key == ids
    np.testing.assert_array_equal(found.vectors, vectors)


@pytest.mark.parametrize(("binary", "header"), [(True, True), (False, True), (False, False)])
def test_we_read_what_gensim_writes(tmp_path: Path, binary: bool, header: bool) -> None:
    models = pytest.importorskip("gensim.models")
    keyed = models.KeyedVectors(10)
    vectors = np.random.default_rng(2).normal(size=(50, 10)).astype(np.float32)
    keyed.add_vectors([f"wört{row}" for row in range(50)], vectors)
    keyed.save_word2vec_format(str(tmp_path / "x"), binary=binary, write_header=header)
    ids, found = read(tmp_path / "x")
    assert ids == keyed.index_to_key
    np.testing.assert_array_equal(found, vectors)


FILES = [
    ("EN.1-10.cbow1_wind5_hs0_neg10_size300_smpl1e-05.txt", "word2vec-text", (20, 300), {}),
    ("IT.1-10.cbow1_wind5_hs0_neg10_size300_smpl1e-05.txt", "word2vec-text", (20, 300), {}),
    ("crime-and-punishment.vec", "word2vec-text", (291, 5), {}),
    ("lee_fasttext.vec", "word2vec-text", (1762, 10), {}),
    ("pang_lee_polarity_fasttext.vec", "word2vec-text", (1694, 100), {"errors": "replace"}),
    ("word2vec_pre_kv_c", "word2vec-text", (1750, 10), {}),
    ("euclidean_vectors.bin", "word2vec", (2747, 10), {}),
    ("poincare_vectors.bin", "word2vec", (1182, 10), {}),
    ("test_glove.txt", "glove", (76, 50), {}),
]


@LEAKS
@pytest.mark.parametrize(("name", "format", "shape", "options"), FILES)
def test_real_files_against_gensim(data: Path, name, format, shape, options) -> None:
    models = pytest.importorskip("gensim.models")
    path = data / "pretrained-formats" / name
    assert known.find(path).name == format
    ids, found = read(path, **options)
    assert found.shape == shape
    oracle = models.KeyedVectors.load_word2vec_format(
        str(path),
        binary=format == "word2vec",
        no_header=format == "glove",
        unicode_errors=options.get("errors", "strict"),
    )
    assert ids == oracle.index_to_key
    np.testing.assert_array_equal(found, oracle.vectors)


@pytest.mark.parametrize(
    "name",
    ["lee_fasttext.bin", "lee_fasttext_new.bin", "lee.cor", "similarities0-1.txt", "README.md"],
)
def test_real_files_that_hold_no_vectors_we_know(data: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"none of the formats|is a fastText model") as caught:
        read(data / "pretrained-formats" / name)
    assert str(caught.value).count("\n") == 1


def test_other_tools_read_what_we_write(tmp_path: Path) -> None:
    ids = ["a b", "雪"]
    for format in ("npz", "safetensors", "parquet", "arrow"):
        write(tmp_path / format, ids, VECTORS, format, batch=1)
    with np.load(tmp_path / "npz") as found:
        assert found["ids"].tolist() == ids
        np.testing.assert_array_equal(found["vectors"], VECTORS)
    tensors = load_file(tmp_path / "safetensors")
    np.testing.assert_array_equal(tensors["vectors"], VECTORS)
    wanted = {"id": ids, "vector": VECTORS.tolist()}
    assert pq.read_table(tmp_path / "parquet").to_pydict() == wanted
    with pa.ipc.open_file(tmp_path / "arrow") as file:
        assert file.read_all().to_pydict() == wanted


@pytest.mark.parametrize("dtype", ["f2", "f4", ">f8", "i1", "u8", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["npy", "npz", "npz packed"])
def test_numpy_files_of_any_real_dtype(tmp_path: Path, dtype: str, order: str, kind: str) -> None:
    array = np.asarray(np.arange(12).reshape(4, 3) % 2, dtype=dtype, order=order)  # type: ignore[call-overload]
    save = {"npy": np.save, "npz": np.savez, "npz packed": np.savez_compressed}[kind]
    with (tmp_path / "x").open("wb") as stream:
        save(stream, array)
    np.testing.assert_array_equal(read(tmp_path / "x")[1], array.astype(np.float32))


def npy(path: Path, shape: tuple[int, ...], dtype: str = "<f4", data: bytes = b"") -> Path:
    with path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(
            stream, {"descr": dtype, "fortran_order": False, "shape": shape}
        )
        stream.write(data)
    return path


def safe(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    save_file(arrays, path)
    return path


def lying(path: Path, header: str, body: bytes) -> Path:
    path.write_bytes(header.encode() + b"\n" + body)
    return path


ROW = b"cat " + struct.pack("<2f", 0.1, 0.2) + b"\n"
TEXT_ROW = b"cat 0.1 0.2\n"
LIES = {
    "npy, absurd": lambda p: npy(p, (10**12, 300)),
    "npy, truncated": lambda p: npy(p, (10, 4), data=bytes(100)),
    "npy, more": lambda p: npy(p, (2, 4), data=bytes(100)),
    "npy, no rows": lambda p: npy(p, (0, 4)),
    "npy, objects": lambda p: npy(p, (1, 1), "|O", b"\x80\x04K\x01."),
    "npy, complex": lambda p: npy(p, (1, 1), "<c8", bytes(8)),
    "npy, one axis": lambda p: npy(p, (4,), data=bytes(16)),
    "npy, no header": lambda p: lying(p, "\x93NUMPY", b"\1\0"),
    "npz, damaged": lambda p: lying(p, "PK\x03\x04", bytes(50)),
    "binary, absurd": lambda p: lying(p, "1000000000000 300", ROW),
    "binary, too wide": lambda p: lying(p, "1 99999999999", ROW),
    "binary, more rows said": lambda p: lying(p, "4 2", ROW * 3 + b"x"),
    "binary, fewer rows said": lambda p: lying(p, "2 2", ROW * 3),
    "binary, another dimension": lambda p: lying(p, "3 1", ROW * 3),
    "text, absurd": lambda p: lying(p, "1000000000000 2", TEXT_ROW),
    "text, more rows said": lambda p: lying(p, "4 2", TEXT_ROW * 3),
    "text, fewer rows said": lambda p: lying(p, "2 2", TEXT_ROW * 3),
    "text, another dimension": lambda p: lying(p, "2 3", TEXT_ROW * 2),
    "text, no rows": lambda p: lying(p, "0 3", TEXT_ROW * 2),
    "safetensors, truncated": lambda p: lying(p, '\x40\0\0\0\0\0\0\0{"a":', b"x"),
    "safetensors, one axis": lambda p: safe(p, {"vectors": np.zeros(3, np.float32)}),
    "safetensors, damaged ids": lambda p: safe(
        p, {"a": VECTORS, **{f"ids.{k}": v[::-1].copy() for k, v in pack(["ab", "c"]).items()}}
    ),
    "safetensors, ids that end early": lambda p: safe(
        p, {"a": VECTORS, "ids.bytes": pack(["ab", "cde"])["bytes"], "ids.ends": np.array([2, 3])}
    ),
    "safetensors, too few ids": lambda p: safe(
        p, {"a": VECTORS, **{f"ids.{k}": v for k, v in pack(["ab"]).items()}}
    ),
    "parquet, damaged": lambda p: lying(p, "PAR1", bytes(50)),
    "arrow, damaged": lambda p: lying(p, "ARROW1", bytes(50)),
    "empty": lambda p: p.write_bytes(b"") * 0 or p,
}


@pytest.mark.parametrize("lie", LIES)
def test_a_file_that_lies_is_refused(tmp_path: Path, lie: str) -> None:
    path = LIES[lie](tmp_path / "x")
    with pytest.raises((InputError, NotFoundError)) as caught:
        read(path)
    assert str(path) in caught.value.what
    assert str(caught.value).count("\n") == 1


@pytest.mark.parametrize("format", [name for name in NAMES if name != "glove"])
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, format: str) -> None:
    vectors = np.random.default_rng(3).normal(size=(30, 4)).astype(np.float32)
    write(tmp_path / "x", [f"w{row}" for row in range(30)], vectors, format)
    whole = (tmp_path / "x").read_bytes()
    for end in range(8, len(whole) - 1, 37):
        (tmp_path / "x").write_bytes(whole[:end])
        refused = (InputError, NotFoundError)
        with pytest.raises(refused, match=r"\A.+\n.+\Z"):
            read(tmp_path / "x", format)


WRONG_ROWS = {
    "one number too few": (b"a 1 2\nb 1\n", "line 2: 1 fields after the word where 2"),
    "one number too many": (b"a 1 2\nb 1 2 3\n", "line 2: 3 fields after the word where 2"),
    "one too many, one too few": (b"a 1 2\nb 1 2 3\nc 1\n", "line 2: 3 fields"),
    "no number": (b"a 1 2\nb 1 x\n", "line 2: b'x' is no number"),
    "grouped digits": (b"a 1 2\nb 1 2_0\n", "line 2: b'2_0' is no number"),
    "no word": (b"a 1 2\n 1 2\n", "line 2"),
    "a blank line": (b"a 1.25 2\n\nb 1.25 2\n", "line 2"),
    "not UTF-8": (b"a 1 2\nb\xff 1 2\n", "the word b'b\\xff' is not UTF-8, at byte offset 7"),
}


@pytest.mark.parametrize("case", WRONG_ROWS)
@pytest.mark.parametrize("format", ["glove", "word2vec-text"])
def test_wrong_rows_of_text(tmp_path: Path, case: str, format: str) -> None:
    content, message = WRONG_ROWS[case]
    if format == "word2vec-text":
        content = b"%d 2\n" % content.count(b"\n") + content
        message = message.replace("line 2", "line 3").replace("offset 7", "offset 11")
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(InputError) as caught:
        read(tmp_path / "x", format)
    assert message in caught.value.what


def test_words_that_are_not_utf8(tmp_path: Path) -> None:
    body = ROW + b"\xffx" + ROW[3:]
    path = lying(tmp_path / "x", "2 2", body)
    with pytest.raises(InputError, match=f"at byte offset {4 + len(ROW)}.\nSay errors='replace'"):
        read(path)
    assert read(path, errors="replace")[0] == ["cat", "\ufffdx"]


def test_words_with_blanks_tabs_and_trailing_blanks_are_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"the 1 2 \n. . . 3 4\r\nat\t5\t6\n\xc2\xa0 7  8\n")
    ids, found = read(tmp_path / "x")
    assert ids == ["the", ". . .", "at", "\xa0"]
    np.testing.assert_array_equal(found.ravel(), np.arange(1, 9))


@pytest.mark.parametrize("format", OF_WORDS)
def test_ids_with_white_space_are_no_words(tmp_path: Path, format: str) -> None:
    with pytest.raises(InputError, match=f"2 of 3 ids .* which {format} cannot store; .*'a b'"):
        write(tmp_path / "x", ["c", "a b", "d\n"], np.eye(3, dtype=np.float32), format)
    assert list(tmp_path.iterdir()) == []


def test_npz_refuses_ids_that_numpy_would_shorten(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="end in NUL"):
        write(tmp_path / "x", ["a\0"], np.eye(1, dtype=np.float32), "npz")


@pytest.mark.parametrize("format", NAMES)
def test_a_failed_write_leaves_the_old_file(tmp_path: Path, format: str) -> None:
    (tmp_path / "x").write_text("old")

    def broken() -> Iterator[np.ndarray]:
        yield VECTORS
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        known.write(tmp_path / "x", ["a", "b", "c"], broken(), format)
    with pytest.raises(InputError, match="3 ids for 2 vectors"):
        known.write(tmp_path / "x", ["a", "b", "c"], iter([VECTORS]), format)
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_text() == "old"


def test_an_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no vector format 'word2vce'.\nDid you mean word2vec"):
        read(lying(tmp_path / "x", "1 2", TEXT_ROW), "word2vce")


def test_a_list_of_formats_of_one_shape() -> None:
    assert len(set(NAMES)) == len(NAMES) == 8
    assert not any(format.matches(b"") for format in known.FORMATS)
    assert Request(Path("x")).errors == "strict"
