"""Files in folders, archives and Parquet columns, by a kind of source that reads plain words."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections import Counter
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaceport.errors import InputError, NotFoundError, ParameterError
from spaceport.sources import _packs
from spaceport.sources._ids import content_ids
from spaceport.sources._media import MediaSource


class Notes(MediaSource):
    """Files that can be read are those that start with ``ok``; the rest tells their length."""

    modality, things, endings = "images", "notes", frozenset({".note"})
    columns = pa.schema([("length", pa.int32())])

    def look(self, name: str, data: bytes) -> dict[str, Any]:
        if not data.startswith(b"ok"):
            raise ValueError("it does not begin with ok")
        return {"length": len(data)}


FILES = {
    "train/cat/1.note": b"ok one",
    "train/cat/2.NOTE": b"ok two!",
    "train/dog/1.note": b"ok one",
    "top.note": b"ok",
    "train/readme.txt": b"passed over",
    ".hidden/1.note": b"broken",
    "train/._1.note": b"broken",
}
WANTED = {
    "train/cat/1.note": ("cat", 6),
    "train/cat/2.NOTE": ("cat", 7),
    "train/dog/1.note": ("dog", 6),
    "top.note": (None, 2),
}


def folder(path: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def tar(path: Path, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def items(*args: Any, **kwargs: Any) -> list[dict[str, Any]]:
    return [row for batch in Notes(*args, **kwargs).batches() for row in batch.to_pylist()]


PACKS = {
    "folder": lambda path, files: folder(path / "folder", files),
    "tar": lambda path, files: tar(path / "x.tar", files, "w"),
    "tar.gz": lambda path, files: tar(path / "x.tar.gz", files, "w:gz"),
    "tgz": lambda path, files: tar(path / "x.TGZ", files, "w:gz"),
    "tar.bz2": lambda path, files: tar(path / "x.tar.bz2", files, "w:bz2"),
    "tar.xz": lambda path, files: tar(path / "x.tar.xz", files, "w:xz"),
    "zip": lambda path, files: packed(path / "x.zip", files),
}


@pytest.mark.parametrize("kind", PACKS)
def test_folders_and_archives_give_the_same_items(tmp_path: Path, kind: str) -> None:
    found = items(PACKS[kind](tmp_path, FILES), label="folder")
    assert {row["id"]: (row["folder"], row["length"]) for row in found} == WANTED
    assert {row["id"]: row["content"] for row in found} == {name: FILES[name] for name in WANTED}
    names = [row["id"] for row in found]
    assert names == (sorted(WANTED) if kind == "folder" else list(WANTED))


def test_names_of_members_are_only_names(tmp_path: Path) -> None:
    """A dot in front goes, as tar writes it; names that climb or start at the root open nothing."""
    names = ("./a/1.note", "../b.note", "/c.note")
    path = tar(tmp_path / "x.tar", dict.fromkeys(names, b"ok"))
    assert [row["id"] for row in items(path)] == ["a/1.note", "../b.note", "/c.note"]
    assert list(tmp_path.rglob("*.note")) == []


def test_links_and_devices_in_a_tar_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    (tmp_path / "secret.note").write_bytes(b"ok secret")
    with tarfile.open(path, "w") as archive:
        for name, kind in (
            ("s.note", tarfile.SYMTYPE),
            ("h.note", tarfile.LNKTYPE),
            ("d.note", tarfile.CHRTYPE),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, str(tmp_path / "secret.note")
            archive.addfile(member)
        member = tarfile.TarInfo("real.note")
        member.size = 2
        archive.addfile(member, io.BytesIO(b"ok"))
    assert [row["id"] for row in items(path)] == ["real.note"]


def test_one_file_is_a_source_too(tmp_path: Path) -> None:
    folder(tmp_path, {"one.note": b"ok"})
    assert [row["id"] for row in items(tmp_path / "one.note")] == ["one.note"]


BROKEN = {f"{n:04}.note": b"no" if n in (3, 700, 1500) else b"ok" for n in range(2000)}


def test_unreadable_files_are_counted_and_the_first_named(tmp_path: Path) -> None:
    source = Notes(tar(tmp_path / "x.tar", BROKEN | {"9999.note": b""}))
    with pytest.raises(InputError) as refused:
        list(source.batches())
    first, remedy = str(refused.value).splitlines()
    assert first.startswith(
        f"4 of 2,001 files in {source.path} cannot be read as notes; the first are"
    )
    assert "0003.note: it does not begin with ok; 0700.note" in first
    assert remedy == "Mend them, or leave them out with skip_unreadable=True."


def test_after_the_first_unreadable_file_nothing_is_handed_out(tmp_path: Path) -> None:
    path = tar(
        tmp_path / "x.tar", {f"{n:04}.note": b"ok" if n != 1500 else b"no" for n in range(4000)}
    )
    given = []
    with pytest.raises(InputError, match=r"1 of 4,000 .*; the first is 1500\.note"):
        given.extend(batch.num_rows for batch in Notes(path).read())
    assert given == [1024]


def test_unreadable_files_are_left_out_when_asked_and_stay_counted(tmp_path: Path) -> None:
    source = Notes(tar(tmp_path / "x.tar", BROKEN | {"9999.note": b""}), skip_unreadable=True)
    assert source.facts() == {}
    names = [name for batch in source.batches() for name in batch.column("id").to_pylist()]
    assert names == [name for name, data in BROKEN.items() if data == b"ok"]
    assert source.facts() == {"files": 2001, "unreadable": 4}


def test_nothing_but_unreadable_files_is_no_source(tmp_path: Path) -> None:
    path = folder(tmp_path / "x", {"a.note": b"no", "b.note": b""})
    with pytest.raises(InputError, match="holds no items"):
        items(path, skip_unreadable=True)


def test_a_file_that_is_gone_or_closed_is_unreadable(tmp_path: Path) -> None:
    path = folder(tmp_path / "x", {"a.note": b"ok"})
    (path / "b.note").symlink_to(path / "nowhere")
    with pytest.raises(InputError, match="1 of 2 files .* b.note: No such file"):
        items(path)


def test_batches_are_bounded_by_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_packs, "BYTES", 3000)
    path = tar(tmp_path / "x.tar", {f"{n}.note": b"ok" + b"." * 998 for n in range(10)})
    assert [batch.num_rows for batch in Notes(path).batches()] == [4, 4, 2]


def test_a_file_beyond_all_measure_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_packs, "_LARGEST", 100)
    path = tar(tmp_path / "x.tar", {"a.note": b"ok", "b.note": b"ok" + b"." * 99})
    with pytest.raises(InputError, match="b.note: it is larger than 100 bytes"):
        items(path)


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tar.bz2", "tar.xz", "zip"])
def test_a_cut_archive_is_an_error_of_two_lines(tmp_path: Path, kind: str) -> None:
    noise = {f"{n}.note": b"ok" + bytes((n * k * k) % 251 for k in range(5000)) for n in range(9)}
    path = PACKS[kind](tmp_path, noise)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 5])
    with pytest.raises(InputError) as refused:
        items(path, skip_unreadable=True)
    assert len(str(refused.value).splitlines()) == 2
    assert str(path) in refused.value.what


def test_a_damaged_member_of_a_zip_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.note", b"ok here")
        archive.writestr("b.note", b"ok there")
    path.write_bytes(path.read_bytes().replace(b"ok here", b"ok hurt"))
    with pytest.raises(InputError, match=r"1 of 2 files .* a.note: Bad CRC-32"):
        items(path)


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for _ in range(2):
            member = tarfile.TarInfo("a.note")
            member.size = 2
            archive.addfile(member, io.BytesIO(b"ok"))
    with pytest.raises(InputError, match="1 repeated id; the first repeated one, 'a.note'"):
        items(tmp_path / "x.tar")


@pytest.mark.parametrize(
    ("files", "error", "message"),
    [
        ({"a.txt": b"ok"}, InputError, r"holds no file that ends in \.note"),
        ({".a.note": b"ok", "b.note/c.txt": b"ok"}, InputError, "holds no file"),
    ],
)
def test_a_place_without_files_of_the_kind(
    tmp_path: Path, files: Any, error: Any, message: str
) -> None:
    with pytest.raises(error, match=message):
        items(tar(tmp_path / "x.tar", files))


def test_what_the_name_does_not_tell_and_what_is_not_there(tmp_path: Path) -> None:
    folder(tmp_path, {"x.7z": b"?", "x.note": b"ok"})
    with pytest.raises(ParameterError, match="does not tell what it is"):
        items(tmp_path / "x.7z")
    with pytest.raises(NotFoundError, match=r"Did you mean x\.note"):
        items(tmp_path / "y.note")
    with pytest.raises(ParameterError, match="`column` names a column of a Parquet file"):
        items(tmp_path / "x.note", column="content")
    with pytest.raises(NotFoundError, match=r"no metadata column `fodler`.\nDid you mean folder"):
        items(tmp_path / "x.note", label="fodler")


def table(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_a_parquet_column_with_its_neighbors(tmp_path: Path) -> None:
    path = table(
        tmp_path / "x.parquet",
        sound=[b"ok 1", b"ok 22"],
        key=[7, 8],
        text=["a", "b"],
        length=[0.5, None],
        kind=pa.array(["x", "y"]).dictionary_encode(),
        tags=[["t"], []],
    )
    assert items(path, id="key", label="kind") == [
        {"id": "7", "content": b"ok 1", "text_": "a", "length_": 0.5, "kind": "x", "length": 4},
        {"id": "8", "content": b"ok 22", "text_": "b", "length_": None, "kind": "y", "length": 5},
    ]


def test_hugging_faces_struct_of_bytes_and_path(tmp_path: Path) -> None:
    pictures = pa.array([{"bytes": b"ok", "path": "a"}, None, {"bytes": None, "path": "b"}])
    path = table(tmp_path / "x.parquet", image=pictures, label=[0, 1, 2])
    with pytest.raises(
        InputError, match="2 of 3 files .* row 2: it is missing; row 3: it is missing"
    ):
        items(path)
    digest = blake2b(b"ok", digest_size=10).hexdigest()
    assert items(path, skip_unreadable=True, label="label") == [
        {"id": digest, "content": b"ok", "label": 0, "length": 2}
    ]


def test_two_binary_columns_need_a_word_and_an_unknown_one_lists_them(tmp_path: Path) -> None:
    path = table(tmp_path / "x.parquet", a=[b"ok"], b=[b"ok b"], c=["text"])
    with pytest.raises(NotFoundError, match="2 columns of binary data"):
        items(path)
    with pytest.raises(NotFoundError, match=r"no binary column `c`.\nThere are: a, b"):
        items(path, column="c")
    with pytest.raises(NotFoundError, match="has no column `nmae`"):
        items(path, column="a", id="nmae")
    assert items(path, column="b")[0]["content"] == b"ok b"


def test_parquet_ids_that_repeat_or_lack_are_counted(tmp_path: Path) -> None:
    path = table(tmp_path / "x.parquet", a=[b"ok"] * 4, key=["x", "x", None, "y"])
    with pytest.raises(InputError, match="1 empty id and 1 repeated id"):
        items(path, id="key")


def test_a_cut_parquet_file(tmp_path: Path) -> None:
    path = table(tmp_path / "x.parquet", a=[b"ok"] * 4)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match="is no whole Parquet file"):
        items(path)


@given(st.lists(st.binary(min_size=1, max_size=3), max_size=30))
def test_ids_of_contents_are_unique_and_stay_when_more_come(contents: list[bytes]) -> None:
    ids = content_ids(contents, Counter())
    assert len(set(ids)) == len(ids)
    assert content_ids([*contents, b"more"], Counter())[: len(ids)] == ids
    times: Counter[str] = Counter()
    assert content_ids(contents[:7], times) + content_ids(contents[7:], times) == ids
