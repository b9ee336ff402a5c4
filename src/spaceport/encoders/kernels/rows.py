"""Products of padded rows of float32, one or four at a time; inlined in the kernels of ALS."""

from __future__ import annotations

from typing import TypeAlias

import numba
import numpy as np
import numpy.typing as npt

from spaceport.encoders.kernels.lanes import (
    LANES,
    add,
    load,
    multiply,
    multiply_add,
    splat,
    store,
    total,
)

__all__ = ["Columns", "Ends", "Floats", "dot", "dots", "entry_loss", "gain", "gains"]

Floats: TypeAlias = npt.NDArray[np.float32]
Ends: TypeAlias = npt.NDArray[np.int64]
Columns: TypeAlias = npt.NDArray[np.int32]

_ONE = np.float32(1)


@numba.njit(inline="always")
def dot(Y: Floats, a: int, x: Floats, stride: int) -> np.float32:
    """The product of the row at `a` with x."""
    s = splat(np.float32(0))
    for v in range(0, stride, LANES):
        s = multiply_add(load(Y, a + v), load(x, v), s)
    product: np.float32 = total(s)
    return product


@numba.njit(inline="always")
def dots(
    Y: Floats, a: int, b: int, c: int, d: int, x: Floats, stride: int
) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """The products of four rows with x."""
    zero = splat(np.float32(0))
    sa, sb, sc, sd = zero, zero, zero, zero
    for v in range(0, stride, LANES):
        p = load(x, v)
        sa = multiply_add(load(Y, a + v), p, sa)
        sb = multiply_add(load(Y, b + v), p, sb)
        sc = multiply_add(load(Y, c + v), p, sc)
        sd = multiply_add(load(Y, d + v), p, sd)
    return total(sa), total(sb), total(sc), total(sd)


@numba.njit(inline="always")
def gain(out: Floats, Y: Floats, a: int, gain: np.float32, stride: int) -> None:
    """Add gain times the row at `a` to `out`."""
    g = splat(gain)
    for v in range(0, stride, LANES):
        store(out, v, multiply_add(load(Y, a + v), g, load(out, v)))


@numba.njit(inline="always")
def gains(
    out: Floats,
    Y: Floats,
    a: int,
    b: int,
    c: int,
    d: int,
    ga: np.float32,
    gb: np.float32,
    gc: np.float32,
    gd: np.float32,
    stride: int,
) -> None:
    """Add four rows, each times its gain, to `out`."""
    wa, wb, wc, wd = splat(ga), splat(gb), splat(gc), splat(gd)
    for v in range(0, stride, LANES):
        left = multiply_add(load(Y, a + v), wa, load(out, v))
        right = multiply(load(Y, c + v), wc)
        left = multiply_add(load(Y, b + v), wb, left)
        right = multiply_add(load(Y, d + v), wd, right)
        store(out, v, add(left, right))


@numba.njit(inline="always")
def entry_loss(weight: np.float32, shift: np.float32, s: np.float32) -> np.float32:
    """What an entry with the prediction s adds to the loss: (c + s₀)(1 − s)² − s₀ s²."""
    return (weight + shift) * (_ONE - s) * (_ONE - s) - shift * s * s
