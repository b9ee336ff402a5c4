"""Tables: which column plays which part, types, gaps, dates in several layouts, and what is refused."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spaceport.errors import InputError, NotFoundError, ParameterError
from spaceport.sources.table import Table
from spaceport.testing.sources import check_source

CSV = """name,kind,size,ringed,seen,note
a1, gull ,50,true,2024-05-01,near the pier
a2,wren,,false,2024-05-02,
a3,gull,52.5,true,,in the wood
"""


@pytest.fixture
def birds(tmp_path: Path) -> Path:
    path = tmp_path / "birds.csv"
    path.write_text(CSV)
    return path


def rows(source: Table) -> list[dict[str, Any]]:
    return [row for batch in source.batches() for row in batch.to_pylist()]


def contents(path: Path, text: str, **told: Any) -> list[Any]:
    path.write_text(text)
    return [row["content"] for row in rows(Table(path, **told))]


def test_the_public_checks(birds: Path) -> None:
    check_source(lambda: Table(birds))
    check_source(lambda: Table(birds, id="name", label="kind", columns=["size", "seen"]))


def test_each_column_plays_its_part(birds: Path) -> None:
    source = Table(birds, id="name", label="kind", leave_out=["note"])
    batch = next(source.batches())
    assert batch.schema.names == ["id", "content", "kind", "note"]
    kind = batch.schema.field("content").type
    assert {field.name: field.type for field in kind} == {
        "size": pa.float64(), "ringed": pa.bool_(), "seen": pa.timestamp("us"),
    }  # fmt: skip
    assert rows(source)[1] == {
        "id": "a2", "content": {"size": None, "ringed": False, "seen": datetime(2024, 5, 2)},
        "kind": "wren", "note": None,
    }  # fmt: skip


def test_features_are_chosen_and_metadata_kept(birds: Path) -> None:
    chosen = Table(birds, columns=["size", "kind"], keep=["kind"])
    batch = next(chosen.batches())
    assert [field.name for field in batch.schema.field("content").type] == ["size", "kind"]
    assert batch.schema.names == ["id", "content", "kind"]
    assert batch.column("kind").to_pylist() == ["gull", "wren", "gull"]
    assert next(Table(birds, columns=["size"], keep=[]).batches()).schema.names == ["id", "content"]


def test_what_means_missing(tmp_path: Path) -> None:
    text = "a,b\n 1 ,x\n?,NA\n3,?\n"
    path = tmp_path / "t.csv"
    assert contents(path, text, missing=["?", "NA"]) == [
        {"a": 1, "b": "x"}, {"a": None, "b": None}, {"a": 3, "b": None},
    ]  # fmt: skip
    assert contents(path, text)[1] == {"a": "?", "b": "NA"}


def test_missing_in_every_format(tmp_path: Path) -> None:
    given = [{"a": "x", "n": 1}, {"a": "?"}, {"a": "", "n": 3}]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in given))
    pq.write_table(pa.Table.from_pylist(given), tmp_path / "t.parquet")
    expected = [{"a": "x", "n": 1}, {"a": None, "n": None}, {"a": None, "n": 3}]
    for ending in ("jsonl", "parquet"):
        source = Table(tmp_path / f"t.{ending}", missing=["?"])
        assert [row["content"] for row in rows(source)] == expected


def test_ids_made_of_the_row(birds: Path, tmp_path: Path) -> None:
    ids = [row["id"] for row in rows(Table(birds, leave_out=["name"]))]
    lines = CSV.splitlines(keepends=True)
    again = tmp_path / "again.csv"
    again.write_text("".join([lines[0], lines[3], lines[1], lines[2], lines[1]]))
    turned = [row["id"] for row in rows(Table(again, leave_out=["name"]))]
    assert turned == [ids[2], ids[0], ids[1], f"{ids[0]}-2"]
    assert len(set(ids)) == 3


def test_dates_of_iso_layouts(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    zoned = "at\n2024-05-01T10:00:00Z\n2024-05-01T10:00:00+02:00\n"
    assert [row["at"].hour for row in contents(path, zoned)] == [10, 8]
    times = "at\n2024-05-01 10:30\n2024-05-02T11:00:00.25\n2024-05-03\n"
    assert [row["at"].minute for row in contents(path, times)] == [30, 0, 0]
    assert contents(path, "at\n2024-13-45\n2024-05-01\n")[0] == {"at": "2024-13-45"}


def test_dates_in_two_formats_stay_text_until_they_are_told(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("n,seen\n1,2024-05-01\n2,31/05/2024\n3,02/06/2024\n")
    source = Table(path)
    assert rows(source)[0]["content"]["seen"] == "2024-05-01"
    told = source.facts()["doubtful_columns"]["seen"]
    assert told.startswith("dates, 1 like 2024-01-31, 2 like 31/01/2024: ")
    formats = {"seen": ["%d/%m/%Y", "%Y-%m-%d"]}
    assert repr(formats) in f"{told}"[told.index("dates=") :]
    source = Table(path, dates=formats)
    found = [row["content"]["seen"] for row in rows(source)]
    assert found == [datetime(2024, 5, 1), datetime(2024, 5, 31), datetime(2024, 6, 2)]
    assert source.facts() == {"columns": 2}


def test_a_date_in_none_of_the_formats(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("seen\n31/05/2024\n2024-05-01\n")
    message = r"`seen` holds '2024-05-01' at 3, which is no date in '%d/%m/%Y'\.\nAdd"
    with pytest.raises(InputError, match=message):
        rows(Table(path, dates={"seen": "%d/%m/%Y"}))


def test_numbers_but_for_a_few_values_are_told(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n1,x,\n2,y,\nNA,z,\n")
    source = Table(path)
    rows(source)
    assert source.facts() == {
        "columns": 3,
        "empty_columns": ["c"],
        "doubtful_columns": {
            "a": "2 of 3 values are numbers, 'NA' is not: if that means missing, say missing=['NA']"
        },
    }


def test_an_empty_column_stays_as_text_without_a_value(tmp_path: Path) -> None:
    assert contents(tmp_path / "t.csv", "a,b\n1,\n2,\n")[0] == {"a": 1, "b": None}


def test_a_missing_label_is_no_matter(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,y\n1,yes\n2,\n3,no\n")
    source = Table(path, label="y")
    assert [row["y"] for row in rows(source)] == ["yes", None, "no"]
    assert source.label == "y"


def test_columns_with_reserved_names_and_nested_ones(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"text": "x", "vector": 1, "tags": [1]}\n')
    batch = next(Table(path, columns=["vector"]).batches())
    assert batch.schema.names == ["id", "content", "text_"]
    with pytest.raises(InputError, match=r"`tags` of .* is nested"):
        rows(Table(path, columns=["tags"]))


REFUSED = {
    "unknown column": (NotFoundError, {"columns": ["sise"]}, r"no column `sise`\.\nDid you mean size"),
    "unknown date": (NotFoundError, {"dates": {"sen": "%Y"}}, r"no column `sen`"),
    "label as feature": (ParameterError, {"label": "kind", "columns": ["kind"]}, "`kind` is among"),
    "nothing left": (InputError, {"leave_out": ["name", "kind", "size", "ringed", "seen", "note"]}, "no columns"),
    "repeated ids": (InputError, {"id": "kind"}, "1 repeated id; the first repeated one, 'gull'"),
    "empty ids": (InputError, {"id": "size"}, "1 empty id; the first empty one is in line 3"),
    "id as label": (ParameterError, {"id": "name", "label": "name"}, "`label` must be a metadata"),
}  # fmt: skip


@pytest.mark.parametrize("why", REFUSED)
def test_what_is_refused(birds: Path, why: str) -> None:
    error, told, message = REFUSED[why]
    with pytest.raises(error, match=message) as caught:
        rows(Table(birds, **told))
    assert str(caught.value).count("\n") == 1


def test_one_string_for_a_list_and_no_rows_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(
        ParameterError, match=r"`missing` is one string\.\nGive a list: missing=\['\?'\]"
    ):
        Table("x.csv", missing="?")
    with pytest.raises(InputError, match="holds no items"):
        contents(tmp_path / "t.csv", "a,b\n")
    with pytest.raises(InputError, match="is a folder"):
        rows(Table(tmp_path))


def test_adult(data: Path) -> None:
    source = Table(data / "adult" / "adult_test.csv.gz", label="class", missing=["NA"])
    batches = list(source.batches())
    assert sum(batch.num_rows for batch in batches) == 16281
    content = pa.concat_arrays([batch.column("content") for batch in batches])
    ages = content.field("age").to_pylist()
    assert ages[:3] == [25, 38, 28]
    assert content.field("workclass").null_count == 963
    assert set(batches[0].column("class").to_pylist()) == {"<=50K.", ">50K."}


def test_penguins_have_dates(data: Path) -> None:
    source = Table(data / "penguins" / "penguins_raw.csv", missing=["NA"])
    content = next(source.batches()).schema.field("content").type
    assert content.field("Date Egg").type == pa.timestamp("us")
    assert content.field("Body Mass (g)").type == pa.int64()
    assert source.facts() == {"columns": 17}
