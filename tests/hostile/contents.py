"""Vectors, pictures, sounds and archives that claim to be what they are not."""

from __future__ import annotations

import io
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np

from hostile.case import Case, Trap

__all__ = ["archives", "media", "npy", "numpy_files", "tables", "words"]


def npy(descr: str, shape: str, data: bytes = bytes(64), fortran: str = "False") -> bytes:
    """A NumPy file with any header."""
    head = f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data


def numpy_files(trap: Path) -> Iterator[Case]:
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


def tables(made: dict[str, bytes], rng: Random) -> Iterator[Case]:
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


def words() -> Iterator[Case]:
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


def media(made: dict[str, bytes], rng: Random) -> Iterator[Case]:
    """Pictures and sounds that claim to be enormous, or are something else."""
    png = made["picture.png"]
    for side in (0, 20_000, 100_000, (1 << 31) - 1, (1 << 32) - 1):
        head = b"IHDR" + struct.pack(">II", side, side) + png[24:29]
        crc = struct.pack(">I", zlib.crc32(head))
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


def archives(made: dict[str, bytes]) -> Iterator[Case]:
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
