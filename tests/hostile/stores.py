"""Stores that somebody else has had in their hands: files changed, links laid, rows written by SQL."""

from __future__ import annotations

import itertools
import json
import os
import pickle
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

from hostile.case import Trap

__all__ = ["Damaged", "encoders", "stores"]

FLIPS, CUTS = 10, 4
OUTSIDE = "outside-of-the-store"


class Damaged(NamedTuple):
    """A folder that must be refused: who reads it, and what to do to a copy of a sound one."""

    reader: str
    name: str
    spoil: Callable[[Path], None]


def stores(sound: Path, rng: Random, trap: Path) -> list[Damaged]:
    """All cases of damaged stores."""
    return [*_files(sound, rng, trap), *_links(sound), *_marks(), *_rows()]


def _published(store: Path) -> list[str]:
    """Every file that the catalog lists."""
    with sqlite3.connect(store / "catalog.sqlite") as catalog:
        return sorted(path for (path,) in catalog.execute("SELECT DISTINCT path FROM files"))


def _files(sound: Path, rng: Random, trap: Path) -> Iterator[Damaged]:
    """Bits flipped, ends cut off or grown, files gone, emptied, swapped, or replaced by a pickle."""
    paths = _published(sound)
    for path in paths:
        size = (sound / path).stat().st_size
        for place in {rng.randrange(size) for _ in range(FLIPS)} | {0, size - 1}:
            yield Damaged("store", f"flip-{place}", _at(path, _flip(place, rng.randrange(8))))
        for place in {rng.randrange(size) for _ in range(CUTS)} | {0, size - 1}:
            yield Damaged("store", f"cut-{place}", _at(path, lambda f, p=place: os.truncate(f, p)))
        yield Damaged("store", "longer", _at(path, lambda f: f.write_bytes(f.read_bytes() + b"\n")))
        yield Damaged("store", "gone", _at(path, Path.unlink))
        yield Damaged("store", "folder", _at(path, _to_folder))
        bomb = pickle.dumps(Trap(trap))
        yield Damaged("store", "pickle", _at(path, lambda f, b=bomb: f.write_bytes(b)))
        padded = bomb.ljust(size, b"\0")[:size]
        yield Damaged(
            "store", "pickle of its size", _at(path, lambda f, b=padded: f.write_bytes(b))
        )
    for one, other in itertools.pairwise(paths):
        yield Damaged("store", "swapped", lambda store, a=one, b=other: _swap(store / a, store / b))


def _at(path: str, spoil: Callable[[Path], object]) -> Callable[[Path], None]:
    def do(store: Path) -> None:
        spoil(store / path)

    return do


def _flip(place: int, bit: int) -> Callable[[Path], None]:
    def do(file: Path) -> None:
        data = bytearray(file.read_bytes())
        data[place] ^= 1 << bit
        file.write_bytes(data)

    return do


def _to_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _swap(one: Path, other: Path) -> None:
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def _links(sound: Path) -> Iterator[Damaged]:
    """A link in the place of each file and of each folder, even where the same bytes lie behind it."""
    paths = _published(sound)
    folders = {str(folder) for path in paths for folder in Path(path).parents if str(folder) != "."}
    for path in [*paths, *sorted(folders), "store.json"]:
        yield Damaged("store", "link to the same", lambda store, p=path: _link(store, p, same=True))
    for path in paths:
        yield Damaged(
            "store", "link to /dev/zero", lambda store, p=path: _link(store, p, same=False)
        )


def _link(store: Path, path: str, same: bool) -> None:
    place = store / path
    if not same:
        place.unlink()
        place.symlink_to("/dev/zero")
        return
    away = store.with_name(f"{OUTSIDE}-{store.name}") / path
    away.parent.mkdir(parents=True)
    shutil.move(place, away)
    place.symlink_to(away)


def _marks() -> Iterator[Damaged]:
    """What says which store this is."""
    marks = {
        "empty": b"",
        "number": b'{"store": 5}',
        "list": b'{"store": ["a"]}',
        "null": b'{"store": null}',
        "twice": b'{"store": "aa", "store": "bb"}',
        "path": b'{"store": "../../etc/passwd"}',
        "long": b'{"store": "' + b"a" * 2000 + b'"}',
        "not-json": b"store",
        "nan": b'{"store": NaN}',
        "other": json.dumps({"store": "0" * 32}).encode(),
        "latin-1": b'{"store": "\xe9"}',
        "array": b"[]",
    }
    for name, data in marks.items():
        yield Damaged("store", f"mark {name}", lambda s, d=data: (s / "store.json").write_bytes(d))
    for size in (0, 1, 50, 1000):
        yield Damaged(
            "store", f"catalog cut {size}", lambda s, n=size: os.truncate(s / "catalog.sqlite", n)
        )


PATHS = (
    "/etc/passwd", "../../../../../../etc/passwd", "spaces/../../../../../etc/passwd", "..", ".", "",
    "spaces//words", "spaces/./words", "spaces\\words", "C:/words", "C:\\words", "file:///etc/passwd",
    "s3://bucket/words", "http://127.0.0.1/words", "spaces/words\0.json", "spaces/wor\nds", "~/words",
    "$HOME/words", "spaces/con", "spaces/NUL.json", "spaces/aux/x", "a" * 600, "spaces/ words",
    "spaces/é", "/dev/zero", "catalog.sqlite", "store.json", "spaces/words", "-rf",
)  # fmt: skip
"""Names that somebody may write where the catalog has a path."""


def _sql(*statements: tuple[str, tuple[object, ...]]) -> Callable[[Path], None]:
    def do(store: Path) -> None:
        catalog = sqlite3.connect(store / "catalog.sqlite")
        for statement, values in statements:
            catalog.execute(statement, values)
        catalog.commit()
        catalog.close()

    return do


def _rows() -> Iterator[Damaged]:
    """Rows that nobody's code wrote."""
    for path in PATHS:
        yield Damaged(
            "store", f"dataset {path!r:.40}", _sql(("UPDATE versions SET dataset = ?", (path,)))
        )
        yield Damaged("store", f"file {path!r:.40}", _sql(
            ("UPDATE files SET path = ? WHERE path LIKE '%card.json'", (path,))))  # fmt: skip
        yield Damaged(
            "store", f"folder {path!r:.40}", _sql(("UPDATE versions SET folder = ?", (path,)))
        )
    wrong: dict[str, tuple[object, ...]] = {
        "rows": (-1, 0, 10**15, "many", 1.5, b"\x00"),
        "dimension": (-1, 0, 10**9, "wide"),
        "lance_version": (-1, 0, 10**15, "new"),
        "major": (-1, "one"),
        "minor": ("x",),
        "contract": ("", "null", "[]", "5", "not json", '{"a": 1, "a": 2}', '{"tolerance": NaN}',
                     "[" * 100_000, b"\xff\xfe", "{}"),
        "notes": ("not json", "[1]", '{"a": Infinity}'),
        "lineage": ("[]", "nothing"),
    }  # fmt: skip
    for column, values in wrong.items():
        for value in values:
            shown = repr(value)[:30]
            change = _sql((f"UPDATE versions SET {column} = ?", (value,)))
            yield Damaged("store", f"{column} {shown}", change)
    for column, values in {"size": (-1, 0, 10**15, "x"), "sha256": ("", "x", 5, "0" * 64)}.items():
        for value in values:
            yield Damaged(
                "store", f"{column} {value!r}", _sql((f"UPDATE files SET {column} = ?", (value,)))
            )
    for statement in (
        "UPDATE aliases SET version_id = 99",
        "UPDATE alias_history SET after = 99",
        "UPDATE alias_history SET action = 5, note = X'00'",
        "UPDATE alembic_version SET version_num = '9999'",
        "UPDATE alembic_version SET version_num = '../x'",
        "UPDATE store SET id = 'other'",
        "DELETE FROM store",
        "DELETE FROM files",
        "DELETE FROM files WHERE path LIKE '%encoder.json'",
        "DROP TABLE versions",
        "DROP TABLE aliases",
    ):
        yield Damaged("store", statement, _sql((statement, ())))


def encoders(trap: Path) -> list[Damaged]:
    """Saved encoders that no catalog guards."""
    bodies = {
        "method number": {"method": 5},
        "method list": {"method": ["lsa"]},
        "method path": {"method": "../lsa"},
        "method module": {"method": "os"},
        "method private": {"method": "_words"},
        "method unknown": {"method": "pickle"},
        "params list": {"params": [1]},
        "params unknown": {"params": {"system": "true"}},
        "params dunder": {"params": {"__class__": "os"}},
        "params null": {"params": None},
        "params text": {"params": "dimension=4"},
        "state null": {"state": None},
        "state list": {"state": []},
        "state number": {"state": 4},
    }
    found = [
        Damaged("encoder", name, lambda folder, c=change: _described(folder, c))
        for name, change in bodies.items()
    ]
    found += [
        Damaged("encoder", f"no {key}", lambda folder, k=key: _described(folder, {}, k))
        for key in ("method", "params", "state")
    ]
    for file in ("encoder.json", "encoder.safetensors"):
        bomb = pickle.dumps(Trap(trap))
        spoils: dict[str, Callable[[Path], object]] = {
            "gone": Path.unlink,
            "empty": lambda f: f.write_bytes(b""),
            "folder": _to_folder,
            "pickle": lambda f, b=bomb: f.write_bytes(b),
            "half": lambda f: os.truncate(f, f.stat().st_size // 2),
            "longer": lambda f: f.write_bytes(f.read_bytes() + b"}"),
        }
        found += [
            Damaged("encoder", f"{file} {name}", _at(file, spoil)) for name, spoil in spoils.items()
        ]
    return found


def _described(folder: Path, change: dict[str, object], less: str = "") -> None:
    path = folder / "encoder.json"
    told = json.loads(path.read_text()) | change
    told.pop(less, None)
    path.write_text(json.dumps(told))
