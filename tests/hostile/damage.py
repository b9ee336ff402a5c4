"""Ways to damage a well-formed file so that no reader may take it; every choice comes from one seed."""

from __future__ import annotations

import json
import pickle
import struct
from collections.abc import Iterator
from pathlib import Path
from random import Random

from hostile.case import Case, Trap
from hostile.contents import archives, media, numpy_files, tables, words
from hostile.headers import documents, tensors
from hostile.wellformed import FILES

__all__ = ["cases", "reader"]


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
        *documents(),
        *tensors(),
        *numpy_files(trap),
        *tables(made, rng),
        *words(),
        *media(made, rng),
        *archives(made),
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
