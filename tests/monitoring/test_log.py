"""A log read in every format, what is wrong with it, and what its ids are."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spaceport.encoders.hashing import Hashing
from spaceport.encoders.lsa import LSA
from spaceport.encoders.mixed import Mixed
from spaceport.errors import InputError, MismatchError, NotFoundError, ParameterError
from spaceport.monitoring._identities import Seen
from spaceport.monitoring.events import FAULTS, Events
from spaceport.monitoring.log import Log, read
from spaceport.monitoring.windows import Every
from spaceport.sources.formats.stamp import Stamp
from spaceport.sources.table import Table
from spaceport.sources.texts import Texts
from spaceport.spaces.space_vectors import Coordinates
from spaceport.storage.names import Number

DAYS = ["2026-01-02T10:00Z", "2026-01-01T10:00Z", "2026-02-01", "2026-01-01T10:00Z"]
ROWS = [
    {"id": f"e{n}", "when": when, "vector": [n, 0.5, -1.0], "place": "fr" if n % 2 else None, "year": 2010 + n,
     "said": n % 2, "true": [1, 1, None, 1][n]}
    for n, when in enumerate(DAYS)
]  # fmt: skip
ALL = {"time": "when", "id": "id", "segment": "place", "prediction": "said", "label": "true"}


def write(folder: Path, kind: str, rows: list[dict[str, Any]], metadata: Any = None) -> Path:
    path = folder / f"log.{kind}"
    if kind in ("parquet", "arrow", "arrows"):
        table = pa.Table.from_pylist(rows).replace_schema_metadata(metadata)
        if kind == "parquet":
            pq.write_table(table, path, row_group_size=3)
            return path
        new = pa.ipc.new_file if kind == "arrow" else pa.ipc.new_stream
        with new(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=3)
        return path
    if kind.startswith("jsonl"):
        data = "".join(json.dumps(row) + "\n" for row in rows)
        path.write_bytes(gzip.compress(data.encode()) if kind.endswith("gz") else data.encode())
        return path
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0], delimiter="\t" if kind == "tsv" else ",")
        writer.writeheader()
        writer.writerows(
            {k: json.dumps(v) if isinstance(v, list) else v for k, v in row.items()} for row in rows
        )
    return path


def whole(path: Path, **told: Any) -> Events:
    told = {"dimension": 3, "time": "when"} | told
    batches = list(read(path, **told))
    assert all(len(batch) for batch in batches)
    return batches[0] if len(batches) == 1 else _joined(batches)


def _joined(batches: list[Events]) -> Events:
    def one(name: str) -> Any:
        parts = [getattr(batch, name) for batch in batches]
        if parts[0] is None:
            return None
        return pa.concat_arrays(parts) if isinstance(parts[0], pa.Array) else np.concatenate(parts)

    names = [name for name in Events.__annotations__ if name != "encoded_here"]
    return Events(**{name: one(name) for name in names})


@pytest.mark.parametrize("kind", ["parquet", "arrow", "arrows", "jsonl", "jsonl.gz", "csv", "tsv"])
def test_every_format_gives_the_same_events(tmp_path: Path, kind: str) -> None:
    found = whole(write(tmp_path, kind, ROWS), **ALL, vector="vector", where="year >= 2011")
    assert found.ids.to_pylist() == ["e1", "e2", "e3"]
    assert [str(t)[:16] for t in found.at] == [
        "2026-01-01T10:00",
        "2026-02-01T00:00",
        "2026-01-01T10:00",
    ]
    assert found.vectors.tolist() == [[n, 0.5, -1.0] for n in (1, 2, 3)]
    assert found.vectors.dtype == np.float32
    assert found.sound.all()
    assert found.segment.to_pylist() == ["fr", "", "fr"]
    assert [str(v) for v in found.prediction.to_pylist()] == ["1", "0", "1"]
    assert found.label.to_pylist() == [1, None, 1]
    taken = found.take(np.array([False, True, False]))
    assert (taken.ids.to_pylist(), taken.vectors.tolist()) == (["e2"], [[2.0, 0.5, -1.0]])


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "csv"])
def test_broken_vectors_are_marked_and_not_refused(tmp_path: Path, kind: str) -> None:
    vectors = [[1.0, 2, 3], [1.0, 2], None, [1.0, float("nan"), 3], [1e300, 0, 0], [0.0, 0, 0], []]
    rows = [{"when": "2026", "id": str(n), "vector": v} for n, v in enumerate(vectors)]
    found = whole(write(tmp_path, kind, rows), vector="vector")
    told = [FAULTS[f - 1] if f else "" for f in found.faults]
    assert told == ["", "dimension", "missing", "infinite", "infinite", "", "dimension"]
    assert np.isfinite(found.vectors).all()
    assert not found.vectors[1:].any()


def test_other_dimension_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    fixed = pa.FixedSizeListArray.from_arrays(pa.array(np.ones(8, np.float32)), 2)
    pq.write_table(pa.table({"when": ["2026"] * 4, "emb": fixed}), path)
    assert whole(path).faults.tolist() == [2] * 4
    assert whole(path, dimension=2).sound.all()


def test_a_vector_column_that_holds_none(tmp_path: Path) -> None:
    path = write(tmp_path, "parquet", [{"when": "2026", "vector": 3}])
    with pytest.raises(InputError, match="holds int64"):
        whole(path)
    path = write(
        tmp_path, "csv", [{"when": "2026", "vector": "[1, 2, 3]"}, {"when": "2026", "vector": "no"}]
    )
    assert whole(path).faults.tolist() == [0, 2]


def test_which_column_holds_the_vectors(tmp_path: Path) -> None:
    rows = [{"when": "2026", "a": [1.0] * 3, "b": [2.0] * 3}]
    path = write(tmp_path, "parquet", rows)
    assert whole(path, vector="b").vectors[0, 0] == 2
    with pytest.raises(NotFoundError, match="2 columns of vectors"):
        whole(path)
    with pytest.raises(NotFoundError, match="no column `c`"):
        whole(path, vector="c")
    with pytest.raises(NotFoundError, match="no column `whn`"):
        whole(path, vector="a", time="whn")
    with pytest.raises(NotFoundError, match="no column `x`"):
        whole(path, vector="a", where="x == 1")


def test_repeated_ids_are_counted_and_refused(tmp_path: Path) -> None:
    rows = [{"when": "2026", "id": i, "vector": [n, 0, 0]} for n, i in enumerate("abcabda")]
    path = write(tmp_path, "jsonl", rows)
    with pytest.raises(InputError) as caught:
        whole(path, id="id")
    assert str(caught.value).splitlines() == [
        f"The column `id` of {path} has 3 repeated ids; the first, 'a', stands again in line 4.",
        "Mend the ids, or count each event once: --duplicates first (duplicates='first').",
    ]
    log = Log(path, time="when", dimension=3, id="id", duplicates="first")
    (found,) = log.events()
    assert found.ids.to_pylist() == ["a", "b", "c", "d"]
    assert found.vectors[:, 0].tolist() == [0, 1, 2, 5]
    assert (log.rows, log.repeated) == (7, 3)
    with pytest.raises(ParameterError, match="refuse or first"):
        Log(path, time="when", dimension=3, duplicates="last")


def test_an_id_that_stands_twice_in_two_batches(tmp_path: Path) -> None:
    many = 20_000
    rows = pa.table({
        "when": pa.array(["2026"] * many),
        "id": [str(n % (many - 1)) for n in range(many)],
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(np.ones(many, np.float32)), 1),
    })  # fmt: skip
    path = tmp_path / "log.parquet"
    pq.write_table(rows, path)
    with pytest.raises(
        InputError, match=f"1 repeated id; the first, '0', stands again in row {many}"
    ):
        whole(path, id="id", dimension=1)


def test_nothing_follows_a_repeated_id_and_nothing_is_empty(tmp_path: Path) -> None:
    rows = 8192  # of one batch
    ids = [str(n % rows) for n in range(2 * rows)] + ["last"]
    ones = pa.FixedSizeListArray.from_arrays(pa.array(np.ones(len(ids), np.float32)), 1)
    path = tmp_path / "log.parquet"
    pq.write_table(pa.table({"when": ["2026"] * len(ids), "id": ids, "vector": ones}), path)
    told = {"time": "when", "id": "id", "dimension": 1}
    batches = read(path, **told)
    assert len(next(batches)) == rows
    with pytest.raises(InputError, match="8,192 repeated ids"):
        next(batches)
    assert [len(e) for e in read(path, **told, duplicates="first")] == [rows, 1]


def test_missing_ids_are_told(tmp_path: Path) -> None:
    rows = [{"when": "2026", "id": i, "vector": [1, 0, 0]} for i in ("a", None)]
    with pytest.raises(InputError, match="no id in row 2"):
        whole(write(tmp_path, "parquet", rows), id="id")


def test_seen_numbers_against_a_set() -> None:
    rng, seen, known = np.random.default_rng(0), Seen(), set()
    for size in (5, 1, 300, 40, 1000, 7, 0, 900):
        numbers = rng.integers(0, 3000, size).astype(np.uint64)
        expected = []
        for number in numbers.tolist():
            expected.append(number not in known)
            known.add(number)
        assert seen.fresh(numbers).tolist() == expected


def test_made_ids_do_not_depend_on_the_rows_order(tmp_path: Path) -> None:
    rows = [{"when": f"2026-01-0{n % 3 + 1}", "vector": [n % 2, 1, 2], "said": n} for n in range(9)]
    one = whole(write(tmp_path, "parquet", rows))
    two = whole(write(tmp_path, "jsonl", rows[::-1]), prediction="said")
    assert sorted(one.ids.to_pylist()) == sorted(two.ids.to_pylist())
    assert len({*one.ids.to_pylist()}) == 9
    again = [id for id in one.ids.to_pylist() if "-" in id]  # six times and vectors there are
    assert [id[-2:] for id in again] == ["-2"] * 3
    part = whole(write(tmp_path, "csv", rows[:5]))
    assert {*part.ids.to_pylist()} <= {*one.ids.to_pylist()}


def test_other_coordinates_are_refused_even_at_equal_dimension(tmp_path: Path) -> None:
    ours = Coordinates("news", Number(1, 2, 0), "a" * 64)
    for stamp, fine in (
        (Stamp("news", "1.0.0", "b" * 64), True),
        (Stamp("other", "3.0.0", "a" * 64), True),
        (Stamp("news", "2.0.0", "b" * 64), False),
        (Stamp("other", "1.2.0", "b" * 64), False),
    ):
        for kind in ("parquet", "arrow", "arrows"):
            path = write(tmp_path, kind, ROWS, stamp.metadata())
            if fine:
                assert len(whole(path, coordinates=ours)) == 4
                continue
            with pytest.raises(MismatchError) as caught:
                Log(path, time="when", dimension=3, coordinates=ours)
            assert len(str(caught.value).splitlines()) == 2


def test_contents_are_encoded(tmp_path: Path) -> None:
    encoder = Hashing(dimension=16)
    texts = ["a cat", None, "", "a cat"]
    rows = [{"when": "2026", "text": t, "vector": [9.0] * 16} for t in texts]
    path = write(tmp_path, "parquet", rows)
    found = whole(path, column="text", encoder=encoder, dimension=16)
    assert found.faults.tolist() == [0, 1, 0, 0]
    assert np.array_equal(found.vectors[0], encoder.encode(["a cat"])[0])
    assert not found.vectors[2].any()
    both = whole(path, column="text", vector="vector", dimension=16)
    assert both.vectors[0, 0] == 9
    assert (found.encoded_here, both.encoded_here) == (True, False)
    assert found.take([0]).encoded_here
    assert both.contents.to_pylist() == texts
    listed = whole(path, column=["text"], encoder=encoder, dimension=16)
    assert np.array_equal(listed.vectors, found.vectors)
    assert whole(path, column=[], dimension=16).contents is None
    with pytest.raises(ParameterError, match="no encoder"):
        whole(path, column="text", dimension=16)


class Picky(Hashing):
    """Cannot read some of the texts."""

    def encode_batch(self, items: Any, role: str = "document") -> Any:
        if any("bad" in item for item in items):
            raise InputError("A text is bad.", "Give a good one.")
        return super().encode_batch(items, role)


def test_unreadable_contents_are_found_one_by_one(tmp_path: Path) -> None:
    texts = [f"text {n}" if n % 7 else f"bad {n}" for n in range(40)]
    rows = [{"when": "2026", "text": t} for t in texts]
    found = whole(write(tmp_path, "csv", rows), column="text", encoder=Picky(16), dimension=16)
    assert np.flatnonzero(found.faults).tolist() == list(range(0, 40, 7))
    fine = found.sound
    assert np.array_equal(
        found.vectors[fine], Hashing(16).encode([t for t in texts if "bad" not in t])
    )
    rows = [{"when": "2026", "text": "bad"}] * 2
    with pytest.raises(InputError, match="A text is bad"):
        whole(write(tmp_path, "csv", rows), column="text", encoder=Picky(16), dimension=16)


class Sizes(Hashing):
    """Files by their size."""

    modality = "images"

    def encode_batch(self, items: Any, role: str = "document") -> Any:
        return np.array([[len(item), 1] for item in items], np.float32)


def test_files_beside_the_log_and_nowhere_else(tmp_path: Path) -> None:
    secret, folder = tmp_path / "secret", tmp_path / "logs"
    secret.write_bytes(b"xxx")
    (folder / "in").mkdir(parents=True)
    (folder / "in" / "a.png").write_bytes(b"12345")
    (folder / "link").symlink_to(secret)
    names = ["in/a.png", "../secret", str(secret), "link", "gone.png"]
    path = write(folder, "csv", [{"when": "2026", "file": name} for name in names])
    found = whole(path, column="file", encoder=Sizes(2), dimension=2)
    assert found.faults.tolist() == [0, 4, 4, 4, 4]
    assert found.vectors[0].tolist() == [5, 1]
    path = write(folder, "parquet", [{"when": "2026", "file": b"1234567"}])
    assert whole(path, column="file", encoder=Sizes(2), dimension=2).vectors[0, 0] == 7


@pytest.mark.parametrize("kind", ["parquet", "arrow", "jsonl", "csv"])
def test_damaged_files_have_errors_of_two_lines(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, kind, ROWS * 50)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3 + 5])
    with pytest.raises(InputError) as caught:
        whole(path, where="year > 0")
    assert len(str(caught.value).splitlines()) == 2
    path.write_bytes(b"")
    with pytest.raises(InputError, match="empty"):
        whole(path)
    with pytest.raises(NotFoundError):
        whole(tmp_path / "none.csv")
    with pytest.raises(InputError, match="folder"):
        whole(tmp_path)


def test_abstracts_by_year(data: Path, tmp_path: Path) -> None:
    path = data / "paper-abstracts" / "abstracts.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        papers = [json.loads(line) for line in stream]
    encoder = Hashing(dimension=8)
    told = {
        "time": "year",
        "column": "abstract",
        "segment": "venue",
        "encoder": encoder,
        "dimension": 8,
    }
    counted: Counter[tuple[str, str]] = Counter()
    ids: set[str] = set()
    every = Every("year")
    for events in read(path, **told, where="year >= 2016 and venue != 'cvpr'"):
        names = [every.window(index).name for index in every.index(events.at)]
        counted.update(zip(names, events.segment.to_pylist(), strict=True))
        ids.update(events.ids.to_pylist())
    kept = [p for p in papers if p["year"] >= 2016 and p["venue"] != "cvpr"]
    assert counted == Counter((str(p["year"]), p["venue"]) for p in kept)
    assert len(ids) == len(kept)
    with pytest.raises(InputError, match="no id in line"):  # ids are missing there, and stand twice
        list(read(path, **told, id="id"))


def test_rows_of_a_table_month_by_month(data: Path, tmp_path: Path) -> None:
    names = ["nswprice", "nswdemand", "vicprice", "transfer"]
    with gzip.open(data / "elec2" / "elec.csv.gz", "rt") as stream:
        rows = list(csv.DictReader(stream))[: 48 * 70]
    start = np.datetime64("1996-05-07T00:00")  # the file has no dates, but 48 rows a day
    times = [str(start + np.timedelta64(30, "m") * n) for n in range(len(rows))]
    log = [
        {"when": t, **{n: r[n] for n in names}, "up": r["class"]}
        for t, r in zip(times, rows, strict=True)
    ]
    path = write(tmp_path, "csv", log)
    source = Table(path, columns=names)
    encoder = Mixed(dimension=2).fit(source)
    told = {"column": names, "encoder": encoder, "dimension": 2, "zone": "UTC", "label": "up"}
    found = whole(path, **told)
    assert found.sound.all()
    assert np.allclose(found.vectors, encoder.encode(source), atol=1e-6)
    assert np.bincount(Every("day").index(found.at) - 9623).tolist() == [48] * 70
    assert len({*found.ids.to_pylist()}) == len(rows)
    months = [Every("month").window(i).name for i in np.unique(Every("month").index(found.at))]
    assert months == ["1996-05", "1996-06", "1996-07"]
    with pytest.raises(InputError, match="no zone: line 2"):
        whole(path, **told | {"zone": None})


def test_words_without_a_vector_are_counted(data: Path, tmp_path: Path) -> None:
    rows = [{"when": "2026", "text": t} for t in ("cat cat hen", "cat emu", "emu ox", "")]
    path = write(
        tmp_path,
        "jsonl",
        [{"when": "2026", "text": t} for t in ("cat hen", "cat hen", "hen cat ox")],
    )
    encoder = LSA(dimension=2, maximum_share=1).fit(Texts(path, column="text"))
    path = write(tmp_path, "parquet", rows)
    found = whole(path, column="text", encoder=encoder, dimension=2)
    assert found.tokens is not None
    assert found.tokens.tolist() == [[3, 0], [2, 1], [2, 2], [0, 0]]
