"""Tables of events: layouts, columns, duplicates, splits by their stated rules, and bad input."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.events import histories, pairs, random_events, write
from spaceport.errors import InputError, NotFoundError, ParameterError
from spaceport.sources import _bulk, _entries, _event_tables
from spaceport.sources._event_tables import event_format
from spaceport.sources._tables import Layout
from spaceport.sources.interactions import Interactions
from spaceport.sources.texts import Texts

ROWS = [
    {"user_id": 7, "item_id": 1, "rating": 4.0, "timestamp": 50},
    {"user_id": 3, "item_id": 2, "rating": 0.5, "timestamp": 20},
    {"user_id": 7, "item_id": 2, "rating": 3.0, "timestamp": 40},
    {"user_id": 7, "item_id": 1, "rating": 1.0, "timestamp": 10},
]


def table(path: Path) -> Path:
    kind = path.name.partition(".")[2]
    names = list(ROWS[0])
    if kind.startswith("parquet"):
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    elif kind.startswith("jsonl"):
        write(path, "".join(json.dumps(row) + "\n" for row in ROWS))
    else:
        between = {"csv": ",", "tsv": "\t", "dat": "::"}[kind.partition(".")[0]]
        lines = [names, *([str(value) for value in row.values()] for row in ROWS)]
        write(path, "".join(between.join(line) + "\n" for line in lines))
    return path


@pytest.mark.parametrize(
    "ending", ["csv", "csv.gz", "tsv", "dat", "dat.gz", "jsonl", "jsonl.gz", "parquet"]
)
def test_every_layout_gives_the_same_histories(tmp_path: Path, ending: str) -> None:
    path = table(tmp_path / f"rows.{ending}")
    source = Interactions(path)
    assert histories(path) == {"7": {"1": 5.0, "2": 3.0}, "3": {"2": 0.5}}
    rows = next(source.batches())
    assert rows.column("id").to_pylist() == ["7", "3"]
    assert rows.column("events").to_pylist() == [3, 1]
    assert source.size() == path.stat().st_size


def test_movielens_dat_without_a_header(tmp_path: Path) -> None:
    path = write(tmp_path / "ratings.dat", "1::10::5::978300760\n1::20::3::978302109\n")
    movies = '10::Señor, the "first" (1995)::Comedy\n20::B: C (1996)::Drama|War\n'
    titles = write(tmp_path / "movies.dat", movies.encode("latin-1"))
    source = Interactions(
        path, names=["user", "item", "rating", "time"], titles_from=titles,
        title_names=["item", "title", "genres"], encoding="latin-1",
    )  # fmt: skip
    assert next(source.batches()).to_pylist()[0]["content"] == [
        {"item": "10", "value": 5.0},
        {"item": "20", "value": 3.0},
    ]
    assert source.titles() == {"10": 'Señor, the "first" (1995)', "20": "B: C (1996)"}
    assert source.size() == path.stat().st_size + titles.stat().st_size
    with pytest.raises(NotFoundError, match=r"it has: 1, 10, 5, 978300760.\nIf that is no header"):
        histories(path)


def test_lines_on_top_and_tabs(tmp_path: Path) -> None:
    path = write(tmp_path / "user_artists.dat", "18800\n92834\n2\t51\t13883\n2\t52\t11690\n")
    told = {"names": ["userID", "artistID", "weight"], "skip_lines": 2}
    assert histories(path, **told) == {"2": {"51": 13883.0, "52": 11690.0}}


@pytest.mark.parametrize(
    ("rows", "message"),
    [("2\t51\tmany\n", "the first in line 4, 'many'"), ("2\t51\n", "line 4: 2 fields where")],
)
def test_skipped_lines_are_counted_as_lines(tmp_path: Path, rows: str, message: str) -> None:
    path = write(tmp_path / "x.dat", "18800\n92834\nuser\titem\tplays\n" + rows)
    with pytest.raises(InputError) as caught:
        histories(path, skip_lines=2)
    assert message in caught.value.what


@pytest.mark.parametrize("delimiter", [";", "||", "::"])
def test_another_delimiter(tmp_path: Path, delimiter: str) -> None:
    path = write(tmp_path / "x.txt", delimiter.join(["user", "item"]) + f"\na{delimiter}b\n")
    assert histories(path, delimiter=delimiter) == {"a": {"b": 1.0}}


def test_texts_read_dat_files_too(tmp_path: Path) -> None:
    path = write(tmp_path / "movies.dat", '1::The "Up" film\n2::Down\n')
    found = [row for b in Texts(path, names=["id", "t"]).batches() for row in b.to_pylist()]
    assert [row["content"] for row in found] == ['The "Up" film', "Down"]
    broken = write(tmp_path / "x.dat", "a::b\n1::2::3\n")
    with pytest.raises(InputError, match="line 2: 3 fields where the header has 2"):
        list(Texts(broken).batches())


@pytest.mark.parametrize(
    "header",
    [
        "userId,movieId,rating,timestamp",
        "time,user_id,item_id,value",
        "userID,artistID,weight,day",
        "User-ID,ISBN,Book-Rating,note",
        "customer,product,quantity,date",
        "USER,Track Id,Play Count,x",
    ],
)
def test_usual_names_are_found(tmp_path: Path, header: str) -> None:
    row = "9,a,b,2" if header.startswith("time") else "a,b,2,9"
    assert histories(write(tmp_path / "x.csv", f"{header}\n{row}\n")) == {"a": {"b": 2.0}}


def test_a_column_with_an_unusual_name_must_be_named(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "who,what,much\na,b,2\n")
    with pytest.raises(NotFoundError, match=r"usual name for the user; it has: who, what, much.\n"):
        histories(path)
    assert histories(path, user="who", item="what") == {"a": {"b": 1.0}}
    assert histories(path, user="who", item="what", value="much") == {"a": {"b": 2.0}}
    with pytest.raises(NotFoundError, match=r"no column `whoo`.\nDid you mean who"):
        histories(path, user="whoo", item="what")
    double = write(tmp_path / "y.csv", "user,movie_id,item\na,b,c\n")
    with pytest.raises(ParameterError, match=r"2 columns that may hold the item: movie_id, item"):
        histories(double)


def test_every_event_counts_one_where_there_is_no_value(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "user,item\na,b\na,b\na,c\n")
    assert histories(path) == {"a": {"b": 2.0, "c": 1.0}}


@pytest.mark.parametrize("timed", [True, False])
def test_duplicates_are_summed_or_the_last_is_kept(tmp_path: Path, timed: bool) -> None:
    path = table(tmp_path / "rows.csv")
    if not timed:
        path.write_text(
            "".join(f"{line.rpartition(',')[0]}\n" for line in path.read_text().split())
        )
    assert histories(path)["7"]["1"] == 5.0
    assert histories(path, duplicates="last")["7"]["1"] == (4.0 if timed else 1.0)
    with pytest.raises(InputError, match=r"1 repeated event .* user '7' has item '1' 2 times\."):
        histories(path, duplicates="error")


def test_of_equal_times_the_last_row_counts(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "user,item,rating,time\na,b,1,5\na,b,2,5\na,b,3,4\n")
    assert histories(path, duplicates="last") == {"a": {"b": 2.0}}


def test_a_minimum_keeps_what_was_liked(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "user,item,rating\na,b,4\na,c,3.5\nd,c,-1\ne,f,5\n")
    source = Interactions(path, minimum=4)
    assert [batch.to_pylist() for batch in source.batches()] == [
        [
            {"id": "a", "content": [{"item": "b", "value": 4.0}], "events": 1},
            {"id": "e", "content": [{"item": "f", "value": 5.0}], "events": 1},
        ]
    ]
    assert source.facts()["events below the minimum, left out"] == 2
    with pytest.raises(InputError, match=r"holds no events of 9 or more"):
        histories(path, minimum=9)


BAD = {
    "letters": ("a,b,4\nc,d,good\ne,f,\n", "no number in `rating` in 2 rows, the first in line 3, 'good'"),
    "decimal comma": ('a,b,"3,5"\n', "no number in `rating` in 1 row, the first in line 2, '3,5'"),
    "nan": ("a,b,4\nc,d,nan\nc,e,inf\n", "NaN or infinity in `rating` in 2 rows, the first in line 3"),
    "too large": ("a,b,1e39\n", "NaN or infinity in `rating` in 1 row"),
    "negative": ("a,b,4\nc,d,-0.5\n", "a negative value in `rating` in 1 row, the first in line 3, '-0.5'"),
    "no user": ("a,b,4\n ,d,1\n,e,1\n", "an empty user id in 2 rows, the first in line 3"),
    "no item": ("a,b,4\nc,,1\n", "an empty item id in 1 row, the first in line 3"),
    "several": ("a,,x\n", "an empty item id in 1 row, the first in line 2; no number in `rating`"),
    "short": ("a,b,4\nc,d\n", "line 3: 2 fields where the header has 3"),
    "only a header": ("", "holds no rows"),
    "binary": ("a,b\0,4\nc,d,x\n", "looks binary"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_rows_are_counted_and_the_first_is_told(tmp_path: Path, name: str) -> None:
    rows, message = BAD[name]
    path = write(tmp_path / "x.csv", "user,item,rating\n" + rows)
    with pytest.raises(InputError) as caught:
        next(Interactions(path).batches())
    assert message in caught.value.what
    assert str(caught.value).count("\n") == 1


def test_faults_are_counted_over_the_whole_file(tmp_path: Path) -> None:
    rows = "".join(f"u{n},i,{'x' if n % 1000 == 500 else 1}\n" for n in range(9000))
    path = write(tmp_path / "x.csv", "user,item,rating\n" + rows)
    with pytest.raises(InputError, match=r"in 9 rows, the first in line 502, 'x'"):
        histories(path)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (["5", "soon", "7"], "no time in `time` in 1 row, the first in line 3, 'soon'"),
        (["2020-01-01", "5", "x"], "no time in `time` in 2 rows, the first in line 3, '5'"),
        (["5", "nan", "7"], "no finite time in `time` in 1 row, the first in line 3"),
    ],
)
def test_times_that_cannot_be_read(tmp_path: Path, times: list[str], message: str) -> None:
    rows = "".join(f"a,i{n},{time}\n" for n, time in enumerate(times))
    path = write(tmp_path / "x.csv", "user,item,time\n" + rows)
    assert len(pairs(path)) == 3  # where times are not needed they do not matter
    with pytest.raises(InputError) as caught:
        histories(path, part="train", split="last")
    assert message in caught.value.what


def test_missing_values_of_typed_tables(tmp_path: Path) -> None:
    rows = [{"user": 1, "item": 2, "rating": 1.5}, {"user": 1, "item": 3, "rating": None}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet")
    write(tmp_path / "x.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    for name in ("x.parquet", "x.jsonl"):
        with pytest.raises(InputError, match="no number in `rating` in 1 row, the first in"):
            histories(tmp_path / name)


def test_other_files_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "x.csv", "user,item\na,b\n")
    with pytest.raises(InputError, match="is no table of events"):
        histories(tmp_path)
    with pytest.raises(NotFoundError, match="Did you mean x.csv"):
        histories(tmp_path / "y.csv")
    with pytest.raises(InputError, match="is not utf-8"):
        histories(write(tmp_path / "l.csv", "user,item\na,é\n".encode("latin-1")))
    found = histories(tmp_path / "l.csv", encoding="latin-1")
    assert found == {"a": {"é": 1.0}}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"duplicates": "mean"}, "`duplicates` must be one of sum, last, error. Got 'mean'"),
        ({"part": "testing"}, "`part` must be one of"),
        ({"split": "users"}, "`split` must be one of random, time, last"),
        ({"format": "lines"}, "`format` must be one of"),
        ({"share": 1.0}, "`share` must be a number above 0 and below 1. Got 1.0"),
        ({"minimum": float("nan")}, "`minimum` must be a finite number"),
        ({"names": "user"}, "`names` is one string"),
        ({"seed": -1}, "`seed` must be an int"),
        ({"skip_lines": 1.5}, "`skip_lines` must be an int"),
        ({"encoding": "utf-9"}, "There is no encoding"),
    ],
)
def test_wrong_parameters(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        Interactions("x.csv", **params)
    assert message in caught.value.what


def test_titles(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "user,item\na,b\n")
    assert Interactions(path).titles() == {}
    titles = write(tmp_path / "t.csv", "id,name,url\nb,Bee,x\nc,,x\nb,Bee,y\n")
    assert Interactions(path, titles_from=titles).titles() == {"b": "Bee"}
    odd = write(tmp_path / "odd.csv", "code,label\nb,Bee\n")
    with pytest.raises(NotFoundError, match="usual name for the title_id; it has: code, label"):
        Interactions(path, titles_from=odd).titles()
    named = Interactions(path, titles_from=odd, title_id="code", title="label")
    assert named.titles() == {"b": "Bee"}
    two = write(tmp_path / "two.csv", "id,name\nb,Bee\nb,Wasp\n")
    with pytest.raises(InputError, match="gives the item 'b' two names: 'Bee' and 'Wasp'"):
        Interactions(path, titles_from=two).titles()


def test_the_digest_is_of_what_is_learnt(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "user,item,rating\na,b,1\na,c,2\n")
    titles = write(tmp_path / "t.csv", "id,name\nb,Bee\n")
    digest = Interactions(path).digest()
    assert Interactions(path, duplicates="last").digest() == digest
    renamed = write(tmp_path / "r.csv", "id,name\nb,Ant\n")
    changes = {
        Interactions(path, titles_from=titles).digest(),
        Interactions(path, titles_from=renamed).digest(),
        Interactions(path, minimum=2).digest(),
        *(
            Interactions(write(tmp_path / f"{n}.csv", "user,item,rating\n" + rows)).digest()
            for n, rows in enumerate(["b,b,1\nb,c,2\n", "a,b,1\na,d,2\n", "a,b,1\na,c,3\n"])
        ),
        digest,
    }
    assert len(changes) == 7


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", "user,item\na,b\n")
    source = Interactions(path)
    first = source.entries()
    assert source.entries() is first
    write(path, "user,item\na,b\na,c\n")
    assert len(source.entries()) == 2


def test_histories_are_cut_into_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.csv"
    random_events(path)
    whole = pairs(path)
    monkeypatch.setattr(_entries, "BATCH_ENTRIES", 40)
    batches = list(Interactions(path).batches())
    assert len(batches) > 20
    assert pairs(path) == whole
    assert sum(sum(batch.column("events").to_pylist()) for batch in batches) == 3000


names_of = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=6)


@given(st.lists(st.tuples(names_of, names_of), min_size=1, max_size=30))
def test_ids_in_any_unicode(tmp_path_factory: pytest.TempPathFactory, events: Any) -> None:
    path = tmp_path_factory.mktemp("ids") / "x.csv"
    kept = [(u, i) for u, i in events if u.strip() and i.strip()]
    if not kept:
        return
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([("user", "item"), *kept])
    slow = _slow(path)
    assert pairs(path) == slow
    assert slow == {(_trimmed(u), _trimmed(i)) for u, i in kept}


def _slow(path: Path) -> set[tuple[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_event_tables, "in_bulk", lambda *_: None)
        return pairs(path)


def _trimmed(text: str) -> str:
    return str(pa.compute.utf8_trim_whitespace(text).as_py())


def test_in_bulk_reads_what_line_by_line_does_and_leaves_the_rest_to_it(tmp_path: Path) -> None:
    path = write(
        tmp_path / "x.csv", '\ufeffuser,item,rating\r\n"a ""b""","x,\ny",1\r\n\r\nc, d ,2\r\n'
    )
    assert pairs(path) == _slow(path) == {('a "b"', "x,\ny"), ("c", "d")}
    format = event_format(path, None)
    assert _bulk.in_bulk(path, format, Layout(), ["user"]) is not None
    assert _bulk.in_bulk(path, format, Layout(), ["nobody"]) is None
    ragged = write(tmp_path / "y.csv", "user,item\na,b,c\n")
    assert _bulk.in_bulk(ragged, format, Layout(), ["user"]) is None


def test_movielens(data: Path) -> None:
    folder = data / "movielens-small"
    source = Interactions(folder / "ratings.csv.gz", titles_from=folder / "movies.csv")
    with gzip.open(folder / "ratings.csv.gz", "rt") as stream:
        oracle = {(r["user_id"], r["movie_id"]): float(r["rating"]) for r in csv.DictReader(stream)}
    found = {
        (row["id"], entry["item"]): entry["value"]
        for batch in source.batches()
        for row in batch.to_pylist()
        for entry in row["content"]
    }
    assert found == oracle
    assert len(found) == 100_836
    assert source.titles()["1"] == "Toy Story (1995)"


def test_lastfm(data: Path) -> None:
    folder = data / "lastfm-2k"
    source = Interactions(
        folder / "user_artists.dat.gz", names=["userID", "artistID", "weight"], skip_lines=2,
        titles_from=folder / "artists.dat.gz",
    )  # fmt: skip
    with gzip.open(folder / "user_artists.dat.gz", "rt") as stream:
        oracle = np.array([line.split("\t") for line in stream.readlines()[2:]], float)
    entries = source.entries()
    assert len(entries) == len(oracle) == 92_834
    assert (len(entries.users), len(entries.items)) == (1892, 17_632)
    assert entries.values.sum(dtype=np.float64) == oracle[:, 2].sum()
    assert source.titles()["2"] == "Diary of Dreams"
