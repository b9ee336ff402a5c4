"""Pairs of sentences: parallel text, tables with headers, JSON lines, parts, and what is refused."""

from __future__ import annotations

import gzip
import json

import pyarrow as pa
import pytest

from spaceport.errors import InputError, NotFoundError, ParameterError
from spaceport.sources.pairs import Pairs

ROWS = [(f"left {n}", f"droite {n}, n° {n}") for n in range(25)]


def read(path, **given):
    source = Pairs(path, **{"languages": ("en", "fr"), **given})
    return [tuple(row.values()) for part in source.contents() for row in part]


@pytest.fixture
def parallel(tmp_path):
    path = tmp_path / "fra.txt"
    path.write_text("".join(f"{a}\t{b}\n" for a, b in ROWS), encoding="utf-8")
    return path


def test_parallel_text_needs_no_header(parallel):
    assert read(parallel) == ROWS
    kind = next(Pairs(parallel, ("en", "fr")).batches()).schema.field("content").type
    assert kind == pa.struct([("en", pa.string()), ("fr", pa.string())])


def test_quotes_mean_nothing_in_parallel_text(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text('"Run!\t«Cours !"\nHe said "go.\tIl a dit "va.\n', encoding="utf-8")
    assert read(path) == [('"Run!', '«Cours !"'), ('He said "go.', 'Il a dit "va.')]


def test_the_same_pairs_from_every_kind_of_file(tmp_path, parallel):
    table, lines = tmp_path / "x.csv", tmp_path / "x.jsonl"
    table.write_text("n,french,english\n" + "".join(f'1,"{b}",{a}\n' for a, b in ROWS))
    lines.write_text("".join(json.dumps({"fr": b, "en": a}) + "\n" for a, b in ROWS))
    packed = tmp_path / "x.tsv.gz"
    packed.write_bytes(
        gzip.compress(b"en\tfr\tkind\n" + b"".join(f"{a}\t{b}\tx\n".encode() for a, b in ROWS))
    )
    assert read(table, columns=("english", "french")) == ROWS
    assert read(lines) == ROWS
    assert read(packed) == ROWS
    ids = [next(Pairs(path, ("en", "fr")).batches()).column("id") for path in (parallel, lines)]
    assert ids[0] == ids[1]


def test_other_columns_of_parallel_text_are_named(tmp_path):
    path = tmp_path / "es-en.txt"
    path.write_text("gato\tcat\t{m}\nperro\tdog\t{m}\n", encoding="latin-1")
    found = read(path, languages=("es", "en"), names=("es", "en", "kind"), encoding="latin-1")
    assert found == [("gato", "cat"), ("perro", "dog")]


def test_parts_are_apart_and_everything_together(parallel):
    test, train = read(parallel, part="test"), read(parallel, part="train")
    assert test == ROWS[::10]
    assert sorted(test + train) == sorted(ROWS)
    assert read(parallel, part="test", every=2) == ROWS[::2]


def test_parts_go_on_over_chunks(tmp_path):
    path = tmp_path / "long.txt"
    path.write_text("".join(f"{n}\tx\n" for n in range(9001)))
    assert [int(left) for left, _ in read(path, part="test")] == list(range(0, 9001, 10))


def test_a_limit_leaves_the_rest_out(parallel):
    assert read(parallel, limit=7) == ROWS[:7]
    assert read(parallel, limit=12, part="test") == [ROWS[0], ROWS[10]]


def test_equal_pairs_get_ids_of_their_own(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("a\tb\na\tb\na\tc\n")
    ids = next(Pairs(path, ("en", "fr")).batches()).column("id").to_pylist()
    assert ids[1] == f"{ids[0]}-2"
    assert len(set(ids)) == 3


def test_empty_sides_are_counted_or_left_out(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("a\tb\nc\t \n\td\n")
    with pytest.raises(InputError, match="2 pairs with an empty side; the first is in line 2"):
        read(path)
    assert read(path, skip_empty=True) == [("a", "b")]


def test_refusals(parallel, tmp_path):
    for languages in ("en", ("en",), ("en", "en"), ("en", "fr:ca")):
        with pytest.raises(ParameterError, match="two short names"):
            Pairs(parallel, languages)
    with pytest.raises(ParameterError, match="no part `tests`"):
        Pairs(parallel, ("en", "fr"), part="tests")
    with pytest.raises(ParameterError, match="`columns` must be two"):
        Pairs(parallel, ("en", "fr"), columns="en")
    table = tmp_path / "x.csv"
    table.write_text("english,french\na,b\n")
    with pytest.raises(NotFoundError, match="no column `en`"):
        read(table)
    parallel.write_text("a\tb\tc\n")
    with pytest.raises(InputError, match="3 fields"):
        read(parallel)


def test_the_real_file(data):
    path = data / "tatoeba-en-fr" / "fra.txt"
    pairs = read(path, limit=18_066)
    assert len(pairs) == 18_066
    assert pairs[0] == ("Go.", "Va !")
    assert len(read(path, limit=18_066, part="test")) == 1807
