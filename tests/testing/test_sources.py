"""Every source passes the public checks, and beside each check stands a source that it catches."""

from __future__ import annotations

import sys
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from spaceport import methods
from spaceport.sources.base import Source
from spaceport.testing import sources as checks

MODULE = "import csv\n\n" + "".join(
    f"def f{n}(path):\n    '''Read a file of the kind {n}, and give its rows.'''\n"
    for n in range(2100)
)


def corpus(folder: Path) -> dict[str, Any]:
    (folder / "a.txt").write_text("".join(f"line {n}\n\n" for n in range(9000)))
    return {"paths": (str(folder),), "markup": "none"}


def texts(folder: Path) -> dict[str, Any]:
    rows = "".join(f"text {n % 7000},{n},k{n % 3}\n" for n in range(9000))
    (folder / "x.csv").write_text("t,id,kind\n" + rows)
    return {"path": str(folder / "x.csv"), "column": "t", "label": "kind"}


def vectors(folder: Path) -> dict[str, Any]:
    np.save(folder / "x.npy", np.random.default_rng(0).normal(size=(9000, 4)))
    return {"path": str(folder / "x.npy")}


def pydocs(folder: Path) -> dict[str, Any]:
    (folder / "module.py").write_text(MODULE)
    return {"paths": [str(folder)]}


def interactions(folder: Path) -> dict[str, Any]:
    rows = "".join(f"u{n % 9000},i{n % 77},{n % 5}\n" for n in range(30_000))
    (folder / "x.csv").write_text("user,item,rating\n" + rows)
    return {"path": str(folder / "x.csv"), "part": "train"}


def images(folder: Path) -> dict[str, Any]:
    for n in range(1100):
        (folder / f"{n:04}.pgm").write_bytes(b"P5 2 1 255\n" + bytes([n % 256, 90]))
    return {"path": str(folder), "label": "mode"}


def audio(folder: Path) -> dict[str, Any]:
    for n in range(1100):
        with wave.open(str(folder / f"{n:04}_{n % 3}.wav"), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(8000)
            sound.writeframes(bytes([n % 256, n % 7]) * 8)
    pattern = r"(?P<number>\d+)_(?P<kind>\d)"
    return {"path": str(folder), "label": "kind", "name_pattern": pattern}


def table(folder: Path) -> dict[str, Any]:
    rows = "".join(f"{n},{n / 7:.3f},{'red' if n % 3 else ''},k{n % 5}\n" for n in range(9000))
    (folder / "x.csv").write_text("id,size,color,kind\n" + rows)
    return {"path": str(folder / "x.csv"), "id": "id", "label": "kind"}


def pairs(folder: Path) -> dict[str, Any]:
    (folder / "x.txt").write_text("".join(f"line {n}\tenil {n % 7000}\n" for n in range(9000)))
    return {"path": str(folder / "x.txt"), "languages": ("en", "xx"), "part": "train"}


SOURCES = (audio, corpus, images, interactions, pairs, pydocs, table, texts, vectors)
PARAMETERS = {make.__name__: make for make in SOURCES}


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", methods.names("sources"))
def test_every_source_conforms(tmp_path: Path, name: str, check: Any) -> None:
    params = PARAMETERS[name](tmp_path)
    batches = list(methods.make("sources", name, params).read())
    assert len(batches) > 1, "the checks mean little for one batch"
    check(lambda: methods.make("sources", name, params))


def batch(ids: Any, contents: Any, **metadata: Any) -> pa.RecordBatch:
    columns = {"id": pa.array(ids, pa.string()), "content": pa.array(contents), **metadata}
    return pa.RecordBatch.from_pydict(columns)


class Sound(Source):
    """A source that nothing is wrong with; the saboteurs change one thing each."""

    modality = "texts"
    name = "hidden"

    def __init__(self, rows: int = 4) -> None:
        self.rows = rows

    def read(self) -> Iterator[pa.RecordBatch]:
        for start in range(0, self.rows, 2):
            yield batch([f"i{start}", f"i{start + 1}"], ["one", f"two {start}"], year=[1, 2])

    def size(self) -> int:
        return 10


Register = Callable[[type[Source]], None]


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Register:
    """Install a source as a plugin, by a distribution with an entry point."""
    (tmp_path / "hidden-1.dist-info").mkdir()
    (tmp_path / "hidden-1.dist-info" / "METADATA").write_text("Name: hidden\nVersion: 1\n")
    points = "[spaceport.sources]\nhidden = hidden_sources:Hidden\n"
    (tmp_path / "hidden-1.dist-info" / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(tmp_path)
    module = ModuleType("hidden_sources")
    monkeypatch.setitem(sys.modules, "hidden_sources", module)
    return lambda source: setattr(module, "Hidden", source)


def reading(*batches: pa.RecordBatch) -> type[Source]:
    return type("Reading", (Sound,), {"read": lambda self: iter(batches)})


class OtherSchema(Sound):
    def read(self) -> Iterator[pa.RecordBatch]:
        yield from super().read()
        yield batch(["x", "y"], ["one", "two"], year=["1", "2"])


class Unsteady(Sound):
    times = 0

    def read(self) -> Iterator[pa.RecordBatch]:
        Unsteady.times += 1
        yield batch(["a", "b"], ["one", f"two {Unsteady.times}"])


class Shorter(Sound):
    read_before = False

    def read(self) -> Iterator[pa.RecordBatch]:
        yield from list(super().read())[: 1 if self.read_before else None]
        self.read_before = True


class Vectors(Sound):
    modality = "vectors"
    values = (1.0, 2.0)

    def read(self) -> Iterator[pa.RecordBatch]:
        content = pa.FixedSizeListArray.from_arrays(pa.array(self.values, pa.float32()), 1)
        yield batch(["a", "b"], content)


class Doubles(Vectors):
    def read(self) -> Iterator[pa.RecordBatch]:
        yield batch(["a"], pa.array([[1.0]], pa.list_(pa.float64(), 1)))


class NotANumber(Vectors):
    values = (1.0, float("nan"))


class Words(Sound):
    modality = "sounds"


class Forgets(Sound):
    def __init__(self, rows: int = 4) -> None:
        self.rows = rows * 2 if rows != 4 else 4


class NoLiteral(Sound):
    def __init__(self, rows: Any = 4) -> None:
        self.rows = Path("4") if rows == 4 else 4


class Learns(Sound):
    def __init__(self, rows_: int = 4) -> None:
        self.rows = self.rows_ = rows_


class Labelled(Sound):
    label = "venue"


class OtherContents(Sound):
    def contents(self) -> Iterator[list[str]]:
        yield ["one"]


class OtherBatches(Sound):
    def batches(self) -> Iterator[pa.RecordBatch]:
        return iter(list(self.read())[:1])

    def contents(self) -> Iterator[list[str]]:
        yield from (part.column("content").to_pylist() for part in self.read())


class NoSize(Sound):
    def size(self) -> int:
        return 0


class Grows(Sound):
    grown = 0

    def read(self) -> Iterator[pa.RecordBatch]:
        self.grown += 1
        return super().read()

    def size(self) -> int:
        return 10 + self.grown


MANY = [f"i{n}" for n in range(70_000)]
SABOTEURS: list[tuple[Any, type[Source], str]] = [
    (checks.check_schema_constant, OtherSchema, "another schema"),
    (checks.check_schema_constant, reading(batch(["a"], ["b"], vector=[1])), "reserved"),
    (
        checks.check_schema_constant,
        reading(batch(["a"], ["b"]).select(["content", "id"])),
        "start with",
    ),
    (
        checks.check_schema_constant,
        reading(pa.RecordBatch.from_pydict({"id": [1], "content": ["b"]})),
        "`id` is int64",
    ),
    (
        checks.check_schema_constant,
        reading(pa.RecordBatch.from_arrays([["a"], ["b"], [1], [2]], ["id", "content", "n", "n"])),
        "stands twice",
    ),
    (checks.check_schema_constant, reading(), "no batch"),
    (checks.check_ids, reading(batch(["a"], ["b"]), batch(["a"], ["c"])), "'a' stands twice"),
    (checks.check_ids, reading(batch([""], ["b"])), "an id is ''"),
    (checks.check_ids, reading(batch([None], ["b"])), "an id is None"),
    (checks.check_same_twice, Unsteady, "batch 0 is another one"),
    (checks.check_same_twice, Shorter, "batch 1 is another one"),
    (checks.check_content_type, Doubles, "not a fixed-size list of float32"),
    (checks.check_content_type, NotANumber, "NaN"),
    (checks.check_content_type, Words, "not one of words, texts"),
    (checks.check_content_type, reading(batch(["a"], [1])), "not string"),
    (
        checks.check_nothing_missing,
        reading(batch(["a", "b"], ["x", None])),
        "1 items have no content",
    ),
    (checks.check_nothing_missing, reading(batch(["a"], [" \n"])), "'a' is blank"),
    (checks.check_batches_bounded, reading(batch(MANY, ["x"] * 70_000)), "70000 rows"),
    (checks.check_batches_bounded, reading(batch([], pa.array([], pa.string()))), "0 rows"),
    (
        checks.check_batches_bounded,
        reading(batch(["a", "b"], ["x" * (1 << 28), "y"])),
        "bytes, over",
    ),
    (checks.check_spec, Forgets, "read back"),
    (checks.check_spec, NoLiteral, "read back"),
    (checks.check_spec, Learns, "ends in _"),
    (checks.check_label, Labelled, "'venue' is none of the metadata"),
    (checks.check_contents, OtherContents, "`contents` differs"),
    (checks.check_contents, OtherBatches, "`batches` differs"),
    (checks.check_size, NoSize, "the size is 0"),
    (checks.check_size, Grows, "after reading 11"),
]


@pytest.mark.parametrize(("check", "saboteur", "message"), SABOTEURS)
def test_each_check_catches_its_saboteur(
    check: Any, saboteur: type[Source], message: str, register: Register
) -> None:
    register(saboteur)
    with pytest.raises(AssertionError, match=message):
        check(lambda: saboteur(6) if saboteur is Forgets else saboteur())


@pytest.mark.parametrize("source", [Sound, Vectors])
def test_a_sound_source_passes(source: type[Source], register: Register) -> None:
    register(source)
    checks.check_source(source)


def test_every_check_has_a_saboteur_and_is_public() -> None:
    assert {check for check, _, _ in SABOTEURS} == set(checks.CHECKS)
    assert {check.__name__ for check in checks.CHECKS} <= set(checks.__all__)
    assert {name for name in vars(checks) if name.startswith("check_")} == {
        "check_source",
        *(check.__name__ for check in checks.CHECKS),
    }


def test_check_source_runs_them_all(register: Register) -> None:
    for saboteur in (OtherSchema, Unsteady, NotANumber, Labelled, NoSize):
        register(saboteur)
        with pytest.raises(AssertionError):
            checks.check_source(saboteur)
