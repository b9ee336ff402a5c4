"""Tables and folders of texts: columns, types, ids made of content, and bad input."""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections import Counter
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaceport.errors import InputError, NotFoundError, ParameterError
from spaceport.sources._ids import content_ids
from spaceport.sources.texts import Texts


def items(*args: Any, **kwargs: Any) -> list[dict[str, Any]]:
    return [row for batch in Texts(*args, **kwargs).batches() for row in batch.to_pylist()]


def schema(*args: Any, **kwargs: Any) -> dict[str, str]:
    found = next(Texts(*args, **kwargs).batches()).schema
    return {field.name: str(field.type) for field in found}


def write(path: Path, content: str | bytes) -> Path:
    raw = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


ROWS = [
    {"key": "a", "abstract": 'one, "two"\nthree', "year": 1999, "score": 0.5, "fair": True},
    {"key": "b", "abstract": "naïve\ttext", "year": 2001, "score": None, "fair": False},
    {"key": "c", "abstract": "雪", "year": None, "score": 3.25, "fair": True},
]
KINDS = {
    "id": "string",
    "content": "string",
    "year": "int64",
    "score": "double",
    "fair": "bool",
}


def table(path: Path) -> Path:
    kind = path.name.partition(".")[2]
    if kind.startswith("parquet"):
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    elif kind.startswith("jsonl"):
        write(path, "".join(json.dumps(row) + "\n" for row in ROWS))
    else:
        with (gzip.open if path.suffix == ".gz" else open)(path, "wt", newline="") as stream:
            writer = csv.DictWriter(stream, ROWS[0], delimiter="," if "csv" in kind else "\t")
            writer.writeheader()
            writer.writerows(ROWS)
    return path


@pytest.mark.parametrize(
    "ending", ["csv", "csv.gz", "tsv", "tsv.gz", "jsonl", "jsonl.gz", "parquet"]
)
def test_every_layout_gives_the_same_items(tmp_path: Path, ending: str) -> None:
    path = table(tmp_path / f"rows.{ending}")
    wanted = [{"id": row["key"], "content": row["abstract"], **row} for row in ROWS]
    for row in wanted:
        del row["key"], row["abstract"]
    assert items(path, column="abstract", id="key") == wanted
    assert schema(path, column="abstract", id="key") == KINDS


def test_a_folder_of_files(tmp_path: Path) -> None:
    for name in ("b/2.txt", "a/1.txt", "top"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"in {name}\n")
    assert items(tmp_path, label="folder") == [
        {"id": "a/1.txt", "content": "in a/1.txt\n", "folder": "a"},
        {"id": "b/2.txt", "content": "in b/2.txt\n", "folder": "b"},
        {"id": "top", "content": "in top\n", "folder": None},
    ]
    assert Texts(tmp_path).size() == sum(len(f"in {n}\n") for n in ("b/2.txt", "a/1.txt", "top"))


def test_one_text_per_line(tmp_path: Path) -> None:
    path = write(tmp_path / "lee.cor", "first\n\nsecond\n")
    assert [row["content"] for row in items(path, format="lines")] == ["first", "second"]
    with pytest.raises(ParameterError, match=r"does not tell its format.\nSay format="):
        items(path)
    with pytest.raises(NotFoundError, match="Did you mean lines"):
        items(path, format="line")


def test_no_header_no_quotes_and_another_delimiter(tmp_path: Path) -> None:
    path = write(tmp_path / "x.txt", 'say "hi;4\nno" more;5\n')
    found = items(path, names=["said", "n"], delimiter=";", quote="")
    assert [(row["content"], row["n"]) for row in found] == [('say "hi', 4), ('no" more', 5)]


contents = st.lists(st.binary(max_size=5), max_size=30)


@given(contents, contents, st.randoms(use_true_random=False))
def test_added_rows_change_no_id(
    first: list[bytes], added: list[bytes], order: random.Random
) -> None:
    before = content_ids(first, Counter())
    assert content_ids(first + added, Counter())[: len(first)] == before
    assert len(set(before)) == len(first)
    mixed = list(set(first + added))
    order.shuffle(mixed)
    by_content = dict(zip(mixed, content_ids(mixed, Counter()), strict=True))
    assert all(
        by_content[text] == id for text, id in zip(first, before, strict=True) if "-" not in id
    )


def test_ids_are_hashes_of_the_content_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "t,n\nsame,1\nother,2\nsame,3\n")
    digest = blake2b(b"same", digest_size=10).hexdigest()
    assert [row["id"] for row in items(path, column="t")][::2] == [digest, f"{digest}-2"]


def test_occurrences_are_counted_over_batches(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "t\n" + "same\n" * 10_000)
    assert len({row["id"] for row in items(path)}) == 10_000


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2", ""], "int64"),
        (["1", "2.5"], "double"),
        (["1e-3", "-4"], "double"),
        (["1", "x"], "string"),
        (["007", "8"], "string"),
        (["True", "false"], "bool"),
        (["true", "1"], "string"),
        (["", ""], "string"),
        (["1234567890123456789", "1"], "string"),
        (["1234567890123456", "0.5"], "string"),
        (["nan", "1.5"], "string"),
        (["1_0", "2"], "string"),
    ],
)
def test_types_of_columns_of_text(tmp_path: Path, values: list[str], kind: str) -> None:
    rows = "".join(f"{value},text {n}\n" for n, value in enumerate(values))
    assert schema(write(tmp_path / "x.csv", "v,t\n" + rows), column="t")["v"] == kind


@pytest.mark.parametrize(
    ("values", "kind", "wanted"),
    [
        ([1, 2.5, None], "double", [1.0, 2.5, None]),
        ([1, "x", None], "string", ["1", "x", None]),
        ([True, 1], "string", ["true", "1"]),
        (["7", "8"], "string", ["7", "8"]),
        ([2**70, 1], "string", [str(2**70), "1"]),
        ([2**60 + 1, 0.5], "double", [float(2**60), 0.5]),
        ([float("nan"), 1.5], "double", [None, 1.5]),
    ],
)
def test_types_of_json(tmp_path: Path, values: list[Any], kind: str, wanted: list[Any]) -> None:
    rows = "".join(json.dumps({"t": f"text {n}", "v": v}) + "\n" for n, v in enumerate(values))
    path = write(tmp_path / "x.jsonl", rows)
    assert schema(path, column="t")["v"] == kind
    assert [row["v"] for row in items(path, column="t")] == wanted


def test_a_type_that_changes_late_holds_for_all_batches(tmp_path: Path) -> None:
    rows = "".join(f"text {n},{n}\n" for n in range(9000)) + "last,x\n"
    path = write(tmp_path / "x.csv", "t,v\n" + rows)
    batches = list(Texts(path, column="t").batches())
    assert len(batches) > 1
    assert {str(batch.schema.field("v").type) for batch in batches} == {"string"}


def test_a_key_that_comes_late_is_a_column_of_all_batches(tmp_path: Path) -> None:
    rows = '{"t": "early"}\n' * 5000 + '{"t": "late", "v": 3, "deep": {"a": [1]}}\n'
    found = items(write(tmp_path / "x.jsonl", rows), column="t")
    assert found[0]["v"] is None
    assert found[-1]["v"] == 3
    assert "deep" not in found[-1]


@pytest.mark.parametrize("nested_first", [True, False])
def test_a_column_that_is_nested_anywhere_is_left_out(tmp_path: Path, nested_first: bool) -> None:
    parts = ['{"t": "x", "v": [1]}\n' * 5000, '{"t": "x", "v": 3}\n' * 5000]
    path = write(tmp_path / "x.jsonl", "".join(parts if nested_first else parts[::-1]))
    assert list(schema(path, column="t")) == ["id", "content"]


def test_metadata_is_limited_by_keep_and_label_stays(tmp_path: Path) -> None:
    path = table(tmp_path / "rows.csv")
    keep = {"column": "abstract", "id": "key", "label": "fair"}
    assert list(items(path, keep=["year"], **keep)[0]) == ["id", "content", "year", "fair"]
    assert list(items(path, keep=(), **keep)[0]) == ["id", "content", "fair"]
    with pytest.raises(
        ParameterError, match=r"`keep` is one string.\nGive a list: keep=\['year'\]"
    ):
        Texts(path, keep="year")


def test_reserved_names_get_an_underscore(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "id,id_,vector,t\n1,2,3,cat\n")
    assert list(schema(path, column="t")) == ["id", "content", "id__", "id_", "vector_"]


def test_parquet_keeps_types_and_drops_what_is_nested(tmp_path: Path) -> None:
    columns = {
        "t": pa.array(["a", "b"], pa.large_string()),
        "when": pa.array([0, 1], pa.timestamp("s")),
        "kind": pa.array(["x", "y"]).dictionary_encode(),
        "tags": pa.array([[1], [2]]),
        "raw": pa.array([b"", b"1"]),
    }
    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    assert schema(tmp_path / "x.parquet", column="t") == {
        "id": "string",
        "content": "string",
        "when": "timestamp[ms]",
        "kind": "string",
    }


def test_half_a_surrogate_pair_becomes_the_replacement_character(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", '{"t": "cut \\ud83d", "n": 1}\n{"t": "\\ud83d\\ude00"}\n')
    assert [row["content"] for row in items(path)] == ["cut \ufffd", "\U0001f600"]


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1),
            st.integers(),
        ),
        min_size=1,
    )
)
def test_any_text_comes_back_from_csv(rows: list[tuple[str, int]]) -> None:
    rows = [(f"x{text}", n) for text, n in rows]
    with TemporaryDirectory() as folder:
        path = Path(folder, "x.csv")
        with path.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([("t", "n"), *rows])
        found = items(path, column="t")
    assert [row["content"] for row in found] == [text for text, _ in rows]


def test_the_only_column_of_text_need_not_be_named(tmp_path: Path) -> None:
    assert items(write(tmp_path / "x.csv", "n,t\n1,cat\n"))[0]["content"] == "cat"
    path = table(tmp_path / "rows.csv")
    assert items(path, id="key")[0]["content"] == ROWS[0]["abstract"]
    with pytest.raises(
        NotFoundError, match=r"2 columns of text.*\nSay column=. There are: abstract"
    ):
        items(path)
    with pytest.raises(NotFoundError, match="no column of text"):
        items(write(tmp_path / "y.csv", "n\n1\n"))


@pytest.mark.parametrize("part", ["column", "id", "label", "keep"])
def test_a_misspelt_column_tells_near_ones(tmp_path: Path, part: str) -> None:
    path = table(tmp_path / "rows.jsonl")
    given = {"column": "abstract", part: ["abstrakt"] if part == "keep" else "abstrakt"}
    with pytest.raises(NotFoundError, match=r"has no column `abstrakt`.\nDid you mean abstract"):
        items(path, **given)


@pytest.mark.parametrize("label", ["abstract", "key"])
def test_a_label_must_be_metadata(tmp_path: Path, label: str) -> None:
    with pytest.raises(ParameterError, match="`label` must be a metadata column"):
        items(table(tmp_path / "rows.csv"), column="abstract", id="key", label=label)


def test_a_nested_column_is_no_text(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", '{"t": "a", "v": [1]}\n')
    with pytest.raises(InputError, match=r"`v` .* is nested"):
        items(path, column="v")


@pytest.mark.parametrize("layout", ["csv", "jsonl"])
def test_bad_ids_are_counted_before_anything_is_handed_out(tmp_path: Path, layout: str) -> None:
    keys = ["a", "", "b", "a", "", "a", "b"]
    rows = [{"key": key, "t": f"text {n}"} for n, key in enumerate(keys)]
    rows += [{"key": f"k{n}", "t": "x"} for n in range(20_000)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    if layout == "csv":
        text = "key,t\n" + "".join(f"{row['key']},{row['t']}\n" for row in rows)
    source = Texts(write(tmp_path / f"x.{layout}", text), column="t", id="key")
    with pytest.raises(InputError) as caught:
        next(source.batches())
    place = {"csv": 3, "jsonl": 2}[layout]
    assert caught.value.what.endswith(
        "has 2 empty ids and 3 repeated ids; the first repeated one, 'a', stands 3 times"
        f"; the first empty one is in line {place}."
    )


def test_items_without_text_are_counted_or_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "n,t\n1,cat\n2,\n3, \n4,hen\n")
    with pytest.raises(
        InputError, match=r"2 of 4 items without text in `t`; the first is in line 3\."
    ):
        items(path, column="t")
    assert [row["n"] for row in items(path, column="t", skip_empty=True)] == [1, 4]


BROKEN = {
    "ragged.csv": ("a,b\n1,2\n\n3,4,5\n", "line 4: 3 fields where the header has 2"),
    "short.tsv": ('a\tb\n"1\n2"\t3\nx\n', "line 4: 1 fields where the header has 2"),
    "quote.csv": ('a,b\nx,"open\n', "line 2: unexpected end of data"),
    "twice.csv": ("a,b,a\n1,2,3\n", "two columns 'a'"),
    "broken.jsonl": ('{"t": "x"}\n\n{"t": \n', "line 3: no JSON"),
    "array.jsonl": ('[{"t": "x"}]\n', "line 1: a JSON list where an object"),
    "deep.jsonl": ("[" * 100_000, "line 1: no JSON"),
    "empty.csv": ("", "holds no items"),
    "header.csv": ("a,b\n", "holds no items"),
    "empty.jsonl": ("\n\n", "holds no items"),
    "binary.csv": (b"a,b\n\0\1\2", "looks binary"),
    "latin.csv": ("a,b\nx,Señor\n".encode("latin-1"), "is not utf-8: byte 0xf1 at offset 8"),
    "empty.parquet": (b"", "is no whole Parquet file"),
    "bad.parquet": (b"PAR1 and no more PAR1", "is no whole Parquet file"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_tables(tmp_path: Path, name: str) -> None:
    content, message = BROKEN[name]
    path = write(tmp_path / name, content)
    with pytest.raises(InputError) as caught:
        items(path)
    assert message in caught.value.what
    assert str(caught.value).count("\n") == 1


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path / "rows.csv.gz")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match="truncated or damaged"):
        items(path, column="abstract")


def test_a_missing_file(tmp_path: Path) -> None:
    table(tmp_path / "rows.csv")
    with pytest.raises(NotFoundError, match=r"Did you mean rows\.csv"):
        items(tmp_path / "row.csv")


def test_the_abstracts(data: Path) -> None:
    path = data / "paper-abstracts" / "abstracts.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        oracle = [json.loads(line) for line in stream]
    found = items(path, column="abstract", label="venue")
    assert [(r["content"], r["venue"], r["year"], r["id_"]) for r in found] == [
        (r["abstract"], r["venue"], r["year"], r["id"]) for r in oracle
    ]
    with pytest.raises(InputError, match=r"2710 empty ids and 3 repeated ids.* stands 4 times"):
        next(Texts(path, column="abstract", id="id").batches())


def test_ag_news_against_arrows_own_reader(data: Path) -> None:
    path, names = data / "ag-news" / "test.csv.gz", ["class", "title", "text"]
    oracle = pa.csv.read_csv(path, pa.csv.ReadOptions(column_names=names))
    batches = list(Texts(path, column="title", names=names, label="class").batches())
    found = pa.Table.from_batches(batches)
    assert found["content"].to_pylist() == oracle["title"].to_pylist()
    assert found["text_"].to_pylist() == oracle["text"].to_pylist()
    assert found["class"].to_pylist() == oracle["class"].to_pylist()
