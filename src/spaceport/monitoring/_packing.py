"""Sketches and bases as safetensors."""

from __future__ import annotations

import numpy as np

from spaceport.drift.sketches.basis import Basis
from spaceport.drift.sketches.sketch import Sketch
from spaceport.geometry.moments import Moments
from spaceport.safe import read_arrays


def pack(sketch: Sketch) -> bytes:
    from safetensors.numpy import save

    m = sketch.moments
    arrays = {f"sums.{k}": v for k, v in sketch.sums.items()}
    arrays |= {"keys": sketch.keys, "rows": sketch.rows, "sizes": sketch.sizes}
    arrays |= {"mean": m.mean, "scatter": m.scatter, "count": np.array([m.count])}
    import json

    return bytes(
        save(
            {k: np.ascontiguousarray(v) for k, v in arrays.items()}, {"ids": json.dumps(sketch.ids)}
        )
    )


def unpack(data: bytes, basis: Basis) -> Sketch:
    import json

    a, told = read_arrays(data, "sketch")
    moments = Moments(int(a["count"][0]), a["mean"], a["scatter"])
    sums = {k.removeprefix("sums."): v for k, v in a.items() if k.startswith("sums.")}
    return Sketch(
        basis, moments, a["sizes"], sums, a["keys"], tuple(json.loads(told["ids"])), a["rows"]
    )


def pack_basis(basis: Basis) -> bytes:
    from safetensors.numpy import save

    arrays = {f"cells{i}": c for i, c in enumerate(basis.cells)}
    arrays |= {"frequencies": basis.frequencies, "origin": basis.origin, "axes": basis.axes}
    return bytes(save(arrays, {"metric": basis.metric, "widths": str(basis.widths)}))


def unpack_basis(data: bytes) -> Basis:
    a, told = read_arrays(data, "basis")
    cells = tuple(a[f"cells{i}"] for i in range(len(a)) if f"cells{i}" in a)
    return Basis(
        told["metric"], cells, a["frequencies"], a["origin"], a["axes"], int(told["widths"])
    )
