"""A build that was cut off goes on where it was; rows of positions; nothing is encoded twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import spaceport as sp
from spaceport.encoders.hashing import Hashing
from spaceport.errors import InputError
from spaceport.spaces.journal import Encoded, Journal


class Slow(Hashing):
    """A costly encoder that counts what it encodes, and may fail on the way."""

    name = "hashing"
    costly = True
    at_once = 4
    encoded: list[str]
    fails_at: str | None = None

    def encode_batch(self, items, role="document"):
        self.__dict__.setdefault("encoded", []).extend(items)
        if self.fails_at in items:
            raise InputError("The service is gone.", "Run the same command again.")
        return super().encode_batch(items, role)


class Tokens(Slow):
    """Each word of a text is a position."""

    keeps_positions = True

    def parts(self, items, role="document"):
        self.__dict__.setdefault("encoded", []).extend(items)
        return [(text.split(), super(Slow, self).encode_batch(text.split())) for text in items]


def texts(tmp_path, rows: list[str], columns: str = "id,text"):
    path = tmp_path / "texts.csv"
    path.write_text("\n".join([columns, *rows]) + "\n")
    return sp.sources.texts(path, column="text", id="id")


ROWS = [f"{i},text number {i}" for i in range(30)]


def rows_of(vectors) -> Encoded:
    return Encoded(np.asarray(vectors, np.float32), np.ones(len(vectors), np.int64))


def test_a_build_goes_on_where_it_was_cut_off(tmp_path) -> None:
    store, source = sp.open(tmp_path / "store"), texts(tmp_path, ROWS)
    slow = Slow(dimension=8)
    slow.fails_at = "text number 21"
    with pytest.raises(InputError, match="The service is gone"):
        store.build("texts", slow, source)
    assert not store.store.spaces()
    again = Slow(dimension=8)
    version = store.build("texts", again, source)
    # the first item alone tells the dimension, then four at once: 1 to 4, …, 17 to 20, 21 to 24
    missing = [f"text number {i}" for i in range(21, 30)]
    assert slow.encoded[-4:] == missing[:4]
    assert again.encoded[:9] == missing, "what was kept was encoded again, or something was not"
    assert "text number 0" in again.encoded[9:], "canaries are encoded by the encoder itself"
    expected = Hashing(dimension=8).encode([f"text number {i}" for i in range(30)])
    np.testing.assert_array_equal(version.vectors([str(i) for i in range(30)]), expected)
    assert not (tmp_path / "store" / "unpublished" / "texts").exists()


def test_another_fingerprint_does_not_take_what_was_kept(tmp_path) -> None:
    store, source = sp.open(tmp_path / "store"), texts(tmp_path, ROWS)
    slow = Slow(dimension=8)
    slow.fails_at = "text number 21"
    with pytest.raises(InputError):
        store.build("texts", slow, source)
    other = Slow(dimension=8, seed=1)
    version = store.build("texts", other, source)
    expected = Hashing(dimension=8, seed=1).encode([f"text number {i}" for i in range(30)])
    np.testing.assert_array_equal(version.vectors([str(i) for i in range(30)]), expected)


def test_a_killed_build_goes_on(tmp_path) -> None:
    texts(tmp_path, ROWS)
    code = textwrap.dedent(f"""
        import json, os, signal, sys
        sys.path.insert(0, {str(sys.path[0])!r})
        import spaceport as sp
        from spaceport.encoders.hashing import Hashing
        class Slow(Hashing):
            costly, at_once, count = True, 4, 0
            def encode_batch(self, items, role="document"):
                Slow.count += len(items)
                if sys.argv[1] == "die" and Slow.count > 14:
                    os.kill(os.getpid(), signal.SIGKILL)
                return super().encode_batch(items, role)
        sp.encoders.__dict__["hashing"] = Slow
        source = sp.sources.texts({str(tmp_path / "texts.csv")!r}, column="text", id="id")
        version = sp.open({str(tmp_path / "store")!r}).build("texts", Slow(dimension=8), source)
        print(json.dumps([Slow.count, version.record.rows]))
    """)
    killed = subprocess.run([sys.executable, "-c", code, "die"], capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    lived = subprocess.run([sys.executable, "-c", code, "live"], capture_output=True, text=True)
    assert lived.returncode == 0, lived.stderr
    whole = subprocess.run(
        [sys.executable, "-c", code.replace("store'", "store2'"), "live"],
        capture_output=True,
        text=True,
    )
    (went_on, rows), (all_of_it, _) = json.loads(lived.stdout), json.loads(whole.stdout)
    assert rows == 30
    assert all_of_it - went_on >= 9, "the second run encoded what the first had kept"


def test_unfinished_work_is_removed_by_gc(tmp_path) -> None:
    store = sp.open(tmp_path / "store")
    slow = Slow(dimension=8)
    slow.fails_at = "text number 21"
    with pytest.raises(InputError):
        store.build("texts", slow, texts(tmp_path, ROWS))
    removed = [file.path for file in store.gc()]
    assert len(removed) == 6, removed
    assert all(path.startswith("unpublished/texts/") for path in removed)
    assert store.gc() == []


def test_equal_contents_are_encoded_once(tmp_path) -> None:
    journal = Journal(tmp_path / "journal")
    asked: list[int] = []

    def encode(places):
        asked.extend(places)
        return rows_of([[place, 0] for place in places])

    found = journal.through([b"a", b"b", b"a", b"c"], encode, at_once=2)
    assert asked == [0, 1, 3]
    assert found.vectors[:, 0].tolist() == [0, 1, 0, 3]
    assert found.tokens is None
    again = Journal(tmp_path / "journal").through([b"c", b"a"], encode, at_once=2)
    assert asked == [0, 1, 3]
    assert again.vectors[:, 0].tolist() == [3, 0]


def test_rows_of_several_positions_come_back_in_order(tmp_path) -> None:
    counts = {b"a": 3, b"b": 0, b"c": 1, b"d": 2}
    names = list(counts)

    def encode(places):
        made = [names[place] for place in places]
        rows = [[ord(n), i] for n in made for i in range(counts[n])]
        vectors = np.asarray(rows, np.float32).reshape(-1, 2)
        tokens = [f"{int(row[0])}.{int(row[1])}" for row in rows]
        return Encoded(vectors, np.array([counts[n] for n in made]), tokens)

    Journal(tmp_path).through(names, encode, at_once=3)
    found = Journal(tmp_path).through([b"d", b"a", b"c", b"d"], encode, at_once=3)
    assert found.counts.tolist() == [2, 3, 1, 2]
    assert found.tokens == ["100.0", "100.1", "97.0", "97.1", "97.2", "99.0", "100.0", "100.1"]
    assert found.vectors[:, 0].tolist() == [100, 100, 97, 97, 97, 99, 100, 100]


def test_a_broken_file_is_encoded_again(tmp_path) -> None:
    Journal(tmp_path).through([b"a", b"b"], lambda places: rows_of([[7.0]] * len(places)), 1)
    first, second = sorted(tmp_path.glob("*.arrow"))
    first.write_bytes(first.read_bytes()[:40])
    journal = Journal(tmp_path)
    assert len(journal) == 1
    found = journal.through([b"a", b"b"], lambda places: rows_of([[8.0]] * len(places)), 1)
    assert found.vectors.tolist() == [[8.0], [7.0]]
    assert second.exists()


def test_another_dimension_in_the_middle_is_told(tmp_path) -> None:
    journal = Journal(tmp_path)
    journal.through([b"a"], lambda places: rows_of([[1.0, 2.0]]), 1)
    with pytest.raises(InputError, match="gave 2 dimensions for 1 items, and now 3"):
        journal.through([b"b"], lambda places: rows_of([[1.0, 2.0, 3.0]]), 1)


def test_positions_become_rows(tmp_path) -> None:
    store = sp.open(tmp_path / "store")
    source = texts(tmp_path, ["x,the red gull", "y,a tern", "z,the gull"])
    version = store.build("tokens", Tokens(dimension=8), source)
    assert version.record.rows == 7
    table = version.metadata(["parent", "position", "token"]).to_pylist()
    assert version.ids[1] == "x#1"
    assert table[1] == {"parent": "x", "position": 1, "token": "red"}
    np.testing.assert_array_equal(
        version.vectors(["x#2", "z#1"]), Hashing(dimension=8).encode(["gull", "gull"])
    )


def test_positions_follow_their_item(tmp_path) -> None:
    store = sp.open(tmp_path / "store")
    store.build(
        "tokens", Tokens(dimension=8), texts(tmp_path, ["x,the red gull", "y,a tern", "z,the gull"])
    )
    same = store.built(
        "tokens", Tokens(dimension=8), texts(tmp_path, ["x,the red gull", "y,a tern", "z,the gull"])
    )
    assert same[1].change.kind == "none"
    encoder = Tokens(dimension=8)
    version, built = store.built(
        "tokens", encoder, texts(tmp_path, ["x,the gull", "y,a tern", "w,kittiwake"])
    )
    assert built.change.kind == "minor"
    assert set(encoder.encoded[-30:]) >= {"the gull", "kittiwake"}
    tokens = version.metadata(["token"]).column("token").to_pylist()
    assert dict(zip(version.ids, tokens, strict=True)) == {
        "y#0": "a", "y#1": "tern", "x#0": "the", "x#1": "gull", "w#0": "kittiwake",
    }  # fmt: skip
    assert store.verify("tokens") == []


def test_a_column_of_that_name_is_refused(tmp_path) -> None:
    source = texts(tmp_path, ["x,the gull,1"], columns="id,text,position")
    with pytest.raises(InputError, match="a column `position`"):
        sp.open(tmp_path / "store").build("tokens", Tokens(dimension=8), source)
