"""Ways to damage a well-formed file so that no reader may take it; every choice comes from one seed."""

from __future__ import annotations

import io
import json
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np

from hostile.wellformed import FILES, VALUES

__all__ = ["Case", "Trap", "cases"]


class Case(NamedTuple):
    """A file that must be refused: who reads it, what it is called, its bytes."""

    reader: str
    name: str
    data: bytes


class Trap:
    """Whoever unpickles this writes a file, and is caught by it."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (str(self.place), "w"))


def reader(name: str) -> str:
    """Who reads a file of this name."""
    return {"vectors": "vectors", "card": "card", "config": "config", "json": "json", "arrays": "arrays",
            "weights": "weights", "picture": "picture", "sound": "sound", "pictures": "pictures",
            }[name.partition(".")[0]]  # fmt: skip


def cases(rng: Random, trap: Path) -> list[Case]:
    """All cases of single files."""
    made = {name: make() for name, make in FILES.items()}
    return [
        *_truncated(made, rng),
        *_pickled(made, trap),
        *_documents(),
        *_tensors(),
        *_numpy(trap),
        *_tables(made, rng),
        *_words(),
        *_media(made, rng),
        *_archives(made),
    ]


def _truncated(made: dict[str, bytes], rng: Random) -> Iterator[Case]:
    """Cut at the start, inside of the header, in the data, before the last byte; and made longer."""
    for name, data in made.items():
        if name in ("sound.wav", "vectors.txt", "vectors.vec", "vectors.bin"):
            places = [0, 1, 3] if name != "vectors.txt" else [0]
            places += [] if name in ("sound.wav", "vectors.txt") else [len(data) // 2]
        elif name.endswith(("jpg", "png")):  # without the last bytes they are whole pictures still
            places = [0, 1, 4, 7, 9, 20, 28, len(data) // 3, len(data) // 2]
        else:
            size = len(data)
            places = [0, 1, 4, 7, 9, 20, size // 3, size // 2, size - 9, size - 1]
            places += [rng.randrange(10, size - 1) for _ in range(4)]
        for place in {min(place, len(data) - 1) for place in places}:
            yield Case(reader(name), f"cut-at-{place}-{name}", data[:place])
    for name in ("arrays.safetensors", "weights.safetensors", "vectors.safetensors", "vectors.npy"):
        for more in (b"\0", b"more", bytes(4096)):
            yield Case(reader(name), f"longer-by-{len(more)}-{name}", made[name] + more)


def _pickled(made: dict[str, bytes], trap: Path) -> Iterator[Case]:
    """A pickle, of every protocol, under every name; and one behind a header that looks right."""
    for protocol in range(6):
        data = pickle.dumps(Trap(trap), protocol)
        for name in made:
            yield Case(reader(name), f"pickle-{protocol}-{name}", data)
    data = pickle.dumps(Trap(trap), 4)
    header = json.dumps(
        {"x": {"dtype": "U8", "shape": [len(data)], "data_offsets": [0, len(data)]}}
    )
    yield Case("vectors", "vectors-pickle-inside.safetensors",
               struct.pack("<Q", len(header)) + header.encode() + data)  # fmt: skip


def _documents() -> Iterator[Case]:
    """JSON that means two things, or nothing."""
    bodies = {
        "duplicate": b'{"a": 1, "a": 2}',
        "duplicate-below": b'{"a": [{"b": 1, "c": 2, "b": 3}]}',
        "duplicate-escaped": b'{"a": 1, "\\u0061": 2}',
        "nan": b'{"a": NaN}',
        "infinity": b"[Infinity]",
        "minus-infinity": b"[-Infinity]",
        "overflow": b"[1e999]",
        "minus-overflow": b'{"a": -1e400}',
        "comment": b'{"a": 1 /* note */}',
        "trailing-comma": b'{"a": 1,}',
        "single-quotes": b"{'a': 1}",
        "two-values": b'{"a": 1} {"b": 2}',
        "latin-1": '{"a": "é"}'.encode("latin-1"),
        "utf-16": '{"a": 1}'.encode("utf-16"),
        "utf-32": '{"a": 1}'.encode("utf-32"),
        "bom": b'\xef\xbb\xbf{"a": 1}',
        "half-surrogate": b'{"a": "\\ud800"}',
        "half-surrogate-key": b'{"\\udfff": 1}',
        "control": b'{"a": "\x01"}',
        "newline-in-string": b'{"a": "b\nc"}',
        "nul": b"\0",
        "empty": b"",
        "blank": b"   ",
        "word": b"undefined",
        "python": b"{'a': None}",
        "deep-lists": b"[" * 200 + b"]" * 200,
        "deeper-lists": b"[" * 100_000 + b"]" * 100_000,
        "deep-objects": b'{"a":' * 5000 + b"1" + b"}" * 5000,
        "deep-unclosed": b"[" * 1_000_000,
        "huge-number": b"[" + b"9" * 10_000 + b"]",
        "too-large": b'"' + b"x" * ((64 << 20) + 1) + b'"',
        "hexadecimal": b"[0x10]",
        "leading-zero": b"[01]",
        "plus": b"[+1]",
        "open-escape": b'"\\',
        "bad-escape": b'"\\x41"',
    }
    for name, data in bodies.items():
        yield Case("json", f"{name}.json", data)
        if name not in ("too-large", "deep-unclosed"):
            yield Case("card", f"card-{name}.json", data)
            yield Case("config", f"config-{name}.json", data)
    for name, data in {
        "object": b'{"name": "rows"}',
        "number": b"5",
        "null": b"null",
        "strings": b'["rows"]',
        "lacking": b'[{"name": "rows"}]',
        "surplus": b'[{"name": "a", "value": 1, "text": "", "how": "", "__class__": "os"}]',
    }.items():
        yield Case("card", f"card-{name}.json", data)
    for name, data in {"list": b"[1]", "number": b"1", "null": b"null", "text": b'"bert"'}.items():
        yield Case("config", f"config-{name}.json", data)


def file_of(header: Any, room: int | bytes, length: int | None = None) -> bytes:
    """A safetensors file with any header."""
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    data = bytes(room) if isinstance(room, int) else room
    return struct.pack("<Q", len(head) if length is None else length) + head + data


def _one(**other: Any) -> dict[str, Any]:
    return {"x": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]} | other}


def _tensors() -> Iterator[Case]:
    """Headers that do not describe each byte once, and arrays that hold what none may hold."""
    two = {"a": _one()["x"], "b": _one(data_offsets=[16, 32])["x"]}
    one = json.dumps(_one()["x"])
    layouts: dict[str, bytes] = {
        "no-room": file_of(_one(), 0),
        "half-room": file_of(_one(), 8),
        "surplus": file_of(_one(), 17),
        "hole-before": file_of(_one(data_offsets=[4, 20]), 20),
        "hole-between": file_of({**two, "b": _one(data_offsets=[20, 36])["x"]}, 36),
        "hole-after": file_of(two, 40),
        "overlap": file_of({**two, "b": _one(data_offsets=[8, 24])["x"]}, 24),
        "same-place": file_of({**two, "b": two["a"]}, 16),
        "backwards": file_of(_one(data_offsets=[16, 0]), 16),
        "negative-offset": file_of(_one(data_offsets=[-16, 0]), 16),
        "float-offset": file_of(_one(data_offsets=[0.0, 16.0]), 16),
        "text-offset": file_of(_one(data_offsets=["0", "16"]), 16),
        "bool-offset": file_of(_one(data_offsets=[False, 16]), 16),
        "one-offset": file_of(_one(data_offsets=[16]), 16),
        "three-offsets": file_of(_one(data_offsets=[0, 8, 16]), 16),
        "no-offset": file_of(_one(data_offsets=None), 16),
        "offset-2**64": file_of(_one(data_offsets=[0, 1 << 64]), 16),
        "offset-2**63": file_of(_one(shape=[1 << 61], data_offsets=[0, 1 << 63]), 16),
        "shape-10**12": file_of(_one(shape=[10**12, 4], data_offsets=[0, 16 * 10**12]), 16),
        "shape-lies": file_of(_one(shape=[10**12, 4]), 16),
        "shape-overflow": file_of(_one(shape=[1 << 62, 4]), 16),
        "shape-wraps": file_of(_one(shape=[1 << 32, 1 << 32, 4]), 16),
        "shape-zero-huge": file_of(_one(shape=[0, 1 << 60], data_offsets=[0, 0]), 0),
        "shape-negative": file_of(_one(shape=[-2, -2]), 16),
        "shape-float": file_of(_one(shape=[2.0, 2.0]), 16),
        "shape-text": file_of(_one(shape="22"), 16),
        "shape-null": file_of(_one(shape=None), 16),
        "shape-nested": file_of(_one(shape=[[2, 2]]), 16),
        "shape-of-many-axes": file_of(_one(shape=[1] * 60 + [4]), 16),
        "dtype-lies": file_of(_one(dtype="F64"), 16),
        "dtype-unknown": file_of(_one(dtype="F33"), 16),
        "dtype-pickle": file_of(_one(dtype="O"), 16),
        "dtype-lower": file_of(_one(dtype="f32"), 16),
        "dtype-list": file_of(_one(dtype=["F32"]), 16),
        "dtype-null": file_of(_one(dtype=None), 16),
        "more-keys": file_of(_one(extra=1), 16),
        "no-dtype": file_of({"x": {"shape": [2, 2], "data_offsets": [0, 16]}}, 16),
        "entry-list": file_of({"x": ["F32", [2, 2], [0, 16]]}, 16),
        "entry-null": file_of({"x": None}, 16),
        "entry-text": file_of({"x": "F32"}, 16),
        "duplicate-array": file_of(f'{{"x": {one}, "x": {one}}}'.encode(), 16),
        "duplicate-shape": file_of(
            b'{"x": {"dtype": "F32", "shape": [4], "shape": [2, 2], "data_offsets": [0, 16]}}', 16
        ),
        "duplicate-metadata": file_of(
            f'{{"__metadata__": {{"a": "1", "a": "2"}}, "x": {one}}}'.encode(), 16
        ),
        "metadata-number": file_of({"__metadata__": {"a": 1}, **_one()}, 16),
        "metadata-list": file_of({"__metadata__": ["a"], **_one()}, 16),
        "metadata-null": file_of({"__metadata__": None, **_one()}, 16),
        "metadata-nested": file_of({"__metadata__": {"a": {"b": "c"}}, **_one()}, 16),
        "header-nan": file_of(b'{"x": NaN}', 0),
        "header-list": file_of(b"[1, 2, 3]", 0),
        "header-text": file_of(b'"x"  ', 0),
        "header-not-json": file_of(b"{not json at all}", 0),
        "header-not-utf8": file_of(b'{"\xff": 1}', 0),
        "header-utf16": file_of(json.dumps(_one()).encode("utf-16"), 16),
        "header-deep": file_of(b'{"x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", 0),
        "header-padded-by-nul": file_of(json.dumps(_one()).encode() + b"\0\0", 16),
        "header-blank-first": file_of(b" " + json.dumps(_one()).encode(), 16),
        "length-0": file_of(_one(), 16, length=0),
        "length-1": file_of(_one(), 16, length=1),
        "length-too-large": file_of(_one(), 16, length=10**6),
        "length-2**40": file_of(_one(), 16, length=1 << 40),
        "length-2**63": file_of(_one(), 16, length=1 << 63),
        "length-2**64-1": file_of(_one(), 16, length=(1 << 64) - 1),
        "length-2**64-8": file_of(_one(), 16, length=(1 << 64) - 8),
        "only-a-length": struct.pack("<Q", 16),
        "header-11-MB": file_of(json.dumps(_one()).encode() + b" " * (11 << 20), 16),
        "100,001-arrays": file_of(
            {f"{n}": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]} for n in range(100_001)},
            0,
        ),
        "zip": b"PK\x03\x04" + bytes(100),
        "gzip": b"\x1f\x8b\x08" + bytes(100),
    }
    for name, data in layouts.items():
        yield Case("arrays", f"{name}.safetensors", data)
        yield Case("weights", f"weights-{name}.safetensors", data)
        yield Case("vectors", f"vectors-{name}.safetensors", data)
    for value in (np.nan, np.inf, -np.inf):
        for place in (0, 1, 3):
            spoilt = np.zeros(4, np.float32)
            spoilt[place] = value
            data = file_of(_one(), spoilt.tobytes())
            yield Case("arrays", f"{value}-at-{place}.safetensors", data)
            yield Case("vectors", f"vectors-{value}-at-{place}.safetensors", data)
        half = np.array([value], "<f2")
        yield Case("arrays", f"{value}-half.safetensors",
                   file_of(_one(dtype="F16", shape=[1], data_offsets=[0, 2]), half.tobytes()))  # fmt: skip
    for dtype, bits in (("BF16", 16), ("F8_E4M3", 8), ("C64", 64)):
        entry = _one(dtype=dtype, shape=[2], data_offsets=[0, bits // 4])
        yield Case("arrays", f"{dtype}.safetensors", file_of(entry, bits // 4))
    entry = _one(dtype="BOOL", shape=[2], data_offsets=[0, 2])
    yield Case("arrays", "truth-2.safetensors", file_of(entry, b"\x01\x02"))


def npy(descr: str, shape: str, data: bytes = bytes(64), fortran: str = "False") -> bytes:
    """A NumPy file with any header."""
    head = f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data


def _numpy(trap: Path) -> Iterator[Case]:
    """Claims and types in NumPy's headers; bombs in its archives."""
    headers = {
        "10**12-rows": npy("'<f4'", "(1000000000000, 4)"),
        "10**12-columns": npy("'<f4'", "(4, 1000000000000)"),
        "2**63": npy("'<f4'", f"({1 << 63}, 4)"),
        "wraps": npy("'<f4'", f"({1 << 62}, 16)"),
        "negative": npy("'<f4'", "(-4, 4)"),
        "no-rows": npy("'<f4'", "(0, 4)", b""),
        "one-axis": npy("'<f4'", "(16,)"),
        "three-axes": npy("'<f4'", "(2, 2, 4)"),
        "no-axis": npy("'<f4'", "()"),
        "float-shape": npy("'<f4'", "(4.0, 4)"),
        "object": npy("'|O'", "(4, 4)", pickle.dumps([[Trap(trap)]])),
        "structured": npy("[('a', '<f4'), ('b', '|O')]", "(4, 4)"),
        "text": npy("'<U4'", "(2, 2)"),
        "complex": npy("'<c8'", "(2, 4)"),
        "unknown": npy("'<f3'", "(4, 4)"),
        "code": npy("__import__('os').system('true')", "(4, 4)"),
        "code-shape": npy("'<f4'", f"open({str(trap)!r}, 'w')"),
        "fortran-text": npy("'<f4'", "(4, 4)", fortran="'yes'"),
        "open": b"\x93NUMPY\x01\x00\x20\x00{'descr': '<f4', 'fortran_",
        "version-9": b"\x93NUMPY\x09\x00" + bytes(100),
        "no-header": b"\x93NUMPY\x01\x00\x00\x00",
        "2.0-claims": b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(100),
        "nan": npy("'<f4'", "(1, 4)", np.array([1, np.nan, 2, 3], "<f4").tobytes()),
        "infinity": npy("'<f8'", "(1, 2)", np.array([1, np.inf], "<f8").tobytes()),
        "beyond-float32": npy("'<f8'", "(1, 2)", np.array([1, 1e300]).tobytes()),
        "more-than-said": npy("'<f4'", "(2, 4)"),
    }
    for name, data in headers.items():
        yield Case("vectors", f"vectors-{name}.npy", data)
        yield Case("vectors", f"vectors-{name}.npz", _zipped({"vectors.npy": data}))
    good = npy("'<f4'", "(4, 4)")
    for name, members in {
        "ids-claim": {"vectors.npy": good, "ids.npy": npy("'<U8'", "(1000000000000,)")},
        "ids-wide": {"vectors.npy": good, "ids.npy": npy("'<U100000000'", "(4,)")},
        "ids-object": {"vectors.npy": good, "ids.npy": npy("'|O'", "(4,)", pickle.dumps(Trap(trap)))},
        "ids-fewer": {"vectors.npy": good, "ids.npy": npy("'<U1'", "(2,)", "ab".encode("utf-32-le"))},
        "ids-twice": {"vectors.npy": good, "ids.npy": npy("'<U1'", "(4,)", "aabc".encode("utf-32-le"))},
        "ids-empty": {"vectors.npy": good, "ids.npy": npy("'<U1'", "(4,)", bytes(16))},
        "ids-floats": {"vectors.npy": good, "ids.npy": npy("'<f4'", "(4,)", bytes(16))},
        "no-vectors": {"other.txt": b"hello"},
        "nothing": {},
        "bomb": {"vectors.npy": npy("'<f4'", "(25000000, 4)", bytes(400_000_000))},
        "bomb-of-ids": {"vectors.npy": good, "ids.npy": npy("'<U25000000'", "(4,)", bytes(400_000_000))},
    }.items():  # fmt: skip
        yield Case("vectors", f"vectors-{name}.npz", _zipped(members))
    whole = _zipped({"vectors.npy": good})
    for place in (len(whole) - 10, len(whole) - 30, whole.index(b"PK\x01\x02") + 24):
        spoilt = bytearray(whole)
        spoilt[place] ^= 0xFF
        yield Case("vectors", f"vectors-directory-{place}.npz", bytes(spoilt))


def _zipped(members: dict[str, bytes]) -> bytes:
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return file.getvalue()


def _tables(made: dict[str, bytes], rng: Random) -> Iterator[Case]:
    """Arrow's and Parquet's footers, lengths and offsets."""
    for name in ("vectors.parquet", "vectors.arrow"):
        data = made[name]
        for size in (0, 1, 1 << 20, (1 << 31) - 1, (1 << 32) - 1):
            place = len(data) - (8 if name.endswith("parquet") else 10)
            lied = data[:place] + struct.pack("<I", size) + data[place + 4 :]
            yield Case("vectors", f"footer-{size}-{name}", lied)
        yield Case("vectors", f"zeros-{name}", data[:8] + bytes(len(data) - 16) + data[-8:])
        for trial in range(6):
            noise = data[:8] + rng.randbytes(len(data) - 16) + data[-8:]
            yield Case("vectors", f"noise-{trial}-{name}", noise)


def _words() -> Iterator[Case]:
    """Headers and lines of word2vec and GloVe."""
    row = b"cat 1 2 3 4\n"
    bodies = {
        "rows.vec": b"1000000000000 4\n" + row,
        "columns.vec": b"1 1000000000000\n" + row,
        "both.vec": b"99999999999999999999 99999999999999999999\n" + row,
        "zero.vec": b"0 4\n",
        "no-columns.vec": b"4 0\ncat\n",
        "negative.vec": b"-1 4\n" + row,
        "fewer.vec": b"3 4\n" + row,
        "more.vec": b"1 4\n" + row + row.replace(b"cat", b"dog"),
        "ragged.vec": b"2 4\n" + row + b"dog 1 2 3\n",
        "nan.vec": b"1 4\ncat 1 nan 3 4\n",
        "infinity.vec": b"1 4\ncat 1 inf 3 4\n",
        "overflow.vec": b"1 4\ncat 1 1e999 3 4\n",
        "word.vec": b"1 4\ncat 1 two 3 4\n",
        "twice.vec": b"2 4\n" + row + row,
        "not-utf8.vec": b"1 4\n\xff\xfe 1 2 3 4\n",
        "nul.vec": bytes(1000),
        "rows.bin": b"1000000000000 4\ncat " + bytes(16),
        "columns.bin": b"1 1000000000000\ncat " + bytes(16),
        "fewer.bin": b"3 4\ncat " + bytes(16),
        "nan.bin": b"1 4\ncat " + np.array([1, np.nan, 2, 3], "<f4").tobytes() + b"\n",
        "not-utf8.bin": b"1 4\n\xff\xfe " + bytes(16),
        "no-blank.bin": b"2 4\n" + b"x" * 100_000,
        "ragged.txt": row + b"dog 1 2\n",
        "nan.txt": b"cat nan 2 3 4\n",
        "overflow.txt": b"cat 1e999 2 3 4\n",
        "twice.txt": row + row,
        "not-utf8.txt": b"\xff\xfe 1 2 3 4\n",
    }
    for name, data in bodies.items():
        yield Case("vectors", f"vectors-{name}", data)


def _media(made: dict[str, bytes], rng: Random) -> Iterator[Case]:
    """Pictures and sounds that claim to be enormous, or are something else."""
    png = made["picture.png"]
    for side in (0, 20_000, 100_000, (1 << 31) - 1, (1 << 32) - 1):
        head = b"IHDR" + struct.pack(">II", side, side) + png[24:29]
        crc = struct.pack(">I", __import__("zlib").crc32(head))
        yield Case("picture", f"side-{side}.png", png[:12] + head + crc + png[33:])
    for place in (0, 3, 7, 13, 16, 24):
        spoilt = bytearray(png)
        spoilt[place] ^= 0x55
        yield Case("picture", f"flip-{place}.png", bytes(spoilt))
    scripts = {"svg": b"<svg onload='alert(1)'/>", "eps": b"%!PS\nquit\n", "html": b"<html></html>",
               "pdf": b"%PDF-1.4\n", "noise": rng.randbytes(3000)}  # fmt: skip
    for name, data in scripts.items():
        yield Case("picture", f"{name}.png", data)
        yield Case("sound", f"{name}.wav", data)
    wav = made["sound.wav"]
    for rate in (0, 1, 999, 768_001, (1 << 31) - 1):
        yield Case("sound", f"rate-{rate}.wav", wav[:24] + struct.pack("<I", rate) + wav[28:])
    yield Case("sound", "no-channels.wav", wav[:22] + b"\0\0" + wav[24:])
    loud = np.full(100, np.nan, "<f4").tobytes()
    head = b"RIFF" + struct.pack("<I", 36 + len(loud)) + b"WAVEfmt "
    head += (
        struct.pack("<IHHIIHH", 16, 3, 1, 8000, 32000, 4, 32)
        + b"data"
        + struct.pack("<I", len(loud))
    )
    yield Case("sound", "nan.wav", head + loud)


def _archives(made: dict[str, bytes]) -> Iterator[Case]:
    """Archives with nothing to read, or whose members lie."""
    yield Case("pictures", "pictures-nothing.zip", _zipped({}))
    yield Case("pictures", "pictures-no-picture.zip", _zipped({"a.txt": b"a"}))
    for name in ("link.png", "../../link.png"):
        with io.BytesIO() as file:
            with tarfile.open(fileobj=file, mode="w") as archive:
                member = tarfile.TarInfo(name)
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
                archive.addfile(member)
            yield Case("pictures", f"pictures-{len(name)}.tar", file.getvalue())
    yield Case("pictures", "pictures-cut.tar", bytes(300))


assert VALUES.shape == (40, 4)
