"""JSON that means two things or nothing, and safetensors whose headers lie."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from hostile.case import Case

__all__ = ["documents", "file_of", "tensors"]


def documents() -> Iterator[Case]:
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


def tensors() -> Iterator[Case]:
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
