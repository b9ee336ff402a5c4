"""What a source of interactions tells of its items beside their names."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sources.events import write
from spaceport.errors import InputError, NotFoundError
from spaceport.sources.interactions import Interactions

EVENTS = "user,item,rating\na,1,5\nb,2,3\n"


def features(folder: Path, table: str, name: str = "items.csv", **told: str) -> pa.Table:
    found = source(folder, table, name, **told).item_features()
    assert found is not None
    return found


def source(folder: Path, table: str, name: str = "items.csv", **told: str) -> Interactions:
    path = write(folder / "events.csv", EVENTS)
    return Interactions(path, titles_from=write(folder / name, table), **told)


def test_all_columns_with_their_types(tmp_path: Path) -> None:
    rows = "movie_id,title,genres,year,color\n2, Sea ,Drama|War,1990,true\n1,Hill,,,false\n,No id,,1,\n"
    found = features(tmp_path, rows)
    assert found.column_names == ["item", "title", "genres", "year", "color"]
    assert found.to_pylist() == [
        {"item": "2", "title": "Sea", "genres": "Drama|War", "year": 1990, "color": True},
        {"item": "1", "title": "Hill", "genres": None, "year": None, "color": False},
    ]


def test_a_column_called_item_that_holds_no_ids(tmp_path: Path) -> None:
    found = features(tmp_path, "id,title,item\n1,Sea,film\n", title_id="id")
    assert found.to_pylist() == [{"item": "1", "title": "Sea", "item_": "film"}]


def test_other_formats(tmp_path: Path) -> None:
    lines = '{"id": 1, "title": "Sea", "tags": ["a"], "year": 1990}\n{"id": 2, "title": "Hill"}\n'
    found = features(tmp_path, lines, "items.jsonl")
    assert found.to_pylist() == [
        {"item": "1", "title": "Sea", "year": 1990},
        {"item": "2", "title": "Hill", "year": None},
    ]
    pq.write_table(
        pa.table({"id": [1], "title": ["Sea"], "score": [0.5]}), tmp_path / "items.parquet"
    )
    path = write(tmp_path / "events.csv", EVENTS)
    given = Interactions(path, titles_from=tmp_path / "items.parquet").item_features()
    assert given is not None
    assert given.to_pylist() == [{"item": "1", "title": "Sea", "score": 0.5}]


def test_without_a_table_there_are_none(tmp_path: Path) -> None:
    assert Interactions(write(tmp_path / "events.csv", EVENTS)).item_features() is None


def test_equal_rows_are_one_and_different_rows_are_refused(tmp_path: Path) -> None:
    assert len(features(tmp_path, "id,title,year\n1,Sea,1990\n1,Sea,1990\n")) == 1
    with pytest.raises(
        InputError, match=r"the item '1' two rows: `year` is 1990 in one and 1991 in the"
    ):
        features(tmp_path, "id,title,year\n1,Sea,1990\n2,Hill,1\n1,Sea,1991\n")
    with pytest.raises(NotFoundError, match="no column `key`"):
        features(tmp_path, "id,title\n1,Sea\n", title_id="key")


def test_the_digest_covers_what_is_told_of_items(tmp_path: Path) -> None:
    rows = ["1,Sea,Drama", "1,Sea,War", "1,Hill,Drama", "1,Sea,Drama\n3,Cold,War"]
    digests = {source(tmp_path, f"id,title,genres\n{row}\n").digest() for row in rows}
    digests.add(source(tmp_path, "id,title,kind\n1,Sea,Drama\n").digest())
    assert len(digests) == 5
    again = source(tmp_path, f"id,title,genres\n{rows[0]}\n").digest()
    assert again in digests
    odd = source(tmp_path, "id,title,genres\n1,Sea,Drama\n1,Sea,War\n")
    assert odd.titles() == {"1": "Sea"}
    assert odd.digest() not in digests  # who asks for names only is not refused


def test_movielens(data: Path) -> None:
    folder = data / "movielens-small"
    given = Interactions(folder / "ratings.csv.gz", titles_from=folder / "movies.csv")
    found = given.item_features()
    assert found is not None
    assert len(found) == 9742
    assert found.column_names == ["item", "title", "genres"]
    assert found.slice(0, 1).to_pylist() == [
        {"item": "1", "title": "Toy Story (1995)",
         "genres": "Adventure|Animation|Children|Comedy|Fantasy"}
    ]  # fmt: skip
